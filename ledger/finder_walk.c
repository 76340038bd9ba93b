/*
 * Walking the index: the greatest intent that has one term of each condition, part by part, the newest part
 * first. Within a part each term is an ascending list; the lists are lowered in turn until they meet. Reads
 * alone, on the loop's thread.
 */
#include "base/check.h"
#include "finder_set.h"

enum { STEPS_MAX = 100000 };

struct list {               /* of one term in one part; what is at or above the last question is cut off */
    struct segment_list in; /* of a segment, or */
    const struct tail *tail;
    uint64_t term;
    uint32_t at; /* in the tail; 0: no more */
};
struct cond {
    struct list *lists;
    size_t n;
};
struct finder_walk {
    struct finder *finder;
    const struct finder_terms *terms;
    struct cond *conds;
    size_t n, part, parts; /* part 0 is the newest */
    bool open;
    size_t steps;
};

/* --- one list --- */

static uint64_t seg_seq(const struct segment_list *l, uint32_t i)
{
    return l->base + l->p[i];
}

/* The greatest seq at or below `at`; 0: none. */
static uint64_t lower(struct list *l, uint64_t at)
{
    if (l->tail) {
        while (l->at && tail_seq(l->tail, l->at) > at)
            l->at = tail_find(l->tail, l->term, l->at);
        return l->at ? tail_seq(l->tail, l->at) : 0;
    }
    uint32_t low = 0, high = l->in.n; /* those below `low` are at or below `at` */
    if (high > 0 && seg_seq(&l->in, high - 1) <= at)
        return seg_seq(&l->in, high - 1);
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (seg_seq(&l->in, mid) <= at)
            low = mid + 1;
        else
            high = mid;
    }
    l->in.n = low;
    return low ? seg_seq(&l->in, low - 1) : 0;
}

static uint64_t lower_any(struct cond *c, uint64_t at)
{
    uint64_t best = 0;
    for (size_t i = 0; i < c->n; i++) {
        uint64_t seq = lower(&c->lists[i], at);
        best = seq > best ? seq : best;
    }
    return best;
}

/* --- one part --- */

static const struct tail *tail_of(const struct finder *f, size_t part)
{
    return part < f->tails_n ? f->tails[f->tails_n - 1 - part] : NULL;
}

static const struct segment *segment_at(const struct finder *f, size_t part)
{
    return f->segments[f->segments_n - 1 - (part - f->tails_n)];
}

static struct err *open_list(const struct finder *f, size_t part, uint64_t term, struct list *ret,
                             bool *ret_has)
{
    *ret = (struct list){.tail = tail_of(f, part), .term = term};
    if (ret->tail) {
        ret->at = tail_find(ret->tail, term, 0);
        *ret_has = ret->at != 0;
        return NULL;
    }
    struct err *e = segment_find(segment_at(f, part), term, &ret->in);
    *ret_has = !e && ret->in.n > 0;
    return e;
}

/* *ret_has: each condition has a list here. */
static struct err *open_part(struct finder_walk *w, bool *ret_has)
{
    struct err *e = NULL;
    *ret_has = true;
    for (size_t i = 0; i < w->n && *ret_has; i++) {
        struct cond *c = &w->conds[i];
        c->n = 0;
        for (size_t k = 0; k < w->terms[i].n; k++) {
            bool has;
            TRY(open_list(w->finder, w->part, w->terms[i].terms[k], &c->lists[c->n], &has));
            c->n += has;
        }
        *ret_has = c->n > 0;
    }
out:
    return e;
}

/* All conditions meet at the seq given, the greatest at or below `at`; 0: not in this part. */
static uint64_t meet(struct finder_walk *w, uint64_t at, bool *ret_stopped)
{
    for (size_t i = 0, met = 0; met < w->n; i = (i + 1) % w->n) {
        uint64_t seq = lower_any(&w->conds[i], at);
        w->steps += w->conds[i].n;
        if (seq == 0)
            return 0;
        met = seq == at ? met + 1 : 1;
        at = seq;
        *ret_stopped = w->steps > STEPS_MAX && met < w->n;
        if (*ret_stopped)
            break;
    }
    return at;
}

struct finder_walk *finder_walk_open(struct finder *f, const struct finder_terms *conds, size_t conds_n,
                                     struct arena *arena)
{
    struct finder_walk *w = ARENA_NEW(arena, struct finder_walk);
    CHECK(conds_n > 0);
    *w = (struct finder_walk){.finder = f, .terms = conds, .n = conds_n, .parts = f->tails_n + f->segments_n};
    w->conds = arena_array(arena, conds_n, sizeof(*w->conds));
    for (size_t i = 0; i < conds_n; i++)
        w->conds[i].lists = arena_array(arena, conds[i].n, sizeof(struct list));
    return w;
}

struct err *finder_walk_next(struct finder_walk *w, uint64_t below, uint64_t *ret, bool *ret_stopped)
{
    struct err *e = NULL;
    *ret = 0;
    *ret_stopped = false;
    for (; below > 1 && w->part < w->parts; w->part++, w->open = false) {
        if (!w->open)
            TRY(open_part(w, &w->open));
        w->steps++;
        if (w->open)
            *ret = meet(w, below - 1, ret_stopped);
        if (*ret)
            return NULL;
    }
out:
    return e;
}

/* --- the first one --- */

static uint64_t first_in_tail(const struct tail *t, uint64_t term, uint64_t above)
{
    uint64_t best = 0;
    for (uint32_t at = tail_find(t, term, 0); at && tail_seq(t, at) > above; at = tail_find(t, term, at))
        best = tail_seq(t, at);
    return best;
}

static uint64_t first_in_list(const struct segment_list *l, uint64_t above)
{
    uint32_t low = 0, high = l->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (seg_seq(l, mid) <= above)
            low = mid + 1;
        else
            high = mid;
    }
    return low < l->n ? seg_seq(l, low) : 0;
}

struct err *finder_first(struct finder *f, uint64_t term, uint64_t above, uint64_t *ret)
{
    struct err *e = NULL;
    *ret = 0;
    for (size_t i = 0; i < f->segments_n && !*ret; i++) {
        struct segment_list l;
        if (f->segments[i]->head.to <= above)
            continue;
        TRY(segment_find(f->segments[i], term, &l));
        *ret = first_in_list(&l, above);
    }
    for (size_t i = 0; i < f->tails_n && !*ret; i++)
        *ret = first_in_tail(f->tails[i], term, above);
out:
    return e;
}
