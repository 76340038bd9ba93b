/*
 * SubjectPublicKeyInfo (RFC 5280 4.1.2.7) by hand: which keys are acceptable, and their digests and names.
 *
 * Never hands key bytes to an OpenSSL decoder; EC points go through EC_POINT_oct2point, which checks the
 * curve equation. Holds nothing but constant tables. Any thread.
 */
#include "cert/key.h"

#include "base/der.h"
#include "key_evp.h"
#include "key_rsa.h"

#define BYTES(s)                                                                                             \
    {                                                                                                        \
        (const uint8_t *)(s), sizeof(s) - 1                                                                  \
    }

static const struct {
    const char *name;
    unsigned bits;
    size_t public_bytes; /* 0: RSA */
    struct view alg;     /* AlgorithmIdentifier */
} rows[CERT_KEY__COUNT] = {
    [CERT_KEY_RSA] = {"rsa", 0, 0, BYTES("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00")},
    [CERT_KEY_P256] =
        {"p256", 256, 65,
         BYTES("\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07")},
    [CERT_KEY_P384] = {"p384", 384, 97,
                       BYTES("\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22")},
    [CERT_KEY_P521] = {"p521", 521, 133,
                       BYTES("\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23")},
    [CERT_KEY_ED25519] = {"ed25519", 256, 32, BYTES("\x30\x05\x06\x03\x2b\x65\x70")},
};

static const struct view oid_ec = BYTES("\x2a\x86\x48\xce\x3d\x02\x01");
static const struct view oid_pss = BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a");

/* Why an AlgorithmIdentifier that is in no row is refused. */
static struct err *refuse_alg(struct view alg)
{
    struct err *e = NULL;
    struct view seq, oid;
    TRY(der_read(&alg, DER_SEQUENCE, &seq));
    TRY(der_read_oid(&seq, &oid));
    if (view_eq(oid, oid_ec) && der_peek(seq) != DER_OID)
        return err_new(ERR_BAD_KEY,
                       "EC key: the curve must be named, not spelt out or inherited (RFC 5480 2.1.1)");
    if (view_eq(oid, oid_ec))
        return err_new(ERR_BAD_KEY, "EC key: the curve must be P-256, P-384 or P-521 (RFC 5480 2.1.1.1)");
    if (view_eq(oid, oid_pss))
        return err_new(ERR_BAD_KEY, "RSA key: send it as rsaEncryption, not id-RSASSA-PSS (RFC 4055 1.2)");
    return err_new(ERR_BAD_KEY, "key algorithm not supported; RSA, EC on P-256, P-384, P-521 and Ed25519 are "
                                "(RFC 5280 4.1.2.7)");
out:
    return e;
}

static struct err *check_ec(const struct cert_key *key)
{
    size_t want = rows[key->kind].public_bytes;
    struct view point = key->public;
    if (point.n && (point.p[0] == 2 || point.p[0] == 3))
        return err_new(ERR_BAD_KEY, "EC key: compressed points are refused (RFC 5480 2.2)");
    if (point.n != want || point.p[0] != 4)
        return err_new(ERR_BAD_KEY, "EC key: the point must be 04, X, Y, %zu octets (RFC 5480 2.2)", want);
    return NULL;
}

/* Points of small order verify signatures nobody made (RFC 8032 5.1.7); so do their other encodings. */
static struct err *check_ed25519(struct view point)
{
    static const char *const small[] = {
        "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x00\x00"
        "\x00\x00\x00\x00\x00",
        "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x00\x00"
        "\x00\x00\x00\x00\x00",
        "\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1"
        "\x38\x02"
        "\x88\x6d\x53\xfc\x05",
        "\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e"
        "\xc7\xfd"
        "\x77\x92\xac\x03\x7a",
    };
    uint8_t y[32];
    if (point.n != sizeof y)
        return err_new(ERR_BAD_KEY, "Ed25519 key: must be 32 octets (RFC 8410 4)");
    memcpy(y, point.p, sizeof y);
    y[31] &= 0x7f;
    bool top = y[31] == 0x7f;
    for (size_t i = 1; i < 31; i++)
        top = top && y[i] == 0xff;
    if (top && y[0] >= 0xec) /* p - 1 (order 2) and what is not reduced */
        return err_new(ERR_BAD_KEY, "Ed25519 key: y is not below 2^255-20 (RFC 8032 5.1.3)");
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        if (memcmp(y, small[i], sizeof y) == 0)
            return err_new(ERR_BAD_KEY, "Ed25519 key: a point of small order (RFC 8032 5.1.7)");
    }
    return NULL;
}

static struct err *read_rsa(struct cert_key *key)
{
    struct err *e = NULL;
    struct view in = key->public, seq;
    TRY(der_read(&in, DER_SEQUENCE, &seq));
    TRY(der_end(in));
    TRY(der_read_integer(&seq, &key->modulus));
    TRY(der_read_integer(&seq, &key->exponent));
    TRY(der_end(seq));
    TRY(key_rsa_check(&key->modulus, &key->exponent, &key->bits));
out:
    return e;
}

