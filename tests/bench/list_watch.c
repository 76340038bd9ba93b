/* A thread that looks at /proc/self/status every two milliseconds. */
#include "list_watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pace.h"

enum { EVERY_NS = 2000000 };

struct list_watch {
    pthread_t thread;
    atomic_bool stop;
    long before, peak; /* KiB */
};

static long own_kib(void)
{
    char line[256];
    long sum = 0, one;
    FILE *f = fopen("/proc/self/status", "r");
    if (!f)
        pace_die("/proc/self/status");
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "RssAnon: %ld", &one) == 1 || sscanf(line, "RssShmem: %ld", &one) == 1)
            sum += one;
    fclose(f);
    return sum;
}

static void *run(void *arg)
{
    struct list_watch *w = arg;
    const struct timespec pause = {0, EVERY_NS};
    while (!atomic_load(&w->stop)) {
        long now = own_kib();
        w->peak = now > w->peak ? now : w->peak;
        nanosleep(&pause, NULL);
    }
    return NULL;
}

struct list_watch *list_watch_start(void)
{
    struct list_watch *w = calloc(1, sizeof *w);
    if (!w)
        pace_die("no memory");
    w->before = w->peak = own_kib();
    if (pthread_create(&w->thread, NULL, run, w) != 0)
        pace_die("no thread");
    return w;
}

double list_watch_stop(struct list_watch *w)
{
    atomic_store(&w->stop, true);
    pthread_join(w->thread, NULL);
    double mib = (double)(w->peak - w->before) / 1024;
    free(w);
    return mib;
}
