/* base/hex: one text for each value, and no other. */
#include "expect.h"

#include "base/hex.h"

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

static void hex_goes_both_ways(void **state)
{
    (void)state;
    struct view got;
    assert_string_equal(hex_of(arena, BYTES(0x00, 0xab, 0x7f)), "00ab7f");
    assert_string_equal(hex_of(arena, view_of(NULL, 0)), "");
    EXPECT_OK(hex_parse(arena, view_str("00ab7f"), &got));
    assert_true(view_eq(got, BYTES(0x00, 0xab, 0x7f)));
    EXPECT_OK(hex_parse(arena, view_str(""), &got));
    assert_int_equal(got.n, 0);
}

static void hex_of_another_form_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"0", "0A", "0x", " 0", "0 ", "00:11", "g0", "0\n"};
    struct view got = {NULL, 77};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        EXPECT_ERR(hex_parse(arena, view_str(bad[i]), &got), ERR_BAD_FIELD, "hexadecimal");
    EXPECT_ERR(hex_parse(arena, view_of("0\0", 2), &got), ERR_BAD_FIELD, "offset 1");
    assert_int_equal(got.n, 77);
}

static void base64_follows_the_vectors_of_rfc_4648(void **state)
{
    (void)state;
    static const char *const vectors[][3] = {{"", "", ""},
                                             {"f", "Zg==", "Zg"},
                                             {"fo", "Zm8=", "Zm8"},
                                             {"foo", "Zm9v", "Zm9v"},
                                             {"foob", "Zm9vYg==", "Zm9vYg"},
                                             {"fooba", "Zm9vYmE=", "Zm9vYmE"},
                                             {"foobar", "Zm9vYmFy", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct view got;
        assert_string_equal(base64_of(arena, view_str(vectors[i][0])), vectors[i][1]);
        assert_string_equal(base64url_of(arena, view_str(vectors[i][0])), vectors[i][2]);
        EXPECT_OK(base64_parse(arena, view_str(vectors[i][1]), &got));
        EXPECT_VIEW(got, vectors[i][0]);
        EXPECT_OK(base64url_parse(arena, view_str(vectors[i][2]), &got));
        EXPECT_VIEW(got, vectors[i][0]);
    }
}

static void the_two_alphabets_are_not_mixed(void **state)
{
    (void)state;
    struct view got;
    assert_string_equal(base64_of(arena, BYTES(0xfb, 0xff, 0xbf)), "+/+/");
    assert_string_equal(base64url_of(arena, BYTES(0xfb, 0xff, 0xbf)), "-_-_");
    EXPECT_OK(base64_parse(arena, view_str("+/+/"), &got));
    EXPECT_OK(base64url_parse(arena, view_str("-_-_"), &got));
    EXPECT_ERR(base64_parse(arena, view_str("-_-_"), &got), ERR_BAD_FIELD, "offset 0");
    EXPECT_ERR(base64url_parse(arena, view_str("+/+/"), &got), ERR_BAD_FIELD, "offset 0");
}

static void base64_of_another_form_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"Zg",    "Zg=",      "Z===", "====", "=",    "Zm9v\n", " Zm9v",
                                      "Zm9v=", "Zg==Zg==", "Zh==", "Zm9=", "Zm 9", "Zg=g",   "=Zg="};
    static const char *const bad_url[] = {"Zg==", "Z", "Zm8=", "Zh", "Zm9", "Zm9vY", "Zm9v\n"};
    struct view got;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        EXPECT_ERR(base64_parse(arena, view_str(bad[i]), &got), ERR_BAD_FIELD, "base64");
    for (size_t i = 0; i < sizeof bad_url / sizeof *bad_url; i++)
        EXPECT_ERR(base64url_parse(arena, view_str(bad_url[i]), &got), ERR_BAD_FIELD, "base64");
    EXPECT_ERR(base64_parse(arena, view_of("Zm\0v", 4), &got), ERR_BAD_FIELD, "offset 2");
}

static void long_values_keep_every_bit(void **state)
{
    (void)state;
    uint8_t bytes[1000];
    struct view got;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 167 + i / 256);
    for (size_t n = 990; n <= sizeof bytes; n++) {
        EXPECT_OK(base64_parse(arena, view_str(base64_of(arena, view_of(bytes, n))), &got));
        assert_true(view_eq(got, view_of(bytes, n)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(hex_of_another_form_is_refused),
        cmocka_unit_test(base64_follows_the_vectors_of_rfc_4648),
        cmocka_unit_test(the_two_alphabets_are_not_mixed),
        cmocka_unit_test(base64_of_another_form_is_refused),
        cmocka_unit_test(long_values_keep_every_bit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
