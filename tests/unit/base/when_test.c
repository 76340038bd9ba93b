/* base/when: the calendar against the C library's, text forms, durations. */
#include "expect.h"

#include <time.h>

#include "base/when.h"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void the_calendar_agrees_with_the_library(void **state)
{
    (void)state;
    for (int64_t s = -62167219200; s <= 253402300799; s += 86400 * 11 + 40961) {
        struct when_fields f;
        struct tm tm;
        time_t t = (time_t)s;
        when_split(s, &f);
        assert_non_null(gmtime_r(&t, &tm));
        assert_int_equal(f.year, tm.tm_year + 1900);
        assert_int_equal(f.month, tm.tm_mon + 1);
        assert_int_equal(f.day, tm.tm_mday);
        assert_int_equal(f.hour * 3600 + f.minute * 60 + f.second,
                         tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec);
        assert_true(when_valid(&f));
        assert_int_equal(when_join(&f), s);
    }
}

static void days_that_are_not_are_known(void **state)
{
    (void)state;
    static const struct when_fields bad[] = {
        {2026, 2, 29, 0, 0, 0}, {2100, 2, 29, 0, 0, 0}, {2026, 4, 31, 0, 0, 0}, {2026, 0, 1, 0, 0, 0},
        {2026, 13, 1, 0, 0, 0}, {2026, 1, 0, 0, 0, 0},  {2026, 1, 1, 24, 0, 0}, {2026, 1, 1, 0, 60, 0},
        {2026, 1, 1, 0, 0, 60}, {-1, 1, 1, 0, 0, 0},    {10000, 1, 1, 0, 0, 0}, {2026, 1, 1, -1, 0, 0},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(when_valid(&bad[i]));
    assert_true(when_valid(&(struct when_fields){2000, 2, 29, 23, 59, 59}));
    assert_true(when_valid(&(struct when_fields){2024, 2, 29, 0, 0, 0}));
}

static void an_instant_has_one_text(void **state)
{
    (void)state;
    char to[WHEN_TEXT_MAX];
    when_put(to, 1795241939);
    assert_string_equal(to, "2026-11-21T06:18:59Z");
    when_put_ms(to, 1795241939123);
    assert_string_equal(to, "2026-11-21T06:18:59.123Z");
    when_put_ms(to, -1);
    assert_string_equal(to, "1969-12-31T23:59:59.999Z");
    when_put_http(to, 1795241939);
    assert_string_equal(to, "Sat, 21 Nov 2026 06:18:59 GMT");
    when_put_http(to, 784111777);
    assert_string_equal(to, "Sun, 06 Nov 1994 08:49:37 GMT");
    when_put_http(to, -86400);
    assert_string_equal(to, "Wed, 31 Dec 1969 00:00:00 GMT");
    assert_string_equal(when_text(arena, 0), "1970-01-01T00:00:00Z");
}

static void beyond_the_calendar_the_nearest_stands(void **state)
{
    (void)state;
    assert_string_equal(when_text(arena, INT64_MAX), "9999-12-31T23:59:59Z");
    assert_string_equal(when_text(arena, INT64_MIN), "0000-01-01T00:00:00Z");
    char to[WHEN_TEXT_MAX];
    when_put_ms(to, INT64_MAX);
    when_put_ms(to, INT64_MIN);
    when_put_http(to, INT64_MIN);
}

static void rfc_3339_is_read_in_one_form(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "2026-11-21",
                                      "2026-11-21T06:18:59",
                                      "2026-11-21 06:18:59Z",
                                      "2026-11-21t06:18:59z",
                                      "2026-11-21T06:18:59+00:00",
                                      "2026-11-21T06:18:59.0Z",
                                      "2026-02-29T06:18:59Z",
                                      "2026-11-21T24:00:00Z",
                                      "2026-11-21T23:59:60Z",
                                      "2026-1 -21T06:18:59Z",
                                      "-026-11-21T06:18:59Z",
                                      "2026-11-21T06:18:59Z "};
    int64_t s = 5;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        EXPECT_ERR(when_parse(view_str(bad[i]), &s), ERR_BAD_FIELD, "RFC 3339");
    assert_int_equal(s, 5);
    EXPECT_OK(when_parse(view_str("2026-11-21T06:18:59Z"), &s));
    assert_int_equal(s, 1795241939);
    EXPECT_OK(when_parse(view_str("0000-01-01T00:00:00Z"), &s));
    assert_int_equal(s, -62167219200);
}

static void durations_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t s;
        const char *again;
    } rows[] = {{"90d", 7776000, "90d"},  {"12h", 43200, "12h"}, {"36h", 129600, "36h"},
                {"30m", 1800, "30m"},     {"45s", 45, "45s"},    {"2w", 1209600, "14d"},
                {"1y", 31536000, "365d"}, {"60m", 3600, "1h"},   {"100y", 3153600000, "36500d"},
                {"86400s", 86400, "1d"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t s = 0;
        EXPECT_OK(when_duration_parse(view_str(rows[i].text), &s));
        assert_int_equal(s, rows[i].s);
        assert_string_equal(when_duration_text(arena, s), rows[i].again);
    }
    assert_string_equal(when_duration_text(arena, 0), "0s");
}

static void durations_of_another_form_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",   "d",    "90",  "0d",   "090d", "-1d", "1.5h",
                                      "1D", "1d2h", " 1d", "1d\n", "1 d",  "+1d", "1M"};
    int64_t s;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        EXPECT_ERR(when_duration_parse(view_str(bad[i]), &s), ERR_BAD_FIELD, "not a duration");
    EXPECT_ERR(when_duration_parse(view_str("101y"), &s), ERR_BAD_FIELD, "100 years");
    EXPECT_ERR(when_duration_parse(view_str("3153600001s"), &s), ERR_BAD_FIELD, "100 years");
    EXPECT_ERR(when_duration_parse(view_str("99999999999999999999999999y"), &s), ERR_BAD_FIELD, "100 years");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_calendar_agrees_with_the_library),
        cmocka_unit_test(days_that_are_not_are_known),
        cmocka_unit_test(an_instant_has_one_text),
        cmocka_unit_test(beyond_the_calendar_the_nearest_stands),
        cmocka_unit_test(rfc_3339_is_read_in_one_form),
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(durations_of_another_form_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
