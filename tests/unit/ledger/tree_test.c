/* The tree against RFC 9162: the empty tree, small trees by hand, and the values of the well-known eight-leaf
 * example. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/hex.h"
#include "scene.h"
#include "tree.h"

static const char *root_hex(struct arena *a, const struct tree *t)
{
    uint8_t root[SHA256_BYTES];
    tree_root(t, root);
    return hex_of(a, view_of(root, sizeof(root)));
}

/* Leaves and roots as the certificate transparency reference tests publish them. */
static void roots_are_those_of_the_reference(void **state)
{
    (void)state;
    static const char *const leaves[] = {
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
    static const char *const roots[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    struct arena *a = arena_new(1 << 20);
    struct tree t = {0};
    assert_string_equal(root_hex(a, &t), roots[0]);
    for (size_t i = 0; i < 8; i++) {
        struct view bytes = {NULL, 0};
        uint8_t leaf[SHA256_BYTES];
        if (leaves[i][0])
            OK(hex_parse(a, view_str(leaves[i]), &bytes));
        merkle_leaf(bytes, leaf);
        tree_add(&t, leaf);
        assert_string_equal(root_hex(a, &t), roots[i + 1]);
    }
    arena_free(a);
}

static void a_stored_frontier_reads_back(void **state)
{
    (void)state;
    struct tree t = {0}, back;
    uint8_t stored[TREE_BYTES_MAX], leaf[SHA256_BYTES] = {1};
    for (unsigned i = 0; i < 1000; i++) {
        leaf[0] = (uint8_t)i;
        tree_add(&t, leaf);
        size_t n = tree_put(&t, stored);
        OK(tree_get(view_of(stored, n), &back));
        assert_true(tree_eq(&t, &back));
    }
}

static void a_cut_or_long_frontier_is_refused(void **state)
{
    (void)state;
    struct tree t = {0}, back;
    uint8_t stored[TREE_BYTES_MAX + 1] = {0}, leaf[SHA256_BYTES] = {1};
    tree_add(&t, leaf);
    size_t n = tree_put(&t, stored);
    FAILS(ERR_CORRUPT, tree_get(view_of(stored, n - 1), &back));
    FAILS(ERR_CORRUPT, tree_get(view_of(stored, n + 1), &back));
    FAILS(ERR_CORRUPT, tree_get(view_of(stored, 7), &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_of_the_reference),
        cmocka_unit_test(a_stored_frontier_reads_back),
        cmocka_unit_test(a_cut_or_long_frontier_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
