/* CPU time of processes under load, by name: user and system time of all their threads, from /proc. */
#ifndef CHANCERY_TESTS_BENCH_LOAD_WATCH_H
#define CHANCERY_TESTS_BENCH_LOAD_WATCH_H

enum { WATCH_MAX = 16 };

struct watch {
    int n;
    struct {
        char name[32];
        int pid;
        double begin_s, used_s;
    } of[WATCH_MAX];
};

/* text: NAME:PID. Two of one name are printed apart. */
void watch_add(struct watch *w, const char *text);
void watch_begin(struct watch *w);
void watch_end(struct watch *w);

/* "NAME":FACTOR*seconds,... */
void watch_print(const struct watch *w, double factor);

#endif
