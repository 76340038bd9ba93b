/* Wrong passwords are counted by address; a bucket fills up again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guesses.h"

static void passes(struct guesses *g, const char *address, int64_t ms)
{
    assert_null(guesses_count(g, address, ms));
}

static void refused(struct guesses *g, const char *address, int64_t ms, int retry_s)
{
    struct err *e = guesses_count(g, address, ms);
    assert_non_null(e);
    assert_int_equal(err_code(e), ERR_RATE);
    assert_int_equal(err_retry_s(e), retry_s);
    err_free(e);
}

static void too_many_from_one_address(void **state)
{
    static struct guesses g;
    (void)state;
    for (int i = 0; i < GUESSES_PER_MINUTE; i++)
        passes(&g, "192.0.2.1", 1000);
    refused(&g, "192.0.2.1", 1000, 7);
    passes(&g, "192.0.2.2", 1000);
    refused(&g, "192.0.2.1", 4000, 4);
    passes(&g, "192.0.2.1", 7000);
    refused(&g, "192.0.2.1", 7001, 6);
    for (int i = 0; i < GUESSES_PER_MINUTE; i++)
        passes(&g, "192.0.2.1", 100000);
    refused(&g, "192.0.2.1", 100000, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(too_many_from_one_address)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
