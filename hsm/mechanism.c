/*
 * Turns (key, algorithm, digest) into one C_Sign and its answer into X.509's form. Checks the length of what
 * goes in and of what comes out; verifies the first signature of each key, so that a public half which
 * belongs to another private one is seen before anything leaves. Makes no digest itself. Any thread; blocks.
 */
#include "mechanism.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/check.h"
#include "base/log.h"

enum { DIGEST_MAX_BYTES = 64, PREFIX_BYTES = 19, COORDINATE_MAX_BYTES = 66, ED25519_BYTES = 64 };

/* What PKCS#11 and PKCS#1 call a digest; prefix: DigestInfo up to the digest (RFC 8017 9.2 note 1). */
struct digest_row {
    size_t bytes;
    const EVP_MD *(*evp)(void);
    CK_MECHANISM_TYPE hash;
    CK_RSA_PKCS_MGF_TYPE mgf;
    uint8_t prefix[PREFIX_BYTES];
};

#define PREFIX(oid_last, n)                                                                                  \
    {                                                                                                        \
        0x30, 0x11 + (n), 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,            \
            (oid_last), 0x05, 0x00, 0x04, (n)                                                                \
    }
static const struct digest_row digests[] = {
    {32, EVP_sha256, CKM_SHA256, CKG_MGF1_SHA256, PREFIX(1, 32)},
    {48, EVP_sha384, CKM_SHA384, CKG_MGF1_SHA384, PREFIX(2, 48)},
    {64, EVP_sha512, CKM_SHA512, CKG_MGF1_SHA512, PREFIX(3, 64)},
};

static const struct digest_row *digest_row(enum cert_alg alg)
{
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++)
        if (digests[i].bytes == cert_alg_digest_bytes(alg))
            return &digests[i];
    return NULL;
}

const EVP_MD *mechanism_digest(enum cert_alg alg)
{
    const struct digest_row *row = digest_row(alg);

    return row ? row->evp() : NULL;
}

static struct err *sign_pkcs1(const struct token_key *key, const struct digest_row *row, struct view digest,
                              uint8_t *to, size_t *ret_n)
{
    uint8_t info[PREFIX_BYTES + DIGEST_MAX_BYTES];
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};

    memcpy(info, row->prefix, PREFIX_BYTES);
    memcpy(info + PREFIX_BYTES, digest.p, digest.n);
    return token_sign(key, &mechanism, view_of(info, PREFIX_BYTES + digest.n), to, ret_n);
}

static struct err *sign_pss(const struct token_key *key, const struct digest_row *row, struct view digest,
                            uint8_t *to, size_t *ret_n)
{
    CK_RSA_PKCS_PSS_PARAMS params = {row->hash, row->mgf, row->bytes};
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_PSS, &params, sizeof params};

    return token_sign(key, &mechanism, digest, to, ret_n);
}

/* A DER INTEGER of an unsigned magnitude; how many octets it took (at most COORDINATE_MAX_BYTES + 3). */
static size_t put_integer(uint8_t *to, const uint8_t *p, size_t n)
{
    size_t sign;

    while (n > 1 && *p == 0) {
        p++;
        n--;
    }
    sign = *p >> 7;
    to[0] = 0x02;
    to[1] = (uint8_t)(n + sign);
    to[2] = 0;
    memcpy(to + 2 + sign, p, n);
    return 2 + sign + n;
}

/* The module's r || s as SEQUENCE { r, s } (RFC 5480 and RFC 3279 2.2.3). */
static size_t put_ecdsa(uint8_t *to, const uint8_t *raw, size_t coordinate_bytes)
{
    uint8_t body[2 * (COORDINATE_MAX_BYTES + 3)];
    size_t n = put_integer(body, raw, coordinate_bytes), at = 0;

    n += put_integer(body + n, raw + coordinate_bytes, coordinate_bytes);
    to[at++] = 0x30;
    if (n > 127)
        to[at++] = 0x81;
    to[at++] = (uint8_t)n;
    memcpy(to + at, body, n);
    return at + n;
}

static struct err *sign_ecdsa(const struct token_key *key, struct view digest, uint8_t *to, size_t *ret_n)
{
    struct err *e = NULL;
    size_t coordinate_bytes = (key->bits + 7) / 8, n = 2 * COORDINATE_MAX_BYTES;
    uint8_t raw[2 * COORDINATE_MAX_BYTES];
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};

    /* FIPS 186-5 6.4.1: the leftmost bits. A digest longer than the order's 256 or 384 bits ends on an octet.
     */
    if (digest.n > coordinate_bytes)
        digest.n = coordinate_bytes;
    TRY(token_sign(key, &mechanism, digest, raw, &n));
    if (n != 2 * coordinate_bytes)
        return err_new(ERR_INTERNAL, "the token's ECDSA signature has %zu octets, not %zu", n,
                       2 * coordinate_bytes);
    *ret_n = put_ecdsa(to, raw, coordinate_bytes);
