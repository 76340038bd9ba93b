/* Checks against an outside world, good and hostile: each finding with its reason, and none that costs much.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "outside.h"

#define DIGEST  "O6riuqpXK5TvPAOslzQ-lS4g3PyRFGFfgNri2kJpl8g" /* of "good.thumb" */
#define ACCOUNT "https://ca.example/acme/account/7"

static const char zone[] =
    "a.example A 127.0.0.1\n"
    "six.example AAAA ::1\n"
    "both.example A 127.0.0.1\nboth.example AAAA ::1\n"
    "alias.example CNAME a.example\n"
    "denied.example A 169.254.169.254\n"
    "mixed.example A 169.254.169.254\nmixed.example A 127.0.0.1\n"
    "flip.example FLIP 127.0.0.1 169.254.169.254\n"
    "text.example TXT hello\n"
    "fails.example SERVFAIL\n"
    "refuses.example REFUSED\n"
    "silent.example SILENT\n"
    "*.alpn A 127.0.0.1\n"
    /* dns-01 */
    "_acme-challenge.a.example TXT other\n_acme-challenge.a.example TXT " DIGEST "\n"
    "_acme-challenge.split.example TXT O6riuqpXK5TvPAOslz Q-lS4g3PyRFGFfgNri2kJpl8g\n"
    "_acme-challenge.wrong.example TXT other\n"
    "_acme-challenge.alias.example CNAME _acme-challenge.a.example\n"
    "_acme-challenge.lone.example CNAME-ALONE _acme-challenge.a.example\n"
    "_acme-challenge.round.example CNAME _acme-challenge.round2.example\n"
    "_acme-challenge.round2.example CNAME _acme-challenge.round.example\n"
    "_acme-challenge.fails.example SERVFAIL\n"
    "_acme-challenge.text.example A 127.0.0.1\n"
    /* the lasting record */
    "_validation-persist.a.example TXT \"ca.example; accounturi=" ACCOUNT "\"\n"
    "_validation-persist.b.example TXT \"ca.example; accounturi=" ACCOUNT "8\"\n"
    "_validation-persist.old.example TXT \"ca.example; accounturi=" ACCOUNT "; persistUntil=1000\"\n"
    /* CAA */
    "caa.example CAA 0 issue ca.example\n"
    "other.caa.example CAA 0 issue other.example\n"
    "*.sub.caa.example A 127.0.0.1\n"
    "account.example CAA 0 issue ca.example; accounturi=" ACCOUNT "; validationmethods=dns-01\n"
    "critical.example CAA 128 unknown x\n"
    "fails.caa.example SERVFAIL\n"
    "aliased.example CNAME other.caa.example\n";

struct asked {
    const char *name, *token; /* token: http-01 alone */
    enum courier_problem problem;
    const char *says;
    int64_t within_ms; /* 0: 3000 */
};

static void expect(struct outside *o, const struct courier_check *check, const struct asked *a)
{
    struct courier_finding f = outside_ask(o, check);
    enum courier_verdict wanted = a->problem ? COURIER_INVALID : COURIER_VALID;
    if (f.verdict != wanted || f.problem != a->problem || !strstr(f.detail, a->says ? a->says : ""))
        fail_msg("%s %s: verdict %d, %s: %s", a->name, a->token ? a->token : "", f.verdict,
                 courier_problem_type(f.problem), f.detail);
    if (strstr(f.detail, "secret") || strstr(f.detail, "169.254"))
        fail_msg("%s: tells too much: %s", a->name, f.detail);
    if (outside_took_ms() > (a->within_ms ? a->within_ms : 3000))
        fail_msg("%s %s: took %lld ms", a->name, a->token ? a->token : "", (long long)outside_took_ms());
}

static void http01(struct outside *o, const struct asked *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char authorization[64];
        struct in6_addr address;
        snprintf(authorization, sizeof authorization, "%s.thumb",
                 strcmp(all[i].token, "spaced") == 0 ? "spaced" : "good");
        struct courier_check c = {.kind = COURIER_HTTP_01,
                                  .identifier = all[i].name,
                                  .ip = net_address(all[i].name, &address),
                                  .token = all[i].token,
                                  .key_authorization = authorization};
        expect(o, &c, &all[i]);
    }
}

