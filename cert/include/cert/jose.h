/*
 * JOSE as ACME accounts and bearer tokens need it: public keys as JWK (RFC 7517, 7518 6, 8037), thumbprints
 * (RFC 7638), and signed messages, JWS in flattened JSON and in compact form (RFC 7515).
 *
 * Strict: one signature; duplicate members, an unprotected header, `crit`, padding, numbers of another length
 * and private keys are refused. `alg` none is nothing we know. A public key never verifies HS256 and a secret
 * nothing else, whatever the header says. Size is bounded before anything is parsed, depth before JSON is.
 * Pure; any thread.
 */
#ifndef CHANCERY_CERT_JOSE_H
#define CHANCERY_CERT_JOSE_H

#include <jansson.h>

#include "cert/key.h"

/* --- keys --- */

/* kty RSA, EC (P-256, P-384, P-521) and OKP (Ed25519); judged as cert_key_parse does. Members that are not
 * the key's own (kid, use, alg) are not looked at. ERR_BAD_KEY naming the rule. */
MUST_USE struct err *cert_jwk_read(const json_t *jwk, struct arena *arena, struct cert_key *ret);
/* The required members alone, in the order of RFC 7638 3.2, without white space. */
const char *cert_jwk_text(const struct cert_key *key, struct arena *arena);
/* SHA-256 over cert_jwk_text. */
void cert_jwk_thumbprint(const struct cert_key *key, struct arena *arena, uint8_t ret[SHA256_BYTES]);

/* --- signed messages --- */

enum { CERT_JWS_BYTES = 128 * 1024 };

enum cert_jws_alg {
    CERT_JWS_RS256,
    CERT_JWS_ES256,
    CERT_JWS_ES384,
    CERT_JWS_ES512,
    CERT_JWS_EDDSA,
    CERT_JWS_HS256,
    CERT_JWS__COUNT
};
const char *cert_jws_alg_text(enum cert_jws_alg alg); /* "ES256" */

/* Read, not verified: nothing of it may be believed before cert_jws_verify or cert_jws_verify_mac. All of it
 * points into the text or lives in the arena. */
struct cert_jws {
    enum cert_jws_alg alg;
    const char *kid, *url, *nonce, *typ; /* of the header; NULL: not there */
    bool has_jwk;                        /* the sender's own word for who it is */
    struct cert_key jwk;
    struct view payload;
    struct view signing_input; /* RFC 7515 5.1: what the signature is over */
    struct view signature;
};

/* {"protected", "payload", "signature"}; other members are ignored (RFC 7515 7.2.1), `header` and
 * `signatures` refused. ERR_BAD_JSON, ERR_BAD_FIELD; ERR_BAD_ALG for an algorithm that is not above;
 * ERR_BAD_KEY for the jwk; ERR_TOO_LARGE. */
MUST_USE struct err *cert_jws_read(struct view json, struct arena *arena, struct cert_jws *ret);
/* "header.payload.signature"; errors as above. */
MUST_USE struct err *cert_jws_read_compact(struct view text, struct arena *arena, struct cert_jws *ret);

/* ERR_BAD_SIGNATURE; ERR_BAD_ALG where the algorithm is not one for this key (HS256: for none). */
MUST_USE struct err *cert_jws_verify(const struct cert_jws *jws, const struct cert_key *key);
/* HS256 alone, in constant time. ERR_BAD_SIGNATURE, ERR_BAD_ALG. */
MUST_USE struct err *cert_jws_verify_mac(const struct cert_jws *jws, struct view secret);

#endif
