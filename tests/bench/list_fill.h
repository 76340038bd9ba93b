/* A ledger with many revocations, its rows put straight into the indexes, and a shelf beside it. */
#ifndef CHANCERY_BENCH_LIST_FILL_H
#define CHANCERY_BENCH_LIST_FILL_H

#include "list.h"

#define FILL_ISSUER "issuing"

struct filled {
    struct ledger *ledger;
    struct shelf *shelf;
};

/* In a new folder. Each partition has `partition` of them. */
void fill_open(const char *dir, unsigned long revoked, unsigned partition, struct filled *ret);
void fill_close(struct filled *f);

int64_t fill_now(void);
/* n certificates in this partition, on record; to be revoked by their number. */
void fill_issue(struct filled *f, uint64_t partition, unsigned n);
void fill_revoke(struct filled *f, unsigned i);
/* A list of everything on record, for deltas to build on. */
void fill_base(struct filled *f, uint64_t number);

/* Serial i of those in the indexes, and when and why it was revoked: for whoever makes the same list. */
void fill_entry(unsigned long i, uint8_t serial[SERIAL_BYTES], int64_t *ret_at, unsigned *ret_reason);

#endif