#define COUNT(list) (sizeof(list) / sizeof *(list))

static void http01_finds_the_key_authorization(void **state)
{
    static const struct asked well[] = {
        {"a.example", "good", 0, NULL, 0},    {"six.example", "good", 0, NULL, 0},
        {"both.example", "good", 0, NULL, 0}, {"alias.example", "good", 0, NULL, 0},
        {"a.example", "spaced", 0, NULL, 0},  {"127.0.0.1", "good", 0, NULL, 0},
        {"::1", "good", 0, NULL, 0},          {"a.example", "hops1", 0, NULL, 0},
        {"a.example", "hops4", 0, NULL, 0},   {"a.example", "relative", 0, NULL, 0},
        {"a.example", "https", 0, NULL, 0},   {"mixed.example", "good", 0, NULL, 0},
        {"localhost", "good", 0, NULL, 0},
    };
    http01(*state, well, COUNT(well));
}

static void http01_says_what_it_met_instead(void **state)
{
    static const struct asked wrong[] = {
        {"a.example", "wrong", COURIER_UNAUTHORIZED, "not the key authorization", 0},
        {"a.example", "s404", COURIER_INCORRECT_RESPONSE,
         "/.well-known/acme-challenge/s404 answered with status 404", 0},
        {"a.example", "s500", COURIER_INCORRECT_RESPONSE, "status 500", 0},
        {"a.example", "s204", COURIER_INCORRECT_RESPONSE, "status 204", 0},
        {"a.example", "hops5", COURIER_CONNECTION, "more than 4 redirects", 0},
        {"a.example", "loop", COURIER_CONNECTION, "more than 4 redirects", 0},
        {"a.example", "big", COURIER_INCORRECT_RESPONSE, "more than 1024 octets", 0},
        {"a.example", "headers", COURIER_INCORRECT_RESPONSE, "more than 1024 octets", 0},
        {"a.example", "banner", COURIER_INCORRECT_RESPONSE, "not an HTTP answer", 0},
        {"a.example", "closed", COURIER_INCORRECT_RESPONSE, "not an HTTP answer", 0},
        {"gone.example", "good", COURIER_DNS, "A and AAAA at gone.example: there is no such name (NXDOMAIN)",
         0},
        {"text.example", "good", COURIER_DNS, "the name has no such record", 0},
        {"fails.example", "good", COURIER_DNS, "SERVFAIL", 0},
        {"refuses.example", "good", COURIER_DNS, "REFUSED", 0},
    };
    http01(*state, wrong, COUNT(wrong));
}

static void who_never_ends_is_left_at_the_deadline(void **state)
{
    static const struct asked slow[] = {
        {"a.example", "silent", COURIER_CONNECTION, "no ", 2900},
        {"a.example", "drip", COURIER_CONNECTION, "no ", 2900},
        {"silent.example", "good", COURIER_DNS, "asking for the addresses of silent.example", 2900},
    };
    struct outside *o = *state;
    o->how.deadline_s = 1;
    http01(o, slow, COUNT(slow));
}

static void a_redirect_leads_nowhere_else(void **state)
{
    static const struct asked elsewhere[] = {
        {"a.example", "metadata", COURIER_REJECTED, "does not connect to", 0},
        {"a.example", "decimal", COURIER_REJECTED, "does not connect to", 0},
        {"a.example", "mapped", COURIER_REJECTED, "does not connect to", 0},
        {"a.example", "file", COURIER_CONNECTION, "no http or https URL", 0},
        {"a.example", "gopher", COURIER_CONNECTION, "no http or https URL", 0},
        {"a.example", "user", COURIER_CONNECTION, "no http or https URL", 0},
        {"a.example", "port", COURIER_CONNECTION, "a port other than 80 and 443", 0},
    };
    http01(*state, elsewhere, COUNT(elsewhere));
}

/* --- addresses --- */

