/* base/arena: zeroed, aligned, bounded, freed at once; and a check that fails ends the process with a report.
 */
#include "expect.h"

#include <signal.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/log.h"

static void pieces_are_aligned_zeroed_and_apart(void **state)
{
    (void)state;
    struct arena *a = arena_new(1 << 20);
    uint8_t *last = NULL;
    for (size_t n = 0; n < 300; n++) {
        uint8_t *p = arena_alloc(a, n);
        assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
        assert_ptr_not_equal(p, last);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, n);
        last = p;
    }
    arena_free(a);
}

static void a_piece_larger_than_a_block_is_served(void **state)
{
    (void)state;
    struct arena *a = arena_new(8 << 20);
    char *small = arena_str(a, view_str("small"));
    uint8_t *big = arena_alloc(a, 3 << 20);
    memset(big, 0xff, 3 << 20);
    char *next = arena_str(a, view_str("next"));
    assert_string_equal(small, "small");
    assert_string_equal(next, "next");
    arena_free(a);
}

static void what_a_reset_gives_again_is_zeroed(void **state)
{
    (void)state;
    struct arena *a = arena_new(100000);
    for (int round = 0; round < 5; round++) {
        uint8_t *p = arena_alloc(a, 90000); /* over the limit, did a reset not give it back */
        uint8_t *q = arena_alloc(a, 100);
        assert_int_equal(p[89999] + q[0] + q[99], 0);
        memset(p, 0xff, 90000);
        memset(q, 0xff, 100);
        arena_reset(a);
    }
    arena_free(a);
    arena_free(NULL);
}

static void copies_and_formats(void **state)
{
    (void)state;
    struct arena *a = arena_new(1 << 16);
    EXPECT_VIEW(arena_dup(a, view_str("bytes")), "bytes");
    assert_int_equal(arena_dup(a, view_of(NULL, 0)).n, 0);
    assert_string_equal(arena_str(a, view_of(NULL, 0)), "");
    assert_string_equal(arena_printf(a, "%d-%s", 7, "x"), "7-x");
    int *numbers = arena_array(a, 10, sizeof *numbers);
    assert_int_equal(numbers[9], 0);
    arena_free(a);
}

/* Runs fn in a child; its stderr in text. True where it ended by SIGABRT. */
static bool aborts(void (*fn)(void), char *text, size_t cap)
{
    int ends[2], status = 0;
    size_t n = 0;
    ssize_t got;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        dup2(ends[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        fn();
        _exit(0);
    }
    close(ends[1]);
    while (n + 1 < cap && (got = read(ends[0], text + n, cap - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void run_past_the_limit(void)
{
    struct arena *a = arena_new(100);
    arena_alloc(a, 60);
    arena_alloc(a, 41);
}

static void run_up_to_the_limit(void)
{
    struct arena *a = arena_new(100);
    arena_alloc(a, 60);
    arena_alloc(a, 40);
}

static void overflow_an_array(void)
{
    arena_array(arena_new(SIZE_MAX), SIZE_MAX / 2, 3);
}

static void running_past_the_limit_is_a_failed_check(void **state)
{
    (void)state;
    char text[8192];
    assert_true(aborts(run_past_the_limit, text, sizeof text));
    assert_non_null(strstr(text, "a->limit"));
    assert_true(aborts(overflow_an_array, text, sizeof text));
    assert_false(aborts(run_up_to_the_limit, text, sizeof text));
}

static void fail_in_the_middle_of_work(void)
{
    log_setup("front", false, LOG_INFO);
    check_working_on("req-17", "seal");
    log_info("first.event");
    log_info("second.event", log_num("n", 2));
    int two = 2;
    CHECK(two == 3);
}

static void a_panic_report_names_place_request_step_and_last_lines(void **state)
{
    (void)state;
    char text[8192];
    assert_true(aborts(fail_in_the_middle_of_work, text, sizeof text));
    const char *report = strstr(text, "PANIC check failed: two == 3\n");
    assert_non_null(report);
    assert_non_null(strstr(report, "arena_test.c:"));
    assert_non_null(strstr(report, "request req-17 step seal"));
    const char *first = strstr(report, "info front req-17 first.event\n");
    const char *second = strstr(report, "info front req-17 second.event n=2\n");
    assert_true(first && second && first < second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_zeroed_and_apart),
        cmocka_unit_test(a_piece_larger_than_a_block_is_served),
        cmocka_unit_test(what_a_reset_gives_again_is_zeroed),
        cmocka_unit_test(copies_and_formats),
        cmocka_unit_test(running_past_the_limit_is_a_failed_check),
        cmocka_unit_test(a_panic_report_names_place_request_step_and_last_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
