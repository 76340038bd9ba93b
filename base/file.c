/*
 * Whole files: bounded reading, writing by rename, sealed memory files, folders, locks. What changes a disk
 * goes through the world. Blocks: never called in a loop's turn with big files. Any thread.
 */
#include "base/file.h"
#include "base/check.h"
#include "base/hex.h"
#include "base/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err *failed(int why, const char *doing, const char *path)
{
    enum err_code code = ERR_IO;
    if (why == ENOENT || why == ENOTDIR)
        code = ERR_NOT_FOUND;
    if (why == ENOSPC || why == EDQUOT)
        code = ERR_NO_SPACE;
    return err_sys(code, why, "cannot %s %s", doing, path);
}

static ssize_t pread_again(int fd, void *to, size_t n, off_t at)
{
    ssize_t got;
    do
        got = pread(fd, to, n, at);
    while (got < 0 && errno == EINTR);
    return got;
}

/* A first guess at the size; what counts is what read finds. */
static size_t size_hint(int fd, size_t max)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size <= 0)
        return 4096 < max ? 4096 : max;
    return (uintmax_t)st.st_size < max ? (size_t)st.st_size : max;
}

struct err *file_read_fd(int fd, size_t max, struct arena *arena, struct view *ret)
{
    CHECK(max < SIZE_MAX / 4);
    size_t cap = size_hint(fd, max) + 1; /* one more, so that the end is seen without growing */
    size_t n = 0;
    uint8_t *buf = arena_alloc(arena, cap);
    for (;;) {
        if (n == cap) {
            size_t more = cap * 2 < max + 1 ? cap * 2 : max + 1;
            uint8_t *bigger = arena_alloc(arena, more);
            memcpy(bigger, buf, n);
            buf = bigger;
            cap = more;
        }
        ssize_t got = pread_again(fd, buf + n, cap - n, (off_t)n);
        if (got < 0)
            return err_sys(ERR_IO, errno, "cannot read");
        if (got == 0)
            break;
        n += (size_t)got;
        if (n > max)
            return err_new(ERR_TOO_LARGE, "larger than %zu octets", max);
    }
    *ret = view_of(buf, n);
    return NULL;
}

struct err *file_read(const char *path, size_t max, struct arena *arena, struct view *ret)
{
    /* O_NONBLOCK: a FIFO in a file's place does not hang the process; pread refuses it. */
    int fd = world_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0)
        return failed(errno, "open", path);
    struct err *e = err_wrap(file_read_fd(fd, max, arena, ret), "%s", path);
    close(fd);
    return e;
}

static int write_all(int fd, struct view bytes)
{
    while (bytes.n > 0) {
        ssize_t n = world_write(fd, bytes.p, bytes.n);
        if (n < 0)
            return -1;
        bytes = view_from(bytes, (size_t)n);
    }
    return 0;
}

/* Makes the rename durable. */
static struct err *sync_folder_of(const char *path)
{
    char *folder = strdup(path);
    CHECK(folder != NULL);
    char *slash = strrchr(folder, '/');
    if (slash == folder)
        slash++;
    if (slash)
        *slash = '\0';
    struct err *e = NULL;
    int fd = world_open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0 || world_fsync(fd) != 0)
        e = failed(errno, "sync the folder of", path);
    if (fd >= 0)
        close(fd);
    free(folder);
    return e;
}

/* The temporary file itself: written, synced, closed. */
static struct err *write_temporary(const char *temporary, struct view bytes, unsigned mode)
{
    int fd = world_open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return failed(errno, "create", temporary);
    struct err *e = NULL;
    if (write_all(fd, bytes) != 0 || world_fsync(fd) != 0)
        e = failed(errno, "write", temporary);
    if (close(fd) != 0 && !e)
        e = failed(errno, "close", temporary);
    return e;
}

struct err *file_write(const char *path, struct view bytes, unsigned mode)
{
    struct err *e = NULL;
    char *temporary = NULL;
    uint8_t random[4];
    char suffix[2 * sizeof random + 1];
    world_random(random, sizeof random);
    hex_put(suffix, view_of(random, sizeof random));
    CHECK(asprintf(&temporary, "%s.%s.tmp", path, suffix) > 0);
    TRY(write_temporary(temporary, bytes, mode));
    if (world_rename(temporary, path) != 0) {
        e = failed(errno, "rename to", path);
        goto out;
    }
    e = sync_folder_of(path);
    free(temporary);
    return e;
out:
    world_unlink(temporary);
    free(temporary);
    return e;
}

static const int all_seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

static int pwrite_all(int fd, struct view bytes)
{
    off_t at = 0;
    while (bytes.n > 0) {
        ssize_t n = pwrite(fd, bytes.p, bytes.n, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        at += n;
        bytes = view_from(bytes, (size_t)n);
    }
    return 0;
}

struct err *file_sealed(const char *name, struct view bytes, int *ret_fd)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return failed(errno, "make the memory file", name);
    if (pwrite_all(fd, bytes) != 0 || fcntl(fd, F_ADD_SEALS, all_seals) != 0) {
        struct err *e = failed(errno, "fill the memory file", name);
        close(fd);
        return e;
    }
    *ret_fd = fd;
    return NULL;
}

struct err *file_check_sealed(int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0)
        return err_sys(ERR_PROTOCOL, errno, "the descriptor is no memory file");
    if ((seals & all_seals) != all_seals)
        return err_new(ERR_PROTOCOL, "the memory file is not sealed");
    return NULL;
}

struct err *file_mkdir(const char *path, unsigned mode)
{
    struct stat st;
    if (mkdir(path, mode) == 0)
        return NULL;
    int why = errno;
    if (why == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return NULL;
    return failed(why, "make the folder", path);
}

struct err *file_lock(const char *path, int *ret_fd)
{
    int fd = world_open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return failed(errno, "open the lock", path);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *ret_fd = fd;
        return NULL;
    }
    struct err *e = errno == EWOULDBLOCK ? err_new(ERR_WRONG_STATE, "%s is held by another process", path)
                                         : failed(errno, "lock", path);
    close(fd);
    return e;
}
