/* What may follow what: the rules that a group's transaction keeps, each refusing one entry alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "ledger_verify.h"
#include "scene.h"

/* Appends all of them in one turn, so that they share a group, and waits for all. */
static void append_all(struct scene *s, const struct ledger_entry *entries, size_t n, struct scene_end *ends)
{
    size_t left = n;
    for (size_t i = 0; i < n; i++) {
        ends[i] = (struct scene_end){.scene = s, .left = &left};
        OK(ledger_append(s->ledger, &entries[i], scene_done, &ends[i], NULL));
    }
    loop_run(s->loop);
    assert_int_equal(left, 0);
}

static void seq_and_time_are_the_ledgers(void **state)
{
    struct scene *s = *state;
    struct ledger_entry entries[3] = {scene_intent(1, "dns:a"), scene_intent(2, "dns:b"),
                                      scene_intent(3, "dns:c")};
    struct scene_end ends[3];
    struct ledger_head head;
    append_all(s, entries, 3, ends);
    for (size_t i = 0; i < 3; i++) {
        assert_false(ends[i].failed);
        assert_int_equal(ends[i].result.seq, i + 1);
        assert_true(ends[i].result.time_ms == ends[0].result.time_ms);
    }
    OK(ledger_head(s->ledger, &head));
    assert_int_equal(head.entries, 3);
    assert_int_equal(head.open, 3);
    assert_true(head.last_time_ms == ends[0].result.time_ms);
}

static void a_serial_stands_once_per_issuer(void **state)
{
    struct scene *s = *state;
    struct ledger_entry entries[3] = {scene_intent(1, "dns:a"), scene_intent(1, "dns:b"),
                                      scene_intent(1, "dns:c")};
    struct scene_end ends[3];
    entries[2].issuer = "other";
    append_all(s, entries, 3, ends);
    assert_false(ends[0].failed);
    assert_true(ends[1].failed);
    assert_int_equal(ends[1].code, ERR_SERIAL);
    assert_false(ends[2].failed);
    assert_int_equal(ends[2].result.seq, 2);
    assert_int_equal(scene_append(s, &entries[0]).code, ERR_SERIAL);
}

static void an_intent_ends_once(void **state)
{
    struct scene *s = *state;
    struct ledger_entry intent = scene_intent(1, "dns:a");
    uint64_t seq = scene_put(s, &intent);
    struct ledger_entry ends[3] = {scene_record(seq, 1), scene_record(seq, 2),
                                   scene_close(seq, LEDGER_NEVER_SEALED)};
    struct scene_end what[3];
    append_all(s, ends, 3, what);
    assert_false(what[0].failed);
    assert_int_equal(what[1].code, ERR_WRONG_STATE);
    assert_int_equal(what[2].code, ERR_WRONG_STATE);
    struct ledger_entry nothing = scene_record(77, 1), itself = scene_record(2, 1);
    assert_int_equal(scene_append(s, &nothing).code, ERR_WRONG_STATE);
    assert_int_equal(scene_append(s, &itself).code, ERR_WRONG_STATE);
}

static void a_record_takes_over_issuer_and_serial(void **state)
{
    struct scene *s = *state;
    scene_issue(s, 7, "dns:a");
    const struct ledger_entry *log;
    size_t n;
    OK(ledger_log(s->ledger, 2, 1, s->arena, &log, &n));
    assert_int_equal(n, 1);
    assert_int_equal(log[0].kind, LEDGER_RECORD);
    assert_string_equal(log[0].issuer, "issuing");
    assert_true(view_eq(log[0].serial, scene_serial(7)));
}

/* --- idempotency --- */

static struct ledger_entry keyed(unsigned serial, uint8_t key, uint8_t body)
{
    struct ledger_entry en = scene_intent(serial, "dns:a");
    en.body.intent.idempotency = scene_hash(key);
    en.body.intent.request_hash = scene_hash(body);
    return en;
}

static void of_two_with_one_key_the_second_is_a_replay(void **state)
{
    struct scene *s = *state;
    struct ledger_entry entries[3] = {keyed(1, 9, 5), keyed(2, 9, 5), keyed(3, 9, 6)};
    struct scene_end ends[3];
    append_all(s, entries, 3, ends);
    assert_int_equal(ends[0].result.outcome, LEDGER_WRITTEN);
    assert_int_equal(ends[1].result.outcome, LEDGER_REPLAYED);
    assert_int_equal(ends[1].result.intent, 1);
    assert_int_equal(ends[1].result.state, LEDGER_STATE_OPEN);
    assert_true(ends[1].result.same_body);
    assert_int_equal(ends[2].result.outcome, LEDGER_REPLAYED);
    assert_false(ends[2].result.same_body);
    struct ledger_head head;
    OK(ledger_head(s->ledger, &head));
    assert_int_equal(head.entries, 1);
}

