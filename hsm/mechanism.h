/*
 * One signature over one digest: from our algorithm to the module's mechanism and back to what X.509 wants.
 * Between the signers and provider above and token_sign() below. Any thread but the loop's: blocks.
 */
#ifndef CHANCERY_HSM_MECHANISM_H
#define CHANCERY_HSM_MECHANISM_H

#include <openssl/types.h>
#include <stdbool.h>

#include "cert/alg.h"
#include "token.h"

enum { MECHANISM_SIGNATURE_MAX_BYTES = 1024 }; /* RSA-8192 */

/* The digest of an algorithm we can sign with; NULL for others (Ed25519). */
const EVP_MD *mechanism_digest(enum cert_alg alg);

/* input: the digest, exactly as long as alg's (anything else is refused here, because some modules take any
 * length and truncate); for Ed25519 the message itself, which that scheme hashes in its own way (RFC 8032
 * 5.1.6). verify: check the signature before giving it out, also where the key is proven
 * (token_key_is_proven). */
MUST_USE struct err *mechanism_sign(const struct token_key *key, enum cert_alg alg, struct view input,
                                    bool verify, uint8_t to[MECHANISM_SIGNATURE_MAX_BYTES], size_t *ret_n);

/* Whether signature is public's over input. Token not asked. */
bool mechanism_verify(EVP_PKEY *public, enum cert_alg alg, struct view input, struct view signature);

#endif
