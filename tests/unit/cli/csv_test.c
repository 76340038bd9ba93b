/* Tables of RFC 4180: columns by name, quotes, line ends, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "csv.h"

static struct arena *arena;

static struct err *rows_of(const char *text, struct csv *c, size_t *ret_n)
{
    struct err *e = NULL;
    bool more = true;
    *ret_n = 0;
    TRY(csv_open(view_str(text), arena, c));
    for (;;) {
        TRY(csv_next(c, arena, &more));
        if (!more)
            break;
        ++*ret_n;
    }
out:
    return e;
}

static void columns_by_name(void **state)
{
    struct csv c;
    bool more;
    (void)state;
    assert_null(csv_open(view_str("a,b,\"c d\"\r\n1,\"x, \"\"y\"\"\nz\",3\r\n\n4"), arena, &c));
    assert_true(csv_has(&c, "c d"));
    assert_false(csv_has(&c, "c"));
    assert_null(csv_next(&c, arena, &more));
    assert_true(more);
    assert_string_equal(csv_field(&c, "a"), "1");
    assert_string_equal(csv_field(&c, "b"), "x, \"y\"\nz");
    assert_string_equal(csv_field(&c, "none"), "");
    assert_null(csv_next(&c, arena, &more));
    assert_true(more);
    assert_string_equal(csv_field(&c, "a"), "4");
    assert_string_equal(csv_field(&c, "b"), "");
    assert_null(csv_next(&c, arena, &more));
    assert_false(more);
}

static void what_is_no_table(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {{"", "empty"},
                {"a\nb,c\n", "line 2: more fields"},
                {"a\n\"b\n", "line 2: a quoted field"},
                {"a\n\"b\"c\n", "line 2: something behind"},
                {"a\nb\"c\n", "line 2: a quote"},
                {"a\nb\rc\n", "line 2: a carriage return"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct csv c;
        size_t n;
        struct err *e = rows_of(rows[i].text, &c, &n);
        assert_non_null(e);
        if (!strstr(err_detail(e), rows[i].why))
            fail_msg("'%s' does not say '%s'", err_detail(e), rows[i].why);
        err_free(e);
    }
}

static void what_is_written_reads_back(void **state)
{
    static const char *const fields[] = {"plain", "", "a,b", "say \"so\"", "two\nlines", "\r"};
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct csv c;
        bool more;
        const char *text = arena_alloc(arena, 100);
        snprintf((char *)text, 100, "x,y\n%s,1\n", csv_quoted(fields[i], arena));
        assert_null(csv_open(view_str(text), arena, &c));
        assert_null(csv_next(&c, arena, &more));
        assert_string_equal(csv_field(&c, "x"), fields[i]);
    }
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_by_name),
        cmocka_unit_test(what_is_no_table),
        cmocka_unit_test(what_is_written_reads_back),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
