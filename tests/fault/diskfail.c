/*
 * An LD_PRELOAD shim for what a library writes by itself, past base/world.h: LMDB. Calls on files fail when a
 * rule of the world's page (tests/world/README.md) says so: `world-ctl PAGE rule libc.pwrite errno ENOSPC
 * path=/ledger/`. Names: libc.write, libc.pwrite, libc.pwrite.synced (a descriptor of O_DSYNC), libc.writev,
 * libc.fdatasync, libc.fsync. Only `errno` is known; a rule needs a path. Any thread.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "world_test.h"

static struct world_page *page;

/* Before main: later a jail may hide the file. */
__attribute__((constructor)) static void join(void)
{
    const char *path = getenv("CHANCERY_WORLD");
    page = path ? world_page_open(path) : NULL;
}

static bool path_fits(const struct world_rule *r, int fd)
{
    char link[64], target[4096];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, target, sizeof target - 1);
    if (n < 0 || !r->path[0])
        return false;
    target[n] = '\0';
    return strstr(target, r->path) != NULL;
}

/* LMDB writes the page by which it finds all others through a descriptor of this kind. */
static bool is_synced(int fd)
{
    int flags = page ? fcntl(fd, F_GETFL) : 0;
    return flags > 0 && (flags & O_DSYNC);
}

/* errno to pretend, or 0. */
static int fails(const char *name, int fd)
{
    int saved = errno, ret = 0;
    for (int i = 0; page && i < WORLD_RULES && !ret; i++) {
        struct world_rule *r = &page->rules[i];
        if (atomic_load(&r->state) != WORLD_RULE_ON || r->action != WORLD_ERRNO ||
            strcmp(r->name, name) != 0 || !path_fits(r, fd))
            continue;
        uint64_t k = atomic_fetch_add(&r->seen, 1);
        if (k >= r->after && (r->times == 0 || k - r->after < r->times))
            ret = (int)r->value;
    }
    if (ret)
        world_page_pass(page, name, "libc");
    errno = saved;
    return ret;
}

/* The next one of this name; POSIX has data and functions in one space, C has not. */
#define NEXT(type, name, ...)                                                                                \
    static type (*next)(__VA_ARGS__);                                                                        \
    if (!next) {                                                                                             \
        void *symbol = dlsym(RTLD_NEXT, name);                                                               \
        memcpy(&next, &symbol, sizeof next);                                                                 \
    }

#define FAIL(name, fd)                                                                                       \
    int why = fails(name, fd);                                                                               \
    if (why) {                                                                                               \
        errno = why;                                                                                         \
        return -1;                                                                                           \
    }

ssize_t write(int fd, const void *p, size_t n)
{
    NEXT(ssize_t, "write", int, const void *, size_t)
    FAIL("libc.write", fd)
    return next(fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    NEXT(ssize_t, "pwrite", int, const void *, size_t, off_t)
    FAIL(is_synced(fd) ? "libc.pwrite.synced" : "libc.pwrite", fd)
    return next(fd, p, n, at);
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
    NEXT(ssize_t, "writev", int, const struct iovec *, int)
    FAIL("libc.writev", fd)
    return next(fd, v, n);
}

int fdatasync(int fd)
{
    NEXT(int, "fdatasync", int)
    FAIL("libc.fdatasync", fd)
    return next(fd);
}

int fsync(int fd)
{
    NEXT(int, "fsync", int)
    FAIL("libc.fsync", fd)
    return next(fd);
}
