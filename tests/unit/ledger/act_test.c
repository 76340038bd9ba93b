/* Acts in the ledger: asked for once, steps in order, found by id and newest first, verified with the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "ledger_act.h"
#include "ledger_verify.h"
#include "scene.h"

static struct ledger_entry request(uint8_t id)
{
    static uint8_t ids[8][LEDGER_ACT_ID_BYTES];
    static unsigned next;
    uint8_t *to = ids[next++ % 8];
    memset(to, id, LEDGER_ACT_ID_BYTES);
    return (struct ledger_entry){.kind = LEDGER_ACT_REQUEST,
                                 .actor = "roster:maria",
                                 .body.act = {.id = view_of(to, LEDGER_ACT_ID_BYTES),
                                              .act = view_str("an act"),
                                              .signature = view_str("maria's"),
                                              .payload = view_str("bytes")}};
}

static struct ledger_entry step(unsigned kind, uint64_t ref, const char *who)
{
    struct ledger_entry en = {.kind = kind, .ref = ref, .actor = who};
    if (kind == LEDGER_ACT_DONE)
        en.body.note = (struct ledger_note){"thaw all", 7, scene_hash(3)};
    else
        en.body.act_sign.signature = view_str(who);
    return en;
}

static uint64_t put(struct scene *s, struct ledger_entry en)
{
    return scene_put(s, &en);
}

static void findings(void *arg, uint64_t seq, const char *what)
{
    (void)arg;
    print_message("entry %llu: %s\n", (unsigned long long)seq, what);
}

static uint64_t verified(struct scene *s)
{
    struct ledger_verify_report report;
    OK(ledger_verify(s->ledger, &(struct ledger_verify){.on_finding = findings}, &report));
    return report.findings;
}

static void a_request_has_its_steps_in_order(void **state)
{
    struct scene *s = *state;
    struct ledger_act_state act;
    uint64_t seq = put(s, request(0xaa)), other = put(s, request(0xbb));
    put(s, step(LEDGER_ACT_APPROVE, seq, "roster:nils"));
    put(s, step(LEDGER_ACT_DENY, other, "roster:nils"));
    put(s, step(LEDGER_ACT_APPROVE, seq, "roster:olga"));
    put(s, step(LEDGER_ACT_DONE, seq, "roster:maria"));
    scene_reopen(s);
    const uint8_t first[] = {0xaa, 0xaa, 0xaa, 0xaa};
    OK(ledger_act_find(s->ledger, view_of(first, sizeof first), s->arena, &act));
    assert_int_equal(act.seq, seq);
    assert_string_equal(act.actor, "roster:maria");
    assert_true(view_eq_str(act.request.act, "an act") && view_eq_str(act.request.payload, "bytes"));
    assert_int_equal(act.steps_n, 3);
    assert_string_equal(act.steps[0].actor, "roster:nils");
    assert_true(view_eq_str(act.steps[1].signature, "roster:olga"));
    assert_int_equal(act.steps[2].kind, LEDGER_ACT_DONE);
    assert_int_equal(act.steps[2].note.number, 7);
    assert_int_equal(verified(s), 0);
}

static void the_newest_comes_first(void **state)
{
    struct scene *s = *state;
    const struct ledger_act_state *list;
    size_t n;
    OK(ledger_act_list(s->ledger, 0, 0, s->arena, &list, &n));
    assert_int_equal(n, 0);
    uint64_t seqs[3];
    for (uint8_t i = 0; i < 3; i++) {
        seqs[i] = put(s, request((uint8_t)(0xf0 - i)));
        put(s, step(LEDGER_ACT_APPROVE, seqs[0], "roster:nils"));
    }
    OK(ledger_act_list(s->ledger, 0, 2, s->arena, &list, &n));
    assert_int_equal(n, 2);
    assert_int_equal(list[0].seq, seqs[2]);
    assert_int_equal(list[1].seq, seqs[1]);
    OK(ledger_act_list(s->ledger, list[1].seq, 2, s->arena, &list, &n));
    assert_int_equal(n, 1);
    assert_int_equal(list[0].seq, seqs[0]);
    assert_int_equal(list[0].steps_n, 3);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct scene *s = *state;
    struct ledger_act_state act;
    uint64_t seq = put(s, request(1)), plain = scene_issue(s, 1, "a.example");
    struct ledger_entry again = request(1), stray = step(LEDGER_ACT_APPROVE, plain, "roster:nils"),
                        small = request(2);
    assert_int_equal(scene_append(s, &again).code, ERR_WRONG_STATE);
    assert_int_equal(scene_append(s, &stray).code, ERR_NOT_FOUND);
    small.body.act.id.n = 4;
    assert_int_equal(scene_append(s, &small).code, ERR_BAD_FIELD);
    FAILS(ERR_BAD_FIELD, ledger_act_find(s->ledger, view_of("\x01\x01", 2), s->arena, &act));
    FAILS(ERR_NOT_FOUND, ledger_act_find(s->ledger, view_of("\x03\x03\x03\x03", 4), s->arena, &act));
    struct ledger_entry twin = request(1);
    uint8_t id[LEDGER_ACT_ID_BYTES] = {1, 1, 1, 1, 9};
    twin.body.act.id = view_of(id, sizeof id);
    put(s, twin);
    FAILS(ERR_CONFLICT, ledger_act_find(s->ledger, view_of(id, 4), s->arena, &act));
    OK(ledger_act_find(s->ledger, view_of(id, 5), s->arena, &act));
    assert_int_not_equal(act.seq, seq);
    assert_int_equal(verified(s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_has_its_steps_in_order, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(the_newest_comes_first, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused, scene_setup, scene_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
