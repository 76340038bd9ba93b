/* A backup that is interrupted: killed or failing at every write, sync and rename of it, one after the other.
 * What lay there before stays whole, and the next one goes on from it. And every bit of a database that
 * flips. */
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
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger_backup.h"
#include "ledger_verify.h"
#include "scene.h"
#include "world_test.h"

static struct world_page *page;

enum { CALLS_MAX = 40 };

struct tried {
    bool killed, failed;
};

/* In a process of its own: what it opened dies with it. */
static struct tried try_backup(const char *dir, const char *copy)
{
    struct ledger *l = NULL;
    struct ledger_backup_report made;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct err *e = ledger_open_readonly(dir, &l);
        if (!e)
            e = ledger_backup(l, copy, &made);
        _exit(e ? 1 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return (struct tried){.killed = WIFSIGNALED(status),
                          .failed = WIFEXITED(status) && WEXITSTATUS(status) != 0};
}

static uint64_t whole_up_to(const char *copy)
{
    struct ledger_backup_report report;
    OK(ledger_backup_check(copy, &report));
    return report.to;
}

/* At the k-th call of this name, for every k that there is. */
static void interrupt_each(struct scene *s, const char *call, enum world_action action, int64_t value)
{
    char copy[96];
    struct ledger_head head;
    snprintf(copy, sizeof(copy), "%s/backup", s->dir);
    OK(ledger_head(s->ledger, &head));
    ledger_close(s->ledger); /* never fork with an environment open */
    s->ledger = NULL;
    struct tried t = {.killed = true};
    unsigned k = 0;
    for (; k < CALLS_MAX && (t.killed || t.failed); k++) {
        const struct world_rule like = {.action = (uint32_t)action, .value = value, .after = k, .times = 1};
        struct world_rule rule = like;
        snprintf(rule.name, sizeof(rule.name), "%s", call);
        snprintf(rule.path, sizeof(rule.path), "/backup");
        int at = world_page_rule(page, &rule);
        assert_true(at >= 0);
        t = try_backup(s->dir, copy);
        world_page_clear(page, at);
        assert_true(whole_up_to(copy) <= head.entries);
    }
    assert_true(k > 1 && k < CALLS_MAX);
    assert_int_equal(whole_up_to(copy), head.entries);
    scene_reopen(s);
}

static void begin(struct scene *s)
{
    char copy[96];
    struct ledger_backup_report made;
    snprintf(copy, sizeof(copy), "%s/backup", s->dir);
    for (unsigned i = 1; i <= 5; i++)
        scene_issue(s, i, "dns:a.example");
    OK(ledger_backup(s->ledger, copy, &made));
    for (unsigned i = 6; i <= 9; i++)
        scene_issue(s, i, "dns:b.example");
}

static void a_kill_at_any_call_of_a_backup_spoils_nothing(void **state)
{
    static const char *const calls[] = {"write", "fsync", "rename", "open"};
    struct scene *s = *state;
    begin(s);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        interrupt_each(s, calls[i], WORLD_KILL, 0);
        scene_issue(s, 20 + (unsigned)i, "dns:c.example");
    }
}

static void a_full_or_broken_disk_spoils_nothing(void **state)
{
    static const char *const calls[] = {"write", "fsync", "rename"};
    static const int codes[] = {ENOSPC, EIO};
    struct scene *s = *state;
    begin(s);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        for (size_t k = 0; k < 2; k++) {
            interrupt_each(s, calls[i], WORLD_ERRNO, codes[k]);
            scene_issue(s, 20 + (unsigned)(2 * i + k), "dns:c.example");
        }
}

/* --- a bit of the database --- */

/* 0: as it was; 1: refused or found; else it ended by a signal. */
static int look_at_flipped(const char *dir, const uint8_t root[SHA256_BYTES], uint64_t entries)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct ledger *l = NULL;
        const struct ledger_verify how = {.live = false};
        struct ledger_verify_report report;
        struct err *e = ledger_open_readonly(dir, &l);
        if (!e)
            e = ledger_verify(l, &how, &report);
        bool same = !e && report.findings == 0 && report.entries == entries &&
                    memcmp(report.root, root, SHA256_BYTES) == 0;
        _exit(same ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

static uint8_t *map_database(const char *dir, size_t *ret_n)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof(path), "%s/data.mdb", dir);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    uint8_t *p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(p != MAP_FAILED);
    close(fd);
    *ret_n = (size_t)st.st_size;
    return p;
}

/* Whatever bit flips: it is found, or nothing that anybody reads has changed (a page that is free, the older
 * of the two that lead to all others). Nothing else is ever read as if it were true. */
static void no_flipped_bit_is_believed(void **state)
{
    struct scene *s = *state;
    struct ledger_head head;
    size_t n, flips = 0, found = 0, crashed = 0;
    for (unsigned i = 1; i <= 8; i++)
        scene_issue(s, i, "dns:flip.example");
    struct ledger_entry revoke = scene_revoke(3, 1);
    scene_put(s, &revoke);
    OK(ledger_head(s->ledger, &head));
    ledger_close(s->ledger);
    s->ledger = NULL;
    uint8_t *p = map_database(s->dir, &n);
    for (size_t i = 0; i < n; i += 331, flips++) {
        uint8_t bit = (uint8_t)(1u << (flips % 8));
        p[i] ^= bit;
        int seen = look_at_flipped(s->dir, head.root, head.entries);
        found += seen != 0;
        crashed += seen == 2;
        p[i] ^= bit;
    }
    munmap(p, n);
    print_message("%zu flips, %zu found, of these %zu by LMDB's own end\n", flips, found, crashed);
    assert_true(flips > 200 && found > 5);
    assert_int_equal(look_at_flipped(s->dir, head.root, head.entries), 0);
    scene_reopen(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

/* The page is joined when a program starts: so it starts itself once more. */
int main(int argc, char **argv)
{
    (void)argc;
    const char *path = getenv("CHANCERY_WORLD");
    if (!path) {
        char made[] = "/tmp/chancery-world-XXXXXX";
        int fd = mkstemp(made);
        if (fd < 0 || close(fd) != 0 || unlink(made) != 0 || !world_page_create(made))
            return 1;
        setenv("CHANCERY_WORLD", made, 1);
        execv("/proc/self/exe", argv);
        return 1;
    }
    page = world_page_open(path);
    unlink(path);
    const struct CMUnitTest tests[] = {
        TEST(a_kill_at_any_call_of_a_backup_spoils_nothing),
        TEST(a_full_or_broken_disk_spoils_nothing),
        TEST(no_flipped_bit_is_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
