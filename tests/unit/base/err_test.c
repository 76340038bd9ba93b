/* base/err: an error carries its code, a printable text and the field at fault. */
#include "expect.h"

#include <errno.h>
#include <stdlib.h>

static void an_error_has_a_code_and_a_detail(void **state)
{
    (void)state;
    struct err *e = err_new(ERR_BAD_CSR, "version %d (RFC 2986 4.1)", 7);
    assert_int_equal(err_code(e), ERR_BAD_CSR);
    assert_string_equal(err_detail(e), "version 7 (RFC 2986 4.1)");
    assert_string_equal(err_pointer(e), "");
    err_free(e);
}

static void the_system_s_reason_stands_at_the_end(void **state)
{
    (void)state;
    struct err *e = err_sys(ERR_IO, ENOSPC, "cannot write");
    assert_string_equal(err_detail(e), "cannot write: No space left on device");
    err_free(e);
}

static void wrapping_puts_text_in_front(void **state)
{
    (void)state;
    struct err *e = err_wrap(err_wrap(err_new(ERR_IO, "end"), "middle"), "start %d", 1);
    assert_string_equal(err_detail(e), "start 1: middle: end");
    err_free(e);
    e = err_wrap(err_new(ERR_IO, "%s", ""), "alone");
    assert_string_equal(err_detail(e), "alone");
    err_free(e);
}

static void success_stays_success(void **state)
{
    (void)state;
    assert_null(err_wrap(NULL, "text"));
    assert_null(err_at(NULL, "/a"));
    err_free(NULL);
}

static void an_outer_pointer_goes_before_the_inner_one(void **state)
{
    (void)state;
    struct err *e = err_at(err_at(err_new(ERR_BAD_FIELD, "wrong"), "/%d", 3), "/sans");
    assert_string_equal(err_pointer(e), "/sans/3");
    err_free(e);
}

static void the_text_is_printable_utf8_whatever_was_quoted(void **state)
{
    (void)state;
    struct err *e = err_new(ERR_BAD_NAME, "'%s'", "a\n\x1b[1m\xff\xc2\x9b\xc3\xa4");
    assert_string_equal(err_detail(e), "'a??[1m???\xc3\xa4'");
    err_free(e);
}

static void a_character_cut_by_the_bound_is_made_whole(void **state)
{
    (void)state;
    char text[4096];
    memset(text, 'a', sizeof text);
    for (size_t i = 1; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    text[sizeof text - 1] = '\0';
    struct err *e = err_wrap(err_new(ERR_BAD_NAME, "%s", text), "x");
    assert_true(view_is_utf8(view_str(err_detail(e))));
    assert_true(strlen(err_detail(e)) < 2048);
    err_free(e);
}

static void rows_are_found_by_type(void **state)
{
    (void)state;
    for (int i = 0; i < ERR__COUNT; i++) {
        const struct err_row *row = err_row((enum err_code)i);
        assert_int_equal(err_code_of_type(row->type), i);
        if (i != ERR_PENDING) /* not refused, only not yet: 202 */
            assert_in_range(row->http_status, 400, 599);
        assert_true(row->title[0] != '\0');
    }
    assert_int_equal(err_code_of_type("no-such-type"), ERR_INTERNAL);
    assert_int_equal(err_code_of_type(NULL), ERR_INTERNAL);
}

static void a_retry_is_the_row_s_unless_it_is_known_better(void **state)
{
    (void)state;
    struct err *e = err_new(ERR_RATE, "x");
    assert_int_equal(err_retry_s(e), err_row(ERR_RATE)->retry_s);
    e = err_at(err_retry(e, 120), "/template");
    assert_int_equal(err_retry_s(e), 120);
    err_free(e);
    assert_null(err_retry(NULL, 1));
}

static struct err *steps(int fail_at, int *ret_freed)
{
    struct err *e = NULL;
    TRY(fail_at == 1 ? err_new(ERR_WRONG_STATE, "first") : NULL);
    TRY(fail_at == 2 ? err_new(ERR_WRONG_STATE, "second") : NULL);
out:
    ++*ret_freed;
    return e;
}

static void try_leaves_by_the_one_door(void **state)
{
    (void)state;
    int freed = 0;
    EXPECT_ERR(steps(1, &freed), ERR_WRONG_STATE, "first");
    EXPECT_ERR(steps(2, &freed), ERR_WRONG_STATE, "second");
    EXPECT_OK(steps(0, &freed));
    assert_int_equal(freed, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_has_a_code_and_a_detail),
        cmocka_unit_test(the_system_s_reason_stands_at_the_end),
        cmocka_unit_test(wrapping_puts_text_in_front),
        cmocka_unit_test(success_stays_success),
        cmocka_unit_test(an_outer_pointer_goes_before_the_inner_one),
        cmocka_unit_test(the_text_is_printable_utf8_whatever_was_quoted),
        cmocka_unit_test(a_character_cut_by_the_bound_is_made_whole),
        cmocka_unit_test(rows_are_found_by_type),
        cmocka_unit_test(a_retry_is_the_row_s_unless_it_is_known_better),
        cmocka_unit_test(try_leaves_by_the_one_door),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
