/*
 * What lists of revocations are made of. Part of ledger_read.h, which includes it and says on which thread
 * and with which errors.
 */
#ifndef CHANCERY_LEDGER_LISTS_H
#define CHANCERY_LEDGER_LISTS_H

#include "ledger_entry.h"

struct ledger;

/* What a list is over: the certificates of one partition (0: those that name none), or one of these. */
#define LEDGER_WHOLE UINT64_MAX       /* everything of the issuer */
#define LEDGER_DELTA (UINT64_MAX - 1) /* what changed since an earlier list of everything */

/* What the last list of a scope said; number 0: there was none. sha256 is left out. */
MUST_USE struct err *ledger_list_last(struct ledger *l, const char *issuer, uint64_t scope,
                                      struct ledger_crl *ret);
MUST_USE struct err *ledger_crl_last(struct ledger *l, const char *issuer,
                                     struct ledger_crl *ret); /* WHOLE */
/* The highest number of all lists of the issuer, whatever their scope; 0. */
MUST_USE struct err *ledger_list_number(struct ledger *l, const char *issuer, uint64_t *ret);
/* The oldest list of everything that still holds at `now`, among the last 256: what a delta list builds on,
 * so that it fits every list that a client may rightly keep. number 0: none does. */
MUST_USE struct err *ledger_list_base(struct ledger *l, const char *issuer, int64_t now,
                                      struct ledger_crl *ret);

/* A walk over one moment's revocations of an issuer (scope: LEDGER_WHOLE or a partition), in ascending serial
 * order. Left out: certificates that had expired when the last list of that scope was made and stood on it
 * (RFC 5280 3.3: an entry stays until it was on one list past its end). From any thread, with a read
 * transaction of its own: close it soon. */
struct ledger_revoked;
struct ledger_revocation {
    struct view serial; /* SERIAL_BYTES; valid until the next call */
    int64_t at;
    unsigned reason;
    int64_t invalidity;
};
MUST_USE struct err *ledger_revoked_open(struct ledger *l, const char *issuer, uint64_t scope,
                                         struct ledger_revoked **ret);
/* *ret_more false: the end, and *ret is not set. */
MUST_USE struct err *ledger_revoked_next(struct ledger_revoked *r, struct ledger_revocation *ret,
                                         bool *ret_more);
void ledger_revoked_rewind(struct ledger_revoked *r);         /* the same moment, from its first */
uint64_t ledger_revoked_upto(const struct ledger_revoked *r); /* last entry of that moment */
void ledger_revoked_close(struct ledger_revoked *r);          /* accepts NULL */

/* Whose status changed after entry `after`, in the order in which it did, and how it stands at this moment;
 * one whose status changed twice comes twice. Ends where fn gives an error, which comes out. From any thread.
 */
struct ledger_change {
    uint64_t seq; /* of what changed it */
    uint8_t serial[SERIAL_BYTES];
    uint64_t partition;
    bool revoked; /* false: it was on hold and is no more */
    int64_t at;
    unsigned reason;
    int64_t invalidity;
};
typedef struct err *ledger_change_fn(void *arg, const struct ledger_change *change);
MUST_USE struct err *ledger_changes(struct ledger *l, const char *issuer, uint64_t after,
                                    ledger_change_fn *fn, void *arg, uint64_t *ret_upto);

/* The partition for the issuer's next certificate, where each takes at most `size`. On the loop's thread; the
 * INTENT that names it is what counts it. */
MUST_USE struct err *ledger_partition(struct ledger *l, const char *issuer, uint64_t size, uint64_t *ret);
/* All partitions of an issuer from `from` on, ascending. */
struct ledger_partition_state {
    uint64_t partition, certificates;
    int64_t not_after; /* of the certificate that lasts longest */
};
MUST_USE struct err *ledger_partitions(struct ledger *l, const char *issuer, uint64_t from,
                                       struct arena *arena, const struct ledger_partition_state **ret,
                                       size_t *ret_n);

#endif
