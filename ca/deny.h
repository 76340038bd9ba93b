/*
 * How many refusals are written one by one: a burst, then so many a second. What is over is counted and
 * summed up, so that a flood of bad requests cannot fill the ledger.
 */
#ifndef CHANCERY_CA_DENY_H
#define CHANCERY_CA_DENY_H

#include <stdbool.h>
#include <stdint.h>

enum { DENY_BURST = 500, DENY_PER_SECOND = 10, DENY_SUM_MS = 10 * 1000 };

struct deny_limit {
    int64_t at_ms;  /* monotonic, when `left` was right; 0: never used */
    int64_t left_m; /* thousandths of entries */
    uint64_t over;  /* refusals not yet on record */
};

/* Whether one more may be written by itself now; else it is counted. */
bool deny_admit(struct deny_limit *d, int64_t mono_ms);

/* How many are to be summed up in one entry, 0: none; they count as written from here on. */
uint64_t deny_take_over(struct deny_limit *d);

#endif
