/* Tokens as credentials: how a secret text becomes an asker. On the front's loop. */
#ifndef CHANCERY_ENROLL_ASKER_TOKEN_H
#define CHANCERY_ENROLL_ASKER_TOKEN_H

#include "base/digest.h"
#include "house.h"

/* id: the token's SHA-256, or enough of its beginning. ERR_UNAUTHENTICATED, ERR_TOKEN_EXPIRED. */
MUST_USE struct err *asker_token_find(struct http_request *r, struct view id, struct ca_asker **ret);
/* What stands behind "Bearer " (RFC 6750 2.1). */
MUST_USE struct err *asker_token_bearer(struct http_request *r, struct view text, struct ca_asker **ret);
/* A key that was registered beforehand, and has been shown in TLS: a token whose id is the SHA-256 of its
 * SPKI. */
MUST_USE struct err *asker_token_key(struct http_request *r, const uint8_t spki[SHA256_BYTES],
                                     struct ca_asker **ret);
/* What stands behind "Basic " (RFC 7617): any name, and a token as the password. ERR_RATE where one address
 * has sent too many that are none; a good one always passes, so that nobody locks out their neighbours. */
MUST_USE struct err *asker_token_basic(struct http_request *r, struct view pair, struct ca_asker **ret);

#endif
