/* Options after a command's name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli.h"

struct parsed {
    const char *text;
    bool flag;
    struct cli_list list;
    int argc;
    char *argv[16];
};

/* words end with NULL. */
static struct err *parse(struct parsed *p, int least, int most, const char *const *words)
{
    *p = (struct parsed){.text = NULL};
    for (; words[p->argc]; p->argc++)
        p->argv[p->argc] = (char *)(uintptr_t)words[p->argc];
    const struct cli_option options[] = {
        {"--text", &p->text, NULL, NULL}, {"--flag", NULL, &p->flag, NULL}, {"--item", NULL, NULL, &p->list}};
    return cli_options(options, 3, &p->argc, p->argv, least, most);
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void options_stand_anywhere(void **state)
{
    struct parsed p;
    (void)state;
    assert_null(parse(&p, 1, 2, WORDS("one", "--text", "x", "two", "--flag", "--item=a", "--item", "b")));
    assert_string_equal(p.text, "x");
    assert_true(p.flag);
    assert_int_equal(p.list.n, 2);
    assert_string_equal(p.list.items[0], "a");
    assert_string_equal(p.list.items[1], "b");
    assert_int_equal(p.argc, 2);
    assert_string_equal(p.argv[0], "one");
    assert_string_equal(p.argv[1], "two");
}

static void values_may_be_empty_or_look_odd(void **state)
{
    struct parsed p;
    (void)state;
    assert_null(parse(&p, 0, 1, WORDS("--text=", "-")));
    assert_string_equal(p.text, "");
    assert_string_equal(p.argv[0], "-");                     /* a dash alone is no option */
    assert_null(parse(&p, 0, 0, WORDS("--text", "--flag"))); /* the value of the first */
    assert_string_equal(p.text, "--flag");
    assert_false(p.flag);
}

static void wrong_usage(void **state)
{
    static const struct {
        const char *words[4];
        const char *says;
    } rows[] = {
        {{"--nothing"}, "--nothing"},  {{"-x"}, "-x"},
        {{"--texts", "x"}, "--texts"}, {{"--text"}, "takes a value"},
        {{"--flag=yes"}, "no value"},  {{"--tex", "x"}, "--tex"},
        {{"a", "b", "c"}, "'c'"},      {{NULL}, "missing"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parsed p;
        struct err *e = parse(&p, 1, 2, rows[i].words);
        if (!e || !cli_is_usage(e) || !strstr(err_detail(e), rows[i].says))
            fail_msg("%s: %s", rows[i].says, e ? err_detail(e) : "taken");
        err_free(e);
    }
}

static void only_usage_errors_are_usage(void **state)
{
    (void)state;
    struct err *e = err_new(ERR_BAD_REQUEST, "the daemon said so");
    assert_false(cli_is_usage(e));
    err_free(e);
}

static void what_goes_into_a_query_is_escaped(void **state)
{
    struct cli c = {.arena = arena_new(1 << 20)};
    (void)state;
    assert_string_equal(cli_escape(&c, "dns:a.b"), "dns%3Aa.b");
    assert_string_equal(cli_escape(&c, "a b&c=d#e/../%\r\n"), "a%20b%26c%3Dd%23e%2F..%2F%25%0D%0A");
    assert_string_equal(cli_escape(&c, "\xc3\xbc"), "%C3%BC");
    assert_string_equal(cli_escape(&c, ""), "");
    arena_free(c.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(values_may_be_empty_or_look_odd),
        cmocka_unit_test(wrong_usage),
        cmocka_unit_test(only_usage_errors_are_usage),
        cmocka_unit_test(what_goes_into_a_query_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
