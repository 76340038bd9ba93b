/*
 * CA certificates that the roster approved (hsm_wish.h), made by the running house: the vault's act, then the
 * same way as every certificate: shaped, intent on record, judged and sealed, recorded. On the loop's thread;
 * completions as in ca.h.
 */
#ifndef CHANCERY_CA_WISH_H
#define CHANCERY_CA_WISH_H

#include "ca.h"
#include "hsm_wish.h"

struct ca_wished {
    const char *name, *issuer; /* as the wish has them; "" */
    struct view certificate;   /* DER; empty: a request went out */
    struct view csr;           /* DER; or empty */
    uint64_t n;                /* of the act in the seal roll */
};
/* e: the callee's; w dies when done returns. */
typedef void ca_wished_fn(void *arg, struct err *e, const struct ca_wished *w);

/* vault: whose roll the act names. approved: the DER of `Approved`; payload: of the wish. What fails after
 * the intent is closed by the roll, as every open intent. The act is used up in any case: a second try needs
 * a new request, and takes the key that is there (key: ""). */
MUST_USE struct err *ca_wish_do(struct ca *ca, const struct ca_asker *asker, enum hsm_act_kind kind,
                                struct view vault, struct view approved, struct view payload,
                                ca_wished_fn *done, void *arg);

#endif
