/*
 * Certificates that people approve first (a template's `approval`). ca_issue files such a request and ends
 * with ERR_PENDING; asked again, the same request - asker, template, issuer, CSR and values beside it - ends
 *
 *     with ERR_PENDING      while it waits,
 *     with the certificate  once it is approved: made now, or at the first time of asking (`replayed`),
 *     with ERR_FORBIDDEN    where it was denied or has expired, saying which, when and by whom.
 *
 * So a door does nothing but ask again: ACME's orders stay `processing`, EST's clients come back after
 * Retry-After. Nothing is kept but in the ledger, and nothing is made that nobody fetches: every rule is
 * judged again when it is fetched, by the grant that the asker has then. A settled request answers the same
 * until its life and a day are over; after that the same bytes are a new request. So they are where the
 * template has changed in between, or what would be made is not what was asked for: then approvals of the
 * old one count for nothing.
 *
 * People look at, approve and deny such requests as acts (ca_act.h) of the kind `certificate`; the vault
 * counts the approvals over the final bytes (hsm_proof.h). On the loop's thread.
 */
#ifndef CHANCERY_CA_PENDING_H
#define CHANCERY_CA_PENDING_H

#include "ca.h"

/* What is waited for; with ERR_PENDING, whose err_retry_s says when to look again. */
struct ca_pending {
    const char *id; /* hexadecimal, of the act: what `chancery request approve` is told */
    unsigned needed, have;
    int64_t expires; /* seconds */
};

/* The request that was filed under this id, to be asked again by this asker (ca_issue; `standing` is set).
 * id: 16 octets. ERR_NOT_FOUND where there is none, or it is another's. */
MUST_USE struct err *ca_pending_request(struct ca *ca, const struct ca_asker *asker, struct view id,
                                        struct arena *arena, struct ca_request *ret);

#endif
