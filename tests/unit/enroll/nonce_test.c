/* Nonces: good once, of this process alone, whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "nonce.h"

static struct nonces mine, theirs;

static void refused(struct nonces *n, struct view nonce)
{
    struct err *e = nonce_check(n, nonce);
    assert_non_null(e);
    assert_int_equal(err_code(e), ERR_BAD_FIELD);
    err_free(e);
}

static void a_nonce_is_good_once(void **state)
{
    (void)state;
    uint8_t a[NONCE_BYTES], b[NONCE_BYTES];
    nonce_make(&mine, a);
    nonce_make(&mine, b);
    assert_memory_not_equal(a, b, NONCE_BYTES);
    assert_null(nonce_check(&mine, view_of(a, NONCE_BYTES)));
    assert_null(nonce_check(&mine, view_of(a, NONCE_BYTES))); /* looking does not use it up */
    nonce_use(&mine, view_of(a, NONCE_BYTES));
    refused(&mine, view_of(a, NONCE_BYTES));
    assert_null(nonce_check(&mine, view_of(b, NONCE_BYTES)));
}

static void anothers_a_changed_and_a_short_one_are_refused(void **state)
{
    (void)state;
    uint8_t a[NONCE_BYTES];
    nonce_make(&theirs, a);
    refused(&mine, view_of(a, NONCE_BYTES));
    for (size_t i = 0; i < NONCE_BYTES; i++) {
        nonce_make(&mine, a);
        a[i] ^= 1;
        refused(&mine, view_of(a, NONCE_BYTES));
    }
    nonce_make(&mine, a);
    refused(&mine, view_of(a, NONCE_BYTES - 1));
    refused(&mine, view_of(NULL, 0));
    memset(a, 0, sizeof a);
    refused(&mine, view_of(a, NONCE_BYTES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nonce_is_good_once),
        cmocka_unit_test(anothers_a_changed_and_a_short_one_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
