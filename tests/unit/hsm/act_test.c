/* Acts: their one form, and what a roster makes of who signed. */
#include <stdlib.h>

#include "act_scene.h"
#include "base/world.h"
#include "token_scene.h"

#define BY(...) ((const enum act_person[]){__VA_ARGS__, ACT_PEOPLE})

struct scene {
    struct arena *arena;
    struct hsm_roster *roster;
    struct view vault;
};

static int setup(void **state)
{
    static const uint8_t vault[HSM_ACT_ID_BYTES] = {7};
    struct scene *s = calloc(1, sizeof *s);
    s->arena = arena_new(16 << 20);
    s->roster = act_scene_roster(s->arena);
    s->vault = view_of(vault, sizeof vault);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    hsm_roster_free(s->roster);
    arena_free(s->arena);
    free(s);
    return 0;
}

static struct hsm_act act_of(struct scene *s, enum hsm_act_kind kind)
{
    return act_scene_act(kind, "issuing", s->vault, MARIA, s->arena);
}

static enum err_code judge(struct scene *s, const struct hsm_act_approved *a, unsigned *ret_have)
{
    struct hsm_act act;
    struct hsm_act_judged judged = {.asker = NULL};
    struct err *e = hsm_act_judge(s->roster, a, s->vault, world_now_s(), s->arena, &act, &judged);
    if (e)
        print_message("  %s\n", err_detail(e));
    if (ret_have)
        *ret_have = judged.have;
    return code_of(e);
}

static enum err_code judge_by(struct scene *s, enum hsm_act_kind kind, const enum act_person *by)
{
    struct hsm_act act = act_of(s, kind);
    struct hsm_act_approved a = act_scene_approved(act_scene_write(&act, s->arena), MARIA, by, s->arena);
    return judge(s, &a, NULL);
}

static void an_act_reads_back_as_it_was_written(void **state)
{
    struct scene *s = *state;
    for (unsigned kind = 1; kind <= HSM_ACT_KIND_MAX; kind++) {
        enum hsm_act_kind parsed;
        struct hsm_act act = act_of(s, (enum hsm_act_kind)kind), read;
        if (!hsm_act_row(kind)->text)
            continue;
        good(hsm_act_kind_parse(view_str(hsm_act_row(kind)->text), &parsed));
        assert_int_equal(parsed, kind);
        act.object_sha256 = act.asker;
        good(hsm_act_read(act_scene_write(&act, s->arena), s->arena, &read));
        assert_int_equal(read.kind, kind);
        assert_string_equal(read.object, "issuing");
        assert_string_equal(read.reason, "because");
        assert_true(view_eq(read.id, act.id) && view_eq(read.vault, act.vault));
        assert_true(view_eq(read.object_sha256, act.asker) && read.template_sha256.n == 0);
        assert_true(read.made == act.made && read.expires == act.expires);
    }
    assert_int_equal(code_of(hsm_act_kind_parse(view_str("make-coffee"), &(enum hsm_act_kind){0})),
                     ERR_BAD_FIELD);
}

static void what_is_no_act_is_refused(void **state)
{
    struct scene *s = *state;
    struct hsm_act act = act_of(s, HSM_ACT_THAW), read;
    struct view der = act_scene_write(&act, s->arena);
    for (size_t n = 0; n < der.n; n++)
        assert_int_not_equal(code_of(hsm_act_read(view_of(der.p, n), s->arena, &read)), ERR__COUNT);
    struct view longer = arena_dup(s->arena, view_of(der.p, der.n));
    uint8_t *more = arena_alloc(s->arena, der.n + 1);
    memcpy(more, longer.p, der.n);
    more[der.n] = 0;
    assert_int_equal(code_of(hsm_act_read(view_of(more, der.n + 1), s->arena, &read)), ERR_BAD_DER);
    act.kind = (enum hsm_act_kind)31;
    assert_int_equal(code_of(hsm_act_write(&act, s->arena, &der)), ERR_BAD_FIELD);
    act = act_of(s, HSM_ACT_THAW);
    act.expires = act.made;
    assert_int_equal(code_of(hsm_act_write(&act, s->arena, &der)), ERR_BAD_FIELD);
    act = act_of(s, HSM_ACT_THAW);
    act.object = "";
    assert_int_equal(code_of(hsm_act_write(&act, s->arena, &der)), ERR_BAD_FIELD);
}

