/*
 * What the roster approves where a CA certificate is to be made by a running vault: the payload of the acts
 * ca-create, ca-sign-sub, cross-sign and ca-renew, in one form:
 *
 *     Wish ::= SEQUENCE { name, key, issuer, template UTF8String, subject, proof OCTET STRING }
 *
 *     ca-create    name: the new issuer; key: the kind to be made (cert_key_wish_parse), or "" where a key of
 *                  that name is there; issuer: who signs it, the name itself for a root, or "" for a request
 *                  that goes out to be signed elsewhere; subject: its Name, DER
 *     ca-sign-sub  issuer: who signs; proof: the PKCS#10 request of the key that is elsewhere; subject
 *     cross-sign   issuer: who signs; proof: the other root's own certificate, DER
 *     ca-renew     name: the issuer whose key is certified again; issuer: its parent; subject: its own
 *
 * What is not said is empty. The act's object is `name` for ca-create and ca-renew, `issuer` for the others;
 * its objectHash is over the whole wish. The vault carries out an approved wish in two steps: the act itself
 * (a key is made; the wish is granted for ten minutes), then the seal over bytes that fit the wish. Pure; any
 * thread.
 */
#ifndef CHANCERY_HSM_WISH_H
#define CHANCERY_HSM_WISH_H

#include "hsm_act.h"

struct hsm_wish {
    const char *name, *key, *issuer, *template;
    struct view subject, proof;
};
MUST_USE struct err *hsm_wish_write(const struct hsm_wish *w, struct arena *arena, struct view *ret);
/* Form, and that what this kind of act needs is there. Views point into der. */
MUST_USE struct err *hsm_wish_read(struct view der, enum hsm_act_kind kind, struct arena *arena,
                                   struct hsm_wish *ret);
/* Payload of ca-state and ca-delete: SEQUENCE { state UTF8String, until INTEGER }. */
MUST_USE struct err *hsm_wish_state_write(const char *state, int64_t until, struct arena *arena,
                                          struct view *ret);

#endif
