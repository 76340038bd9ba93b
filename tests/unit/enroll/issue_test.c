/* POST /v1/certificates: what its two forms of body may be, and Idempotency-Key as a client sees it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/world.h"
#include "cert/chain.h"
#include "cert/ext_policy.h"
#include "cert/pem.h"
#include "door.h"

/* --- the answer --- */

static void json_in_json_out(void **state)
{
    struct door *d = *state;
    struct view *ders;
    size_t n;
    struct said s = door_post(d, REQUESTER, "/v1/certificates",
                              door_body(d, "server", house_csr_for(d->h, "a.example.internal"), ""));
    assert_int_equal(s.status, 201);
    assert_string_equal(web_header(&s.raw, "Content-Type"), "application/json");
    assert_string_equal(web_header(&s.raw, "Cache-Control"), "no-store");
    assert_int_equal(strlen(said_text(&s, "serial")), 2 * SERIAL_BYTES);
    assert_string_equal(said_text(&s, "template"), "server");
    assert_string_equal(said_text(&s, "issuer"), "issuing");
    assert_string_equal(said_text(&s, "not_before") + 19, "Z");
    OK(cert_pem_read_all(view_str(said_text(&s, "certificate")), "CERTIFICATE", 2, d->h->arena, &ders, &n));
    assert_int_equal(n, 1);
    json_t *chain = json_object_get(s.json, "chain");
    assert_int_equal(json_array_size(chain), 1); /* the root is left out */
    OK(cert_pem_read_all(view_str(json_string_value(json_array_get(chain, 0))), "CERTIFICATE", 2, d->h->arena,
                         &ders, &n));
    assert_true(view_eq(ders[0], d->h->issuing));
    said_free(&s);
}

static void a_chain_where_accept_asks_for_it(void **state)
{
    struct door *d = *state;
    struct view *ders, pair[3];
    size_t n;
    struct said s =
        door_ask(d, REQUESTER, "POST", "/v1/certificates?template=server",
                 "Content-Type: application/pkcs10\r\nAccept: application/pem-certificate-chain\r\n",
                 house_csr_for(d->h, "a.example.internal"));
    assert_int_equal(s.status, 201);
    assert_string_equal(web_header(&s.raw, "Content-Type"), "application/pem-certificate-chain");
    OK(cert_pem_read_all(view_of(s.raw.body, s.raw.n), "CERTIFICATE", 4, d->h->arena, &ders, &n));
    assert_int_equal(n, 2);
    pair[0] = ders[0];
    pair[1] = ders[1];
    pair[2] = d->h->root;
    OK(cert_chain_verify(pair, 3, world_now_s(), d->h->arena));
    said_free(&s);
}

static void what_accept_allows_is_asked_before_one_is_made(void **state)
{
    struct door *d = *state;
    house_quiet(d->h);
    size_t intents = house_entries(d->h, LEDGER_INTENT);
    door_expect(door_ask(d, REQUESTER, "POST", "/v1/certificates?template=server",
                         "Content-Type: application/pkcs10\r\nAccept: text/html\r\n",
                         house_csr_for(d->h, "a.example.internal")),
                406, "not-acceptable");
    house_quiet(d->h);
    assert_int_equal(house_entries(d->h, LEDGER_INTENT), intents);
}

/* --- bodies --- */

