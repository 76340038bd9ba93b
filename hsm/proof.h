/* The form of evidence on its way to the vault. Any thread. */
#ifndef CHANCERY_HSM_PROOF_PRIVATE_H
#define CHANCERY_HSM_PROOF_PRIVATE_H

#include "base/der.h"
#include "hsm_proof.h"

void proof_put(struct der_out *out, const struct hsm_proof *proofs, size_t n);
/* Takes the list off; at most HSM_PROOFS_MAX. */
MUST_USE struct err *proof_read(struct view *in, struct hsm_proof ret[HSM_PROOFS_MAX], size_t *ret_n);

#endif
