/*
 * The event loop of a process (libevent inside; event2 headers stay in base/loop.c and http). One loop per
 * thread; every call but loop_post and loop_stop belongs to the loop's own thread. Timers are monotonic.
 */
#ifndef CHANCERY_BASE_LOOP_H
#define CHANCERY_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct loop_watch;
struct loop_timer;

MUST_USE struct err *loop_new(struct loop **ret);
void loop_free(struct loop *l); /* accepts NULL */
void loop_run(struct loop *l);  /* until loop_stop */
void loop_stop(struct loop *l); /* any thread */

/* The libevent base, for http alone. */
struct event_base *loop_event_base(struct loop *l);

/* Monotonic milliseconds, as of this turn. */
int64_t loop_now_ms(const struct loop *l);

/* Runs fn(arg) on the loop's thread, in order of posting. Any thread. Never blocks on the loop. */
void loop_post(struct loop *l, void (*fn)(void *arg), void *arg);

/* Runs fn(arg) once at the end of this turn, after all that is ready now: for flushing what was gathered. */
void loop_after_turn(struct loop *l, void (*fn)(void *arg), void *arg);

enum { LOOP_READ = 1, LOOP_WRITE = 2 };
/* Calls fn with what is ready, level-triggered, until loop_unwatch. fd stays the caller's. */
struct loop_watch *loop_watch(struct loop *l, int fd, int what, void (*fn)(void *arg, int ready), void *arg);
void loop_watch_set(struct loop_watch *w, int what); /* 0 pauses */
void loop_unwatch(struct loop_watch *w);             /* accepts NULL; safe inside its own callback */

/* Once, after ms. Re-arm with loop_timer_set; the timer object lives until loop_timer_free. */
struct loop_timer *loop_timer_new(struct loop *l, void (*fn)(void *arg), void *arg);
void loop_timer_set(struct loop_timer *t, int64_t ms); /* replaces what was set */
void loop_timer_clear(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t); /* accepts NULL; safe inside its own callback */

/* Delivers the signal on the loop. */
void loop_signal(struct loop *l, int signo, void (*fn)(void *arg, int signo), void *arg);

#endif
