/* What the reading files share. Inside a read transaction of the caller. */
#ifndef CHANCERY_LEDGER_READ_INSIDE_H
#define CHANCERY_LEDGER_READ_INSIDE_H

#include "core.h"

enum {
    READ_PAGE_MAX = 1000, /* in one page */
    READ_PAGE_BYTES =
        768 * 1024,       /* of stored entries in one page: a request's arena holds what becomes of them */
    READ_LOOK_MAX = 1000, /* certificates one search looks at: a bound on how long the loop stands still */
};

/* ERR_NOT_FOUND where this entry is not an intent. */
MUST_USE struct err *read_row(struct ledger *l, struct store_txn *t, uint64_t intent, struct cert_row *ret);
MUST_USE struct err *read_cert(struct ledger *l, struct store_txn *t, uint64_t intent, struct arena *arena,
                               struct ledger_cert *ret);

/* The last list of a scope; seq 0: there was none. */
MUST_USE struct err *read_last_list(struct ledger *l, struct store_txn *t, const char *issuer, uint64_t scope,
                                    struct list_row *ret);

#endif
