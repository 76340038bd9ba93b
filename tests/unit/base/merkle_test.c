/* Proofs over trees of every small size: each one made is taken, and none that is cut, longer, changed, or of
 * another place. Roots against the reference values of certificate transparency. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/merkle.h"
#include "expect.h"

enum { N = 40 };
static uint8_t leaves[N][SHA256_BYTES];

static int fill(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N; i++) {
        uint8_t octet = (uint8_t)i;
        merkle_leaf(view_of(&octet, 1), leaves[i]);
    }
    return 0;
}

/* By the definition, with no short cut. */
static struct err *subtree(void *arg, unsigned level, uint64_t index, uint8_t ret[SHA256_BYTES])
{
    uint8_t right[SHA256_BYTES];
    if (level == 0) {
        memcpy(ret, leaves[index], SHA256_BYTES);
        return NULL;
    }
    struct err *e = subtree(arg, level - 1, 2 * index, ret);
    e = e ? e : subtree(arg, level - 1, 2 * index + 1, right);
    if (!e)
        merkle_node(ret, right, ret);
    return e;
}
static const struct merkle_source source = {subtree, NULL};

static void root_of(uint64_t n, uint8_t ret[SHA256_BYTES])
{
    struct err *e = merkle_root(&source, n, ret);
    assert_null(e);
}

static void the_reference_tree(void **state)
{
    (void)state;
    uint8_t root[SHA256_BYTES], saved[N][SHA256_BYTES];
    struct arena *a = arena_new(1 << 20);
    static const char *const in[] = {
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
    memcpy(saved, leaves, sizeof saved);
    for (size_t i = 0; i < 8; i++) {
        struct view bytes = {NULL, 0};
        if (in[i][0])
            assert_null(hex_parse(a, view_str(in[i]), &bytes));
        merkle_leaf(bytes, leaves[i]);
    }
    root_of(0, root);
    assert_string_equal(hex_of(a, view_of(root, sizeof root)),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    root_of(7, root);
    assert_string_equal(hex_of(a, view_of(root, sizeof root)),
                        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c");
    root_of(8, root);
    assert_string_equal(hex_of(a, view_of(root, sizeof root)),
                        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
    memcpy(leaves, saved, sizeof saved);
    arena_free(a);
}

static void each_leaf_is_proven_and_no_other(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= N; n++) {
        uint8_t root[SHA256_BYTES];
        root_of(n, root);
        for (uint64_t i = 0; i < n; i++) {
            struct merkle_proof p;
            assert_null(merkle_inclusion(&source, i, n, &p));
            assert_true(merkle_included(leaves[i], i, n, &p, root));
            assert_false(merkle_included(leaves[(i + 1) % N], i, n, &p, root));
            for (uint64_t other = 0; other < n; other++)
                assert_true(other == i || !merkle_included(leaves[i], other, n, &p, root));
            assert_false(merkle_included(leaves[i], n, n, &p, root));
            if (p.n == 0)
                continue;
            p.at[p.n / 2].b[7] ^= 1;
            assert_false(merkle_included(leaves[i], i, n, &p, root));
            p.at[p.n / 2].b[7] ^= 1;
            p.n--;
            assert_false(merkle_included(leaves[i], i, n, &p, root));
            p.n += 2;
            memset(&p.at[p.n - 1], 0, sizeof p.at[0]);
            assert_false(merkle_included(leaves[i], i, n, &p, root));
        }
    }
}

static void each_tree_goes_on_from_every_earlier_one(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= N; n++)
        for (uint64_t m = 0; m <= n; m++) {
            uint8_t old[SHA256_BYTES], root[SHA256_BYTES], wrong[SHA256_BYTES];
            struct merkle_proof p;
            root_of(m, old);
            root_of(n, root);
            assert_null(merkle_consistency(&source, m, n, &p));
            assert_true(merkle_consistent(m, old, n, root, &p));
            assert_true(m == n || !merkle_consistent(n, root, m, old, &p));
            memcpy(wrong, old, sizeof wrong);
            wrong[31] ^= 1;
            assert_true(m == 0 || !merkle_consistent(m, wrong, n, root, &p));
            memcpy(wrong, root, sizeof wrong);
            wrong[0] ^= 1;
            assert_true(m == 0 || !merkle_consistent(m, old, n, wrong, &p));
            for (size_t i = 0; i < p.n; i++) {
                p.at[i].b[3] ^= 4;
                assert_false(merkle_consistent(m, old, n, root, &p));
                p.at[i].b[3] ^= 4;
            }
            if (p.n == 0)
                continue;
            p.n--;
            assert_false(merkle_consistent(m, old, n, root, &p));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_tree),
        cmocka_unit_test(each_leaf_is_proven_and_no_other),
        cmocka_unit_test(each_tree_goes_on_from_every_earlier_one),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
