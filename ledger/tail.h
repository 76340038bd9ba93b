/* The newest stretch of the index, in memory: terms as they come, found through a table of chains. One
 * thread until it is frozen; then any may read. */
#ifndef CHANCERY_LEDGER_TAIL_H
#define CHANCERY_LEDGER_TAIL_H

#include "segment.h"

enum { TAIL_HEADS = 1 << 16 };

struct tail_item {
    struct segment_pair pair;
    uint32_t before; /* + 1, in the same chain; 0: none */
};
struct tail {
    struct tail_item *items;
    size_t n, cap;
    uint64_t from, to; /* entries, both included; to < from: none yet */
    uint8_t leaf[SHA256_BYTES];
    uint32_t heads[TAIL_HEADS]; /* + 1 */
};

struct tail *tail_new(uint64_t from);
void tail_free(struct tail *t); /* accepts NULL */
/* Nothing where this certificate has the term already. */
void tail_add(struct tail *t, uint64_t term, uint64_t seq);
/* The newest with this term, below `at` where that is not 0; 0: none. What is given is an item + 1. */
uint32_t tail_find(const struct tail *t, uint64_t term, uint32_t at);
static inline uint64_t tail_seq(const struct tail *t, uint32_t at)
{
    return t->items[at - 1].pair.seq;
}
/* As a segment in memory; NULL where it has no terms. */
struct segment *tail_segment(const struct tail *t);

#endif
