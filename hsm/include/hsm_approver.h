/*
 * The other side of the table: a person's own token, with which acts and rosters are signed. Nothing of the
 * vault's: a module, a token and a key that the person names, a PIN that they type or keep. Blocking; one
 * thread.
 */
#ifndef CHANCERY_HSM_APPROVER_H
#define CHANCERY_HSM_APPROVER_H

#include "cert/key.h"

struct hsm_approver;
struct hsm_approver_setup {
    const char *module;    /* path of the PKCS#11 module */
    const char *token_uri; /* pkcs11:token=... */
    const char *key_uri;   /* pkcs11:object=... */
    struct view pin;
};
/* Logs in once: a refused PIN is not tried again. */
MUST_USE struct err *hsm_approver_open(const struct hsm_approver_setup *setup, struct hsm_approver **ret);
struct view hsm_approver_spki(const struct hsm_approver *a); /* borrowed */
/* With the algorithm that fits the key (cert_alg_default). *ret lives in the arena. */
MUST_USE struct err *hsm_approver_sign(struct hsm_approver *a, struct view bytes, struct arena *arena,
                                       enum cert_alg *ret_alg, struct view *ret);
void hsm_approver_close(struct hsm_approver *a); /* accepts NULL */

#endif
