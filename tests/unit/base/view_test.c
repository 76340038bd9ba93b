/* base/view: borrowed bytes are never read past their end. */
#include "expect.h"

static void taking_more_than_is_there_takes_nothing(void **state)
{
    (void)state;
    struct view in = view_str("abc"), got = {NULL, 0};
    assert_false(view_take(&in, 4, &got));
    assert_int_equal(in.n, 3);
    assert_true(view_take(&in, 2, &got));
    EXPECT_VIEW(got, "ab");
    EXPECT_VIEW(in, "c");
    assert_true(view_take(&in, 1, &got));
    assert_false(view_take(&in, 1, &got));
}

static void the_empty_view_is_equal_to_itself_alone(void **state)
{
    (void)state;
    struct view empty = {NULL, 0};
    assert_true(view_eq(empty, view_str("")));
    assert_false(view_eq(empty, view_str("a")));
    assert_true(view_starts(view_str("a"), empty));
    assert_true(view_ends(empty, empty));
    assert_false(view_ends(view_str("a"), view_str("ba")));
    assert_int_equal(view_find(empty, 0), 0);
    assert_int_equal(view_from(view_str("abc"), 3).n, 0);
}

static void case_is_folded_for_ascii_letters_alone(void **state)
{
    (void)state;
    assert_true(view_eq_nocase(view_str("Host.EXAMPLE"), view_str("hOST.example")));
    assert_false(view_eq_nocase(view_str("a["), view_str("a{")));
    assert_false(view_eq_nocase(view_str("\xc3\x84"), view_str("\xc3\xa4")));
    assert_false(view_eq_nocase(view_str("a"), view_str("ab")));
}

static void order_is_lexicographic_and_shorter_first(void **state)
{
    (void)state;
    assert_true(view_cmp(view_str("a"), view_str("b")) < 0);
    assert_true(view_cmp(view_str("a"), view_str("ab")) < 0);
    assert_true(view_cmp(view_str("\xff"), view_str("a")) > 0);
    assert_int_equal(view_cmp(view_str(""), view_of(NULL, 0)), 0);
}

static void find_gives_the_first(void **state)
{
    (void)state;
    assert_int_equal(view_find(view_str("a.b.c"), '.'), 1);
    assert_int_equal(view_find(view_str("abc"), '.'), 3);
    assert_int_equal(view_find(view_of("a\0b", 3), 0), 1);
}

static void utf8_is_judged_by_rfc_3629(void **state)
{
    (void)state;
    static const char *const good[] = {
        "", "abc", "\xc2\x80", "\xe0\xa0\x80", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {
        "\x80",         "\xc0\x80",        "\xc1\xbf",         "\xc2",
        "\xe0\x9f\xbf", "\xed\xa0\x80",    "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80",     "a\xc2",           "\xc2\x61",         "\xe2\x82",
        "\xff",         "\xf8\x88\x80\x80"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(view_is_utf8(view_str(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(view_is_utf8(view_str(bad[i])));
}

static void a_character_tells_its_length_and_code(void **state)
{
    (void)state;
    uint32_t code = 0;
    assert_int_equal(view_utf8_next(view_str("\xe2\x82\xac!"), &code), 3);
    assert_int_equal(code, 0x20ac);
    assert_int_equal(view_utf8_next(view_of(NULL, 0), &code), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taking_more_than_is_there_takes_nothing),
        cmocka_unit_test(the_empty_view_is_equal_to_itself_alone),
        cmocka_unit_test(case_is_folded_for_ascii_letters_alone),
        cmocka_unit_test(order_is_lexicographic_and_shorter_first),
        cmocka_unit_test(find_gives_the_first),
        cmocka_unit_test(utf8_is_judged_by_rfc_3629),
        cmocka_unit_test(a_character_tells_its_length_and_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