static void the_deny_list_stands_before_every_connection(void **state)
{
    static const struct asked denied[] = {
        {"denied.example", "good", COURIER_REJECTED, "the address of denied.example", 0},
        {"flip.example", "flip", COURIER_REJECTED, "does not connect to", 0}, /* allowed once, then denied */
    };
    http01(*state, denied, COUNT(denied));
}

static void loopback_is_denied_but_for_a_trial(void **state)
{
    static const struct asked refused[] = {
        {"a.example", "good", COURIER_REJECTED, "does not connect to", 0},
        {"six.example", "good", COURIER_REJECTED, "does not connect to", 0},
        {"127.0.0.1", "good", COURIER_REJECTED, "does not connect to", 0},
        {"localhost", "good", COURIER_REJECTED, "does not connect to", 0},
    };
    static const struct asked passed[] = {{"a.example", "good", 0, NULL, 0}};
    struct outside *o = *state;
    struct net v4;
    size_t before = outside_seen(o, "http");
    o->how.trial = false;
    outside_set(o);
    http01(o, refused, COUNT(refused));
    assert_int_equal(outside_seen(o, "http"), before);
    /* the same question, with that one net let through: the denial was what stopped it */
    assert_true(net_parse("127.0.0.0/8", &v4));
    o->how.allow = &v4;
    o->how.allow_n = 1;
    http01(o, passed, COUNT(passed));
    assert_int_equal(outside_seen(o, "http"), before + 1);
    o->how.deny = &v4;
    o->how.deny_n = 1;
    http01(o, refused, 1);
    assert_int_equal(outside_seen(o, "http"), before + 1);
}

/* --- records --- */

static void records(struct outside *o, struct courier_check like, const struct asked *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        like.identifier = all[i].name;
        expect(o, &like, &all[i]);
    }
}

static void dns01_finds_the_digest(void **state)
{
    static const struct asked all[] = {
        {"a.example", NULL, 0, NULL, 0},
        {"split.example", NULL, 0, NULL, 0},
        {"alias.example", NULL, 0, NULL, 0},
        {"lone.example", NULL, 0, NULL, 0},
        {"wrong.example", NULL, COURIER_UNAUTHORIZED, "TXT at _acme-challenge.wrong.example: none of 1", 0},
        {"round.example", NULL, COURIER_DNS, "no such record", 0},
        {"fails.example", NULL, COURIER_DNS, "SERVFAIL", 0},
        {"text.example", NULL, COURIER_DNS, "no such record", 0},
        {"gone.example", NULL, COURIER_DNS, "NXDOMAIN", 0},
    };
    records(
        *state,
        (struct courier_check){.kind = COURIER_DNS_01, .wildcard = true, .key_authorization = "good.thumb"},
        all, COUNT(all));
}

static void the_lasting_record_names_the_account(void **state)
{
    static const struct asked all[] = {
        {"a.example", NULL, 0, NULL, 0},
        {"b.example", NULL, COURIER_UNAUTHORIZED, "names another account", 0},
        {"old.example", NULL, COURIER_UNAUTHORIZED, "persistUntil", 0},
        {"gone.example", NULL, COURIER_DNS, "TXT or CNAME at _validation-persist.gone.example", 0},
    };
    records(*state, (struct courier_check){.kind = COURIER_DNS_PERSIST, .account = ACCOUNT}, all, COUNT(all));
}

static void a_cname_alone_names_the_account_too(void **state)
{
    struct outside *o = *state;
    struct arena *arena = arena_new(1 << 16);
    static const struct asked well = {"cname.example", NULL, 0, NULL, 0},
                              other = {"cname8.example", NULL, COURIER_DNS, "NXDOMAIN", 0};
    char path[128];
    snprintf(path, sizeof path, "%s/zone", o->folder);
    FILE *f = fopen(path, "a");
    fprintf(f, "_validation-persist.cname.example CNAME %s\n",
            courier_persist_target("ca.example", ACCOUNT, arena));
    fprintf(f, "_validation-persist.cname8.example CNAME %s\n",
            courier_persist_target("ca.example", ACCOUNT "8", arena));
    fclose(f);
    const struct courier_check c = {.kind = COURIER_DNS_PERSIST, .account = ACCOUNT, .wildcard = true};
    records(o, c, &well, 1);
    records(o, c, &other, 1);
    arena_free(arena);
}

