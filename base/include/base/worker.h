/*
 * A worker: one thread, one queue, jobs in order. The job runs on the worker's thread; then `done` is posted
 * to the loop it came from, exactly once. Nothing is cancelled halfway: a caller who no longer cares drops
 * the result in `done` (see ticket.h).
 */
#ifndef CHANCERY_BASE_WORKER_H
#define CHANCERY_BASE_WORKER_H

#include <stddef.h>

#include "base/loop.h"

struct worker;

/* name: at most 15 characters, seen in top and gdb. `max_queued`: past it worker_submit refuses with
 * ERR_BUSY. */
MUST_USE struct err *worker_start(const char *name, size_t max_queued, struct worker **ret);

MUST_USE struct err *worker_submit(struct worker *w, void (*job)(void *arg), struct loop *loop,
                                   void (*done)(void *arg), void *arg);
size_t worker_queued(const struct worker *w);

/* Finishes what is queued, joins the thread. Accepts NULL. */
void worker_stop(struct worker *w);

#endif
