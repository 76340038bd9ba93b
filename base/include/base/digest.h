/* SHA-256 and SHA-1 of bytes. SHA-1 only where a standard names it for look-ups (SKI, OCSP CertID), never in
 * a signature. */
#ifndef CHANCERY_BASE_DIGEST_H
#define CHANCERY_BASE_DIGEST_H

#include "base/view.h"

enum { SHA256_BYTES = 32, SHA1_BYTES = 20 };

void digest_sha256(struct view bytes, uint8_t ret[SHA256_BYTES]);
void digest_sha1(struct view bytes, uint8_t ret[SHA1_BYTES]);

/* Over several parts in order: for RFC 9162 leaves and nodes. */
void digest_sha256_parts(const struct view *parts, size_t n, uint8_t ret[SHA256_BYTES]);

/* RFC 2104. The key is the caller's to wipe. */
void digest_hmac_sha256(struct view key, struct view bytes, uint8_t ret[SHA256_BYTES]);

/* In constant time. */
bool digest_eq(const uint8_t *a, const uint8_t *b, size_t n);

/* Streaming, for big lists. */
struct digest;
struct digest *digest_new(void);
void digest_add(struct digest *d, struct view bytes);
void digest_done(struct digest *d, uint8_t ret[SHA256_BYTES]); /* frees d */
void digest_free(struct digest *d);                            /* accepts NULL */

#endif