/* MORE stands behind template and csr of a good body. NULL pointer: any. */
static const struct {
    const char *more;
    int status;
    const char *type, *pointer;
} members[] = {
    {"", 201, "", NULL},
    {",\"issuer\": \"issuing\"", 201, "", NULL},
    {",\"issuer\": \"nobody\"", 404, "issuer-unknown", "/issuer"},
    {",\"issuer\": \"root\"", 422, "policy", "/issuer"},
    {",\"issuer\": \"\"", 422, "bad-field", "/issuer"},
    {",\"issuer\": 5", 422, "bad-field", "/issuer"},
    {",\"issuer\": null", 422, "bad-field", "/issuer"},
    {",\"validity\": \"1h\"", 201, "", NULL},
    {",\"validity\": \"400d\"", 422, "policy", NULL},
    {",\"validity\": \"0h\"", 422, "bad-field", "/validity"},
    {",\"validity\": \"-1h\"", 422, "bad-field", "/validity"},
    {",\"validity\": 3600", 422, "bad-field", "/validity"},
    {",\"validity\": \"1 h\"", 422, "bad-field", "/validity"},
    {",\"validity\": \"99999999999999999999d\"", 422, "bad-field", "/validity"},
    {",\"not_after\": \"2099-01-01T00:00:00Z\"", 422, "policy", "/not_after"},
    {",\"not_after\": \"1970-01-01T00:00:00Z\"", 422, "bad-field", "/not_after"},
    {",\"not_after\": \"1969-01-01T00:00:00Z\"", 422, "bad-field", "/not_after"},
    {",\"not_after\": \"2001-01-01T00:00:00Z\"", 422, "policy", "/not_after"},
    {",\"not_after\": \"tomorrow\"", 422, "bad-field", "/not_after"},
    {",\"not_after\": \"2027-01-01T00:00:00+01:00\"", 422, "bad-field", "/not_after"},
    {",\"not_after\": \"2027-01-01T00:00:00Z\", \"validity\": \"1h\"", 422, "bad-field", "/validity"},
    {",\"sans\": [\"dns:b.example.internal\"]", 201, "", NULL},
    {",\"sans\": []", 422, "policy", NULL},
    {",\"sans\": \"dns:b.example.internal\"", 422, "bad-field", "/sans"},
    {",\"sans\": {}", 422, "bad-field", "/sans"},
    {",\"sans\": null", 422, "bad-field", "/sans"},
    {",\"sans\": [1]", 422, "bad-field", "/sans/0"},
    {",\"sans\": [\"dns:b.example.internal\", null]", 422, "bad-field", "/sans/1"},
    {",\"sans\": [\"dns:b.example.internal\", \"dns:-bad-.example.internal\"]", 400, "bad-name", "/sans/1"},
    {",\"sans\": [\"dns:b.example.com\"]", 403, "name-forbidden", "/sans"},
    {",\"sans\": [\"ip:10.0.0\"]", 400, "bad-name", "/sans/0"},
    {",\"subject\": {\"CN\": \"a.example.internal\"}", 201, "", NULL},
    {",\"subject\": {\"CN\": \"elsewhere.example.com\"}", 422, "policy", NULL},
    {",\"subject\": {\"CN\": 5}", 422, "bad-field", "/subject/CN"},
    {",\"subject\": {\"CN\": {\"x\": \"y\"}}", 422, "bad-field", "/subject/CN"},
    {",\"subject\": [\"CN=a\"]", 422, "bad-field", "/subject"},
    {",\"subject\": \"CN=a\"", 422, "bad-field", "/subject"},
    {",\"subject\": {\"XY\": \"a\"}", 201, "", NULL}, /* `other: drop` in this template */
    {",\"extensions\": [{\"oid\": \"1.2.3\", \"value\": \"null\"}]", 400, "bad-extension", "/extensions/0"},
    {",\"templat\": \"server\"", 422, "bad-field", NULL},
    {",\"csr\": \"again\"", 400, "bad-json", NULL},
    {",\"template\": \"client\"", 400, "bad-json", NULL},
};

static void each_member_of_the_body(void **state)
{
    struct door *d = *state;
    int bad = 0;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const char *body = door_body(d, "server", house_csr_for(d->h, "a.example.internal"), members[i].more);
        struct said s = door_post(d, REQUESTER, "/v1/certificates", body);
        bool fits = s.status == members[i].status &&
                    (!members[i].type || strcmp(s.type, members[i].type) == 0) &&
                    (!members[i].pointer || strcmp(s.pointer, members[i].pointer) == 0);
        if (!fits)
            print_error("%s: %d %s at '%s': %s\n", members[i].more, s.status, s.type, s.pointer, s.detail);
        bad += !fits;
        said_free(&s);
    }
    assert_int_equal(bad, 0);
}

