/* What the two halves of the vault's OCSP share: ready answers (vault_ocsp.c) and nonces (vault_nonce.c). */
#ifndef CHANCERY_HSM_VAULT_OCSP_H
#define CHANCERY_HSM_VAULT_OCSP_H

#include "vault.h"

/* Fills entry, key and algorithm of an answer's seal; tbs_sha256 is borrowed. ERR_TOKEN_AWAY. */
MUST_USE struct err *vault_ocsp_want(const struct responder_key *key, enum hsm_roll_kind kind,
                                     const uint8_t tbs_sha256[SHA256_BYTES], struct vault_seal_want *want);

#endif
