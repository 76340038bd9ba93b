/*
 * Whether the wall clock can be trusted: it must not stand behind the ledger's last entry, and must not leap
 * against the monotonic clock. What fails is remembered until a person confirms.
 */
#ifndef CHANCERY_CA_CLOCK_H
#define CHANCERY_CA_CLOCK_H

#include "base/err.h"

#include <stdint.h>

enum { CLOCK_LEAP_MS = 60 * 1000, CLOCK_BEHIND_MS = 5 * 1000 };

struct clock_watch {
    int64_t offset_ms; /* wall minus monotonic, as last seen */
    char fault[160];   /* "" while the clock is trusted */
};

/* last_entry_ms: of the ledger; 0 where it is empty. */
void clock_start(struct clock_watch *c, int64_t last_entry_ms);

/* ERR_CLOCK saying what was seen and how to go on. A slow drift is followed; only a leap counts. */
MUST_USE struct err *clock_check(struct clock_watch *c);

void clock_confirm(struct clock_watch *c);

#endif