static struct err *check_public(struct cert_key *key)
{
    switch (key->kind) {
    case CERT_KEY_RSA:
        return read_rsa(key);
    case CERT_KEY_ED25519:
        return check_ed25519(key->public);
    default:
        return check_ec(key);
    }
}

struct err *cert_key_read(struct view spki, struct cert_key *ret)
{
    struct err *e = NULL;
    struct view in = spki, seq, alg, public;
    unsigned unused = 0;
    int kind = 0;

    TRY(der_read(&in, DER_SEQUENCE, &seq));
    TRY(der_end(in));
    TRY(der_read_whole(&seq, DER_SEQUENCE, &alg));
    TRY(der_read_bits(&seq, &public, &unused));
    TRY(der_end(seq));
    while (kind < CERT_KEY__COUNT && !view_eq(alg, rows[kind].alg))
        kind++;
    if (kind == CERT_KEY__COUNT)
        return refuse_alg(alg);
    if (unused)
        return err_new(ERR_BAD_KEY, "subjectPublicKey with unused bits (RFC 5280 4.1.2.7)");
    struct cert_key key = {
        .kind = (enum cert_key_kind)kind, .bits = rows[kind].bits, .spki = spki, .public = public};
    TRY(check_public(&key));
    *ret = key;
out:
    return e ? err_wrap(e, "public key") : NULL;
}

struct err *cert_key_parse(struct view spki, struct cert_key *ret)
{
    struct err *e = NULL;
    struct cert_key key;
    TRY(cert_key_read(spki, &key));
    if (rows[key.kind].public_bytes && key.kind != CERT_KEY_ED25519 &&
        !key_evp_on_curve(key.kind, key.public))
        return err_new(ERR_BAD_KEY, "public key: EC key: the point is not on the curve (RFC 5480 2.2)");
    *ret = key;
out:
    return e;
}

static struct err *write_spki(enum cert_key_kind kind, struct view public, struct arena *arena,
                              struct view *ret_spki)
{
    struct err *e = NULL;
    struct der_out out;
    struct view spki;
    struct cert_key key;
    der_out_init(&out, arena, 4096);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_raw(&out, rows[kind].alg);
    der_put_bits(&out, public, 0);
    der_finish(&out, m);
    TRY(der_out_done(&out, &spki));
    TRY(cert_key_parse(spki, &key));
    *ret_spki = spki;
out:
    return e;
}

struct err *cert_key_write(enum cert_key_kind kind, struct view public, struct arena *arena,
                           struct view *ret_spki)
{
    return write_spki(kind, public, arena, ret_spki);
}

struct err *cert_key_write_rsa(struct view modulus, struct view exponent, struct arena *arena,
                               struct view *ret_spki)
{
    struct err *e = NULL;
    struct der_out out;
    struct view public;
    der_out_init(&out, arena, 4096);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_magnitude(&out, modulus);
    der_put_magnitude(&out, exponent);
    der_finish(&out, m);
    TRY(der_out_done(&out, &public));
    TRY(write_spki(CERT_KEY_RSA, public, arena, ret_spki));
out:
    return e;
}

void cert_key_sha1(const struct cert_key *key, uint8_t ret[SHA1_BYTES])
{
    digest_sha1(key->public, ret);
}

void cert_key_sha256(const struct cert_key *key, uint8_t ret[SHA256_BYTES])
{
    digest_sha256(key->spki, ret);
}

const char *cert_key_kind_name(enum cert_key_kind kind)
{
    return rows[kind].name;
}

struct err *cert_key_kind_parse(struct view name, enum cert_key_kind *ret)
{
    for (int i = 0; i < CERT_KEY__COUNT; i++) {
        if (view_eq_str(name, rows[i].name)) {
            *ret = (enum cert_key_kind)i;
            return NULL;
        }
    }
    return err_new(ERR_BAD_FIELD, "no such kind of key; there are rsa, p256, p384, p521 and ed25519");
}

const char *cert_key_text(const struct cert_key *key, struct arena *arena)
{
    if (key->kind != CERT_KEY_RSA)
        return rows[key->kind].name;
    return arena_printf(arena, "rsa-%u", key->bits);
}

static const struct {
    const char *text;
    enum cert_key_kind kind;
    unsigned bits;
} wishes[] = {
    {"ec-p256", CERT_KEY_P256, 0},    {"ec-p384", CERT_KEY_P384, 0},    {"ec-p521", CERT_KEY_P521, 0},
    {"ed25519", CERT_KEY_ED25519, 0}, {"rsa-2048", CERT_KEY_RSA, 2048}, {"rsa-3072", CERT_KEY_RSA, 3072},
    {"rsa-4096", CERT_KEY_RSA, 4096},
};

struct err *cert_key_wish_parse(struct view text, enum cert_key_kind *ret_kind, unsigned *ret_bits)
{
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
        if (view_eq_str(text, wishes[i].text)) {
            *ret_kind = wishes[i].kind;
            *ret_bits = wishes[i].bits;
            return NULL;
        }
    return err_new(ERR_BAD_FIELD,
                   "kinds of keys: ec-p256, ec-p384, ec-p521, ed25519, rsa-2048, rsa-3072, rsa-4096");
}