/* The longest name there is, with everything left to the asker. */
#define PASSING "aws/BlankEndEntityCertificate_CriticalBasicConstraints_APICSRPassthrough/V1"

static struct said ask_passing(struct door *d, const char *extensions)
{
    struct view csr = house_csr_for(d->h, "a.example.internal");
    return door_post(
        d, OPERATOR, "/v1/certificates",
        door_body(d, PASSING, csr, arena_printf(d->h->arena, ",\"extensions\": %s", extensions)));
}

static void extensions_beside_the_csr_stand_in_the_certificate(void **state)
{
    struct door *d = *state;
    struct arena *a = d->h->arena;
    struct view *ders;
    size_t n = 0;
    struct cert_sealed sealed;
    struct cert_tbs tbs;
    unsigned mask;
    struct cert_views uses;
    struct cert_policies policies;
    struct said s = ask_passing(
        d, "[{\"oid\": \"keyUsage\", \"value\": [\"digitalSignature\", \"contentCommitment\"]},"
           " {\"oid\": \"extKeyUsage\", \"critical\": true, \"value\": [\"1.2.3.4\"]},"
           " {\"oid\": \"certificatePolicies\", \"value\": [{\"oid\": \"1.2.3.5\", \"notice\": \"ours\"}]},"
           " {\"oid\": \"1.2.3.6\", \"value\": \"utf8:hello\"}]");
    if (s.status != 201)
        fail_msg("%d %s at '%s': %s", s.status, s.type, s.pointer, s.detail);
    OK(cert_pem_read_all(view_str(said_text(&s, "certificate")), "CERTIFICATE", 2, a, &ders, &n));
    OK(cert_seal_open(ders[0], &sealed));
    OK(cert_tbs_read(sealed.tbs, a, &tbs));
    const struct cert_ext *ku = cert_tbs_ext(&tbs, CERT_EXT_KEY_USAGE);
    const struct cert_ext *eku = cert_tbs_ext(&tbs, CERT_EXT_EXT_KEY_USAGE);
    assert_true(ku && ku->critical && eku && eku->critical);
    OK(cert_ext_read_key_usage(ku->value, &mask));
    assert_int_equal(mask, CERT_KU_DIGITAL_SIGNATURE | CERT_KU_CONTENT_COMMITMENT);
    OK(cert_ext_read_eku(eku->value, a, &uses));
    assert_string_equal(cert_ext_eku_text(uses.v[0], a), "1.2.3.4");
    OK(cert_ext_read_policies(cert_tbs_ext(&tbs, CERT_EXT_POLICIES)->value, a, &policies));
    assert_string_equal(der_oid_text(policies.v[0].oid, a), "1.2.3.5");
    assert_true(view_eq_str(policies.v[0].qualifiers[0].text, "ours"));
    bool own = false;
    for (size_t i = 0; i < tbs.ext_count; i++)
        own |=
            view_eq_str(tbs.exts[i].oid, "\x2a\x03\x06") && view_eq_str(tbs.exts[i].value, "\x0c\x05hello");
    assert_true(own);
    said_free(&s);
}

