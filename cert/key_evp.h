/* Public keys as OpenSSL's EVP_PKEY, made without its decoders. Private to the room. */
#ifndef CHANCERY_CERT_KEY_EVP_H
#define CHANCERY_CERT_KEY_EVP_H

#include "cert/key.h"

#include <openssl/evp.h>

/* Whether 04 X Y of the right length is on the curve. Not for RSA and Ed25519. */
bool key_evp_on_curve(enum cert_key_kind kind, struct view point);

/* A key of the curve without a point. For EVP_PKEY_free. */
EVP_PKEY *key_evp_blank(enum cert_key_kind kind);

/* For EVP_PKEY_free. */
MUST_USE struct err *key_evp_new(const struct cert_key *key, EVP_PKEY **ret);

#endif
