/* Back-off of restarts, with times given by hand. */
#include "restart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_first_restart_costs_less_than_200_ms(void **state)
{
    (void)state;
    struct restart r = {0};
    assert_true(restart_after(&r, 1000000, true) < 200);
    assert_false(restart_broken(&r));
}

static void a_kill_each_second_is_always_mended_quickly(void **state)
{
    (void)state;
    struct restart r = {0};
    for (int64_t i = 0; i < 100; i++)
        assert_true(restart_after(&r, 1000 * i, true) <= 1000);
}

static void a_kill_each_three_seconds_never_waits(void **state)
{
    (void)state;
    struct restart r = {0};
    for (int64_t i = 0; i < 1000; i++)
        assert_int_equal(restart_after(&r, 3000 * i, true), RESTART_FIRST_MS);
}

/* A module that crashes at each use: the storm slows down to a few seconds a start. */
static void a_storm_slows_down(void **state)
{
    (void)state;
    struct restart r = {0};
    int64_t now = 5000000, wait = 0, starts_in_first_minute = 0, began = now;
    for (int i = 0; i < 200; i++) {
        wait = restart_after(&r, now, true);
        now += wait + 10;
        starts_in_first_minute += now - began < 60000;
    }
    assert_true(wait >= 1000);
    assert_true(starts_in_first_minute < 80);
}

static void it_forgives_after_a_quiet_time(void **state)
{
    (void)state;
    struct restart r = {0};
    for (int i = 0; i < 100; i++)
        (void)restart_after(&r, 1000 + i, true);
    assert_true(restart_after(&r, 2000, true) >= 1000);
    assert_int_equal(restart_after(&r, 2000 + 600000, true), RESTART_FIRST_MS);
}

static void failed_starts_double_and_open_the_breaker(void **state)
{
    (void)state;
    struct restart r = {0};
    int64_t before = 0;
    for (int i = 1; i < RESTART_BREAKER_STARTS; i++) {
        int64_t wait = restart_after(&r, 1000 * i, false);
        assert_true(wait > before);
        assert_false(restart_broken(&r));
        before = wait;
    }
    assert_int_equal(restart_after(&r, 99999, false), RESTART_BREAKER_MS);
    assert_true(restart_broken(&r));
    restart_ready(&r);
    assert_false(restart_broken(&r));
    assert_true(restart_after(&r, 100000, false) < 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_restart_costs_less_than_200_ms),
        cmocka_unit_test(a_kill_each_second_is_always_mended_quickly),
        cmocka_unit_test(a_kill_each_three_seconds_never_waits),
        cmocka_unit_test(a_storm_slows_down),
        cmocka_unit_test(it_forgives_after_a_quiet_time),
        cmocka_unit_test(failed_starts_double_and_open_the_breaker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
