/* Writes and maps files of ready requests. Never changes one that is there. One thread. */
#include "ask_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pace.h"

FILE *ask_file_create(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        pace_die("%s: %s", path, strerror(errno));
    return fdopen(fd, "w");
}

void ask_file_put(FILE *f, const void *head, size_t head_n, const void *body, size_t body_n)
{
    uint32_t n = (uint32_t)(head_n + body_n);

    fwrite(&n, sizeof n, 1, f);
    fwrite(head, 1, head_n, f);
    if (body_n)
        fwrite(body, 1, body_n, f);
}

void ask_file_close(FILE *f)
{
    if (ferror(f) || fclose(f) != 0)
        pace_die("requests could not be written: %s", strerror(errno));
}

static const uint8_t *map(const char *path, size_t *ret_n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *p;

    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size == 0)
        pace_die("%s: no requests", path);
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (p == MAP_FAILED)
        pace_die("%s: %s", path, strerror(errno));
    close(fd);
    *ret_n = (size_t)st.st_size;
    return p;
}

/* The next request of what is left; false at the end. */
static int take(const uint8_t **p, size_t *left, struct ask *ret)
{
    uint32_t n;

    if (*left < sizeof n)
        return 0;
    memcpy(&n, *p, sizeof n);
    if (*left - sizeof n < n)
        pace_die("a file of requests ends early");
    *ret = (struct ask){*p + sizeof n, n};
    *p += sizeof n + n;
    *left -= sizeof n + n;
    return 1;
}

size_t ask_file_open(const char *path, const struct ask **ret)
{
    size_t left, n = 0, cap = 0;
    const uint8_t *p = map(path, &left);
    struct ask *asks = NULL, one;

    while (take(&p, &left, &one)) {
        if (n == cap) {
            cap = cap ? cap * 2 : 1024;
            asks = realloc(asks, cap * sizeof *asks);
            if (!asks)
                pace_die("no memory");
        }
        asks[n++] = one;
    }
    *ret = asks;
    return n;
}
