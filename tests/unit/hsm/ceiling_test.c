/* Ceilings: the hour past, for each issuer and template by itself. */
#include <stdio.h>

#include "ceiling.h"
#include "token_scene.h"

static const int64_t now = 1795000000;
static const char issuing[] = "issuing", server[] = "server";

static void note(struct ceiling *c, int64_t at, int n)
{
    for (int i = 0; i < n; i++)
        ceiling_note(c, view_str(issuing), view_str(server), at);
}

static enum err_code check(const struct ceiling *c, int64_t limit, int64_t at)
{
    return code_of(ceiling_check(c, view_str(issuing), view_str(server), limit, at));
}

static void the_limit_holds_within_an_hour(void **state)
{
    struct ceiling *c = ceiling_new();
    (void)state;
    note(c, now, 9);
    assert_int_equal(check(c, 10, now), ERR__COUNT);
    note(c, now + 60, 1);
    assert_int_equal(check(c, 10, now + 60), ERR_CEILING);
    assert_int_equal(check(c, 11, now + 60), ERR__COUNT);
    assert_int_equal(check(c, 0, now + 60), ERR__COUNT);
    ceiling_free(c);
}

static void after_an_hour_they_count_no_more(void **state)
{
    struct ceiling *c = ceiling_new();
    (void)state;
    note(c, now, 10);
    assert_int_equal(check(c, 10, now + 59 * 60), ERR_CEILING);
    assert_int_equal(check(c, 10, now + 61 * 60), ERR__COUNT);
    note(c, now + 2 * 3600, 3);
    assert_int_equal(ceiling_count(c, view_str(issuing), view_str(server), now + 2 * 3600), 3);
    ceiling_free(c);
}

static void a_clock_that_goes_back_frees_nothing(void **state)
{
    struct ceiling *c = ceiling_new();
    (void)state;
    note(c, now, 10);
    assert_int_equal(check(c, 10, now - 7200), ERR_CEILING);
    note(c, now - 7200, 1);
    assert_true(ceiling_count(c, view_str(issuing), view_str(server), now - 7200) >= 11);
    ceiling_free(c);
}

static void pairs_are_apart_however_many(void **state)
{
    struct ceiling *c = ceiling_new();
    char name[32];
    (void)state;
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "template-%d", i);
        for (int k = 0; k <= i % 3; k++)
            ceiling_note(c, view_str(issuing), view_str(name), now);
    }
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "template-%d", i);
        assert_int_equal(ceiling_count(c, view_str(issuing), view_str(name), now), i % 3 + 1);
        assert_int_equal(ceiling_count(c, view_str("other"), view_str(name), now), 0);
    }
    ceiling_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_holds_within_an_hour),
        cmocka_unit_test(after_an_hour_they_count_no_more),
        cmocka_unit_test(a_clock_that_goes_back_frees_nothing),
        cmocka_unit_test(pairs_are_apart_however_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
