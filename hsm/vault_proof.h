/* Evidence, in the vault. The vault's loop. */
#ifndef CHANCERY_HSM_VAULT_PROOF_H
#define CHANCERY_HSM_VAULT_PROOF_H

#include "proof.h"
#include "vault_act.h"

/* As it came; views into the frame. */
struct vault_evidence {
    struct hsm_proof proofs[HSM_PROOFS_MAX];
    size_t n;
};
/* What of it is used up with the seal. */
struct vault_proved {
    bool has_act;
    struct vault_act act;
};

/* Whether all that the template asks for is there and holds for exactly these bytes. Changes nothing. */
MUST_USE struct err *vault_proof_judge(struct vault_call *call, const struct vault_evidence *evidence,
                                       const struct house_issuer *issuer,
                                       const struct judge_cert_found *found, struct vault_proved *ret);
/* In the turn in which the certificate is sealed, before it is. */
void vault_proof_use(struct hsm_vault *v, const struct vault_proved *proved);

#endif
