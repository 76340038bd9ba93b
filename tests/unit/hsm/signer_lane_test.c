/* Tests of hsm/signer_lane.c: every waiting lane has its share, none waits long, an idle one saves nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "signer_lane.h"

static void shares_are_by_weight(void **state)
{
    struct signer_lane_turns turns = {{0}};
    const bool all[SIGNER_LANES] = {true, true, true, true, true};
    int served[SIGNER_LANES] = {0}, whole = 0;

    (void)state;
    for (int lane = 0; lane < SIGNER_LANES; lane++)
        whole += signer_lane_row((enum signer_lane)lane)->weight;
    for (int i = 0; i < 100 * whole; i++)
        served[signer_lane_next(&turns, all)]++;
    for (int lane = 0; lane < SIGNER_LANES; lane++)
        assert_int_equal(served[lane], 100 * signer_lane_row((enum signer_lane)lane)->weight);
}

static void none_waits_longer_than_a_round(void **state)
{
    struct signer_lane_turns turns = {{0}};
    const bool all[SIGNER_LANES] = {true, true, true, true, true};
    int since[SIGNER_LANES] = {0};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        enum signer_lane next = signer_lane_next(&turns, all);
        for (int lane = 0; lane < SIGNER_LANES; lane++)
            assert_true(++since[lane] <= 24);
        since[next] = 0;
    }
}

static void alone_a_lane_gets_all(void **state)
{
    struct signer_lane_turns turns = {{0}};
    bool waits[SIGNER_LANES] = {[SIGNER_BULK] = true};

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(signer_lane_next(&turns, waits), SIGNER_BULK);
    waits[SIGNER_BULK] = false;
    assert_int_equal(signer_lane_next(&turns, waits), SIGNER_LANES);
}

/* A lane that was empty for long does not hold the others up when it comes back. */
static void an_idle_lane_saves_nothing(void **state)
{
    struct signer_lane_turns turns = {{0}};
    bool waits[SIGNER_LANES] = {[SIGNER_ISSUE] = true};
    int bulk = 0;

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(signer_lane_next(&turns, waits), SIGNER_ISSUE);
    waits[SIGNER_BULK] = true;
    for (int i = 0; i < 10; i++)
        bulk += signer_lane_next(&turns, waits) == SIGNER_BULK;
    assert_int_equal(bulk, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_by_weight),
        cmocka_unit_test(none_waits_longer_than_a_round),
        cmocka_unit_test(alone_a_lane_gets_all),
        cmocka_unit_test(an_idle_lane_saves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
