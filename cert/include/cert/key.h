/*
 * Public keys: SubjectPublicKeyInfo read by hand (no OpenSSL decoder), judged acceptable, and used to verify.
 *
 * Acceptable: rsaEncryption with a modulus of 2048 to 8192 bits, odd, without a small factor, and an odd
 * exponent of 65537 to 2^64-1; P-256, P-384, P-521 as a named curve with an uncompressed point on the curve;
 * Ed25519. All else is ERR_BAD_KEY with the rule's RFC section. Any thread.
 */
#ifndef CHANCERY_CERT_KEY_H
#define CHANCERY_CERT_KEY_H

#include "base/digest.h"
#include "cert/alg.h"

enum { CERT_RSA_MIN_BITS = 2048, CERT_RSA_MAX_BITS = 8192 };

struct cert_key {
    enum cert_key_kind kind;
    unsigned bits;       /* of the modulus or the curve: 2048, 256, 384, 521; 256 for Ed25519 */
    struct view spki;    /* the whole SubjectPublicKeyInfo; all other views point into it */
    struct view public;  /* content of subjectPublicKey: EC 04 X Y; Ed25519 32 octets; RSA RSAPublicKey */
    struct view modulus; /* RSA: magnitudes without leading zero; else empty */
    struct view exponent;
};

/* Every acceptability check. `ret` borrows from spki. */
MUST_USE struct err *cert_key_parse(struct view spki, struct cert_key *ret);
/* The same but for the curve's equation, most of the cost: for a key that cert_key_parse has judged, or is
 * going to before anything comes of it. */
MUST_USE struct err *cert_key_read(struct view spki, struct cert_key *ret);

/* SubjectPublicKeyInfo of a key known by its parts, for keys found in a token. public: EC point 04 X Y or the
 * 32 octets of Ed25519. Magnitudes without sign octet. The result is checked as cert_key_parse does. */
MUST_USE struct err *cert_key_write(enum cert_key_kind kind, struct view public, struct arena *arena,
                                    struct view *ret_spki);
MUST_USE struct err *cert_key_write_rsa(struct view modulus, struct view exponent, struct arena *arena,
                                        struct view *ret_spki);

/* SHA-1 of the BIT STRING's content: subjectKeyIdentifier by RFC 5280 4.2.1.2 (1), and OCSP's key hash. */
void cert_key_sha1(const struct cert_key *key, uint8_t ret[SHA1_BYTES]);
/* SHA-256 of the whole SubjectPublicKeyInfo: what rosters and indexes know a key by. */
void cert_key_sha256(const struct cert_key *key, uint8_t ret[SHA256_BYTES]);

/* ERR_BAD_SIGNATURE where sig (as it stands in the BIT STRING) is not this key's over data. About the cost of
 * EVP's verify; no decoder, no lock of ours. */
MUST_USE struct err *cert_key_verify(const struct cert_key *key, enum cert_alg alg, struct view data,
                                     struct view sig);

/* What verifying many signatures in turn keeps between them: a key of each curve, whose point is set anew
 * each time, for a tenth off the cost. One thread at a time. */
struct cert_key_desk;
struct cert_key_desk *cert_key_desk_new(void);
void cert_key_desk_free(struct cert_key_desk *desk); /* accepts NULL */
/* As cert_key_verify. */
MUST_USE struct err *cert_key_desk_verify(struct cert_key_desk *desk, const struct cert_key *key,
                                          enum cert_alg alg, struct view data, struct view sig);

/* The same over data that comes in parts (a big CRL): begin, add.., done (frees it, also on failure). Not for
 * Ed25519, which has no such form: ERR_BAD_SIGNATURE. */
struct cert_key_verifier;
MUST_USE struct err *cert_key_verify_begin(const struct cert_key *key, enum cert_alg alg,
                                           struct cert_key_verifier **ret);
void cert_key_verify_add(struct cert_key_verifier *v, struct view data);
MUST_USE struct err *cert_key_verify_done(struct cert_key_verifier **take, struct view sig);
void cert_key_verify_free(struct cert_key_verifier *v); /* accepts NULL */

const char *cert_key_kind_name(enum cert_key_kind kind); /* "rsa", "p256", "p384", "p521", "ed25519" */
MUST_USE struct err *cert_key_kind_parse(struct view name, enum cert_key_kind *ret); /* ERR_BAD_FIELD */
const char *cert_key_text(const struct cert_key *key, struct arena *arena);          /* "rsa-3072", "p256" */

/* A key to be made, as people write it: "ec-p256", "ec-p384", "ec-p521", "ed25519", "rsa-2048", "rsa-3072",
 * "rsa-4096". bits: of RSA, else 0. ERR_BAD_FIELD naming them all. */
MUST_USE struct err *cert_key_wish_parse(struct view text, enum cert_key_kind *ret_kind, unsigned *ret_bits);

#endif
