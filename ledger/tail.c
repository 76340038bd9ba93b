/* The newest stretch of the index, and how it becomes a segment. */
#include "tail.h"

#include <stdlib.h>

#include "base/check.h"

struct tail *tail_new(uint64_t from)
{
    struct tail *t = calloc(1, sizeof(*t));
    CHECK(t);
    t->from = from;
    t->to = from - 1;
    return t;
}

void tail_free(struct tail *t)
{
    if (!t)
        return;
    free(t->items);
    free(t);
}

static uint32_t *head_of(struct tail *t, uint64_t term)
{
    return &t->heads[term % TAIL_HEADS];
}

void tail_add(struct tail *t, uint64_t term, uint64_t seq)
{
    uint32_t *head = head_of(t, term), at = tail_find(t, term, 0);
    if (at && tail_seq(t, at) == seq)
        return;
    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 1024;
        t->items = reallocarray(t->items, t->cap, sizeof(*t->items));
        CHECK(t->items && t->cap < UINT32_MAX);
    }
    t->items[t->n++] = (struct tail_item){{term, seq}, *head};
    *head = (uint32_t)t->n;
}

uint32_t tail_find(const struct tail *t, uint64_t term, uint32_t at)
{
    at = at ? t->items[at - 1].before : t->heads[term % TAIL_HEADS];
    while (at && t->items[at - 1].pair.term != term)
        at = t->items[at - 1].before;
    return at;
}

static int by_term(const void *a, const void *b)
{
    const struct segment_pair *x = a, *y = b;
    if (x->term != y->term)
        return x->term < y->term ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

struct segment *tail_segment(const struct tail *t)
{
    if (t->n == 0)
        return NULL;
    struct segment_footer head = {.from = t->from, .to = t->to};
    struct segment_pair *pairs = calloc(t->n, sizeof(*pairs));
    CHECK(pairs);
    memcpy(head.leaf, t->leaf, sizeof(head.leaf));
    for (size_t i = 0; i < t->n; i++)
        pairs[i] = t->items[i].pair;
    qsort(pairs, t->n, sizeof(*pairs), by_term);
    struct segment *s = segment_of(pairs, t->n, &head);
    free(pairs);
    return s;
}
