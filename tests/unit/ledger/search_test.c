/* Searching: conditions, order, cursors; revocations in the order of lists; what is about to lapse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ledger_verify.h"
#include "scene.h"

static struct ledger_page search(struct scene *s, struct ledger_query q)
{
    struct ledger_page page;
    OK(ledger_search(s->ledger, &q, s->arena, &page));
    return page;
}

static uint64_t issue_more(struct scene *s, unsigned serial, const char *const *names, size_t n)
{
    struct ledger_entry en = scene_intent(serial, "dns:x");
    en.body.intent.names = (struct ledger_texts){n, names};
    uint64_t seq = scene_put(s, &en);
    struct ledger_entry record = scene_record(seq, serial);
    scene_put(s, &record);
    return seq;
}

static void a_name_is_found_exactly_and_newest_first(void **state)
{
    struct scene *s = *state;
    uint64_t a = scene_issue(s, 1, "dns:www.example"), b = scene_issue(s, 2, "dns:www.example");
    scene_issue(s, 3, "dns:www.example.org");
    scene_issue(s, 4, "dns:a.www.example");
    struct ledger_page p = search(s, (struct ledger_query){.name = "dns:www.example"});
    assert_int_equal(p.n, 2);
    assert_null(p.next);
    assert_int_equal(p.certs[0].intent, b);
    assert_int_equal(p.certs[1].intent, a);
    assert_string_equal(p.certs[0].decision.names.items[0], "dns:www.example");
    assert_true(view_eq_str(p.certs[0].seal.signature, "signature"));
    assert_int_equal(p.certs[0].decision.tbs.n, 700);
}

static void all_under_a_domain_is_found_and_nothing_beside_it(void **state)
{
    struct scene *s = *state;
    static const char *const several[] = {"dns:b.example", "dns:c.d.example", "dns:elsewhere.org"};
    scene_issue(s, 1, "dns:example");
    scene_issue(s, 2, "dns:a.example");
    scene_issue(s, 3, "dns:badexample");
    scene_issue(s, 4, "dns:example.org");
    scene_issue(s, 5, "ip:10.0.0.1");
    issue_more(s, 6, several, 3);
    struct ledger_page p = search(s, (struct ledger_query){.under = "dns:example"});
    unsigned found[8] = {0};
    for (size_t i = 0; i < p.n; i++)
        found[p.certs[i].serial.p[15]]++;
    assert_int_equal(p.n, 3);
    assert_true(found[1] == 1 && found[2] == 1 && found[6] == 1);
    assert_int_equal(search(s, (struct ledger_query){.under = "dns:org"}).n, 2);
    assert_int_equal(search(s, (struct ledger_query){.under = "dns:"}).n, 5);
    assert_int_equal(search(s, (struct ledger_query){.under = "dns:le"}).n, 0);
}

static void a_very_long_name_is_found_by_all_of_it(void **state)
{
    struct scene *s = *state;
    char a[2000], b[2000];
    memset(a, 'x', sizeof(a));
    memcpy(a, "uri:", 4);
    a[sizeof(a) - 1] = 0;
    memcpy(b, a, sizeof(a));
    b[4] = 'y';
    scene_issue(s, 1, a);
    scene_issue(s, 2, b);
    assert_int_equal(search(s, (struct ledger_query){.name = a}).n, 1);
    assert_int_equal(search(s, (struct ledger_query){.name = b}).certs[0].serial.p[15], 2);
}

static void conditions_hold_together(void **state)
{
    struct scene *s = *state;
    for (unsigned i = 1; i <= 6; i++) {
        struct ledger_entry en = scene_intent(i, i & 1 ? "dns:odd.example" : "dns:even.example");
        en.actor = i <= 3 ? "token:aa" : "token:bb";
        en.body.intent.template = i == 2 ? "client" : "server";
        en.body.intent.not_after = 1000 + i;
        struct ledger_entry record = scene_record(scene_put(s, &en), i);
        scene_put(s, &record);
    }
    struct ledger_entry revoke = scene_revoke(5, 1), open = scene_intent(7, "dns:odd.example");
    scene_put(s, &revoke);
    scene_put(s, &open);
    assert_int_equal(search(s, (struct ledger_query){0}).n, 6); /* not the open one */
    assert_int_equal(search(s, (struct ledger_query){.actor = "token:aa"}).n, 3);
    assert_int_equal(search(s, (struct ledger_query){.actor = "token:a"}).n, 0);
    assert_int_equal(search(s, (struct ledger_query){.actor = "token:aa", .template = "client"}).n, 1);
    assert_int_equal(search(s, (struct ledger_query){.name = "dns:odd.example", .actor = "token:bb"}).n, 1);
    assert_int_equal(search(s, (struct ledger_query){.issuer = "other"}).n, 0);
    assert_int_equal(search(s, (struct ledger_query){.status = LEDGER_IS_REVOKED}).n, 1);
    assert_int_equal(search(s, (struct ledger_query){.status = LEDGER_VALID, .now = 1004}).n, 2);
    assert_int_equal(search(s, (struct ledger_query){.status = LEDGER_EXPIRED, .now = 1004}).n, 3);
    assert_int_equal(search(s, (struct ledger_query){.not_after_from = 1002, .not_after_till = 1003}).n, 2);
    assert_int_equal(search(s, (struct ledger_query){.spki_sha256 = scene_hash(4)}).n, 1);
    struct ledger_page page;
    FAILS(ERR_BAD_FIELD, ledger_search(s->ledger, &(struct ledger_query){.name = "bare"}, s->arena, &page));
}

