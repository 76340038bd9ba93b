/*
 * Signature algorithms as a table; AlgorithmIdentifier to and from DER.
 *
 * Never accepts SHA-1, MD5 or SHA-224, nor PSS with mixed digests. No state. Any thread.
 */
#include "cert/alg.h"

#include "base/der.h"

struct row {
    const char *text;
    enum cert_scheme scheme;
    const char *digest;
    size_t digest_bytes;
    struct view der;
};

#define BYTES(s)                                                                                             \
    {                                                                                                        \
        (const uint8_t *)(s), sizeof(s) - 1                                                                  \
    }

static const struct row rows[CERT_ALG__COUNT] = {
#define ALG(name, text, scheme, digest, digest_bytes, der)                                                   \
    [CERT_ALG_##name] = {text, CERT_SCHEME_##scheme, digest, digest_bytes, BYTES(der)},
#include "cert/alg.def"
#undef ALG
};

static const struct view oid_pss = BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a");
static const struct view oid_mgf1 = BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08");
/* id-sha256 .. id-sha512 differ in the last octet: 1, 2, 3. */
static const struct view oid_sha2 = BYTES("\x60\x86\x48\x01\x65\x03\x04\x02");

static const struct {
    struct view oid;
    const char *text;
} refused[] = {
    {BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"), "MD2 with RSA is broken (RFC 6149)"},
    {BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), "MD5 with RSA is broken (RFC 6151)"},
    {BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), "SHA-1 with RSA is broken (RFC 6194, RFC 9155)"},
    {BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e"), "SHA-224 with RSA is too weak; use SHA-256"},
    {BYTES("\x2a\x86\x48\xce\x3d\x04\x01"), "SHA-1 with ECDSA is broken (RFC 6194, RFC 9155)"},
    {BYTES("\x2a\x86\x48\xce\x3d\x04\x03\x01"), "SHA-224 with ECDSA is too weak; use SHA-256"},
    {BYTES("\x2a\x86\x48\xce\x38\x04\x03"), "SHA-1 with DSA is broken (RFC 6194)"},
    {BYTES("\x2b\x65\x71"), "Ed448 is not supported (RFC 8410)"},
};

struct view cert_alg_der(enum cert_alg alg)
{
    return rows[alg].der;
}

enum cert_scheme cert_alg_scheme(enum cert_alg alg)
{
    return rows[alg].scheme;
}

const char *cert_alg_digest(enum cert_alg alg)
{
    return rows[alg].digest;
}

size_t cert_alg_digest_bytes(enum cert_alg alg)
{
    return rows[alg].digest_bytes;
}

const char *cert_alg_name(enum cert_alg alg)
{
    return rows[alg].text;
}

bool cert_alg_fits(enum cert_alg alg, enum cert_key_kind kind)
{
    switch (rows[alg].scheme) {
    case CERT_SCHEME_PKCS1:
    case CERT_SCHEME_PSS:
        return kind == CERT_KEY_RSA;
    case CERT_SCHEME_ECDSA:
        return kind == CERT_KEY_P256 || kind == CERT_KEY_P384 || kind == CERT_KEY_P521;
    case CERT_SCHEME_EDDSA:
        return kind == CERT_KEY_ED25519;
    }
    return false;
}

enum cert_alg cert_alg_default(enum cert_key_kind kind)
{
    static const enum cert_alg of_kind[CERT_KEY__COUNT] = {
        [CERT_KEY_RSA] = CERT_ALG_RSA_SHA256,    [CERT_KEY_P256] = CERT_ALG_ECDSA_SHA256,
        [CERT_KEY_P384] = CERT_ALG_ECDSA_SHA384, [CERT_KEY_P521] = CERT_ALG_ECDSA_SHA512,
        [CERT_KEY_ED25519] = CERT_ALG_ED25519,
    };
    return of_kind[kind];
}

struct err *cert_alg_parse(struct view name, enum cert_alg *ret)
{
    for (int i = 0; i < CERT_ALG__COUNT; i++) {
        if (view_eq_str(name, rows[i].text)) {
            *ret = (enum cert_alg)i;
            return NULL;
        }
    }
    return err_new(ERR_BAD_FIELD,
                   "no such signature algorithm; there are rsa-, pss- and ecdsa- with sha256, sha384 "
                   "or sha512, and ed25519");
}

/* NULL or nothing. */
static struct err *read_no_params(struct view params)
{
    struct err *e = NULL;
    if (params.n)
        TRY(der_read_null(&params));
    TRY(der_end(params));
out:
    return err_wrap(e, "parameters of an AlgorithmIdentifier (RFC 4055 2.1)");
}

/* AlgorithmIdentifier of SHA-2: *ret is 0, 1, 2 for SHA-256, -384, -512. */
static struct err *read_sha2(struct view *in, unsigned *ret)
{
    struct err *e = NULL;
    struct view seq, oid;
    TRY(der_read(in, DER_SEQUENCE, &seq));
    TRY(der_read_oid(&seq, &oid));
    bool is_sha2 = oid.n == oid_sha2.n + 1 && view_starts(oid, oid_sha2);
    unsigned last = is_sha2 ? oid.p[oid.n - 1] : 0;
    if (last < 1 || last > 3)
        return err_new(ERR_BAD_SIGNATURE, "RSASSA-PSS with a digest other than SHA-256, SHA-384 or SHA-512 "
                                          "(RFC 4055 3.1)");
    TRY(read_no_params(seq));
    *ret = last - 1;
out:
    return e;
}

static struct err *read_mgf1(struct view *in, unsigned *ret)
{
    struct err *e = NULL;
    struct view seq, oid;
    TRY(der_read(in, DER_SEQUENCE, &seq));
    TRY(der_read_oid(&seq, &oid));
    if (!view_eq(oid, oid_mgf1))
        return err_new(ERR_BAD_SIGNATURE, "RSASSA-PSS with a mask other than MGF1 (RFC 4055 3.1)");
    TRY(read_sha2(&seq, ret));
    TRY(der_end(seq));
out:
    return e;
}

/* RSASSA-PSS-params. All three fields must be there: their defaults mean SHA-1 and a salt of 20. */
static struct err *read_pss(struct view params, enum cert_alg *ret)
{
    struct err *e = NULL;
    struct view seq, field;
    unsigned digest = 0, mask = 0;
    uint64_t salt = 0, trailer = 1;

    TRY(der_read(&params, DER_SEQUENCE, &seq));
    TRY(der_end(params));
    TRY(der_read_optional(&seq, DER_CONTEXT_CONS(0), &field));
    if (!field.p)
        return err_new(ERR_BAD_SIGNATURE, "RSASSA-PSS with SHA-1 is broken (RFC 4055 3.1, RFC 9155)");
    TRY(read_sha2(&field, &digest));
    TRY(der_end(field));
    TRY(der_read_optional(&seq, DER_CONTEXT_CONS(1), &field));
    if (!field.p)
        return err_new(ERR_BAD_SIGNATURE, "RSASSA-PSS with MGF1 over SHA-1 is refused (RFC 4055 3.1)");
    TRY(read_mgf1(&field, &mask));
    TRY(der_end(field));
    TRY(der_read(&seq, DER_CONTEXT_CONS(2), &field));
    TRY(der_read_uint(&field, 1024, &salt));
    TRY(der_end(field));
    TRY(der_read_optional(&seq, DER_CONTEXT_CONS(3), &field));
    if (field.p) {
        TRY(der_read_uint(&field, 1, &trailer));
        TRY(der_end(field));
    }
    TRY(der_end(seq));
    enum cert_alg alg = (enum cert_alg)(CERT_ALG_PSS_SHA256 + digest);
    if (mask != digest || salt != rows[alg].digest_bytes || trailer != 1)
        return err_new(ERR_BAD_SIGNATURE, "RSASSA-PSS needs MGF1 with the same digest, a salt as long as the "
                                          "digest, trailer field 1 (RFC 4055 3.1)");
    *ret = alg;
out:
    return e;
}

static struct view oid_of(enum cert_alg alg)
{
    /* Every row begins 30 LL 06 LL: the OID's body is at 4. */
    return view_of(rows[alg].der.p + 4, rows[alg].der.p[3]);
}

static struct err *refuse(struct view oid)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (view_eq(oid, refused[i].oid))
            return err_new(ERR_BAD_SIGNATURE, "signature algorithm refused: %s", refused[i].text);
    }
    return err_new(ERR_BAD_SIGNATURE,
                   "signature algorithm not known; RSA (PKCS#1 v1.5 or PSS), ECDSA with SHA-256 "
                   "to SHA-512 and Ed25519 are (RFC 5280 4.1.1.2)");
}

struct err *cert_alg_read(struct view *in, enum cert_alg *ret)
{
    struct err *e = NULL;
    struct view seq, oid;
    TRY(der_read(in, DER_SEQUENCE, &seq));
    TRY(der_read_oid(&seq, &oid));
    if (view_eq(oid, oid_pss))
        return read_pss(seq, ret);
    for (int i = 0; i < CERT_ALG__COUNT; i++) {
        if (!view_eq(oid, oid_of((enum cert_alg)i)))
            continue;
        bool may_be_null = rows[i].scheme == CERT_SCHEME_PKCS1;
        TRY(may_be_null ? read_no_params(seq) : der_end(seq)); /* RFC 5758 3.2, RFC 8410 3: absent */
        *ret = (enum cert_alg)i;
        return NULL;
    }
    return refuse(oid);
out:
    return e;
}
