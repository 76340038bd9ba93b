/* Proofs, tiles and signed heads of a ledger of several hundred entries: made from what is stored, held
 * against the leaves alone; a store without nodes gets them; a changed node and a head of another tree are
 * found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "entry.h"
#include "ledger_proof.h"
#include "ledger_verify.h"
#include "scene.h"

enum { ENTRIES = 700 };

static void put_many(struct scene *s, size_t n)
{
    static struct scene_end ends[ENTRIES];
    size_t left = n;
    const struct ledger_entry note = {.kind = LEDGER_NOTE, .actor = "x", .body.note = {.what = "one"}};
    for (size_t i = 0; i < n; i++) {
        ends[i] = (struct scene_end){.scene = s, .left = &left};
        OK(ledger_append(s->ledger, &note, scene_done, &ends[i], NULL));
    }
    loop_run(s->loop);
    assert_int_equal(left, 0);
}

static void leaf_of(struct scene *s, uint64_t seq, uint8_t ret[SHA256_BYTES])
{
    const struct ledger_entry *entry;
    size_t n;
    OK(ledger_log(s->ledger, seq, 1, s->arena, &entry, &n));
    assert_int_equal(n, 1);
    memcpy(ret, entry->leaf, SHA256_BYTES);
    arena_reset(s->arena);
}

/* By adding one leaf after the other. */
static void root_of(struct scene *s, uint64_t size, uint8_t ret[SHA256_BYTES])
{
    struct tree t = {0};
    uint8_t leaf[SHA256_BYTES];
    for (uint64_t seq = 1; seq <= size; seq++) {
        leaf_of(s, seq, leaf);
        tree_add(&t, leaf);
    }
    tree_root(&t, ret);
}

static const uint64_t sizes[] = {1, 2, 3, 255, 256, 257, 511, 512, 513, 600, 699, 700};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static void proofs_hold(struct scene *s)
{
    uint8_t roots[SIZES][SHA256_BYTES], root[SHA256_BYTES], leaf[SHA256_BYTES];
    for (size_t i = 0; i < SIZES; i++) {
        root_of(s, sizes[i], roots[i]);
        OK(ledger_root_at(s->ledger, sizes[i], root));
        assert_memory_equal(root, roots[i], SHA256_BYTES);
    }
    for (size_t i = 0; i < SIZES; i++)
        for (size_t k = 0; k <= i; k++) {
            struct merkle_proof p;
            OK(ledger_inclusion(s->ledger, sizes[k], sizes[i], &p, leaf));
            assert_true(merkle_included(leaf, sizes[k] - 1, sizes[i], &p, roots[i]));
            OK(ledger_consistency(s->ledger, sizes[k], sizes[i], &p));
            assert_true(merkle_consistent(sizes[k], roots[k], sizes[i], roots[i], &p));
        }
}

static void proofs_at_all_edges(void **state)
{
    struct scene *s = *state;
    struct merkle_proof p;
    uint8_t root[SHA256_BYTES];
    put_many(s, ENTRIES);
    proofs_hold(s);
    FAILS(ERR_BAD_FIELD, ledger_root_at(s->ledger, ENTRIES + 1, root));
    FAILS(ERR_BAD_FIELD, ledger_inclusion(s->ledger, 0, 10, &p, NULL));
    FAILS(ERR_BAD_FIELD, ledger_inclusion(s->ledger, 11, 10, &p, NULL));
    FAILS(ERR_BAD_FIELD, ledger_consistency(s->ledger, 11, 10, &p));
    FAILS(ERR_BAD_FIELD, ledger_consistency(s->ledger, 11, ENTRIES + 1, &p));
}

static void drop_nodes(struct scene *s)
{
    struct store_txn *t;
    OK(s->ledger->ops->begin(s->ledger->store, true, &t));
    for (uint64_t i = 0; i < ENTRIES / 256; i++) {
        struct key k = key_seq(1);
        key_add_seq(&k, i);
        OK(s->ledger->ops->del(t, TABLE_NODE, key_view(&k)));
    }
    OK(s->ledger->ops->commit(t));
}

static void an_older_store_gets_its_nodes(void **state)
{
    struct scene *s = *state;
    struct merkle_proof p;
    put_many(s, ENTRIES);
    drop_nodes(s);
    FAILS(ERR_CORRUPT, ledger_inclusion(s->ledger, 1, 600, &p, NULL));
    scene_reopen(s);
    proofs_hold(s);
}