static void what_only_the_index_knows_is_found(void **state)
{
    struct scene *s = *state;
    uint64_t seq[3];
    for (unsigned i = 0; i < 3; i++) {
        struct ledger_entry en = scene_intent(i + 1, i == 0   ? "ip:10.1.2.3"
                                                     : i == 1 ? "ip:10.2.0.1"
                                                              : "email:a@b.example");
        char subject[16];
        snprintf(subject, sizeof(subject), "CN=%u", i);
        en.body.intent.subject = subject;
        en.body.intent.version = i + 1;
        seq[i] = scene_put(s, &en);
        struct ledger_entry record = scene_record(seq[i], i);
        scene_put(s, &record);
    }
    struct ledger_cert cert;
    OK(ledger_cert_at(s->ledger, seq[1], s->arena, &cert));
    const struct ledger_query q[] = {{.net = "10.2.0.0/15"},
                                     {.net = "10.2.0.0/16"},
                                     {.subject = "CN=1"},
                                     {.version = 2},
                                     {.since_ms = cert.requested_ms, .until_ms = cert.requested_ms},
                                     {.net = "10.0.0.0/8", .subject = "CN=1"}};
    for (size_t i = 1; i < sizeof(q) / sizeof(q[0]); i++) {
        struct ledger_page p = search(s, q[i]);
        bool found = false;
        for (size_t k = 0; k < p.n; k++)
            found = found || p.certs[k].intent == seq[1];
        assert_true(found);
        assert_true(p.n == 1 || q[i].since_ms != 0);
    }
    assert_int_equal(search(s, q[0]).n, 1);
    assert_int_equal(search(s, (struct ledger_query){.net = "10.0.0.0/8"}).n, 2);
    assert_int_equal(search(s, (struct ledger_query){.under = "email:b.example"}).n, 1);
    assert_int_equal(search(s, (struct ledger_query){.since_ms = cert.requested_ms + 3600000}).n, 0);
    assert_int_equal(search(s, (struct ledger_query){.until_ms = 1}).n, 0);
    struct ledger_page page;
    FAILS(ERR_BAD_FIELD,
          ledger_search(s->ledger, &(struct ledger_query){.net = "10.0.0.0/64"}, s->arena, &page));
}

static void cursors_walk_all_once(void **state)
{
    struct scene *s = *state;
    for (unsigned i = 1; i <= 10; i++)
        scene_issue(s, i, "dns:a.example");
    static const struct ledger_query queries[] = {{.limit = 3},
                                                  {.limit = 3, .name = "dns:a.example"},
                                                  {.limit = 5, .under = "dns:example"},
                                                  {.limit = 3, .actor = "token:01"}};
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        struct ledger_query q = queries[i];
        unsigned expected = 10, pages = 0;
        do {
            struct ledger_page p = search(s, q);
            for (size_t k = 0; k < p.n; k++)
                assert_int_equal(p.certs[k].serial.p[15], expected--);
            q.cursor = p.next;
            pages++;
        } while (q.cursor);
        assert_int_equal(expected, 0);
        assert_int_equal(pages, (10 + q.limit - 1) / q.limit);
    }
}

static void what_is_no_cursor_is_refused(void **state)
{
    struct scene *s = *state;
    struct ledger_page page;
    scene_issue(s, 1, "dns:a.example");
    struct ledger_query q[] = {{.actor = "token:02", .cursor = "AAAA"},
                               {.cursor = "AAAAAAAAAAAAAAAA"},
                               {.cursor = "???"},
                               {.cursor = ""}};
    for (size_t i = 0; i < sizeof(q) / sizeof(q[0]); i++)
        FAILS(ERR_BAD_FIELD, ledger_search(s->ledger, &q[i], s->arena, &page));
}