static void keys_of_every_kind_count(void **state)
{
    struct scene *s = *state;
    assert_int_equal(judge_by(s, HSM_ACT_THAW, BY(NILS, OLGA)), ERR__COUNT); /* Ed25519, P-384 */
    struct hsm_act act = act_scene_act(HSM_ACT_THAW, "all", s->vault, OLGA, s->arena);
    struct hsm_act_approved a =
        act_scene_approved(act_scene_write(&act, s->arena), OLGA, BY(MARIA2, NILS), s->arena); /* RSA */
    assert_int_equal(judge(s, &a, NULL), ERR__COUNT);
}

static void the_roster_says_how_many(void **state)
{
    struct scene *s = *state;
    assert_int_equal(judge_by(s, HSM_ACT_THAW, BY(NILS)), ERR_FORBIDDEN);
    assert_int_equal(judge_by(s, HSM_ACT_CA_STATE, BY(NILS)), ERR__COUNT);
    assert_int_equal(judge_by(s, HSM_ACT_CA_STATE, BY(ACT_PEOPLE)), ERR_FORBIDDEN);
    assert_int_equal(judge_by(s, HSM_ACT_ACCEPT_LOSS, BY(ACT_PEOPLE)), ERR__COUNT);
    assert_int_equal(judge_by(s, HSM_ACT_CA_CREATE, BY(NILS)), ERR_FORBIDDEN); /* the quorum: 2 */
    assert_int_equal(judge_by(s, HSM_ACT_CA_CREATE, BY(NILS, OLGA)), ERR__COUNT);
}

static void a_person_counts_once(void **state)
{
    struct scene *s = *state;
    unsigned have;
    struct hsm_act act = act_scene_act(HSM_ACT_THAW, "all", s->vault, NILS, s->arena);
    struct view der = act_scene_write(&act, s->arena);
    struct hsm_act_approved a = act_scene_approved(der, NILS, BY(MARIA, MARIA2), s->arena);
    assert_int_equal(judge(s, &a, &have), ERR_FORBIDDEN);
    assert_int_equal(have, 1);
    a = act_scene_approved(der, NILS, BY(MARIA, MARIA), s->arena);
    assert_int_equal(judge(s, &a, &have), ERR_FORBIDDEN);
    a = act_scene_approved(der, NILS, BY(MARIA, MARIA2, OLGA), s->arena);
    assert_int_equal(judge(s, &a, &have), ERR__COUNT);
    assert_int_equal(have, 2);
}

static void who_may_not_approve_does_not(void **state)
{
    struct scene *s = *state;
    assert_int_equal(judge_by(s, HSM_ACT_CA_STATE, BY(MARIA)), ERR_FORBIDDEN);  /* her own */
    assert_int_equal(judge_by(s, HSM_ACT_CA_STATE, BY(MARIA2)), ERR_FORBIDDEN); /* her own, by another key */
    assert_int_equal(judge_by(s, HSM_ACT_CA_STATE, BY(PAUL)), ERR_FORBIDDEN);
    assert_int_equal(judge_by(s, HSM_ACT_CA_STATE, BY(QUINN)), ERR_FORBIDDEN);
    assert_int_equal(judge_by(s, HSM_ACT_CA_STATE, BY(RITA)), ERR_FORBIDDEN);
    struct hsm_act act = act_scene_act(HSM_ACT_CA_STATE, "issuing", s->vault, PAUL, s->arena);
    struct hsm_act_approved a = act_scene_approved(act_scene_write(&act, s->arena), PAUL, BY(NILS), s->arena);
    assert_int_equal(judge(s, &a, NULL), ERR_FORBIDDEN); /* asked for by an operator */
}

