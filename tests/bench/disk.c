/*
 * bench_disk: 1 KiB appended to a file and synced (fdatasync), over and over: what the disk lets one writer
 * make durable. A certificate waits for three such syncs (intent, seal roll, record), shared with all who
 * wait at the same time. Prints one JSON object; leaves no file behind. One thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pace.h"

enum { SYNCS_MAX = 1 << 20 };

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static const char block[1024];
    int64_t *took_ns = malloc(SYNCS_MAX * sizeof *took_ns), begin_ns, at_ns;
    size_t n = 0;
    int fd;

    if (argc != 3 || !took_ns)
        pace_die("usage: bench_disk FILE MILLISECONDS");
    fd = open(argv[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        pace_die("%s: %s", argv[1], strerror(errno));
    begin_ns = at_ns = pace_ns();
    while (n < SYNCS_MAX && at_ns - begin_ns < atoll(argv[2]) * 1000000) {
        if (write(fd, block, sizeof block) != sizeof block || fdatasync(fd) != 0)
            pace_die("%s: %s", argv[1], strerror(errno));
        took_ns[n] = pace_ns() - at_ns;
        at_ns += took_ns[n++];
    }
    qsort(took_ns, n, sizeof *took_ns, by_size);
    printf("{\"rate\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n", (double)n * 1e9 / (double)(at_ns - begin_ns),
           (double)took_ns[n / 2] / 1e6, (double)took_ns[(n - 1) * 99 / 100] / 1e6);
    close(fd);
    unlink(argv[1]);
    free(took_ns);
    return 0;
}