static void a_replay_says_that_it_is_recorded(void **state)
{
    struct scene *s = *state;
    struct ledger_entry first = keyed(1, 9, 5), again = keyed(2, 9, 5);
    uint64_t seq = scene_put(s, &first);
    struct ledger_entry record = scene_record(seq, 1);
    scene_put(s, &record);
    struct scene_end end = scene_append(s, &again);
    assert_int_equal(end.result.outcome, LEDGER_REPLAYED);
    assert_int_equal(end.result.state, LEDGER_STATE_RECORDED);
    assert_int_equal(end.result.intent, seq);
}

static void a_key_is_free_again_after_a_closing(void **state)
{
    struct scene *s = *state;
    struct ledger_entry first = keyed(1, 9, 5), again = keyed(2, 9, 6), third = keyed(3, 9, 6);
    struct ledger_entry close = scene_close(scene_put(s, &first), LEDGER_REFUSED);
    scene_put(s, &close);
    uint64_t second = scene_put(s, &again);
    struct scene_end end = scene_append(s, &third);
    assert_int_equal(end.result.outcome, LEDGER_REPLAYED);
    assert_int_equal(end.result.intent, second);
}

/* --- tokens --- */

static struct ledger_entry by_token(unsigned serial, uint8_t id)
{
    struct ledger_entry en = scene_intent(serial, "dns:a");
    en.body.intent.token = scene_hash(id);
    return en;
}

static void one_use_serves_one_of_two(void **state)
{
    struct scene *s = *state;
    struct ledger_entry token = scene_token(3, 1), entries[2] = {by_token(1, 3), by_token(2, 3)};
    struct scene_end ends[2];
    scene_put(s, &token);
    append_all(s, entries, 2, ends);
    assert_false(ends[0].failed);
    assert_int_equal(ends[1].code, ERR_TOKEN_USED);
}

static void a_closing_gives_the_use_back(void **state)
{
    struct scene *s = *state;
    struct ledger_entry token = scene_token(3, 1), first = by_token(1, 3), second = by_token(2, 3);
    struct ledger_token_state t;
    scene_put(s, &token);
    uint64_t seq = scene_put(s, &first);
    assert_int_equal(scene_append(s, &second).code, ERR_TOKEN_USED);
    struct ledger_entry close = scene_close(seq, LEDGER_SEALED_LOST);
    scene_put(s, &close);
    OK(ledger_token_find(s->ledger, scene_hash(3), s->arena, &t));
    assert_int_equal(t.used, 0);
    scene_put(s, &second);
    OK(ledger_token_find(s->ledger, scene_hash(3), s->arena, &t));
    assert_int_equal(t.used, 1);
}

static void unknown_revoked_and_expired_tokens_are_refused(void **state)
{
    struct scene *s = *state;
    struct ledger_entry intent = by_token(1, 3), token = scene_token(3, 0), old = scene_token(4, 0);
    struct ledger_entry revoke = {.kind = LEDGER_TOKEN_REVOKE, .body.token_revoke.id = scene_hash(3)};
    assert_int_equal(scene_append(s, &revoke).code, ERR_NOT_FOUND);
    assert_int_equal(scene_append(s, &intent).code, ERR_UNAUTHENTICATED);
    scene_put(s, &token);
    assert_int_equal(scene_append(s, &token).code, ERR_WRONG_STATE);
    scene_put(s, &revoke);
    assert_int_equal(scene_append(s, &revoke).result.outcome, LEDGER_ALREADY);
    assert_int_equal(scene_append(s, &intent).code, ERR_UNAUTHENTICATED);
    old.body.token.expires = 1000;
    scene_put(s, &old);
    intent.body.intent.token = scene_hash(4);
    assert_int_equal(scene_append(s, &intent).code, ERR_TOKEN_EXPIRED);
}