static void a_statement_is_for_one_verb_and_one_act(void **state)
{
    struct scene *s = *state;
    struct hsm_act act = act_of(s, HSM_ACT_CA_STATE), other = act_of(s, HSM_ACT_CA_STATE);
    struct view der = act_scene_write(&act, s->arena);
    struct hsm_act_approved a = act_scene_approved(der, MARIA, BY(NILS), s->arena);
    assert_int_equal(judge(s, &a, NULL), ERR__COUNT);
    a.approvals[0] = act_scene_sign(NILS, HSM_ACT_DENY, der, s->arena);
    assert_int_equal(judge(s, &a, NULL), ERR_BAD_SIGNATURE);
    a.approvals[0] = act_scene_sign(NILS, HSM_ACT_APPROVE, act_scene_write(&other, s->arena), s->arena);
    assert_int_equal(judge(s, &a, NULL), ERR_BAD_SIGNATURE);
    a = act_scene_approved(der, MARIA, BY(NILS), s->arena);
    a.request = act_scene_sign(MARIA, HSM_ACT_APPROVE, der, s->arena);
    assert_int_equal(judge(s, &a, NULL), ERR_BAD_SIGNATURE);
    a.request = act_scene_sign(OLGA, HSM_ACT_REQUEST, der, s->arena); /* the act names maria */
    assert_int_equal(judge(s, &a, NULL), ERR_FORBIDDEN);
    a.request = act_scene_sign(MARIA, HSM_ACT_REQUEST, der, s->arena);
    a.request.alg = CERT_ALG_RSA_SHA256;
    assert_int_equal(judge(s, &a, NULL), ERR_BAD_SIGNATURE);
}

static void dates_and_vault_hold(void **state)
{
    struct scene *s = *state;
    static const uint8_t elsewhere[HSM_ACT_ID_BYTES] = {8};
    struct hsm_act act = act_of(s, HSM_ACT_CA_STATE);
    struct hsm_act_judged judged;
    act.made -= 7200;
    act.expires = world_now_s();
    struct hsm_act_approved a =
        act_scene_approved(act_scene_write(&act, s->arena), MARIA, BY(NILS), s->arena);
    assert_int_equal(judge(s, &a, NULL), ERR_FORBIDDEN);
    good(hsm_act_judge(s->roster, &a, s->vault, 0, s->arena, &act, &judged)); /* looked at afterwards */
    act = act_of(s, HSM_ACT_CA_STATE);
    act.expires = world_now_s() + HSM_ACT_LIFE_S + 60;
    a = act_scene_approved(act_scene_write(&act, s->arena), MARIA, BY(NILS), s->arena);
    assert_int_equal(judge(s, &a, NULL), ERR_FORBIDDEN);
    act = act_of(s, HSM_ACT_CA_STATE);
    act.vault = view_of(elsewhere, sizeof elsewhere);
    a = act_scene_approved(act_scene_write(&act, s->arena), MARIA, BY(NILS), s->arena);
    assert_int_equal(judge(s, &a, NULL), ERR_FORBIDDEN);
}

static void approved_reads_back_and_is_bounded(void **state)
{
    struct scene *s = *state;
    struct hsm_act act = act_of(s, HSM_ACT_THAW);
    struct view der = act_scene_write(&act, s->arena), whole;
    struct hsm_act_approved a = act_scene_approved(der, MARIA, BY(NILS, OLGA), s->arena), read;
    good(hsm_act_approved_write(&a, s->arena, &whole));
    good(hsm_act_approved_read(whole, &read));
    assert_true(view_eq(read.act, der) && read.n == 2);
    assert_true(view_eq(read.approvals[1].signature, a.approvals[1].signature));
    assert_int_equal(judge(s, &read, NULL), ERR__COUNT);
    for (size_t n = 0; n < whole.n; n += 7)
        assert_int_not_equal(code_of(hsm_act_approved_read(view_of(whole.p, n), &read)), ERR__COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_act_reads_back_as_it_was_written, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_act_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_of_every_kind_count, setup, teardown),
        cmocka_unit_test_setup_teardown(the_roster_says_how_many, setup, teardown),
        cmocka_unit_test_setup_teardown(a_person_counts_once, setup, teardown),
        cmocka_unit_test_setup_teardown(who_may_not_approve_does_not, setup, teardown),
        cmocka_unit_test_setup_teardown(a_statement_is_for_one_verb_and_one_act, setup, teardown),
        cmocka_unit_test_setup_teardown(dates_and_vault_hold, setup, teardown),
        cmocka_unit_test_setup_teardown(approved_reads_back_and_is_bounded, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
