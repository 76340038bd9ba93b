/*
 * Reading acts: a request with all that was said to it. On the loop's thread; errors as ledger_read.h has
 * them.
 */
#ifndef CHANCERY_LEDGER_ACT_H
#define CHANCERY_LEDGER_ACT_H

#include "ledger_read.h"

enum { LEDGER_ACT_STEPS_MAX = 64 };

struct ledger_act_step {
    uint64_t seq;
    unsigned kind; /* LEDGER_ACT_APPROVE, _DENY, _DONE */
    int64_t time_ms;
    const char *actor;
    struct view signature;   /* APPROVE, DENY */
    struct ledger_note note; /* DONE */
};
struct ledger_act_state {
    uint64_t seq; /* of the request */
    int64_t time_ms;
    const char *actor;
    struct ledger_act request;
    const struct ledger_act_step *steps; /* in order; at most LEDGER_ACT_STEPS_MAX */
    size_t steps_n;
};
/* id: LEDGER_ACT_ID_BYTES, or at least its first 4 octets where that is enough (else ERR_CONFLICT).
 * ERR_NOT_FOUND. */
MUST_USE struct err *ledger_act_find(struct ledger *l, struct view id, struct arena *arena,
                                     struct ledger_act_state *ret);
/* Newest first, requests before entry `before` (0: from the newest), at most limit (0: 100). */
MUST_USE struct err *ledger_act_list(struct ledger *l, uint64_t before, size_t limit, struct arena *arena,
                                     const struct ledger_act_state **ret, size_t *ret_n);
/* The roster that was in force at entry `seq`: the last one noted at or before it. ERR_NOT_FOUND. */
MUST_USE struct err *ledger_act_roster(struct ledger *l, uint64_t seq, struct arena *arena,
                                       struct ledger_roster *ret);

#endif
