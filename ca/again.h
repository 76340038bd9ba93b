/*
 * The same once more: a request that was answered before, and whose answer may have been lost, gets the same
 * certificate, before any rule that the first has used up is looked at. What it is known by: its
 * Idempotency-Key; else, of a renewal and of a token with a bounded number of uses, asker, template and what
 * the CSR says, whichever way it is signed. All else stands for itself. On the loop's thread.
 */
#ifndef CHANCERY_CA_AGAIN_H
#define CHANCERY_CA_AGAIN_H

#include "house.h"

/* The result of an earlier one: the certificate of this record. ERR_IDEMPOTENCY where its body was another,
 * ERR_CONFLICT where it is under way. */
MUST_USE struct err *again_give(struct issuance *is, const struct ledger_cert *record);

#endif
