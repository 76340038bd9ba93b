/* The jail, tried from inside: each thing that must fail there works outside it (the control). */
#include "jail.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "landlock.h"

struct place {
    char dir[64], hidden[96], shown[96], work[96], secret[128], open[128];
};

static void put(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    snprintf(p->dir, sizeof p->dir, "/tmp/chancery-jail-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    assert_int_equal(chmod(p->dir, 0755), 0);
    snprintf(p->hidden, sizeof p->hidden, "%s/hidden", p->dir);
    snprintf(p->shown, sizeof p->shown, "%s/shown", p->dir);
    snprintf(p->work, sizeof p->work, "%s/work", p->dir);
    snprintf(p->secret, sizeof p->secret, "%s/secret", p->hidden);
    snprintf(p->open, sizeof p->open, "%s/open", p->shown);
    const char *folders[] = {p->hidden, p->shown, p->work};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(mkdir(folders[i], 0777), 0);
        assert_int_equal(chmod(folders[i], 0777), 0);
    }
    put(p->secret);
    put(p->open);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    char made[160];
    snprintf(made, sizeof made, "%s/made", p->work);
    remove(made);
    const char *all[] = {p->secret, p->open, p->hidden, p->shown, p->work, p->dir};
    for (size_t i = 0; i < 6; i++)
        remove(all[i]);
    free(p);
    return 0;
}

/* Runs fn in a fork, jailed or not; its result is what fn returned, 200 where the jail could not be entered,
 * or 128 and a signal. */
static int inside(const struct place *p, bool jailed, int (*fn)(const struct place *p))
{
    pid_t parent = getpid(), pid = fork();
    int status;

    if (pid == 0) {
        const struct jail_path paths[] = {{"/usr", JAIL_READ, true},       {"/lib", JAIL_READ, true},
                                          {"/proc/self", JAIL_READ, true}, {p->shown, JAIL_READ, false},
                                          {p->work, JAIL_WRITE, false},    {"/nowhere", JAIL_READ, true}};
        const struct jail jail = {.parent = parent, .paths = paths, .n = sizeof paths / sizeof *paths};
        struct jail_state state;
        if (jailed) {
            struct err *e = jail_enter(&jail, &state);
            if (e)
                _exit(200);
        }
        _exit(fn(p));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int can_open(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    return fd >= 0 ? 0 : errno;
}

static int open_hidden(const struct place *p)
{
    return can_open(p->secret, O_RDONLY);
}

static int open_shown(const struct place *p)
{
    return can_open(p->open, O_RDONLY);
}

static int write_shown(const struct place *p)
{
    return can_open(p->open, O_WRONLY);
}

static int make_in_work(const struct place *p)
{
    char path[160];
    snprintf(path, sizeof path, "%s/made", p->work);
    return can_open(path, O_RDWR | O_CREAT);
}

static int list_hidden(const struct place *p)
{
    return can_open(p->hidden, O_RDONLY | O_DIRECTORY);
}

static int make_socket(const struct place *p)
{
    (void)p;
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : errno;
}

static int make_socket6(const struct place *p)
{
    (void)p;
    return socket(AF_INET6, SOCK_DGRAM, 0) >= 0 ? 0 : errno;
}

static int make_unix(const struct place *p)
{
    (void)p;
    return socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 0 : errno;
}

static int start_program(const struct place *p)
{
    (void)p;
    execl("/usr/bin/true", "true", (char *)NULL);
    return errno;
}

static int fork_once(const struct place *p)
{
    (void)p;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid > 0 ? 0 : errno;
}

static int signal_parent(const struct place *p)
{
    (void)p;
    return kill(getppid(), 0) == 0 ? 0 : errno;
}

static int signal_self(const struct place *p)
{
    (void)p;
    return kill(getpid(), 0) == 0 ? 0 : errno;
}

static int look_into_parent(const struct place *p)
{
    (void)p;
    if (ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) == 0)
        return 0;
    return errno;
}

static void *nothing(void *arg)
{
    return arg;
}

static int start_thread(const struct place *p)
{
    pthread_t t;
    (void)p;
    int rc = pthread_create(&t, NULL, nothing, NULL);
    return rc ? rc : pthread_join(t, NULL);
}

static int no_core(const struct place *p)
{
    struct rlimit r;
    (void)p;
    return prctl(PR_GET_DUMPABLE) == 0 && getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_max == 0 &&
                   prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
               ? 0
               : 1;
}

static int die_by_own_hand(const struct place *p)
{
    (void)p;
    raise(SIGKILL);
    return 0;
}

static const struct {
    const char *name;
    int (*fn)(const struct place *p);
    int wanted; /* inside; 0: it works there too */
    bool needs_landlock;
} trials[] = {
    {"open a hidden file", open_hidden, EACCES, true},
    {"list a hidden folder", list_hidden, EACCES, true},
    {"read a shown file", open_shown, 0, false},
    {"write a shown file", write_shown, EACCES, true},
    {"make a file in the work folder", make_in_work, 0, false},
    {"make an IPv4 socket", make_socket, EPERM, false},
    {"make an IPv6 socket", make_socket6, EPERM, false},
    {"make a unix socket", make_unix, EPERM, false},
    {"start a program", start_program, EPERM, false},
    {"fork", fork_once, EPERM, false},
    {"signal the parent", signal_parent, EPERM, false},
    {"signal itself", signal_self, 0, false},
    {"start a thread", start_thread, 0, false},
};

static void inside_fails_what_works_outside(void **state)
{
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        if (trials[i].needs_landlock && landlock_abi() == 0)
            continue;
        int control = inside(*state, false, trials[i].fn);
        int jailed = inside(*state, true, trials[i].fn);
        if (control != 0 || jailed != trials[i].wanted)
            fail_msg("%s: outside %d (0), inside %d (%d)", trials[i].name, control, jailed, trials[i].wanted);
    }
}

