/*
 * Signature algorithms: those we sign with and those a request may be signed with. SHA-1 and MD5 are not here
 * and are refused by name. Rows: cert/alg.def. Pure; any thread.
 */
#ifndef CHANCERY_CERT_ALG_H
#define CHANCERY_CERT_ALG_H

#include "base/arena.h"
#include "base/err.h"

enum cert_key_kind {
    CERT_KEY_RSA,
    CERT_KEY_P256,
    CERT_KEY_P384,
    CERT_KEY_P521,
    CERT_KEY_ED25519,
    CERT_KEY__COUNT
};

enum cert_alg {
#define ALG(name, text, scheme, digest, digest_bytes, der) CERT_ALG_##name,
#include "cert/alg.def"
#undef ALG
    CERT_ALG__COUNT
};

enum cert_scheme { CERT_SCHEME_PKCS1, CERT_SCHEME_PSS, CERT_SCHEME_ECDSA, CERT_SCHEME_EDDSA };

/* The whole AlgorithmIdentifier as we write it (RFC 4055, RFC 5758, RFC 8410); lives for ever. */
struct view cert_alg_der(enum cert_alg alg);

/* Takes one AlgorithmIdentifier off the front. NULL parameters of RSA PKCS#1 v1.5 and of digests may be
 * absent (RFC 4055 2.1, 5); PSS needs MGF1 with the same digest and a salt of the digest's length. Refused:
 * ERR_BAD_SIGNATURE naming the algorithm; ERR_BAD_DER for the shape. */
MUST_USE struct err *cert_alg_read(struct view *in, enum cert_alg *ret);

bool cert_alg_fits(enum cert_alg alg, enum cert_key_kind kind);

/* What we sign with where nothing else is configured: the curve's own digest, SHA-256 with RSA PKCS#1 v1.5.
 */
enum cert_alg cert_alg_default(enum cert_key_kind kind);

enum cert_scheme cert_alg_scheme(enum cert_alg alg);
const char *cert_alg_digest(enum cert_alg alg);  /* OpenSSL's name, "SHA256"; NULL for Ed25519 */
size_t cert_alg_digest_bytes(enum cert_alg alg); /* 0 for Ed25519 */

const char *cert_alg_name(enum cert_alg alg);                              /* "ecdsa-sha256" */
MUST_USE struct err *cert_alg_parse(struct view name, enum cert_alg *ret); /* ERR_BAD_FIELD */

#endif