out:
    return e;
}

/* The message goes in whole: the token hashes it twice, with a part of the private key before it (RFC 8032
 * 5.1.6). */
static struct err *sign_eddsa(const struct token_key *key, struct view message, uint8_t *to, size_t *ret_n)
{
    struct err *e = NULL;
    CK_MECHANISM mechanism = {CKM_EDDSA, NULL, 0};

    TRY(token_sign(key, &mechanism, message, to, ret_n));
    if (*ret_n != ED25519_BYTES)
        e = err_new(ERR_INTERNAL, "the token's Ed25519 signature has %zu octets, not %d", *ret_n,
                    ED25519_BYTES);
out:
    return e;
}

static bool set_padding(EVP_PKEY_CTX *ctx, enum cert_alg alg)
{
    switch (cert_alg_scheme(alg)) {
    case CERT_SCHEME_PSS:
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
    case CERT_SCHEME_PKCS1:
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    default:
        return true;
    }
}

static bool verify_digest(EVP_PKEY *public, enum cert_alg alg, struct view digest, struct view signature)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(public, NULL);
    bool good = ctx && EVP_PKEY_verify_init(ctx) > 0 && set_padding(ctx, alg) &&
                EVP_PKEY_CTX_set_signature_md(ctx, mechanism_digest(alg)) > 0 &&
                EVP_PKEY_verify(ctx, signature.p, signature.n, digest.p, digest.n) == 1;

    EVP_PKEY_CTX_free(ctx);
    return good;
}

static bool verify_message(EVP_PKEY *public, struct view message, struct view signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public) == 1 &&
                EVP_DigestVerify(ctx, signature.p, signature.n, message.p, message.n) == 1;

    EVP_MD_CTX_free(ctx);
    return good;
}

bool mechanism_verify(EVP_PKEY *public, enum cert_alg alg, struct view input, struct view signature)
{
    bool good;

    ERR_set_mark();
    good = cert_alg_scheme(alg) == CERT_SCHEME_EDDSA ? verify_message(public, input, signature)
                                                     : verify_digest(public, alg, input, signature);
    ERR_pop_to_mark();
    return good;
}

static struct err *prove(const struct token_key *key, enum cert_alg alg, struct view input,
                         struct view signature)
{
    if (mechanism_verify(token_key_public(key), alg, input, signature)) {
        token_key_proven(key);
        return NULL;
    }
    log_error("token.signature.wrong", log_text("key", key->label), log_text("alg", cert_alg_name(alg)));
    return err_new(ERR_INTERNAL, "the token's signature does not verify with the key's public half");
}

static struct err *sign(const struct token_key *key, enum cert_alg alg, struct view input, uint8_t *to,
                        size_t *ret_n)
{
    *ret_n = MECHANISM_SIGNATURE_MAX_BYTES;
    switch (cert_alg_scheme(alg)) {
    case CERT_SCHEME_PKCS1:
        return sign_pkcs1(key, digest_row(alg), input, to, ret_n);
    case CERT_SCHEME_PSS:
        return sign_pss(key, digest_row(alg), input, to, ret_n);
    case CERT_SCHEME_ECDSA:
        return sign_ecdsa(key, input, to, ret_n);
    case CERT_SCHEME_EDDSA:
        return sign_eddsa(key, input, to, ret_n);
    }
    UNREACHABLE();
}

struct err *mechanism_sign(const struct token_key *key, enum cert_alg alg, struct view input, bool verify,
                           uint8_t to[MECHANISM_SIGNATURE_MAX_BYTES], size_t *ret_n)
{
    struct err *e = NULL;

    if (!cert_alg_fits(alg, key->kind))
        return err_new(ERR_INTERNAL, "%s does not fit a key of kind %s", cert_alg_name(alg),
                       cert_key_kind_name(key->kind));
    if (cert_alg_scheme(alg) != CERT_SCHEME_EDDSA && input.n != cert_alg_digest_bytes(alg))
        return err_new(ERR_INTERNAL, "a digest of %zu octets for %s", input.n, cert_alg_name(alg));
    TRY(sign(key, alg, input, to, ret_n));
    if (!verify && token_key_is_proven(key))
        return NULL;
    TRY(prove(key, alg, input, view_of(to, *ret_n)));
out:
    return e;
}