static void tiles_and_bundles_are_the_log(void **state)
{
    struct scene *s = *state;
    struct view tile, bundle;
    uint8_t leaf[SHA256_BYTES], node[SHA256_BYTES];
    put_many(s, ENTRIES);
    OK(ledger_tile(s->ledger, 0, 2, 188, s->arena, &tile));
    assert_int_equal(tile.n, 188 * SHA256_BYTES);
    OK(ledger_bundle(s->ledger, 2, 188, s->arena, &bundle));
    for (size_t i = 0; i < 188; i++) {
        struct view header;
        size_t n = (size_t)bundle.p[0] << 8 | bundle.p[1];
        bundle = view_from(bundle, 2);
        assert_true(view_take(&bundle, n, &header));
        merkle_leaf(header, leaf);
        assert_memory_equal(leaf, tile.p + i * SHA256_BYTES, SHA256_BYTES);
    }
    assert_int_equal(bundle.n, 0);
    OK(ledger_tile(s->ledger, 1, 0, 2, s->arena, &tile));
    root_of(s, 256, node);
    OK(ledger_tile(s->ledger, 1, 0, 2, s->arena, &tile));
    assert_memory_equal(tile.p, node, SHA256_BYTES);
    FAILS(ERR_NOT_FOUND, ledger_tile(s->ledger, 1, 0, 3, s->arena, &tile));
    FAILS(ERR_NOT_FOUND, ledger_tile(s->ledger, 0, 2, 189, s->arena, &tile));
    FAILS(ERR_NOT_FOUND, ledger_tile(s->ledger, 0, UINT64_MAX, 1, s->arena, &tile));
    FAILS(ERR_NOT_FOUND, ledger_tile(s->ledger, 9, 0, 1, s->arena, &tile));
    FAILS(ERR_NOT_FOUND, ledger_tile(s->ledger, 0, 0, 0, s->arena, &tile));
    FAILS(ERR_NOT_FOUND, ledger_bundle(s->ledger, 2, 256, s->arena, &bundle));
}

static struct ledger_entry head_over(struct scene *s, uint64_t size, uint8_t root[SHA256_BYTES])
{
    OK(ledger_root_at(s->ledger, size, root));
    return (struct ledger_entry){
        .kind = LEDGER_HEAD,
        .body.signed_head = {
            .size = size, .root = view_of(root, SHA256_BYTES), .n = 1, .note = view_str("a note\n")}};
}

static void count(void *arg, uint64_t seq, const char *what)
{
    (void)what;
    *(uint64_t *)arg = seq;
}

static uint64_t findings(struct scene *s, uint64_t *ret_seq)
{
    struct ledger_verify_report report;
    const struct ledger_verify how = {.on_finding = count, .arg = ret_seq};
    OK(ledger_verify(s->ledger, &how, &report));
    return report.findings;
}

static void heads_are_kept_and_judged(void **state)
{
    struct scene *s = *state;
    struct ledger_signed_head head;
    uint8_t root[SHA256_BYTES];
    uint64_t seq, place = 0;
    put_many(s, 300);
    FAILS(ERR_NOT_FOUND, ledger_signed(s->ledger, s->arena, &head, &seq));
    struct ledger_entry en = head_over(s, 300, root);
    assert_int_equal(scene_put(s, &en), 301);
    scene_reopen(s);
    OK(ledger_signed(s->ledger, s->arena, &head, &seq));
    assert_int_equal(seq, 301);
    assert_int_equal(head.size, 300);
    assert_true(view_eq_str(head.note, "a note\n"));
    assert_int_equal(findings(s, &place), 0);

    en.body.signed_head.size = 400;
    struct scene_end end = scene_append(s, &en);
    assert_true(end.failed);
    assert_int_equal(end.code, ERR_BAD_FIELD);

    en = head_over(s, 299, root);
    root[0] ^= 1;
    uint64_t wrong = scene_put(s, &en);
    assert_int_equal(findings(s, &place), 1);
    assert_int_equal(place, wrong);
}

static void a_changed_node_is_found(void **state)
{
    struct scene *s = *state;
    struct store_txn *t;
    struct key k = key_seq(1);
    uint8_t other[SHA256_BYTES] = {1};
    uint64_t place = 0;
    put_many(s, ENTRIES);
    assert_int_equal(findings(s, &place), 0);
    key_add_seq(&k, 1);
    OK(s->ledger->ops->begin(s->ledger->store, true, &t));
    OK(s->ledger->ops->put(t, TABLE_NODE, key_view(&k), view_of(other, sizeof(other)), STORE_PUT));
    OK(s->ledger->ops->commit(t));
    assert_int_equal(findings(s, &place), 1);
    assert_int_equal(place, 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(proofs_at_all_edges, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(an_older_store_gets_its_nodes, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(tiles_and_bundles_are_the_log, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(heads_are_kept_and_judged, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(a_changed_node_is_found, scene_setup, scene_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
