/*
 * Group commit between a loop and one worker thread. The items of the group under way belong to the worker;
 * the queue, and everything else, to the loop. The worker tells by an eventfd, so that nothing of ours is
 * left in the loop once we are stopped. Waits on purpose only while more is known to come than is queued, and
 * then for milliseconds: a commit costs much the same with ten items and with fifty. Who is alone never
 * waits.
 */
#include "batch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/worker.h"

enum { GATHER_MS = 10, GATHER_N = 64 };

struct batch {
    struct batch_setup setup;
    struct worker *worker;
    struct loop_timer *gather;
    bool gathering; /* the timer runs: more is waited for */
    struct loop_watch *watch;
    int written_fd;
    atomic_bool written; /* the worker is done with `group` */
    struct batch_item *group;
    struct batch_item *first;
    struct batch_item **last;
    size_t queued;
    bool due;     /* flush() stands at the end of this turn */
    bool stopped; /* flush() is to free us */
};

/* Takes at most max items off the queue. */
static struct batch_item *take(struct batch *b, size_t max)
{
    struct batch_item *group = b->first, **end = &b->first;
    for (; *end && max > 0; max--, b->queued--)
        end = &(*end)->next;
    b->first = *end;
    *end = NULL;
    if (!b->first)
        b->last = &b->first;
    return group;
}

static void job(void *arg)
{
    struct batch *b = arg;
    b->setup.write(b->setup.arg, b->group);
    atomic_store(&b->written, true);
    eventfd_write(b->written_fd, 1);
}

static void flush(void *arg)
{
    struct batch *b = arg;
    b->due = false;
    if (b->stopped) {
        free(b);
        return;
    }
    if (b->group || !b->first)
        return;
    b->group = take(b, b->setup.max);
    atomic_store(&b->written, false);
    /* One job at a time in a queue of two: only memory can be missing. */
    struct err *e = worker_submit(b->worker, job, NULL, NULL, b);
    if (!e)
        return;
    log_error("ledger.thread", log_err(e));
    err_free(e);
    job(b);
}

static void flush_after_turn(struct batch *b)
{
    b->gathering = false;
    b->due = true;
    loop_after_turn(b->setup.loop, flush, b);
}

static void on_gathered(void *arg)
{
    struct batch *b = arg;
    if (b->gathering && !b->due && !b->group)
        flush_after_turn(b);
}

static bool enough(const struct batch *b)
{
    return !b->setup.coming || b->queued >= GATHER_N || b->queued >= b->setup.coming(b->setup.arg);
}

static void schedule(struct batch *b)
{
    if (b->due || b->group || !b->first)
        return;
    if (enough(b)) {
        flush_after_turn(b);
        return;
    }
    if (b->gathering)
        return;
    b->gathering = true;
    loop_timer_set(b->gather, GATHER_MS);
}

static void finish_group(struct batch *b)
{
    struct batch_item *group = b->group;
    b->group = NULL;
    if (group)
        b->setup.finish(b->setup.arg, group);
}

static void on_written(void *arg, int ready)
{
    (void)ready;
    struct batch *b = arg;
    eventfd_t count;
    if (eventfd_read(b->written_fd, &count) != 0 || !atomic_load(&b->written))
        return;
    finish_group(b);
    schedule(b);
}

struct err *batch_start(const struct batch_setup *setup, struct batch **ret)
{
    struct err *e = NULL;
    struct batch *b = calloc(1, sizeof(*b));
    CHECK(b && setup->max > 0);
    b->setup = *setup;
    b->last = &b->first;
    b->written_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (b->written_fd < 0) {
        free(b);
        return err_new(ERR_IO, "no descriptor for the writer thread");
    }
    TRY(worker_start(setup->name, 2, &b->worker));
    b->gather = loop_timer_new(setup->loop, on_gathered, b);
    b->watch = loop_watch(setup->loop, b->written_fd, LOOP_READ, on_written, b);
    *ret = b;
    return NULL;
out:
    close(b->written_fd);
    free(b);
    return e;
}

struct err *batch_add(struct batch *b, struct batch_item *item)
{
    if (b->queued >= b->setup.queued_max)
        return err_new(ERR_BUSY, "%zu entries wait for the disk, the limit", b->queued);
    item->next = NULL;
    *b->last = item;
    b->last = &item->next;
    b->queued++;
    schedule(b);
    return NULL;
}

void batch_stop(struct batch *b)
{
    if (!b)
        return;
    worker_stop(b->worker);
    finish_group(b);
    /* finish may add more: nothing that was taken is dropped */
    while (b->first) {
        b->group = take(b, b->setup.max);
        b->setup.write(b->setup.arg, b->group);
        finish_group(b);
    }
    loop_timer_free(b->gather);
    loop_unwatch(b->watch);
    close(b->written_fd);
    b->stopped = true;
    if (!b->due)
        free(b);
}