static void a_search_that_finds_little_still_ends(void **state)
{
    struct scene *s = *state;
    for (unsigned i = 1; i <= 2100; i++) {
        struct ledger_entry en = scene_intent(i, "dns:a.example");
        en.body.intent.template = i == 1 ? "client" : "server";
        struct scene_end *end = arena_alloc(s->arena, sizeof(*end));
        *end = (struct scene_end){.scene = s};
        OK(ledger_append(s->ledger, &en, scene_done, end, NULL));
        struct ledger_entry close = scene_close(2 * (uint64_t)i - 1, LEDGER_SEALED_LOST);
        end = arena_alloc(s->arena, sizeof(*end));
        *end = (struct scene_end){.scene = s};
        OK(ledger_append(s->ledger, &close, scene_done, end, NULL));
    }
    scene_reopen(s);
    struct ledger_query q = {.template = "client"};
    struct ledger_page p = search(s, q);
    assert_int_equal(p.n, 1);
    assert_int_equal(p.certs[0].state, LEDGER_STATE_SEALED_LOST);
}

static void a_serial_alone_is_found_unless_several_used_it(void **state)
{
    struct scene *s = *state;
    struct ledger_cert cert;
    scene_issue(s, 1, "dns:a.example");
    OK(ledger_find(s->ledger, NULL, scene_serial(1), s->arena, &cert));
    assert_string_equal(cert.issuer, "issuing");
    FAILS(ERR_NOT_FOUND, ledger_find(s->ledger, NULL, scene_serial(2), s->arena, &cert));
    struct ledger_entry other = scene_intent(1, "dns:b.example");
    other.issuer = "root";
    scene_put(s, &other);
    FAILS(ERR_CONFLICT, ledger_find(s->ledger, NULL, scene_serial(1), s->arena, &cert));
    OK(ledger_find(s->ledger, "root", scene_serial(1), s->arena, &cert));
    assert_int_equal(cert.state, LEDGER_STATE_OPEN);
    struct ledger_texts names;
    OK(ledger_issuers(s->ledger, s->arena, &names));
    assert_int_equal(names.n, 2);
    assert_string_equal(names.items[1], "root");
}

static void open_intents_are_listed(void **state)
{
    struct scene *s = *state;
    struct ledger_page p;
    struct ledger_entry a = scene_intent(1, "dns:a"), b = scene_intent(2, "dns:b");
    uint64_t first = scene_put(s, &a), second = scene_put(s, &b);
    struct ledger_entry record = scene_record(first, 1);
    scene_put(s, &record);
    OK(ledger_open_intents(s->ledger, 0, 0, s->arena, &p));
    assert_int_equal(p.n, 1);
    assert_int_equal(p.certs[0].intent, second);
}

static void the_log_is_entered_by_time(void **state)
{
    struct scene *s = *state;
    struct ledger_entry a = scene_intent(1, "dns:a"), b = scene_intent(2, "dns:b");
    int64_t before = scene_append(s, &a).result.time_ms, after = before;
    while (after == before)
        after = scene_append(s, &(struct ledger_entry){.kind = LEDGER_NOTE}).result.time_ms;
    uint64_t last = scene_put(s, &b), seq;
    OK(ledger_seq_at(s->ledger, before, &seq));
    assert_int_equal(seq, 1);
    OK(ledger_seq_at(s->ledger, before + 1, &seq));
    assert_true(seq > 1 && seq <= last);
    OK(ledger_seq_at(s->ledger, INT64_MAX, &seq));
    assert_int_equal(seq, last + 1);
}

/* --- revocations --- */

static size_t count_revoked(struct ledger_revoked *r)
{
    struct ledger_revocation one;
    uint8_t before[SERIAL_BYTES] = {0};
    bool more = true;
    size_t n = 0;
    for (;;) {
        OK(ledger_revoked_next(r, &one, &more));
        if (!more)
            return n;
        assert_int_equal(one.serial.n, SERIAL_BYTES);
        assert_true(memcmp(before, one.serial.p, SERIAL_BYTES) < 0);
        memcpy(before, one.serial.p, SERIAL_BYTES);
        n++;
    }
}

static size_t revoked(struct scene *s, const char *issuer)
{
    struct ledger_revoked *r;
    OK(ledger_revoked_open(s->ledger, issuer, LEDGER_WHOLE, &r));
    size_t n = count_revoked(r);
    ledger_revoked_rewind(r);
    assert_int_equal(count_revoked(r), n);
    ledger_revoked_close(r);
    return n;
}

