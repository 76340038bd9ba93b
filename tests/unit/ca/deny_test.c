/* How many refusals may be written one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deny.h"

static unsigned admitted(struct deny_limit *d, int64_t at_ms, unsigned tries)
{
    unsigned n = 0;
    for (unsigned i = 0; i < tries; i++)
        n += deny_admit(d, at_ms);
    return n;
}

static void a_burst_then_so_many_a_second(void **state)
{
    struct deny_limit d = {0};
    (void)state;
    assert_int_equal(admitted(&d, 1000, 2 * DENY_BURST), DENY_BURST);
    assert_int_equal(admitted(&d, 2000, 100), DENY_PER_SECOND);
    assert_int_equal(admitted(&d, 2050, 100), 0);
    assert_int_equal(admitted(&d, 2100, 100), 1);
}

static void what_is_over_is_counted_once(void **state)
{
    struct deny_limit d = {0};
    (void)state;
    (void)admitted(&d, 1000, DENY_BURST + 7);
    assert_int_equal(deny_take_over(&d), 7);
    assert_int_equal(deny_take_over(&d), 0);
}

static void quiet_times_fill_no_more_than_a_burst(void **state)
{
    struct deny_limit d = {0};
    (void)state;
    (void)admitted(&d, 1000, DENY_BURST);
    assert_int_equal(admitted(&d, 1000 + INT64_C(365) * 86400 * 1000, 2 * DENY_BURST), DENY_BURST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_then_so_many_a_second),
        cmocka_unit_test(what_is_over_is_counted_once),
        cmocka_unit_test(quiet_times_fill_no_more_than_a_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
