/*
 * An LD_PRELOAD shim that writes down, for files whose path has "/ledger/" in it, every write with its octets
 * and every sync, in order, into the file POWERCUT_TRACE: from it powercut.py makes the disk as a power cut
 * would have left it. A write through a descriptor of O_DSYNC is a write and its sync. Entries are one line
 * of text, then the octets. One process; the calls of one file are in the order in which they were made.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static FILE *trace;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("POWERCUT_TRACE");
    trace = path ? fopen(path, "we") : NULL;
}

#define NEXT(call) (__extension__(__typeof__(&(call))) dlsym(RTLD_NEXT, #call))

/* False: not one of ours. */
static int path_of(int fd, char path[4096])
{
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = trace ? readlink(link, path, 4095) : -1;
    if (n < 0)
        return 0;
    path[n] = '\0';
    return strstr(path, "/ledger/") != NULL;
}

static void note_write(int fd, const struct iovec *v, int n, off_t at, ssize_t done)
{
    char path[4096];
    if (done <= 0 || !path_of(fd, path))
        return;
    pthread_mutex_lock(&lock);
    fprintf(trace, "write %s %lld %zd\n", path, (long long)at, done);
    for (int i = 0; i < n && done > 0; i++) {
        size_t part = v[i].iov_len < (size_t)done ? v[i].iov_len : (size_t)done;
        fwrite(v[i].iov_base, 1, part, trace);
        done -= (ssize_t)part;
    }
    if (fcntl(fd, F_GETFL) & O_DSYNC)
        fprintf(trace, "synced %s 0 0\n", path);
    fflush(trace);
    pthread_mutex_unlock(&lock);
}

static void note(int fd, const char *what, long long value)
{
    char path[4096];
    if (!path_of(fd, path))
        return;
    pthread_mutex_lock(&lock);
    fprintf(trace, "%s %s %lld 0\n", what, path, value);
    fflush(trace);
    pthread_mutex_unlock(&lock);
}

/* Called by the program that is watched: whatever it was told so far is durable, it thinks. */
void powercut_told(unsigned long long n);
void powercut_told(unsigned long long n)
{
    pthread_mutex_lock(&lock);
    if (trace) {
        fprintf(trace, "told - %llu 0\n", n);
        fflush(trace);
    }
    pthread_mutex_unlock(&lock);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    ssize_t done = NEXT(pwrite)(fd, p, n, at);
    note_write(fd, &(struct iovec){(void *)(size_t)p, n}, 1, at, done);
    return done;
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    return pwrite(fd, p, n, at);
}

/* LMDB seeks, then writes many pages at once. */
ssize_t writev(int fd, const struct iovec *v, int n)
{
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t done = NEXT(writev)(fd, v, n);
    note_write(fd, v, n, at, done);
    return done;
}

ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at)
{
    ssize_t done = NEXT(pwritev)(fd, v, n, at);
    note_write(fd, v, n, at, done);
    return done;
}

ssize_t write(int fd, const void *p, size_t n)
{
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t done = NEXT(write)(fd, p, n);
    note_write(fd, &(struct iovec){(void *)(size_t)p, n}, 1, at, done);
    return done;
}

int ftruncate(int fd, off_t n)
{
    int rc = NEXT(ftruncate)(fd, n);
    if (rc == 0)
        note(fd, "truncate", n);
    return rc;
}

int fsync(int fd)
{
    int rc = NEXT(fsync)(fd);
    if (rc == 0)
        note(fd, "sync", 0);
    return rc;
}

int fdatasync(int fd)
{
    int rc = NEXT(fdatasync)(fd);
    if (rc == 0)
        note(fd, "sync", 0);
    return rc;
}
