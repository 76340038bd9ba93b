/* tests/world: the clock moves and calls fail in a process that is already running. The program starts itself
 * anew with CHANCERY_WORLD set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/world.h"
#include "world_test.h"

static struct world_page *page;

static int reset(void **state)
{
    (void)state;
    world_page_clear(page, -1);
    atomic_store(&page->wall_offset_ms, 0);
    atomic_store(&page->mono_offset_ms, 0);
    atomic_store(&page->frozen_ms, 0);
    return 0;
}

static int rule(const char *name, uint32_t action, int64_t value, uint64_t after, uint64_t times)
{
    struct world_rule r = {.action = action, .value = value, .after = after, .times = times};
    snprintf(r.name, sizeof(r.name), "%s", name);
    int at = world_page_rule(page, &r);
    assert_true(at >= 0);
    return at;
}

static void the_clock_moves(void **state)
{
    (void)state;
    int64_t wall = world_now_ms(), mono = world_mono_ms();
    atomic_store(&page->wall_offset_ms, 86400000);
    assert_true(world_now_ms() - wall >= 86400000);
    assert_true(world_mono_ms() - mono < 86400000);
    atomic_store(&page->mono_offset_ms, 5000);
    assert_true(world_mono_ms() - mono >= 5000);
    atomic_store(&page->frozen_ms, 1000);
    assert_int_equal(world_now_ms(), 86401000);
}

static void a_call_fails_when_told_and_only_then(void **state)
{
    (void)state;
    int p[2];
    assert_int_equal(pipe(p), 0);
    rule("write", WORLD_ERRNO, ENOSPC, 1, 2);
    assert_int_equal(world_write(p[1], "x", 1), 1);
    assert_int_equal(world_write(p[1], "x", 1), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(world_write(p[1], "x", 1), -1);
    assert_int_equal(world_write(p[1], "x", 1), 1);
    close(p[0]);
    close(p[1]);
}

static void a_rule_may_name_a_file(void **state)
{
    (void)state;
    char name[] = "/tmp/world-page-XXXXXX";
    int fd = mkstemp(name), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct world_rule r = {.action = WORLD_ERRNO, .value = EIO, .name = "fdatasync", .path = "world-page-"};
    world_page_rule(page, &r);
    assert_int_equal(world_fdatasync(fd), -1);
    assert_int_equal(errno, EIO);
    snprintf(r.name, sizeof(r.name), "write");
    world_page_rule(page, &r);
    assert_int_equal(world_write(fd, "x", 1), -1);
    assert_int_equal(world_write(null, "x", 1), 1);
    close(fd);
    close(null);
    unlink(name);
}

static void a_write_may_be_short(void **state)
{
    (void)state;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    rule("write", WORLD_SHORT, 3, 0, 1);
    assert_int_equal(world_write(null, "abcdef", 6), 3);
    assert_int_equal(world_write(null, "abcdef", 6), 6);
    close(null);
}

static void a_token_call_returns_what_is_told(void **state)
{
    (void)state;
    assert_int_equal(world_token_call("C_Sign"), 0);
    rule("token.C_Sign", WORLD_RESULT, 0x30, 0, 0);
    assert_int_equal(world_token_call("C_Sign"), 0x30);
    assert_int_equal(world_token_call("C_SignInit"), 0);
}

static void a_check_is_off_when_told(void **state)
{
    (void)state;
    unsigned long long before = world_page_count(page, "a.check", NULL);
    assert_false(world_check_off("a.check"));
    int at = rule("a.check", WORLD_OFF, 0, 0, 0);
    assert_true(world_check_off("a.check"));
    assert_false(world_check_off("another.check"));
    world_page_clear(page, at);
    assert_false(world_check_off("a.check"));
    assert_int_equal(world_page_count(page, "a.check", NULL), before + 3);
}

static void another_process_is_left_alone(void **state)
{
    (void)state;
    struct world_rule r = {.action = WORLD_KILL, .name = "a.point", .process = "vault"};
    world_page_rule(page, &r);
    world_point("a.point");
}

static void a_point_kills(void **state)
{
    (void)state;
    rule("a.point", WORLD_KILL, 0, 0, 1);
    unsigned long long before = world_page_count(page, "a.point", NULL);
    pid_t child = fork();
    if (child == 0) {
        world_point("a.point");
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(world_page_count(page, "a.point", NULL), before + 1);
    world_point("a.point"); /* once was enough */
}

static void a_stalled_point_goes_on_when_cleared(void **state)
{
    (void)state;
    int at = rule("b.point", WORLD_STALL, 0, 0, 0);
    pid_t child = fork();
    if (child == 0) {
        world_point("b.point");
        _exit(7);
    }
    int status;
    while (world_page_count(page, "b.point", NULL) == 0)
        usleep(1000);
    usleep(10000);
    assert_int_equal(waitpid(child, &status, WNOHANG), 0);
    world_page_clear(page, at);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

#define test(f) cmocka_unit_test_setup(f, reset)

static int run(const char *path)
{
    page = world_page_open(path);
    if (!page)
        return 1;
    const struct CMUnitTest tests[] = {
        test(the_clock_moves),
        test(a_call_fails_when_told_and_only_then),
        test(a_rule_may_name_a_file),
        test(a_write_may_be_short),
        test(a_token_call_returns_what_is_told),
        test(a_check_is_off_when_told),
        test(another_process_is_left_alone),
        test(a_point_kills),
        test(a_stalled_point_goes_on_when_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    (void)argc;
    const char *path = getenv("CHANCERY_WORLD");
    if (path)
        return run(path);
    char made[] = "/tmp/world-page-XXXXXX";
    int fd = mkstemp(made);
    if (fd < 0 || !world_page_create(made))
        return 1;
    close(fd);
    setenv("CHANCERY_WORLD", made, 1);
    pid_t child = fork();
    if (child == 0) {
        execv("/proc/self/exe", argv);
        _exit(127);
    }
    int status = 1;
    waitpid(child, &status, 0);
    unlink(made);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