static void no_other_process_can_be_looked_into(void **state)
{
    assert_int_equal(inside(*state, true, look_into_parent), EPERM);
}

static void it_is_not_dumpable_and_leaves_no_core(void **state)
{
    assert_int_not_equal(inside(*state, false, no_core), 0);
    assert_int_equal(inside(*state, true, no_core), 0);
}

static void it_can_still_end_itself(void **state)
{
    assert_int_equal(inside(*state, true, die_by_own_hand), 128 + SIGKILL);
}

static void a_missing_path_is_an_error_unless_optional(void **state)
{
    if (landlock_abi() == 0)
        skip();
    (void)state;
    pid_t pid = fork();
    int status;
    if (pid == 0) {
        const struct jail_path paths[] = {{"/nowhere", JAIL_READ, false}};
        const struct jail jail = {.paths = paths, .n = 1};
        struct jail_state s;
        struct err *e = jail_enter(&jail, &s);
        _exit(e && strstr(err_detail(e), "/nowhere") ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* The jailed child of a parent that ends dies with it. */
static void it_dies_with_its_parent(void **state)
{
    int pipe_fds[2];
    char byte;
    (void)state;
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t middle = fork();
    if (middle == 0) {
        pid_t self = getpid();
        if (fork() == 0) {
            const struct jail jail = {.parent = self};
            struct jail_state s;
            struct err *e = jail_enter(&jail, &s);
            byte = e ? 'e' : 'r';
            (void)!write(pipe_fds[1], &byte, 1);
            for (;;)
                pause();
        }
        close(pipe_fds[1]);
        _exit(read(pipe_fds[0], &byte, 1) == 1 && byte == 'r' ? 0 : 1);
    }
    int status;
    close(pipe_fds[1]);
    assert_int_equal(waitpid(middle, &status, 0), middle);
    assert_int_equal(status, 0);
    assert_int_equal(read(pipe_fds[0], &byte, 1), 0); /* the last writer is gone */
    close(pipe_fds[0]);
}

static void levels_are_told_apart(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct jail_state s = {0};
    assert_int_equal(jail_level(&s), JAIL_NONE);
    assert_string_equal(jail_text(&s, arena), "shared user, no landlock, no seccomp");
    s.seccomp = true;
    assert_int_equal(jail_level(&s), JAIL_NONE); /* that alone does not hide the token */
    s.landlock = 2;
    assert_int_equal(jail_level(&s), JAIL_LANDLOCK);
    s.own_user = true;
    assert_int_equal(jail_level(&s), JAIL_FULL);
    assert_string_equal(jail_text(&s, arena), "own user, landlock 2, seccomp");
    s.landlock = 0;
    assert_string_equal(jail_level_text(jail_level(&s)), "users");
    arena_free(arena);
}

static void too_little_is_refused(void **state)
{
    (void)state;
    static const struct {
        enum jail_level level;
        int least;
        bool demo, fine;
    } cases[] = {
        {JAIL_NONE, JAIL_NONE, false, false},      {JAIL_NONE, JAIL_NONE, true, true},
        {JAIL_NONE, JAIL_LANDLOCK, true, false},   {JAIL_LANDLOCK, JAIL_NONE, false, true},
        {JAIL_USERS, JAIL_NONE, false, true},      {JAIL_LANDLOCK, JAIL_LANDLOCK, false, true},
        {JAIL_USERS, JAIL_LANDLOCK, false, false}, {JAIL_LANDLOCK, JAIL_USERS, false, false},
        {JAIL_LANDLOCK, JAIL_FULL, false, false},  {JAIL_USERS, JAIL_FULL, false, false},
        {JAIL_FULL, JAIL_NONE, false, true},       {JAIL_FULL, JAIL_LANDLOCK, false, true},
        {JAIL_FULL, JAIL_USERS, false, true},      {JAIL_FULL, JAIL_FULL, false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if ((jail_refusal(cases[i].level, cases[i].least, cases[i].demo) == NULL) != cases[i].fine)
            fail_msg("case %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(inside_fails_what_works_outside, setup, teardown),
        cmocka_unit_test_setup_teardown(no_other_process_can_be_looked_into, setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_not_dumpable_and_leaves_no_core, setup, teardown),
        cmocka_unit_test_setup_teardown(it_can_still_end_itself, setup, teardown),
        cmocka_unit_test(a_missing_path_is_an_error_unless_optional),
        cmocka_unit_test(it_dies_with_its_parent),
        cmocka_unit_test(levels_are_told_apart),
        cmocka_unit_test(too_little_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