static void tokens_are_found_by_the_start_of_their_id(void **state)
{
    struct scene *s = *state;
    struct ledger_token_state t;
    const struct ledger_token_state *list;
    size_t n;
    struct ledger_entry a = scene_token(3, 5), b = scene_token(4, 6);
    scene_put(s, &a);
    scene_put(s, &b);
    OK(ledger_token_find(s->ledger, view_of(scene_hash(4).p, 4), s->arena, &t));
    assert_int_equal(t.token.uses, 6);
    assert_int_equal(t.token.templates.n, 2);
    assert_string_equal(t.token.names.items[0], "dns:**.example.internal");
    assert_string_equal(t.actor, "roster:ann");
    FAILS(ERR_NOT_FOUND, ledger_token_find(s->ledger, scene_hash(5), s->arena, &t));
    FAILS(ERR_BAD_FIELD, ledger_token_find(s->ledger, view_of("abc", 3), s->arena, &t));
    OK(ledger_token_list(s->ledger, (struct view){NULL, 0}, 0, s->arena, &list, &n));
    assert_int_equal(n, 2);
    OK(ledger_token_list(s->ledger, list[0].token.id, 0, s->arena, &list, &n));
    assert_int_equal(n, 1);
    assert_true(view_eq(list[0].token.id, scene_hash(4)));
    struct ledger_entry twin = scene_token(4, 0);
    uint8_t id[SHA256_BYTES];
    memset(id, 4, sizeof(id));
    id[31] = 5;
    twin.body.token.id = view_of(id, sizeof(id));
    scene_put(s, &twin);
    FAILS(ERR_CONFLICT, ledger_token_find(s->ledger, view_of(id, 8), s->arena, &t));
}

/* --- revocation --- */

static void revoking_twice_says_what_stands(void **state)
{
    struct scene *s = *state;
    uint64_t intent = scene_issue(s, 1, "dns:a");
    struct ledger_entry first = scene_revoke(1, 1), second = scene_revoke(1, 4);
    first.body.revoke.at = 1800000000;
    struct scene_end end = scene_append(s, &first);
    assert_int_equal(end.result.outcome, LEDGER_WRITTEN);
    assert_int_equal(end.result.intent, intent);
    assert_int_equal(end.result.revoked_at, 1800000000);
    end = scene_append(s, &second);
    assert_int_equal(end.result.outcome, LEDGER_ALREADY);
    assert_int_equal(end.result.reason, 1);
    assert_int_equal(end.result.revoked_at, 1800000000);
}

static void a_hold_may_become_final_and_keeps_its_date(void **state)
{
    struct scene *s = *state;
    scene_issue(s, 1, "dns:a");
    struct ledger_entry hold = scene_revoke(1, 6), final = scene_revoke(1, 1);
    hold.body.revoke.at = 1800000000;
    scene_put(s, &hold);
    assert_int_equal(scene_append(s, &hold).result.outcome, LEDGER_ALREADY);
    struct scene_end end = scene_append(s, &final);
    assert_int_equal(end.result.outcome, LEDGER_WRITTEN);
    assert_int_equal(end.result.revoked_at, 1800000000);
    struct ledger_status st;
    OK(ledger_status(s->ledger, "issuing", scene_serial(1), &st));
    assert_int_equal(st.reason, 1);
    assert_int_equal(st.at, 1800000000);
}

static void found(void *arg, uint64_t seq, const char *what)
{
    (void)arg;
    fail_msg("entry %llu: %s", (unsigned long long)seq, what);
}

static void a_hold_ends_and_may_begin_again(void **state)
{
    struct scene *s = *state;
    struct ledger_entry hold = scene_revoke(1, 6), release = scene_revoke(1, 0);
    struct ledger_status status;
    struct ledger_cert cert;
    release.kind = LEDGER_RELEASE;
    release.body.note = (struct ledger_note){.what = "it was found again"};
    assert_int_equal(scene_append(s, &release).code, ERR_NOT_FOUND);
    uint64_t seq = scene_issue(s, 1, "dns:a");
    assert_int_equal(scene_append(s, &release).result.outcome, LEDGER_ALREADY);
    scene_put(s, &hold);
    assert_int_equal(scene_append(s, &release).result.intent, seq);
    OK(ledger_status(s->ledger, "issuing", scene_serial(1), &status));
    assert_int_equal(status.answer, LEDGER_GOOD);
    OK(ledger_cert_at(s->ledger, seq, s->arena, &cert));
    assert_int_equal(cert.state, LEDGER_STATE_RECORDED);
    assert_int_equal(cert.revoked_at, 0);
    struct ledger_entry final = scene_revoke(1, 4);
    scene_put(s, &final);
    assert_int_equal(scene_append(s, &release).code, ERR_WRONG_STATE);
    struct ledger_verify how = {.on_finding = found};
    struct ledger_verify_report report;
    OK(ledger_verify(s->ledger, &how, &report));
    assert_int_equal(report.revoked, 1);
}