static const struct {
    const char *extensions;
    int status;
    const char *type, *pointer;
} asked[] = {
    {"[]", 201, "", NULL},
    {"{}", 422, "bad-field", "/extensions"},
    {"\"keyUsage\"", 422, "bad-field", "/extensions"},
    {"[1]", 422, "bad-field", "/extensions/0"},
    {"[{}]", 422, "bad-field", "/extensions/0"},
    {"[{\"oid\": \"1.2.3\"}]", 422, "bad-field", "/extensions/0"},
    {"[{\"oid\": 1, \"value\": \"null\"}]", 422, "bad-field", "/extensions/0/oid"},
    {"[{\"oid\": \"keyusage\", \"value\": \"null\"}]", 422, "bad-field", "/extensions/0/oid"},
    {"[{\"oid\": \"1.2.3\", \"value\": [\"a\"]}]", 422, "bad-field", "/extensions/0/value"},
    {"[{\"oid\": \"1.2.3\", \"value\": \"der:05\"}]", 422, "bad-field", "/extensions/0/value"},
    {"[{\"oid\": \"1.2.3\", \"value\": \"null\", \"critical\": 1}]", 422, "bad-field",
     "/extensions/0/critical"},
    {"[{\"oid\": \"1.2.3\", \"value\": \"null\", \"more\": 1}]", 422, "bad-field", "/extensions/0/more"},
    {"[{\"oid\": \"keyUsage\", \"value\": [\"sign\"]}]", 422, "bad-field", "/extensions/0/value/0"},
    {"[{\"oid\": \"keyUsage\", \"value\": []}]", 422, "bad-field", "/extensions/0/value"},
    {"[{\"oid\": \"extKeyUsage\", \"value\": [\"no\"]}]", 422, "bad-field", "/extensions/0/value/0"},
    {"[{\"oid\": \"subjectAltName\", \"value\": \"null\"}]", 422, "bad-field", "/extensions/0/oid"},
    {"[{\"oid\": \"tlsFeature\", \"value\": [\"staple\"]}]", 422, "bad-field", "/extensions/0/value/0"},
    {"[{\"oid\": \"certificatePolicies\", \"value\": [\"1.2.3\"]}]", 422, "bad-field",
     "/extensions/0/value/0"},
    {"[{\"oid\": \"1.2.3\", \"value\": \"null\"}, {\"oid\": \"1.2.3\", \"value\": \"null\"}]", 400,
     "bad-extension", "/extensions/1"},
    {"[{\"oid\": \"basicConstraints\", \"value\": \"der:30030101ff\"}]", 201, "", NULL}, /* dropped */
    {"[{\"oid\": \"authorityKeyIdentifier\", \"value\": \"null\"}]", 400, "bad-extension", "/extensions/0"},
    {"[{\"oid\": \"keyUsage\", \"value\": [\"keyCertSign\"]}]", 422, "policy", NULL},
    {"[{\"oid\": \"extKeyUsage\", \"value\": [\"OCSPSigning\"]}]", 422, "policy", NULL},
};

static void each_form_of_an_extension(void **state)
{
    struct door *d = *state;
    int bad = 0;
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct said s = ask_passing(d, asked[i].extensions);
        bool fits = s.status == asked[i].status && strcmp(s.type, asked[i].type) == 0 &&
                    (!asked[i].pointer || strcmp(s.pointer, asked[i].pointer) == 0);
        if (!fits)
            print_error("%s: %d %s at '%s': %s\n", asked[i].extensions, s.status, s.type, s.pointer,
                        s.detail);
        bad += !fits;
        said_free(&s);
    }
    assert_int_equal(bad, 0);
}

/* Whole bodies. */
static const struct {
    const char *body;
    int status;
    const char *type;
} bodies[] = {
    {"", 400, "bad-json"},
    {"{", 400, "bad-json"},
    {"[]", 422, "bad-field"},
    {"null", 400, "bad-json"},
    {"{}", 422, "bad-field"},
    {"{\"template\": \"server\"}", 422, "bad-field"},
    {"{\"csr\": \"x\"}", 422, "bad-field"},
    {"{\"template\": \"\", \"csr\": \"x\"}", 422, "bad-field"},
    {"{\"template\": \"server\", \"csr\": \"x\"}", 400, "bad-csr"},
    {"{\"template\": \"server\", \"csr\": \"x\"} trailing", 400, "bad-json"},
    {"{\"template\": \"server\", \"csr\": \"\\u0000\"}", 400, "bad-json"},
    {"{\"template\": \"server\", \"csr\": \"\xff\"}", 400, "bad-json"},
    {"{\"template\": \"a template's name of more than one hundred characters, which is by far more than any "
     "file "
     "may "
     "say of itself\", \"csr\": "
     "\"x\"}",
     422, "bad-field"},
};

static void whole_bodies(void **state)
{
    struct door *d = *state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct said s = door_post(d, REQUESTER, "/v1/certificates", bodies[i].body);
        if (s.status != bodies[i].status || strcmp(s.type, bodies[i].type) != 0)
            fail_msg("%s: %d %s: %s", bodies[i].body, s.status, s.type, s.detail);
        said_free(&s);
    }
}

