/*
 * The world as a test wants it: base/world.h over the system, with the page of world_test.h in between.
 * Without CHANCERY_WORLD it is as world_real. Linked into chanceryd-test and test programs, never into what
 * is installed. Any thread.
 */
#include "world_test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/world.h"

static struct world_page *page;
static char process[WORLD_NAME_BYTES];

/* The role of a child ("--role", "vault"), else the program's name. */
static void find_process(void)
{
    char line[4096];
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);
    if (fd >= 0)
        close(fd);
    line[n > 0 ? n : 0] = '\0';
    const char *name = program_invocation_short_name;
    for (ssize_t i = 0; i < n; i += (ssize_t)strlen(line + i) + 1)
        if (strcmp(line + i, "--role") == 0 && i + 7 < n)
            name = line + i + 7;
    snprintf(process, sizeof(process), "%s", name);
}

/* Before main: later a jail may hide the file. */
__attribute__((constructor)) static void join(void)
{
    const char *path = getenv("CHANCERY_WORLD");
    if (!path)
        return;
    find_process();
    page = world_page_open(path);
    if (page)
        return;
    fprintf(stderr, "CHANCERY_WORLD=%s: %s\n", path, strerror(errno));
    _exit(2);
}

/* ---- rules ---- */

static void nap(int64_t ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

static bool path_fits(const struct world_rule *r, const char *path, int fd)
{
    char link[64], target[4096];
    if (r->path[0] == '\0')
        return true;
    if (path)
        return strstr(path, r->path) != NULL;
    if (fd < 0)
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, target, sizeof(target) - 1);
    if (n < 0)
        return false;
    target[n] = '\0';
    return strstr(target, r->path) != NULL;
}

/* The rule that acts now, or NULL. */
static struct world_rule *rule_for(const char *name, const char *path, int fd)
{
    for (int i = 0; i < WORLD_RULES; i++) {
        struct world_rule *r = &page->rules[i];
        if (atomic_load(&r->state) != WORLD_RULE_ON || strcmp(r->name, name) != 0)
            continue;
        if ((r->process[0] && strcmp(r->process, process) != 0) || !path_fits(r, path, fd))
            continue;
        uint64_t k = atomic_fetch_add(&r->seen, 1);
        if (k >= r->after && (r->times == 0 || k - r->after < r->times))
            return r;
    }
    return NULL;
}

struct verdict {
    bool fails;
    size_t at_most;
    unsigned long result;
    bool off;
};

static struct verdict pass(const char *name, const char *path, int fd)
{
    struct verdict v = {false, SIZE_MAX, 0, false};
    if (!page)
        return v;
    int saved = errno;
    world_page_pass(page, name, process);
    struct world_rule *r = rule_for(name, path, fd);
    int64_t value = r ? r->value : 0;
    switch (r ? r->action : WORLD_NOTHING) {
    case WORLD_KILL:
        kill(getpid(), SIGKILL);
        break;
    case WORLD_ERRNO:
        v.fails = true;
        saved = (int)value;
        break;
    case WORLD_STALL:
        while (atomic_load(&r->state) == WORLD_RULE_ON)
            nap(2);
        break;
    case WORLD_DELAY:
        nap(value);
        break;
    case WORLD_SHORT:
        v.at_most = (size_t)value;
        break;
    case WORLD_RESULT:
        v.result = (unsigned long)value;
        break;
    case WORLD_OFF:
        v.off = true;
        break;
    default:
        break;
    }
    errno = saved;
    return v;
}

#define CALL(type, name, path, fd, call)                                                                     \
    struct verdict v = pass(name, path, fd);                                                                 \
    if (v.fails)                                                                                             \
        return -1;                                                                                           \
    type r;                                                                                                  \
    do {                                                                                                     \
        r = (call);                                                                                          \
    } while (r < 0 && errno == EINTR);                                                                       \
    return r

/* ---- clock and randomness ---- */

static int64_t clock_ms(clockid_t id)
{
    struct timespec t;
    CHECK(clock_gettime(id, &t) == 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t world_now_ms(void)
{
    if (!page)
        return clock_ms(CLOCK_REALTIME);
    int64_t frozen = atomic_load(&page->frozen_ms);
    return (frozen ? frozen : clock_ms(CLOCK_REALTIME)) + atomic_load(&page->wall_offset_ms);
}

int64_t world_mono_ms(void)
{
    return clock_ms(CLOCK_BOOTTIME) + (page ? atomic_load(&page->mono_offset_ms) : 0);
}

void world_random(void *to, size_t n)
{
    uint8_t *p = to;
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        CHECK(got > 0 || errno == EINTR);
        p += got > 0 ? got : 0;
        n -= got > 0 ? (size_t)got : 0;
    }
}

/* ---- calls ---- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

int world_open(const char *path, int flags, unsigned mode)
{
    CALL(int, "open", path, -1, open(path, flags, (mode_t)mode));
}

ssize_t world_write(int fd, const void *p, size_t n)
{
    CALL(ssize_t, "write", NULL, fd, write(fd, p, least(n, v.at_most)));
}

ssize_t world_pwrite(int fd, const void *p, size_t n, off_t at)
{
    CALL(ssize_t, "pwrite", NULL, fd, pwrite(fd, p, least(n, v.at_most), at));
}

int world_fsync(int fd)
{
    CALL(int, "fsync", NULL, fd, fsync(fd));
}

int world_fdatasync(int fd)
{
    CALL(int, "fdatasync", NULL, fd, fdatasync(fd));
}

int world_ftruncate(int fd, off_t n)
{
    CALL(int, "ftruncate", NULL, fd, ftruncate(fd, n));
}

int world_rename(const char *from, const char *to)
{
    CALL(int, "rename", to, -1, rename(from, to));
}

int world_unlink(const char *path)
{
    CALL(int, "unlink", path, -1, unlink(path));
}

ssize_t world_recv(int fd, void *to, size_t n, int flags)
{
    CALL(ssize_t, "recv", NULL, fd, recv(fd, to, n, flags));
}

ssize_t world_send(int fd, const void *p, size_t n, int flags)
{
    CALL(ssize_t, "send", NULL, fd, send(fd, p, least(n, v.at_most), flags));
}

ssize_t world_sendmsg(int fd, const struct msghdr *m, int flags)
{
    CALL(ssize_t, "sendmsg", NULL, fd, sendmsg(fd, m, flags));
}

ssize_t world_recvmsg(int fd, struct msghdr *m, int flags)
{
    CALL(ssize_t, "recvmsg", NULL, fd, recvmsg(fd, m, flags));
}

int world_accept(int fd, struct sockaddr *ret_addr, socklen_t *len)
{
    CALL(int, "accept", NULL, fd, accept4(fd, ret_addr, len, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

unsigned long world_token_call(const char *function)
{
    char name[WORLD_NAME_BYTES];
    snprintf(name, sizeof(name), "token.%s", function);
    return pass(name, NULL, -1).result;
}

void world_point(const char *name)
{
    (void)pass(name, NULL, -1);
}

bool world_check_off(const char *check)
{
    return pass(check, NULL, -1).off;
}