static void a_compromised_key_stays_blocked_however_many_certificates_it_has(void **state)
{
    struct scene *s = *state;
    struct ledger_key key;
    struct ledger_entry revoke = scene_revoke(100, 1), another = scene_revoke(3, 4);
    for (unsigned i = 1; i <= 100; i++) {
        struct ledger_entry en = scene_intent(i, "dns:a");
        en.body.intent.spki_sha256 = scene_hash(1);
        struct ledger_entry record = scene_record(scene_put(s, &en), i);
        scene_put(s, &record);
    }
    scene_put(s, &another);
    OK(ledger_key_find(s->ledger, scene_hash(1), s->arena, &key));
    assert_true(key.certified && !key.compromised);
    scene_put(s, &revoke);
    scene_reopen(s);
    OK(ledger_key_find(s->ledger, scene_hash(1), s->arena, &key));
    assert_true(key.compromised);
}

static void what_was_never_handed_out_cannot_be_revoked(void **state)
{
    struct scene *s = *state;
    struct ledger_entry revoke = scene_revoke(1, 1), intent = scene_intent(1, "dns:a"),
                        odd = scene_revoke(1, 8);
    assert_int_equal(scene_append(s, &revoke).code, ERR_NOT_FOUND);
    uint64_t seq = scene_put(s, &intent);
    assert_int_equal(scene_append(s, &revoke).code, ERR_WRONG_STATE);
    struct ledger_entry close = scene_close(seq, LEDGER_NEVER_SEALED);
    scene_put(s, &close);
    assert_int_equal(scene_append(s, &revoke).code, ERR_WRONG_STATE);
    assert_int_equal(scene_append(s, &odd).code, ERR_BAD_FIELD);
}

/* --- status --- */

static void only_what_was_handed_out_has_a_status(void **state)
{
    struct scene *s = *state;
    struct ledger_status st;
    struct ledger_entry open = scene_intent(1, "dns:a"), lost = scene_intent(2, "dns:b"),
                        never = scene_intent(3, "dns:c");
    scene_put(s, &open);
    struct ledger_entry c2 = scene_close(scene_put(s, &lost), LEDGER_SEALED_LOST);
    struct ledger_entry c3 = scene_close(scene_put(s, &never), LEDGER_NEVER_SEALED);
    scene_put(s, &c2);
    scene_put(s, &c3);
    scene_issue(s, 4, "dns:d");
    static const enum ledger_answer answers[] = {LEDGER_UNKNOWN, LEDGER_REVOKED, LEDGER_UNKNOWN, LEDGER_GOOD,
                                                 LEDGER_UNKNOWN};
    for (unsigned i = 0; i < 5; i++) {
        OK(ledger_status(s->ledger, "issuing", scene_serial(i + 1), &st));
        assert_int_equal(st.answer, answers[i]);
    }
    OK(ledger_status(s->ledger, "root", scene_serial(4), &st));
    assert_int_equal(st.answer, LEDGER_UNKNOWN);
    OK(ledger_status(s->ledger, "issuing", view_str("short"), &st));
    assert_int_equal(st.answer, LEDGER_UNKNOWN);
    struct ledger_status page[8];
    size_t n;
    OK(ledger_status_page(s->ledger, "issuing", (struct view){NULL, 0}, page, 8, &n));
    assert_int_equal(n, 2);
    assert_memory_equal(page[0].serial, scene_serial(2).p, SERIAL_BYTES);
    assert_memory_equal(page[1].serial, scene_serial(4).p, SERIAL_BYTES);
    OK(ledger_status_page(s->ledger, "issuing", scene_serial(2), page, 8, &n));
    assert_int_equal(n, 1);
}

/* --- form --- */

static void what_does_not_fit_is_refused_at_once(void **state)
{
    struct scene *s = *state;
    struct scene_end end = {.scene = s};
    struct ledger_entry en = scene_intent(1, "dns:a");
    en.serial = view_str("short");
    FAILS(ERR_BAD_FIELD, ledger_append(s->ledger, &en, scene_done, &end, NULL));
    en = scene_intent(1, "dns:a");
    en.issuer = NULL;
    FAILS(ERR_BAD_FIELD, ledger_append(s->ledger, &en, scene_done, &end, NULL));
    en = scene_intent(1, "dns:\xff");
    FAILS(ERR_BAD_FIELD, ledger_append(s->ledger, &en, scene_done, &end, NULL));
    en = scene_intent(1, "dns:a");
    en.body.intent.spki_sha256.n = 31;
    FAILS(ERR_BAD_FIELD, ledger_append(s->ledger, &en, scene_done, &end, NULL));
    en = scene_intent(1, "dns:a");
    en.body.intent.not_after = -1;
    FAILS(ERR_BAD_FIELD, ledger_append(s->ledger, &en, scene_done, &end, NULL));
    assert_false(end.done);
}