static const char *many_sans(struct arena *arena, int n)
{
    char *text = arena_alloc(arena, (size_t)n * 40 + 32), *at = text + sprintf(text, ",\"sans\": [");
    for (int i = 0; i < n; i++)
        at += sprintf(at, "%s\"dns:n%d.example.internal\"", i ? "," : "", i);
    strcpy(at, "]");
    return text;
}

static void too_much(void **state)
{
    struct door *d = *state;
    struct view csr = house_csr_for(d->h, "a.example.internal");
    door_expect(door_post(d, REQUESTER, "/v1/certificates",
                          door_body(d, "server", csr, many_sans(d->h->arena, 1001))),
                422, "too-many");
    door_expect(
        door_post(d, REQUESTER, "/v1/certificates", door_body(d, "server", csr, many_sans(d->h->arena, 101))),
        422, "too-many");
    char *deep = arena_alloc(d->h->arena, 2001);
    memset(deep, '[', 2000);
    door_expect(door_post(d, REQUESTER, "/v1/certificates", deep), 400, "bad-json");
    char *large = arena_alloc(d->h->arena, LIMIT_BODY_BYTES + 2);
    memset(large, ' ', LIMIT_BODY_BYTES + 1);
    door_expect(door_post(d, REQUESTER, "/v1/certificates", large), 413, "too-large");
    const char *subject = ",\"subject\": {";
    for (int i = 0; i < 21; i++)
        subject = arena_printf(d->h->arena, "%s%s\"A%d\": \"x\"", subject, i ? "," : "", i);
    door_expect(door_post(d, REQUESTER, "/v1/certificates",
                          door_body(d, "server", csr, arena_printf(d->h->arena, "%s}", subject))),
                422, "bad-field");
}

static void types_of_bodies(void **state)
{
    struct door *d = *state;
    struct view csr = house_csr_for(d->h, "a.example.internal");
    door_expect(door_ask(d, REQUESTER, "POST", "/v1/certificates", "Content-Type: text/plain\r\n", csr), 415,
                "bad-media-type");
    door_expect(door_ask(d, REQUESTER, "POST", "/v1/certificates", NULL, csr), 415, "bad-media-type");
    door_expect(door_ask(d, REQUESTER, "POST", "/v1/certificates",
                         "Content-Type: application/json; charset=utf-8\r\n",
                         view_str(door_body(d, "server", csr, ""))),
                201, NULL);
    door_expect(door_post(d, REQUESTER, "/v1/certificates?template=server", door_body(d, "server", csr, "")),
                400, "bad-request"); /* the body says it */
}

static const struct {
    const char *query;
    int status;
    const char *type;
} queries[] = {
    {"?template=server", 201, ""},
    {"?template=server&issuer=issuing", 201, ""},
    {"?template=server&validity=1h", 201, ""},
    {"", 400, "bad-request"},
    {"?template=nothing", 404, "template-unknown"},
    {"?template=%ff", 404, "template-unknown"},
    {"?template=server&template=client", 400, "bad-request"},
    {"?template=server&sans=dns:x", 400, "bad-request"},
    {"?template=server&validity=x", 422, "bad-field"},
    {"?template=server&not_after=x", 422, "bad-field"},
    {"?template=server&not_after=1970-01-01T00:00:00Z", 422, "bad-field"},
    {"?template=server&validity=1h&not_after=2027-01-01T00:00:00Z", 422, "bad-field"},
};

static void a_csr_alone(void **state)
{
    struct door *d = *state;
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct said s =
            door_ask(d, REQUESTER, "POST", arena_printf(d->h->arena, "/v1/certificates%s", queries[i].query),
                     "Content-Type: application/pkcs10\r\n", house_csr_for(d->h, "a.example.internal"));
        if (s.status != queries[i].status || strcmp(s.type, queries[i].type) != 0)
            fail_msg("%s: %d %s: %s", queries[i].query, s.status, s.type, s.detail);
        said_free(&s);
    }
    const char *pem =
        cert_pem_write("CERTIFICATE REQUEST", house_csr_for(d->h, "a.example.internal"), d->h->arena);
    door_expect(door_ask(d, REQUESTER, "POST", "/v1/certificates?template=server",
                         "Content-Type: application/pkcs10\r\n", view_str(pem)),
                201, NULL);
}

