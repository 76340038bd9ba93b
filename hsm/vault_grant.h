/* Approved wishes for CA certificates (hsm_wish.h), in the vault. The vault's loop. */
#ifndef CHANCERY_HSM_VAULT_GRANT_H
#define CHANCERY_HSM_VAULT_GRANT_H

#include "vault_state.h"

void vault_grant_drop(struct hsm_vault *v);
/* Whether a standing wish is for an issuer of this name: serials may be leased for it. */
bool vault_grant_names(struct hsm_vault *v, struct view issuer);
/* A front's SEAL_CSR: a standing wish asks for a request by this key, with this subject. */
MUST_USE struct err *vault_grant_request(struct vault_call *call, struct view name, struct view cri);

/* Acts ca-create, ca-sign-sub, cross-sign, ca-renew. */
vault_act_handler vault_grant_act;

#endif