static void unknown_kinds_are_kept_as_they_are(void **state)
{
    struct scene *s = *state;
    struct ledger_entry en = {.kind = 4711, .actor = "someone", .raw = view_str("whatever it was")};
    uint64_t seq = scene_put(s, &en);
    scene_reopen(s);
    const struct ledger_entry *log;
    size_t n;
    OK(ledger_log(s->ledger, seq, 10, s->arena, &log, &n));
    assert_int_equal(n, 1);
    assert_int_equal(log[0].kind, 4711);
    assert_true(view_eq_str(log[0].raw, "whatever it was"));
    assert_string_equal(ledger_kind_text(4711), "unknown");
}

static void a_cancelled_append_is_written_and_says_nothing(void **state)
{
    struct scene *s = *state;
    struct scene_end silent = {.scene = s};
    struct ledger_entry a = scene_intent(1, "dns:a"), b = scene_intent(2, "dns:b");
    ticket_id id;
    OK(ledger_append(s->ledger, &a, scene_done, &silent, &id));
    ledger_cancel(s->ledger, id);
    assert_int_equal(scene_put(s, &b), 2);
    assert_false(silent.done);
}

static void what_is_queued_is_written_at_the_end(void **state)
{
    struct scene *s = *state;
    struct ledger_entry a = scene_intent(1, "dns:a"), b = scene_intent(2, "dns:b");
    struct scene_end ends[2] = {{.scene = s}, {.scene = s}};
    struct ledger_head head;
    OK(ledger_append(s->ledger, &a, scene_done, &ends[0], NULL));
    OK(ledger_append(s->ledger, &b, scene_done, &ends[1], NULL));
    scene_reopen(s);
    assert_true(ends[0].done && ends[1].done && !ends[1].failed);
    OK(ledger_head(s->ledger, &head));
    assert_int_equal(head.entries, 2);
}

static void watch(void *arg, const struct ledger_event *ev)
{
    uint64_t *seen = arg;
    assert_int_equal(ev->seq, *seen + 1);
    assert_string_equal(ev->issuer, "issuing");
    *seen = ev->seq;
}

static void watchers_hear_of_what_is_durable_in_order(void **state)
{
    struct scene *s = *state;
    uint64_t seen = 0;
    ledger_watch(s->ledger, watch, &seen);
    struct ledger_entry entries[3] = {scene_intent(1, "dns:a"), scene_intent(1, "dns:b"),
                                      scene_intent(2, "dns:c")};
    struct scene_end ends[3];
    append_all(s, entries, 3, ends);
    struct ledger_entry record = scene_record(1, 1);
    scene_put(s, &record);
    assert_int_equal(seen, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(seq_and_time_are_the_ledgers),
        TEST(a_serial_stands_once_per_issuer),
        TEST(an_intent_ends_once),
        TEST(a_record_takes_over_issuer_and_serial),
        TEST(of_two_with_one_key_the_second_is_a_replay),
        TEST(a_replay_says_that_it_is_recorded),
        TEST(a_key_is_free_again_after_a_closing),
        TEST(one_use_serves_one_of_two),
        TEST(a_closing_gives_the_use_back),
        TEST(unknown_revoked_and_expired_tokens_are_refused),
        TEST(tokens_are_found_by_the_start_of_their_id),
        TEST(revoking_twice_says_what_stands),
        TEST(a_hold_may_become_final_and_keeps_its_date),
        TEST(what_was_never_handed_out_cannot_be_revoked),
        TEST(a_hold_ends_and_may_begin_again),
        TEST(a_compromised_key_stays_blocked_however_many_certificates_it_has),
        TEST(only_what_was_handed_out_has_a_status),
        TEST(what_does_not_fit_is_refused_at_once),
        TEST(unknown_kinds_are_kept_as_they_are),
        TEST(a_cancelled_append_is_written_and_says_nothing),
        TEST(what_is_queued_is_written_at_the_end),
        TEST(watchers_hear_of_what_is_durable_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
