/*
 * Whether the wall clock can be trusted: it must not stand behind the ledger's last entry, and must not leap
 * against the monotonic clock. What fails is remembered until a person confirms.
 */
#ifndef CHANCERY_CA_CLOCK_H
#define CHANCERY_CA_CLOCK_H

#include "base/err.h"

#include <stdint.h>

enum { CLOCK_LEAP_MS = 60 * 1000, CLOCK_BEHIND_MS = 5 * 1000, CLOCK_WHY_BYTES = 160 };

struct clock_watch {
    int64_t offset_ms;           /* wall minus monotonic, as last seen */
    int64_t last_ms;             /* of the latest entry known in the ledger */
    char fault[CLOCK_WHY_BYTES]; /* "" while the clock is trusted */
    bool untold;                 /* a fault that is not in the ledger yet */
};

/* last_entry_ms: of the ledger; 0 where it is empty. */
void clock_start(struct clock_watch *c, int64_t last_entry_ms);

/* An earlier life distrusted it, and nobody has confirmed it since. */
void clock_doubt(struct clock_watch *c, const char *why);

/* The ledger has an entry of this time. */
void clock_saw(struct clock_watch *c, int64_t entry_ms);

/* ERR_CLOCK saying what was seen and how to go on. A slow drift is followed; only a leap counts. */
MUST_USE struct err *clock_check(struct clock_watch *c);

void clock_confirm(struct clock_watch *c);

#endif