/* --- Idempotency-Key --- */

static struct said keyed(struct door *d, const char *key, const char *body)
{
    return door_ask(
        d, REQUESTER, "POST", "/v1/certificates",
        arena_printf(d->h->arena, "Content-Type: application/json\r\nIdempotency-Key: %s\r\n", key),
        view_str(body));
}

static void the_same_again(void **state)
{
    struct door *d = *state;
    const char *body = door_body(d, "server", house_csr_for(d->h, "a.example.internal"), "");
    struct said first = keyed(d, "abc", body), second = keyed(d, "abc", body);
    assert_int_equal(first.status, 201);
    assert_int_equal(second.status, 200);
    assert_string_equal((char *)first.raw.body, (char *)second.raw.body);
    said_free(&first);
    said_free(&second);
    door_expect(keyed(d, "abc", door_body(d, "server", house_csr_for(d->h, "a.example.internal"), "")), 422,
                "idempotency");
    door_expect(keyed(d, "", body), 400, "bad-request");
    char *longest = arena_alloc(d->h->arena, 257);
    memset(longest, 'k', 256);
    door_expect(keyed(d, longest, body), 400, "bad-request");
}

/* A client that leaves: what it asked for goes on, and its key finds it. */
static void a_client_that_leaves_finds_it_later(void **state)
{
    struct door *d = *state;
    const char *body = door_body(d, "server", house_csr_for(d->h, "gone.example.internal"), "");
    size_t records = house_entries(d->h, LEDGER_RECORD);
    unsigned long long intents = house_count(d->h, "ca.intend.durable");
    const char *head =
        arena_printf(d->h->arena,
                     "POST /v1/certificates HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\n"
                     "Idempotency-Key: later\r\nContent-Length: %zu\r\n\r\n%s",
                     d->authorization[REQUESTER], strlen(body), body);
    house_hold(d->h);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s", d->control.path);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(write(fd, head, strlen(head)), strlen(head));
    house_passed(d->h, "ca.intend.durable", intents + 1);
    door_expect(keyed(d, "later", body), 409, "conflict");
    close(fd);
    house_run(d->h, 20);
    house_release(d->h);
    house_quiet(d->h);
    assert_int_equal(house_entries(d->h, LEDGER_RECORD), records + 1);
    door_expect(keyed(d, "later", body), 200, NULL);
}

static void without_the_vault_a_client_is_told_when_to_come_back(void **state)
{
    struct door *d = *state;
    house_drop(d->h);
    struct said s = door_post(d, REQUESTER, "/v1/certificates",
                              door_body(d, "server", house_csr_for(d->h, "a.example.internal"), ""));
    assert_non_null(web_header(&s.raw, "Retry-After"));
    assert_true(json_is_true(json_object_get(s.json, "retryable")));
    door_expect(s, 503, "token-away");
    house_attach(d->h);
    (void)door_issue(d, REQUESTER, "a.example.internal");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_in_json_out),
        cmocka_unit_test(a_chain_where_accept_asks_for_it),
        cmocka_unit_test(what_accept_allows_is_asked_before_one_is_made),
        cmocka_unit_test(each_member_of_the_body),
        cmocka_unit_test(extensions_beside_the_csr_stand_in_the_certificate),
        cmocka_unit_test(each_form_of_an_extension),
        cmocka_unit_test(whole_bodies),
        cmocka_unit_test(too_much),
        cmocka_unit_test(types_of_bodies),
        cmocka_unit_test(a_csr_alone),
        cmocka_unit_test(the_same_again),
        cmocka_unit_test(a_client_that_leaves_finds_it_later),
        cmocka_unit_test(without_the_vault_a_client_is_told_when_to_come_back),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, door_setup, door_teardown);
}
