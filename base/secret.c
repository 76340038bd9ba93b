/*
 * Secret bytes in pages of their own: locked, left out of cores and of forked children, wiped when freed.
 * Never prints, never compares, never copies them elsewhere. Any thread; a secret has one holder.
 */
#include "base/secret.h"
#include "base/check.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

struct secret {
    size_t mapped;
    size_t n;
    uint8_t bytes[];
};

void secret_wipe(void *p, size_t n)
{
    if (n)
        explicit_bzero(p, n);
}

static struct err *secret_new(size_t n, struct secret **ret)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    CHECK(n < SIZE_MAX / 2);
    size_t mapped = (sizeof(struct secret) + n + page - 1) / page * page;
    struct secret *s = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED)
        return err_sys(ERR_NOMEM, errno, "no memory for a secret");
    if (mlock(s, mapped) != 0 || madvise(s, mapped, MADV_DONTDUMP) != 0 ||
        madvise(s, mapped, MADV_WIPEONFORK) != 0) {
        struct err *e = err_sys(ERR_NOMEM, errno, "memory for a secret cannot be locked (RLIMIT_MEMLOCK)");
        munmap(s, mapped);
        return e;
    }
    s->mapped = mapped;
    s->n = n;
    *ret = s;
    return NULL;
}

struct err *secret_of(struct view bytes, struct secret **ret)
{
    struct secret *s = NULL;
    struct err *e = secret_new(bytes.n, &s);
    if (e)
        return e;
    if (bytes.n)
        memcpy(s->bytes, bytes.p, bytes.n);
    *ret = s;
    return NULL;
}

/* From the start of a file, whoever read the descriptor before; a pipe from where it is. */
static ssize_t read_at(int fd, void *to, size_t n, size_t at)
{
    ssize_t got;
    do {
        got = pread(fd, to, n, (off_t)at);
        if (got < 0 && errno == ESPIPE)
            got = read(fd, to, n);
    } while (got < 0 && errno == EINTR);
    return got;
}

struct err *secret_read(int fd, size_t max, struct secret **ret)
{
    struct err *e = NULL;
    struct secret *s = NULL;
    size_t n = 0;
    size_t cap = max + 2; /* a newline, and one more to see that there is too much */
    TRY(secret_new(cap, &s));
    while (n < cap) {
        ssize_t got = read_at(fd, s->bytes + n, cap - n, n);
        if (got < 0) {
            e = err_sys(ERR_IO, errno, "the secret cannot be read");
            goto out;
        }
        if (got == 0)
            break;
        n += (size_t)got;
    }
    if (n > 0 && s->bytes[n - 1] == '\n')
        n--;
    if (n > max) {
        e = err_new(ERR_TOO_LARGE, "the secret is longer than %zu octets", max);
        goto out;
    }
    s->n = n;
    *ret = s;
    return NULL;
out:
    secret_free(s);
    return e;
}

struct view secret_view(const struct secret *s)
{
    return view_of(s->bytes, s->n);
}

void secret_free(struct secret *s)
{
    if (!s)
        return;
    size_t mapped = s->mapped;
    secret_wipe(s, mapped);
    munmap(s, mapped);
}
