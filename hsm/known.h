/*
 * Which OCSP answers are known to be the vault's own: SHA-256 of their ResponseData, in a table of fixed size
 * where a newer one takes an older one's place. What is in it was sealed here or verified here, so that its
 * signature need not be verified again. Holds nothing that could be forged into it without a collision of
 * SHA-256. One thread.
 */
#ifndef CHANCERY_HSM_KNOWN_H
#define CHANCERY_HSM_KNOWN_H

#include "base/digest.h"

struct known;
struct known *known_new(void);
void known_free(struct known *k); /* accepts NULL */

void known_add(struct known *k, const uint8_t tbs_sha256[SHA256_BYTES]);
bool known_has(const struct known *k, const uint8_t tbs_sha256[SHA256_BYTES]);

#endif
