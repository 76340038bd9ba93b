/*
 * Revoking one certificate, and ending a hold: an entry in the ledger, durable before anyone is told.
 * ca_many.h is for more. On the loop's thread.
 */
#ifndef CHANCERY_CA_REVOKE_H
#define CHANCERY_CA_REVOKE_H

#include "ca.h"

/* A reason an end entity's certificate may be revoked for, by its RFC 5280 5.3.1 name ("keyCompromise");
 * ERR_BAD_FIELD naming those that may be given. cACompromise, aACompromise and removeFromCRL may not. */
MUST_USE struct err *ca_reason_parse(const char *text, enum cert_reason *ret);

struct ca_revocation {
    enum cert_reason reason;
    int64_t invalidity; /* since when not to be trusted (RFC 5280 5.3.2), not in the future; 0: not said */
};
/* ERR_BAD_FIELD: a day to come. */
MUST_USE struct err *ca_revocation_check(const struct ca_revocation *what);

/* already: it was revoked before; at and reason say what stands. */
typedef void ca_revoked(void *arg, struct err *e, int64_t at, enum cert_reason reason, bool already);

/* serial: SERIAL_BYTES. Works with the vault away and the clock in doubt; lists and answers follow by
 * themselves. ERR_NOT_FOUND for a serial that is not on record or not the asker's to see; ERR_FORBIDDEN for
 * auditors, and for all but administrators where it is a CA's. Returns an error and never calls done, or NULL
 * and calls it once, later. */
MUST_USE struct err *ca_revoke(struct ca *ca, const struct ca_asker *asker, const char *issuer,
                               struct view serial, const struct ca_revocation *what, ca_revoked *done,
                               void *arg);

/* Ends a hold; for administrators and operators. why: in words, for the ledger. already: there is none (any
 * more). ERR_WRONG_STATE where it is revoked for good. */
MUST_USE struct err *ca_release(struct ca *ca, const struct ca_asker *asker, const char *issuer,
                                struct view serial, const char *why, ca_revoked *done, void *arg);

#endif
