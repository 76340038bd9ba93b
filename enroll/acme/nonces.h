/*
 * Nonces (RFC 8555 6.5): a replica's number and a counter, with a MAC over both. Which of them were used is
 * kept in memory; up to where they may have been given out, in the ledger, block by block and ahead of
 * giving. An orderly stop writes down which were used, and the next start goes on from there: it costs no
 * client a badNonce. After a crash all that was given out before is refused, so that none is ever taken
 * twice. On the loop's thread.
 */
#ifndef CHANCERY_ENROLL_ACME_NONCES_H
#define CHANCERY_ENROLL_ACME_NONCES_H

#include "base/arena.h"
#include "base/err.h"
#include "ledger.h"

struct acme_nonces;

enum {
    ACME_NONCE_BLOCK = 1 << 16,  /* counters that one entry in the ledger opens */
    ACME_NONCE_WINDOW = 1 << 22, /* newest counters that are taken: an hour at a thousand a second */
    ACME_NONCE_TEXT_BYTES = 33,
};

/* folder: where an orderly stop writes to. key: for the MAC. replica: of several that share the key. */
MUST_USE struct err *acme_nonces_new(struct ledger *l, const char *folder, struct view key, uint16_t replica,
                                     struct acme_nonces **ret);
void acme_nonces_stop(struct acme_nonces *n); /* writes down; none is given or taken any more */
void acme_nonces_free(struct acme_nonces *n); /* accepts NULL */

/* ERR_STARTING while the block that it is to come from is not durable. */
MUST_USE struct err *acme_nonce_make(struct acme_nonces *n, char ret[ACME_NONCE_TEXT_BYTES]);
/* ERR_BAD_NONCE: not one of ours, too old, or used. */
MUST_USE struct err *acme_nonce_check(const struct acme_nonces *n, struct view text);
/* One that was checked: from now on it is used. */
void acme_nonce_use(struct acme_nonces *n, struct view text);

#endif
