/* base/log: one event, one line, whatever the values hold. Stderr is a pipe while a test runs. */
#include "expect.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"

static int keep = -1, from = -1;
static char got[65536];

static void capture(void)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    keep = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    from = ends[0];
}

/* All that was written since capture(). */
static const char *captured(void)
{
    ssize_t n = read(from, got, sizeof got - 1);
    got[n > 0 ? n : 0] = '\0';
    dup2(keep, STDERR_FILENO);
    close(keep);
    close(from);
    return got;
}

static int setup(void **state)
{
    (void)state;
    check_working_on(NULL, NULL);
    log_setup("front", false, LOG_INFO);
    return 0;
}

static void a_text_line_has_its_keys_first(void **state)
{
    (void)state;
    capture();
    log_info("cert.issued", log_text("serial", "40ab"), log_num("n", -7));
    const char *line = captured();
    assert_int_equal(strlen(line),
                     strlen("2026-11-21T06:18:59.123Z info front - cert.issued serial=\"40ab\" n=-7\n"));
    assert_int_equal(line[23], 'Z');
    assert_string_equal(line + 24, " info front - cert.issued serial=\"40ab\" n=-7\n");
}

static void an_event_may_stand_alone(void **state)
{
    (void)state;
    capture();
    log_warn("vault.gone");
    assert_string_equal(captured() + 24, " warn front - vault.gone\n");
}

static void the_request_in_hand_is_named(void **state)
{
    (void)state;
    check_working_on("r 1\n\"x", "seal"); /* what would break the columns becomes '_' */
    capture();
    log_error("e");
    assert_string_equal(captured() + 24, " error front r_1__x e\n");
}

static void lower_levels_are_not_written(void **state)
{
    (void)state;
    capture();
    log_debug("quiet");
    assert_string_equal(captured(), "");
    log_setup("front", false, LOG_DEBUG);
    capture();
    log_debug("loud");
    assert_string_equal(captured() + 24, " debug front - loud\n");
}

static void values_cannot_break_a_line(void **state)
{
    (void)state;
    capture();
    log_info("e", log_bytes("k", view_of("a\"b\\c\n\r\t\x1b[2J\0\x7f", 14)),
             log_text("u", "\xc3\xa4\xc2\x85\xe2\x80\xae"), log_text("bad", "\xff\xc3"),
             log_text("null", NULL), log_bytes("none", view_of(NULL, 0)));
    assert_string_equal(
        captured() + 24,
        " info front - e k=\"a\\\"b\\\\c\\u000a\\u000d\\u0009\\u001b[2J\\u0000\\u007f\" "
        "u=\"\xc3\xa4\\u0085\\u202e\" bad=\"\xef\xbf\xbd\xef\xbf\xbd\" null=\"\" none=\"\"\n");
}

static void json_holds_the_same(void **state)
{
    (void)state;
    log_setup("vault", true, LOG_INFO);
    check_working_on("r1", "seal");
    capture();
    log_info("seal.made", log_bytes("k", view_of("a\"b\\c\n\xff\0", 8)), log_num("n", 12));
    const char *line = captured();
    assert_true(strncmp(line, "{\"ts\":\"", 7) == 0);
    assert_non_null(
        strstr(line, "Z\",\"level\":\"info\",\"proc\":\"vault\",\"req\":\"r1\",\"event\":\"seal.made\","));
    json_t *j = json_loads(line, JSON_ALLOW_NUL, NULL);
    assert_non_null(j);
    assert_int_equal(json_integer_value(json_object_get(j, "n")), 12);
    assert_int_equal(json_string_length(json_object_get(j, "k")), 10);
    assert_memory_equal(json_string_value(json_object_get(j, "k")), "a\"b\\c\n\xef\xbf\xbd\0", 10);
    json_decref(j);
}

static void an_error_shows_type_place_and_detail(void **state)
{
    (void)state;
    struct err *e = err_at(err_new(ERR_BAD_FIELD, "too long"), "/sans/3");
    capture();
    log_info("e", log_err(e), log_err(NULL));
    assert_string_equal(captured() + 24,
                        " info front - e error=\"bad-field at /sans/3: too long\" error=\"\"\n");
    err_free(e);
}

/* Lines of every length around the bound: each is one line, at most PIPE_BUF, and in JSON still JSON. */
static void a_long_line_is_cut_and_says_so(void **state)
{
    (void)state;
    static const char units[][4] = {"a", "\"", "\n", "\xc3\xa4", "\xff"};
    char text[5000];
    for (size_t u = 0; u < sizeof units / sizeof *units; u++)
        for (size_t n = 600; n < 4500; n += n < 3900 ? 97 : 3) {
            size_t len = strlen(units[u]), at = 0;
            for (; at + len <= n; at += len)
                memcpy(text + at, units[u], len);
            log_setup("front", true, LOG_INFO);
            capture();
            log_info("e", log_bytes("long", view_of(text, at)), log_num("last", 1), log_text("more", "text"));
            const char *line = captured();
            assert_true(strlen(line) <= 4096);
            assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
            json_error_t why;
            json_t *j = json_loads(line, 0, &why);
            if (!j)
                fail_msg("%s: %s", why.text, line);
            bool whole = json_object_get(j, "last") && json_object_get(j, "more");
            assert_true(whole != json_is_true(json_object_get(j, "cut")));
            json_decref(j);
        }
}

static void *write_lines(void *arg)
{
    for (int i = 0; i < 200; i++)
        log_info("thread", log_text("who", arg), log_num("i", i));
    return NULL;
}

static void threads_do_not_mix_their_lines(void **state)
{
    (void)state;
    pthread_t threads[2];
    static char names[2][40] = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"};
    capture();
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    size_t lines = 0;
    for (const char *at = captured(); *at; at = strchr(at, '\n') + 1, lines++)
        assert_true(strncmp(at + 24, " info front - thread who=\"", 26) == 0);
    assert_int_equal(lines, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_text_line_has_its_keys_first, setup),
        cmocka_unit_test_setup(an_event_may_stand_alone, setup),
        cmocka_unit_test_setup(the_request_in_hand_is_named, setup),
        cmocka_unit_test_setup(lower_levels_are_not_written, setup),
        cmocka_unit_test_setup(values_cannot_break_a_line, setup),
        cmocka_unit_test_setup(json_holds_the_same, setup),
        cmocka_unit_test_setup(an_error_shows_type_place_and_detail, setup),
        cmocka_unit_test_setup(a_long_line_is_cut_and_says_so, setup),
        cmocka_unit_test_setup(threads_do_not_mix_their_lines, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