static void revocations_come_in_the_order_of_serials(void **state)
{
    struct scene *s = *state;
    static const unsigned serials[] = {700, 3, 0x10000, 255, 256};
    for (size_t i = 0; i < 5; i++) {
        struct ledger_entry revoke = scene_revoke(serials[i], 1);
        scene_issue(s, serials[i], "dns:a");
        scene_put(s, &revoke);
    }
    scene_issue(s, 5, "dns:a");
    assert_int_equal(revoked(s, "issuing"), 5);
    assert_int_equal(revoked(s, "issuin"), 0);
}

static void a_walk_sees_one_moment(void **state)
{
    struct scene *s = *state;
    struct ledger_revoked *r;
    scene_issue(s, 1, "dns:a");
    OK(ledger_revoked_open(s->ledger, "issuing", LEDGER_WHOLE, &r));
    struct ledger_entry revoke = scene_revoke(1, 1);
    scene_put(s, &revoke);
    assert_int_equal(count_revoked(r), 0);
    assert_int_equal(ledger_revoked_upto(r), 2);
    ledger_revoked_close(r);
    assert_int_equal(revoked(s, "issuing"), 1);
}

static struct ledger_entry list(uint64_t number, int64_t this_update, uint64_t upto)
{
    return (struct ledger_entry){.kind = LEDGER_CRL,
                                 .issuer = "issuing",
                                 .body.crl = {.number = number,
                                              .this_update = this_update,
                                              .next_update = this_update + 10,
                                              .upto = upto,
                                              .sha256 = scene_hash(1)}};
}

static void an_expired_one_stands_on_one_more_list(void **state)
{
    struct scene *s = *state;
    struct ledger_entry en = scene_intent(1, "dns:a"), revoke = scene_revoke(1, 1);
    struct ledger_crl last;
    en.body.intent.not_after = 1000;
    struct ledger_entry record = scene_record(scene_put(s, &en), 1);
    scene_put(s, &record);
    uint64_t seq = scene_put(s, &revoke);
    struct ledger_entry early = list(1, 900, seq), late = list(2, 1100, seq), behind = list(3, 1200, seq - 1);
    scene_put(s, &early);
    assert_int_equal(revoked(s, "issuing"), 1); /* the last list was made before its end */
    scene_put(s, &late);
    assert_int_equal(revoked(s, "issuing"), 0);
    scene_put(s, &behind);
    assert_int_equal(revoked(s, "issuing"), 1); /* a list that did not see it counts for nothing */
    assert_int_equal(scene_append(s, &late).code, ERR_WRONG_STATE);
    OK(ledger_crl_last(s->ledger, "issuing", &last));
    assert_int_equal(last.number, 3);
    OK(ledger_crl_last(s->ledger, "root", &last));
    assert_int_equal(last.number, 0);
}

/* --- keys --- */

static void a_key_tells_whose_it_is_and_whether_it_was_given_up(void **state)
{
    struct scene *s = *state;
    struct ledger_key key;
    struct ledger_entry mine = scene_intent(1, "dns:a.example"), theirs = scene_intent(2, "dns:b.example");
    theirs.actor = "token:02";
    theirs.body.intent.spki_sha256 = scene_hash(1);
    OK(ledger_key_find(s->ledger, scene_hash(1), s->arena, &key));
    assert_false(key.certified);
    struct ledger_entry close = scene_close(scene_put(s, &mine), LEDGER_NEVER_SEALED);
    scene_put(s, &close);
    OK(ledger_key_find(s->ledger, scene_hash(1), s->arena, &key));
    assert_false(key.certified);
    struct ledger_entry record = scene_record(scene_put(s, &theirs), 1), revoke = scene_revoke(2, 1);
    scene_put(s, &record);
    OK(ledger_key_find(s->ledger, scene_hash(1), s->arena, &key));
    assert_true(key.certified);
    assert_string_equal(key.actor, "token:02");
    assert_false(key.compromised);
    scene_put(s, &revoke);
    OK(ledger_key_find(s->ledger, scene_hash(1), s->arena, &key));
    assert_true(key.compromised);
}

static uint64_t renew(struct scene *s, unsigned serial, uint64_t replaces, bool recorded)
{
    struct ledger_entry en = scene_intent(serial, "dns:www.example");
    en.body.intent.replaces = replaces;
    uint64_t seq = scene_put(s, &en);
    struct ledger_entry record = scene_record(seq, serial);
    if (recorded)
        scene_put(s, &record);
    return seq;
}

