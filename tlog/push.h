/* Heads taken elsewhere. Private to tlog. */
#ifndef CHANCERY_TLOG_PUSH_H
#define CHANCERY_TLOG_PUSH_H

#include "tlog.h"

struct push {
    int64_t at_ms; /* monotonic: of the last one; 0: none */
    uint64_t size; /* what it was over */
};

/* Where it is another than the last one, and that is least_ms ago: else on the clock, or with the next. */
void push_head(struct push *state, const struct tlog_push *p, const struct tlog_head *head);
/* The head that lies in the folder, its signature not looked at: who can write there can keep this ledger
 * from being issued from, and no more. Size 0 where there is none. */
MUST_USE struct err *push_read(const struct tlog_push *p, struct arena *arena, struct hsm_head *ret);

#endif
