/* Nonces of ACME over orderly stops and over crashes; and the buckets of its limits. */
#include "acme/limits.h"
#include "acme/nonces.h"
#include "house_scene.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint8_t key[32] = {7};

static struct acme_nonces *opened(struct house *h)
{
    struct acme_nonces *n;
    char text[ACME_NONCE_TEXT_BYTES];
    OK(acme_nonces_new(h->ledger, h->dir, view_of(key, sizeof key), 0, &n));
    FAILS(ERR_STARTING, acme_nonce_make(n, text)); /* not before its block is durable */
    house_quiet(h);
    return n;
}

static struct view made(struct house *h, struct acme_nonces *n)
{
    char text[ACME_NONCE_TEXT_BYTES];
    OK(acme_nonce_make(n, text));
    return arena_dup(h->arena, view_str(text));
}

static void a_nonce_is_taken_once(void **state)
{
    struct house *h = *state;
    struct acme_nonces *n = opened(h);
    struct view first = made(h, n), second = made(h, n);
    assert_false(view_eq(first, second));
    OK(acme_nonce_check(n, first));
    acme_nonce_use(n, first);
    FAILS(ERR_BAD_NONCE, acme_nonce_check(n, first));
    OK(acme_nonce_check(n, second));
    acme_nonces_stop(n);
    acme_nonces_free(n);
}

static void one_that_was_changed_is_not_ours(void **state)
{
    struct house *h = *state;
    struct acme_nonces *n = opened(h);
    struct view good = made(h, n);
    for (size_t i = 0; i < good.n; i++) {
        char *bad = arena_str(h->arena, good);
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        FAILS(ERR_BAD_NONCE, acme_nonce_check(n, view_str(bad)));
    }
    FAILS(ERR_BAD_NONCE, acme_nonce_check(n, view_str("")));
    FAILS(ERR_BAD_NONCE, acme_nonce_check(n, view_of(good.p, good.n - 1)));
    acme_nonces_stop(n);
    acme_nonces_free(n);
}

static void an_orderly_stop_forgets_nothing(void **state)
{
    struct house *h = *state;
    struct acme_nonces *n = opened(h);
    struct view used = made(h, n), left = made(h, n);
    acme_nonce_use(n, used);
    acme_nonces_stop(n);
    acme_nonces_free(n);
    n = opened(h);
    FAILS(ERR_BAD_NONCE, acme_nonce_check(n, used));
    OK(acme_nonce_check(n, left));
    acme_nonce_use(n, left);
    acme_nonces_free(n); /* a crash: nothing is written down */
    n = opened(h);
    FAILS(ERR_BAD_NONCE, acme_nonce_check(n, left));
    acme_nonces_stop(n);
    acme_nonces_free(n);
}

static void a_crash_ends_what_was_given_out(void **state)
{
    struct house *h = *state;
    struct acme_nonces *n = opened(h);
    struct view left = made(h, n);
    acme_nonces_free(n);
    n = opened(h);
    FAILS(ERR_BAD_NONCE, acme_nonce_check(n, left));
    struct view fresh = made(h, n);
    OK(acme_nonce_check(n, fresh));
    assert_false(view_eq(left, fresh));
    acme_nonces_stop(n);
    acme_nonces_free(n);
}

static void blocks_follow_one_another(void **state)
{
    struct house *h = *state;
    struct acme_nonces *n = opened(h);
    struct view first = made(h, n);
    char text[ACME_NONCE_TEXT_BYTES];
    size_t entries = house_entries(h, LEDGER_ACME_NONCES);
    for (int i = 0; i < ACME_NONCE_BLOCK - 10; i++)
        OK(acme_nonce_make(n, text));
    house_quiet(h);
    for (int i = 0; i < ACME_NONCE_BLOCK / 2; i++)
        OK(acme_nonce_make(n, text));
    assert_true(house_entries(h, LEDGER_ACME_NONCES) > entries);
    OK(acme_nonce_check(n, first));
    acme_nonces_stop(n);
    acme_nonces_free(n);
}

static void a_bucket_fills_up_again(void **state)
{
    struct house *h = *state;
    struct acme_limits *l = acme_limits_new();
    for (int i = 0; i < 3; i++)
        OK(acme_limit(l, "orders", "a", 3));
    struct err *e = acme_limit(l, "orders", "a", 3);
    assert_int_equal(err_code(e), ERR_RATE);
    assert_in_range(err_retry_s(e), 1100, 1202);
    err_free(e);
    OK(acme_limit(l, "orders", "b", 3));
    OK(acme_limit(l, "accounts", "a", 3));
    OK(acme_limit(l, "orders", "a", 0)); /* no limit */
    house_pass(h, 1201);
    OK(acme_limit(l, "orders", "a", 3));
    FAILS(ERR_RATE, acme_limit(l, "orders", "a", 3));
    acme_limits_free(l);
}

int main(int argc, char **argv)
{
    (void)argc;
    house_world(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nonce_is_taken_once),           cmocka_unit_test(one_that_was_changed_is_not_ours),
        cmocka_unit_test(an_orderly_stop_forgets_nothing), cmocka_unit_test(a_crash_ends_what_was_given_out),
        cmocka_unit_test(blocks_follow_one_another),       cmocka_unit_test(a_bucket_fills_up_again),
    };
    return cmocka_run_group_tests(tests, house_setup, house_teardown);
}
