/*
 * What a restored ledger is told by those who know more than its backup: the seal roll, and the lists that
 * were published. What the roll alone knows is noted as unrecorded; what a list says is revoked becomes so;
 * its number is never used again. On a ledger without a loop, that nobody else has open. Blocking.
 */
#ifndef CHANCERY_CA_RESTORE_H
#define CHANCERY_CA_RESTORE_H

#include "hsm_books.h"
#include "ledger.h"

struct ca_merged {
    uint64_t seals;       /* over certificates, in the roll */
    uint64_t unrecorded;  /* of these, the backup had not; or a list alone knows them */
    uint64_t authorities; /* CA certificates that the backup had not: no entry, they must be looked after */
    uint64_t revoked;     /* by a list, and not by the backup */
};

/* The roll's whole bytes. ERR_CORRUPT names the place. */
MUST_USE struct err *ca_restore_roll(struct ledger *ledger, struct view roll, struct ca_merged *to);

/* A list (DER) of this issuer, whose certificate this is. *ret_number: the list's. ERR_BAD_SIGNATURE, what
 * the readers refuse. */
MUST_USE struct err *ca_restore_list(struct ledger *ledger, const char *issuer, struct view certificate,
                                     struct view der, struct ca_merged *to, uint64_t *ret_number);

#endif
