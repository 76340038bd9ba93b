/*
 * Group commit: items are gathered on the loop and written together on one worker thread, one group at a
 * time. What comes while a group is being written makes up the next; an item that comes alone goes at the end
 * of the turn. While `coming` says more than is queued, a group is held open for up to 10 ms. Order is kept.
 * `write` runs on the worker's thread and sets each item's error; `finish` runs on the loop and owns the
 * items again.
 */
#ifndef CHANCERY_LEDGER_BATCH_H
#define CHANCERY_LEDGER_BATCH_H

#include <stddef.h>

#include "base/loop.h"

struct batch_item {
    struct batch_item *next;
    struct err *error;
};

struct batch_setup {
    struct loop *loop;
    const char *name; /* of the thread */
    size_t max;       /* items in a group */
    size_t queued_max;
    void (*write)(void *arg, struct batch_item *first);
    void (*finish)(void *arg, struct batch_item *first);
    size_t (*coming)(void *arg); /* on the loop: items to be added soon for sure; NULL: never held open */
    void *arg;
};

struct batch;

MUST_USE struct err *batch_start(const struct batch_setup *setup, struct batch **ret);
/* Takes the item; ERR_BUSY: not taken. */
MUST_USE struct err *batch_add(struct batch *b, struct batch_item *item);
/* Writes and finishes all that is queued, on this thread, then frees. Accepts NULL. */
void batch_stop(struct batch *b);

#endif