static void caa_is_looked_for_up_the_tree(void **state)
{
    static const struct asked all[] = {
        {"caa.example", NULL, 0, NULL, 0},
        {"x.sub.caa.example", NULL, 0, NULL, 0},
        {"gone.example", NULL, 0, NULL, 0},
        {"other.caa.example", NULL, COURIER_CAA_FORBIDS, "the CAA records at other.caa.example do not name",
         0},
        {"x.other.caa.example", NULL, COURIER_CAA_FORBIDS, "at other.caa.example", 0},
        {"aliased.example", NULL, COURIER_CAA_FORBIDS, "do not name this CA", 0},
        {"account.example", NULL, COURIER_CAA_FORBIDS, "RFC 8657", 0},
        {"critical.example", NULL, COURIER_CAA_FORBIDS, "critical", 0},
        {"fails.caa.example", NULL, COURIER_DNS, "SERVFAIL; without an answer nothing is issued", 0},
    };
    records(*state, (struct courier_check){.kind = COURIER_CAA, .account = ACCOUNT, .method = "http-01"}, all,
            COUNT(all));
    static const struct asked dns = {"account.example", NULL, 0, NULL, 0};
    records(*state, (struct courier_check){.kind = COURIER_CAA, .account = ACCOUNT, .method = "dns-01"}, &dns,
            1);
}

/* --- tls-alpn-01 --- */

static void alpn01_judges_the_certificate(void **state)
{
    static const struct asked all[] = {
        {"good.alpn", NULL, 0, NULL, 0},
        {"127.0.0.1", NULL, 0, NULL, 0},
        {"::1", NULL, 0, NULL, 0},
        {"two.alpn", NULL, COURIER_UNAUTHORIZED, "more than one name", 0},
        {"other.alpn", NULL, COURIER_UNAUTHORIZED, "is for another name", 0},
        {"digest.alpn", NULL, COURIER_UNAUTHORIZED, "digest of another key authorization", 0},
        {"plain.alpn", NULL, COURIER_UNAUTHORIZED, "no acmeIdentifier", 0},
        {"lax.alpn", NULL, COURIER_UNAUTHORIZED, "not critical", 0},
        {"signed.alpn", NULL, COURIER_UNAUTHORIZED, "not signed by its own key", 0},
        {"mute.alpn", NULL, COURIER_TLS, "acme-tls/1", 0},
        {"old.alpn", NULL, COURIER_TLS, "handshake failed", 0},
        {"denied.example", NULL, COURIER_REJECTED, "does not connect to", 0},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct in6_addr address;
        struct courier_check c = {.kind = COURIER_TLS_ALPN_01,
                                  .identifier = all[i].name,
                                  .ip = net_address(all[i].name, &address),
                                  .key_authorization = "good.thumb"};
        expect(*state, &c, &all[i]);
    }
}

static void who_is_not_there_is_said_to_be_so(void **state)
{
    struct outside *o = *state;
    static const struct asked tls = {"good.alpn", NULL, COURIER_CONNECTION,
                                     "no connection: Connection refused", 0};
    static const struct asked web = {"both.example", "good", COURIER_CONNECTION,
                                     "no connection: Connection refused", 0};
    o->how.tls_port = o->how.http_port = 1;
    const struct courier_check c = {
        .kind = COURIER_TLS_ALPN_01, .identifier = "good.alpn", .key_authorization = "good.thumb"};
    expect(o, &c, &tls);
    http01(o, &web, 1);
}

/* --- vantages --- */

static void as_many_vantages_as_configured_must_agree(void **state)
{
    struct outside *o = *state;
    static const struct asked well = {"a.example", "good", 0, NULL, 0},
                              ill = {"a.example", "good", COURIER_DNS, "from 1 of 3 vantages; 3 must agree",
                                     0},
                              worse = {"a.example", "good", COURIER_DNS, "of 3 vantages; 2 must agree", 2900};
    static const char nobody[] = "127.0.0.1:1";
    o->vantages[1] = o->resolver;
    o->vantages[2] = nobody;
    o->how.vantages_n = 3;
    o->how.deadline_s = 1;
    http01(o, &ill, 1);
    o->how.agree = 2;
    http01(o, &well, 1);
    o->vantages[1] = nobody;
    http01(o, &worse, 1);
}

