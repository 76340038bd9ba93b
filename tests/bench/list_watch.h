/* How much memory of its own this process takes at most: anonymous and shared, without pages of files. */
#ifndef CHANCERY_BENCH_LIST_WATCH_H
#define CHANCERY_BENCH_LIST_WATCH_H

struct list_watch;
struct list_watch *list_watch_start(void);
/* MiB at the peak, above what it was at the start. */
double list_watch_stop(struct list_watch *w);

#endif
