/*
 * The parts of the index and how they change: entries go into the tail, a full tail becomes a segment,
 * FINDER_MERGE segments of one level become one of the next. One job at a time on the finder's own thread; it
 * works on what no longer changes, and its outcome is taken up on the loop, at the next entry. A job that
 * fails is tried again later: until then the tail answers.
 */
#include "finder.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "finder_set.h"

enum { REST_ENTRIES = 2000 };

/* --- jobs --- */

/* On the worker's thread. */
static void run(void *arg)
{
    struct finder *f = arg;
    struct finder_job *j = &f->job;
    struct segment *made = NULL;
    if (j->tail) {
        made = tail_segment(j->tail);
        j->from[0] = made;
        j->n = 1;
    }
    j->error = segment_write(f->dir, j->from, j->n, &j->result);
    segment_free(made);
    atomic_store(&j->finished, true);
}

static void start(struct finder *f)
{
    f->job.under_way = true;
    atomic_store(&f->job.finished, false);
    struct err *e = f->worker ? worker_submit(f->worker, run, NULL, NULL, f) : NULL;
    if (e || !f->worker)
        run(f);
    err_free(e);
}

/* The last FINDER_MERGE segments, where they are of one level. */
static bool merge_due(const struct finder *f)
{
    if (f->segments_n < FINDER_MERGE)
        return false;
    struct segment *const *last = &f->segments[f->segments_n - FINDER_MERGE];
    for (size_t i = 1; i < FINDER_MERGE; i++)
        if (last[i]->head.level != last[0]->head.level)
            return false;
    return true;
}

static void start_next(struct finder *f)
{
    struct finder_job *j = &f->job;
    if (j->under_way || f->readonly || f->next < f->rest_until)
        return;
    *j = (struct finder_job){.merge = merge_due(f)};
    if (j->merge) {
        for (j->n = 0; j->n < FINDER_MERGE; j->n++)
            j->from[j->n] = f->segments[f->segments_n - FINDER_MERGE + j->n];
        start(f);
    } else if (f->tails_n > 1) {
        j->tail = f->tails[0];
        start(f);
    }
}

static void take_merged(struct finder *f)
{
    f->segments_n -= FINDER_MERGE;
    for (size_t i = 0; i < FINDER_MERGE; i++)
        segment_remove(f->segments[f->segments_n + i]);
    f->segments[f->segments_n++] = f->job.result;
}

static void take_written(struct finder *f)
{
    tail_free(f->tails[0]);
    f->tails_n--;
    memmove(f->tails, f->tails + 1, f->tails_n * sizeof(f->tails[0]));
    CHECK(f->segments_n < FINDER_SEGMENTS);
    f->segments[f->segments_n++] = f->job.result;
}

static void take_up(struct finder *f)
{
    struct finder_job *j = &f->job;
    if (!j->under_way || !atomic_load(&j->finished))
        return;
    j->under_way = false;
    if (j->error) {
        log_error("ledger.index", log_err(j->error));
        err_free(j->error);
        f->rest_until = f->next + REST_ENTRIES;
    } else if (j->merge) {
        take_merged(f);
    } else {
        take_written(f);
    }
}

static void work(struct finder *f)
{
    do {
        take_up(f);
        start_next(f);
    } while (f->job.under_way && atomic_load(&f->job.finished));
}

/* --- adding --- */

struct adding {
    struct tail *tail;
    uint64_t seq;
};

static void add(void *arg, uint64_t term)
{
    const struct adding *a = arg;
    tail_add(a->tail, term, a->seq);
}

static bool is_full(const struct tail *t)
{
    return t->n > 0 && (t->to - t->from + 1 >= FINDER_ENTRIES || t->n >= FINDER_PAIRS);
}

void finder_add(struct finder *f, const struct ledger_entry *en, const uint8_t *fingerprint)
{
    struct tail *t = f->tails[f->tails_n - 1];
    CHECK(en->seq == f->next);
    if (en->kind == LEDGER_INTENT)
        term_each(en, add, &(struct adding){t, en->seq});
    if (en->kind == LEDGER_UNRECORDED)
        term_each_unrecorded(en, add, &(struct adding){t, en->seq});
    if (en->kind == LEDGER_RECORD && fingerprint)
        tail_add(t, term_of(TERM_FINGERPRINT, view_of(fingerprint, SHA256_BYTES)), en->ref);
    t->to = f->next++;
    memcpy(t->leaf, en->leaf, sizeof(t->leaf));
    if (is_full(t) && f->tails_n < FINDER_TAILS && !f->readonly)
        f->tails[f->tails_n++] = tail_new(f->next);
    work(f);
}

struct err *finder_settle(struct finder *f)
{
    CHECK(!f->worker);
    if (f->tails[f->tails_n - 1]->n > 0)
        f->tails[f->tails_n++] = tail_new(f->next);
    f->rest_until = 0;
    work(f);
    return f->tails_n == 1 ? NULL : err_new(ERR_IO, "the index could not be written");
}

uint64_t finder_next_entry(const struct finder *f)
{
    return f->next;
}

uint64_t finder_bytes(const struct finder *f)
{
    uint64_t n = 0;
    for (size_t i = 0; i < f->segments_n; i++)
        n += f->segments[i]->map_bytes;
    return n;
}

uint64_t finder_pairs(const struct finder *f)
{
    uint64_t n = 0;
    for (size_t i = 0; i < f->segments_n; i++)
        n += f->segments[i]->head.pairs_n;
    for (size_t i = 0; i < f->tails_n; i++)
        n += f->tails[i]->n;
    return n;
}

/* --- opening --- */

struct err *finder_open(const struct finder_setup *setup, struct finder **ret)
{
    struct err *e = NULL;
    struct finder *f = calloc(1, sizeof(*f));
    CHECK(f);
    f->readonly = setup->readonly;
    f->next = 1;
    f->dir = strdup(setup->dir);
    CHECK(f->dir);
    if (!setup->readonly)
        TRY(file_mkdir(setup->dir, 0700));
    TRY(finder_files_take(f, setup));
    f->tails[f->tails_n++] = tail_new(f->next);
    if (setup->threaded)
        TRY(worker_start("index", 2, &f->worker));
    *ret = f;
    f = NULL;
out:
    finder_close(f);
    return e;
}

void finder_close(struct finder *f)
{
    if (!f)
        return;
    worker_stop(f->worker);
    take_up(f);
    for (size_t i = 0; i < f->segments_n; i++)
        segment_free(f->segments[i]);
    for (size_t i = 0; i < f->tails_n; i++)
        tail_free(f->tails[i]);
    free(f->dir);
    free(f);
}