/* --- bounds --- */

static size_t ended, untried;

static void count(void *arg, const struct courier_finding *f)
{
    ended++;
    untried += f->verdict == COURIER_UNTRIED;
    if (ended == 600)
        loop_stop(arg);
}

static void more_than_can_be_under_way_is_said_at_once(void **state)
{
    struct outside *o = *state;
    const struct courier_check c = {
        .kind = COURIER_DNS_01, .identifier = "silent.example", .key_authorization = "good.thumb"};
    o->how.deadline_s = 1;
    for (size_t i = 0; i < 600; i++)
        assert_null(courier_check(o->front, &c, count, o->loop));
    loop_run(o->loop);
    assert_int_equal(untried, 600 - 512);
}

static void a_name_that_cannot_be_asked_about_harms_nobody_else(void **state)
{
    static const char *const names[] = {"1.2.3.4", "a.-b.example", "a..example", ""};
    static const struct asked well = {"a.example", NULL, 0, NULL, 0};
    struct courier_check c = {.kind = COURIER_DNS_01, .key_authorization = "good.thumb"};
    struct outside *o = *state;
    for (size_t i = 0; i < COUNT(names); i++) {
        c.identifier = names[i];
        struct err *e = courier_check(o->front, &c, NULL, NULL);
        assert_non_null(e);
        assert_int_equal(err_code(e), ERR_PROTOCOL);
        err_free(e);
    }
    records(o, c, &well, 1);
}

static void a_lost_courier_ends_what_was_asked(void **state)
{
    struct outside *o = *state;
    const struct courier_check c = {
        .kind = COURIER_DNS_01, .identifier = "silent.example", .key_authorization = "good.thumb"};
    ended = 599;
    untried = 0;
    assert_null(courier_check(o->front, &c, count, o->loop));
    courier_server_free(o->server);
    o->server = NULL;
    loop_run(o->loop);
    assert_int_equal(untried, 1);
    struct err *e = courier_check(o->front, &c, count, o->loop);
    assert_int_equal(err_code(e), ERR_BUSY);
    err_free(e);
}

static int begin(void **state)
{
    *state = outside_new(zone, true);
    return 0;
}

static int anew(void **state)
{
    struct outside *o = *state;
    if (o->server)
        outside_defaults(o);
    return 0;
}

static int end(void **state)
{
    outside_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(http01_finds_the_key_authorization, anew),
        cmocka_unit_test_setup(http01_says_what_it_met_instead, anew),
        cmocka_unit_test_setup(who_never_ends_is_left_at_the_deadline, anew),
        cmocka_unit_test_setup(a_redirect_leads_nowhere_else, anew),
        cmocka_unit_test_setup(the_deny_list_stands_before_every_connection, anew),
        cmocka_unit_test_setup(loopback_is_denied_but_for_a_trial, anew),
        cmocka_unit_test_setup(dns01_finds_the_digest, anew),
        cmocka_unit_test_setup(the_lasting_record_names_the_account, anew),
        cmocka_unit_test_setup(a_cname_alone_names_the_account_too, anew),
        cmocka_unit_test_setup(caa_is_looked_for_up_the_tree, anew),
        cmocka_unit_test_setup(alpn01_judges_the_certificate, anew),
        cmocka_unit_test_setup(who_is_not_there_is_said_to_be_so, anew),
        cmocka_unit_test_setup(as_many_vantages_as_configured_must_agree, anew),
        cmocka_unit_test_setup(more_than_can_be_under_way_is_said_at_once, anew),
        cmocka_unit_test_setup(a_name_that_cannot_be_asked_about_harms_nobody_else, anew),
        cmocka_unit_test_setup(a_lost_courier_ends_what_was_asked, anew), /* last: nothing works after it */
    };
    return cmocka_run_group_tests(tests, begin, end);
}