static struct ledger_lineage lineage_of(struct scene *s, uint64_t intent)
{
    struct ledger_cert cert;
    struct ledger_lineage lineage;
    OK(ledger_cert_at(s->ledger, intent, s->arena, &cert));
    OK(ledger_lineage(s->ledger, &cert, s->arena, &lineage));
    return lineage;
}

static void each_of_two_says_which_replaced_which(void **state)
{
    struct scene *s = *state;
    uint64_t a = scene_issue(s, 1, "dns:www.example"), b = renew(s, 2, a, true), c = renew(s, 3, a, true);
    renew(s, 4, a, false);
    assert_int_equal(lineage_of(s, a).replaces.intent, 0);
    assert_int_equal(lineage_of(s, a).renewed_by.intent, c);
    assert_int_equal(lineage_of(s, b).replaces.intent, a);
    assert_true(view_eq(lineage_of(s, b).replaces.serial, scene_serial(1)));
    assert_int_equal(lineage_of(s, b).renewed_by.intent, 0);
    scene_reopen(s);
    assert_int_equal(lineage_of(s, a).renewed_by.intent, c);
    assert_int_equal(search(s, (struct ledger_query){.replaces = a}).n, 2);
    assert_int_equal(search(s, (struct ledger_query){.replaces = c}).n, 0);
}

static struct ledger_texts tags_of(const char *const *items, size_t n)
{
    return (struct ledger_texts){n, items};
}

static size_t tagged(struct scene *s, const char *tag)
{
    return search(s, (struct ledger_query){.tag = tag}).n;
}

static void tags_come_with_the_request_and_change(void **state)
{
    static const char *const first[] = {"stage=prod", "team=pay"}, *const later[] = {"team=shop"};
    struct scene *s = *state;
    struct ledger_cert cert;
    struct ledger_entry en = scene_intent(1, "dns:www.example"), record;
    en.body.intent.tags = tags_of(first, 2);
    uint64_t a = scene_put(s, &en), b = scene_issue(s, 2, "dns:www.example");
    record = scene_record(a, 1);
    scene_put(s, &record);
    assert_int_equal(tagged(s, "team=pay"), 1);
    assert_int_equal(tagged(s, "team=p"), 0);
    struct ledger_entry change = {.kind = LEDGER_TAGS, .issuer = "issuing", .serial = scene_serial(1)};
    change.body.tags.tags = tags_of(later, 1);
    scene_put(s, &change);
    change.serial = scene_serial(2);
    scene_put(s, &change);
    assert_int_equal(tagged(s, "team=pay"), 0);
    assert_int_equal(tagged(s, "stage=prod"), 0);
    struct ledger_page p = search(s, (struct ledger_query){.tag = "team=shop", .template = "server"});
    assert_int_equal(p.n, 2);
    assert_int_equal(p.certs[0].intent, b);
    assert_int_equal(search(s, (struct ledger_query){.tag = "team=shop", .status = LEDGER_IS_REVOKED}).n, 0);
    change.body.tags.tags = tags_of(NULL, 0);
    scene_put(s, &change);
    scene_reopen(s);
    assert_int_equal(tagged(s, "team=shop"), 1);
    OK(ledger_cert_at(s->ledger, a, s->arena, &cert));
    assert_int_equal(cert.tags.n, 1);
    assert_string_equal(cert.tags.items[0], "team=shop");
    struct ledger_verify_report report;
    OK(ledger_verify(s->ledger, &(struct ledger_verify){.live = false}, &report));
    assert_int_equal(report.findings, 0);
    change.serial = scene_serial(9);
    assert_int_equal(scene_append(s, &change).code, ERR_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_of_two_says_which_replaced_which),
        TEST(tags_come_with_the_request_and_change),
        TEST(a_name_is_found_exactly_and_newest_first),
        TEST(all_under_a_domain_is_found_and_nothing_beside_it),
        TEST(a_very_long_name_is_found_by_all_of_it),
        TEST(conditions_hold_together),
        TEST(what_only_the_index_knows_is_found),
        TEST(cursors_walk_all_once),
        TEST(what_is_no_cursor_is_refused),
        TEST(a_search_that_finds_little_still_ends),
        TEST(a_serial_alone_is_found_unless_several_used_it),
        TEST(open_intents_are_listed),
        TEST(the_log_is_entered_by_time),
        TEST(revocations_come_in_the_order_of_serials),
        TEST(a_walk_sees_one_moment),
        TEST(an_expired_one_stands_on_one_more_list),
        TEST(a_key_tells_whose_it_is_and_whether_it_was_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
