/*
 * Reads utime and stime (proc(5)) of the processes watched, at the beginning and the end of the window that
 * is measured. The kernel's work for a process counts as its own. A process that has gone ends the program.
 * One thread.
 */
#include "load_watch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pace.h"

void watch_add(struct watch *w, const char *text)
{
    if (w->n == WATCH_MAX)
        pace_die("more than %d processes to watch", WATCH_MAX);
    if (sscanf(text, "%31[^:]:%d", w->of[w->n].name, &w->of[w->n].pid) != 2)
        pace_die("--watch takes NAME:PID");
    w->n++;
}

static double used_s(int pid)
{
    char path[64], text[1024];
    unsigned long user = 0, sys = 0;
    const char *after;
    size_t n;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    f = fopen(path, "r");
    if (!f)
        pace_die("process %d has gone", pid);
    n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    after = strrchr(text, ')'); /* the name may hold anything */
    if (!after || sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys) != 2)
        pace_die("%s cannot be read", path);
    return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

void watch_begin(struct watch *w)
{
    for (int i = 0; i < w->n; i++)
        w->of[i].begin_s = used_s(w->of[i].pid);
}

void watch_end(struct watch *w)
{
    for (int i = 0; i < w->n; i++)
        w->of[i].used_s = used_s(w->of[i].pid) - w->of[i].begin_s;
}

void watch_print(const struct watch *w, double factor)
{
    for (int i = 0; i < w->n; i++)
        printf("%s\"%s\":%.6g", i ? "," : "", w->of[i].name, w->of[i].used_s * factor);
}
