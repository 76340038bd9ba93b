/* Objects in the ledger: made once, changed one after the other, found by id, alias and owner, verified with
 * the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "ledger_object.h"
#include "ledger_verify.h"
#include "scene.h"

static struct view id_of(uint8_t octet)
{
    static uint8_t ids[256][LEDGER_OBJECT_ID_BYTES];
    memset(ids[octet], octet, LEDGER_OBJECT_ID_BYTES);
    return view_of(ids[octet], LEDGER_OBJECT_ID_BYTES);
}

static struct ledger_entry account(uint8_t id, uint8_t alias, uint64_t ref, uint64_t status)
{
    return (struct ledger_entry){
        .kind = LEDGER_ACME_ACCOUNT,
        .ref = ref,
        .body.acme_account = {
            .object = {.id = id_of(id), .owner = view_of("", 0), .alias = scene_hash(alias), .created = 1000},
            .status = status,
            .spki = view_str("a key")}};
}

static struct ledger_entry order(uint8_t id, uint8_t owner, uint64_t ref, uint64_t status)
{
    return (struct ledger_entry){
        .kind = LEDGER_ACME_ORDER,
        .ref = ref,
        .body.acme_order = {.object = {.id = id_of(id), .owner = id_of(owner), .created = 1000},
                            .status = status,
                            .template = "server"}};
}

static struct ledger_entry authz(uint8_t id, uint8_t owner, uint8_t alias, uint64_t ref)
{
    return (struct ledger_entry){
        .kind = LEDGER_ACME_AUTHZ,
        .ref = ref,
        .body.acme_authz = {.object = {.id = id_of(id), .owner = id_of(owner), .alias = scene_hash(alias)},
                            .name = "dns:a.example"}};
}

static uint64_t put(struct scene *s, struct ledger_entry en)
{
    return scene_put(s, &en);
}

static void refused(struct scene *s, const struct ledger_entry *en, enum err_code code)
{
    struct scene_end end = scene_append(s, en);
    assert_true(end.failed);
    assert_int_equal(end.code, code);
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

static void the_newest_state_is_found(void **state)
{
    struct scene *s = *state;
    struct ledger_entry en;
    uint64_t made = put(s, account(1, 1, 0, 1)), changed = put(s, account(1, 1, made, 2));
    put(s, account(2, 2, 0, 1));
    scene_reopen(s);
    OK(ledger_object_find(s->ledger, LEDGER_ACME_ACCOUNT, id_of(1), s->arena, &en));
    assert_int_equal(en.seq, changed);
    assert_int_equal(en.body.acme_account.status, 2);
    OK(ledger_object_aliased(s->ledger, LEDGER_ACME_ACCOUNT, scene_hash(1), s->arena, &en));
    assert_int_equal(en.seq, changed);
    FAILS(ERR_NOT_FOUND, ledger_object_find(s->ledger, LEDGER_ACME_ORDER, id_of(1), s->arena, &en));
    FAILS(ERR_NOT_FOUND,
          ledger_object_find(s->ledger, LEDGER_ACME_ACCOUNT, view_str("short"), s->arena, &en));
    FAILS(ERR_NOT_FOUND, ledger_object_aliased(s->ledger, LEDGER_ACME_ACCOUNT, scene_hash(7), s->arena, &en));
    assert_int_equal(verified(s), 0);
}

static void a_state_follows_the_newest_alone(void **state)
{
    struct scene *s = *state;
    uint64_t made = put(s, order(1, 9, 0, 1));
    uint64_t second = put(s, order(1, 9, made, 2));
    const struct ledger_entry bad[] = {order(1, 9, made, 3), order(1, 9, second + 1, 3), order(1, 9, 0, 3),
                                       order(2, 9, made, 3)};
    const enum err_code codes[] = {ERR_CONFLICT, ERR_CONFLICT, ERR_WRONG_STATE, ERR_CONFLICT};
    for (size_t i = 0; i < 4; i++)
        refused(s, &bad[i], codes[i]);
    assert_int_equal(verified(s), 0);
}

static void a_key_is_of_one_account(void **state)
{
    struct scene *s = *state;
    struct ledger_entry en;
    uint64_t made = put(s, account(1, 1, 0, 1));
    const struct ledger_entry thief = account(2, 1, 0, 1);
    refused(s, &thief, ERR_WRONG_STATE);
    put(s, account(1, 5, made, 1)); /* another key: the old one is free */
    FAILS(ERR_NOT_FOUND, ledger_object_aliased(s->ledger, LEDGER_ACME_ACCOUNT, scene_hash(1), s->arena, &en));
    put(s, account(2, 1, 0, 1));
    assert_int_equal(verified(s), 0);
}

static void an_alias_leads_to_the_newest_authorization(void **state)
{
    struct scene *s = *state;
    struct ledger_entry en;
    put(s, authz(1, 9, 3, 0));
    uint64_t second = put(s, authz(2, 9, 3, 0));
    OK(ledger_object_aliased(s->ledger, LEDGER_ACME_AUTHZ, scene_hash(3), s->arena, &en));
    assert_int_equal(en.seq, second);
    assert_int_equal(verified(s), 0);
}

static void orders_are_listed_by_owner_newest_first(void **state)
{
    struct scene *s = *state;
    const struct ledger_entry *list;
    size_t n;
    uint64_t next, first = 0;
    for (uint8_t i = 1; i <= 7; i++) {
        uint64_t seq = put(s, order(i, i % 2 ? 200 : 201, 0, 1));
        first = i == 1 ? seq : first;
    }
    put(s, order(1, 200, first, 2));
    OK(ledger_object_list(s->ledger, LEDGER_ACME_ORDER, id_of(200), 0, 3, s->arena, &list, &n, &next));
    assert_int_equal(n, 3);
    assert_true(view_eq(list[0].body.object.id, id_of(7)));
    assert_true(view_eq(list[2].body.object.id, id_of(3)));
    assert_int_not_equal(next, 0);
    OK(ledger_object_list(s->ledger, LEDGER_ACME_ORDER, id_of(200), next, 3, s->arena, &list, &n, &next));
    assert_int_equal(n, 1);
    assert_int_equal(next, 0);
    assert_int_equal(list[0].body.acme_order.status, 2);
    OK(ledger_object_list(s->ledger, LEDGER_ACME_ORDER, view_of("", 0), 0, 0, s->arena, &list, &n, &next));
    assert_int_equal(n, 7);
    OK(ledger_object_list(s->ledger, LEDGER_ACME_ORDER, id_of(77), 0, 0, s->arena, &list, &n, &next));
    assert_int_equal(n, 0);
    assert_int_equal(verified(s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest_state_is_found, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(a_state_follows_the_newest_alone, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(a_key_is_of_one_account, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(an_alias_leads_to_the_newest_authorization, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(orders_are_listed_by_owner_newest_first, scene_setup, scene_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
