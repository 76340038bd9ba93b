/* How many refusals are written one by one; what is over is counted, so that a flood of bad requests cannot
 * fill the ledger. */
#ifndef CHANCERY_CA_DENY_H
#define CHANCERY_CA_DENY_H

#include <stdbool.h>
#include <stdint.h>

enum { DENY_PER_SECOND = 50 };

struct deny_limit {
    int64_t second; /* monotonic, that `written` counts in */
    unsigned written;
    uint64_t over; /* refusals not yet on record */
};

/* Whether one more may be written now. *ret_over: how many are to be summed up in an entry of their own, else
 * 0. */
bool deny_admit(struct deny_limit *d, int64_t mono_ms, uint64_t *ret_over);

#endif
