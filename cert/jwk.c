/*
 * Public keys as JSON Web Keys, both ways, and their thumbprints. A key that was read is a `struct cert_key`
 * like any other: its numbers become a SubjectPublicKeyInfo, which is judged as every key here.
 *
 * Never takes a private key, and no second text for the same number (RFC 7518 2, 6.2.1.2). Any thread.
 */
#include "base/hex.h"
#include "cert/jose.h"

static const struct {
    const char *crv;
    size_t bytes; /* of one coordinate */
} curves[CERT_KEY__COUNT] = {
    [CERT_KEY_P256] = {"P-256", 32},
    [CERT_KEY_P384] = {"P-384", 48},
    [CERT_KEY_P521] = {"P-521", 66},
    [CERT_KEY_ED25519] = {"Ed25519", 32},
};

static struct err *octets(const json_t *jwk, const char *name, struct arena *arena, struct view *ret)
{
    const char *text = json_string_value(json_object_get(jwk, name));
    if (!text || !*text)
        return err_new(ERR_BAD_KEY, "JWK: member \"%s\" must be a text (RFC 7518 6)", name);
    struct err *e = base64url_parse(arena, view_str(text), ret);
    if (!e)
        return NULL;
    err_free(e);
    return err_new(ERR_BAD_KEY, "JWK: \"%s\" is not base64url without padding (RFC 7515 2)", name);
}

static struct err *coordinate(const json_t *jwk, const char *name, size_t bytes, struct arena *arena,
                              struct view *ret)
{
    struct err *e = octets(jwk, name, arena, ret);
    if (!e && ret->n != bytes)
        e = err_new(ERR_BAD_KEY, "JWK: \"%s\" must be %zu octets, with leading zeros (RFC 7518 6.2.1.2)",
                    name, bytes);
    return e;
}

/* A Base64urlUInt (RFC 7518 2). */
static struct err *number(const json_t *jwk, const char *name, struct arena *arena, struct view *ret)
{
    struct err *e = octets(jwk, name, arena, ret);
    if (!e && ret->p[0] == 0)
        e = err_new(ERR_BAD_KEY, "JWK: \"%s\" begins with a zero octet (RFC 7518 2)", name);
    return e;
}

static struct err *read_rsa(const json_t *jwk, struct arena *arena, struct view *ret_spki)
{
    struct err *e = NULL;
    struct view modulus, exponent;
    TRY(number(jwk, "n", arena, &modulus));
    TRY(number(jwk, "e", arena, &exponent));
    if (modulus.n > CERT_RSA_MAX_BITS / 8 || exponent.n > sizeof(uint64_t))
        TRY(err_new(ERR_BAD_KEY, "JWK: an RSA key has at most %d bits, its exponent at most 64",
                    CERT_RSA_MAX_BITS));
    TRY(cert_key_write_rsa(modulus, exponent, arena, ret_spki));
out:
    return e;
}

static struct err *curve_of(const json_t *jwk, enum cert_key_kind from, enum cert_key_kind to,
                            enum cert_key_kind *ret)
{
    const char *crv = json_string_value(json_object_get(jwk, "crv"));
    for (enum cert_key_kind kind = from; crv && kind <= to; kind++)
        if (strcmp(crv, curves[kind].crv) == 0) {
            *ret = kind;
            return NULL;
        }
    return err_new(ERR_BAD_KEY, "JWK: \"crv\" is P-256, P-384 or P-521 with kty EC, Ed25519 with kty OKP "
                                "(RFC 7518 6.2.1.1, RFC 8037 2)");
}

static struct err *read_ec(const json_t *jwk, struct arena *arena, struct view *ret_spki)
{
    struct err *e = NULL;
    enum cert_key_kind kind;
    struct view x, y;
    TRY(curve_of(jwk, CERT_KEY_P256, CERT_KEY_P521, &kind));
    TRY(coordinate(jwk, "x", curves[kind].bytes, arena, &x));
    TRY(coordinate(jwk, "y", curves[kind].bytes, arena, &y));
    uint8_t *point = arena_alloc(arena, 1 + x.n + y.n);
    point[0] = 4; /* uncompressed (SEC 1 2.3.3) */
    memcpy(point + 1, x.p, x.n);
    memcpy(point + 1 + x.n, y.p, y.n);
    TRY(cert_key_write(kind, view_of(point, 1 + x.n + y.n), arena, ret_spki));
out:
    return e;
}

static struct err *read_okp(const json_t *jwk, struct arena *arena, struct view *ret_spki)
{
    struct err *e = NULL;
    enum cert_key_kind kind;
    struct view x;
    TRY(curve_of(jwk, CERT_KEY_ED25519, CERT_KEY_ED25519, &kind));
    TRY(coordinate(jwk, "x", curves[kind].bytes, arena, &x));
    TRY(cert_key_write(kind, x, arena, ret_spki));
out:
    return e;
}

static const struct {
    const char *kty;
    struct err *(*read)(const json_t *jwk, struct arena *arena, struct view *ret_spki);
} types[] = {{"RSA", read_rsa}, {"EC", read_ec}, {"OKP", read_okp}};

struct err *cert_jwk_read(const json_t *jwk, struct arena *arena, struct cert_key *ret)
{
    struct err *e = NULL;
    struct view spki;
    const char *kty = json_string_value(json_object_get(jwk, "kty"));
    if (json_object_get(jwk, "d") || json_object_get(jwk, "k"))
        TRY(err_new(ERR_BAD_KEY, "JWK: this is a private key or a secret; send the public key alone, and "
                                 "make a new one (RFC 7517 9.2)"));
    for (size_t i = 0; kty && i < sizeof types / sizeof *types; i++)
        if (strcmp(kty, types[i].kty) == 0) {
            TRY(types[i].read(jwk, arena, &spki));
            return cert_key_parse(spki, ret);
        }
    e = err_new(ERR_BAD_KEY, "JWK: \"kty\" must be RSA, EC or OKP (RFC 7518 6.1, RFC 8037 2)");
out:
    return e;
}

const char *cert_jwk_text(const struct cert_key *key, struct arena *arena)
{
    if (key->kind == CERT_KEY_RSA)
        return arena_printf(arena, "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}",
                            base64url_of(arena, key->exponent), base64url_of(arena, key->modulus));
    size_t bytes = curves[key->kind].bytes;
    if (key->kind == CERT_KEY_ED25519)
        return arena_printf(arena, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}",
                            base64url_of(arena, key->public));
    return arena_printf(arena, "{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
                        curves[key->kind].crv, base64url_of(arena, view_of(key->public.p + 1, bytes)),
                        base64url_of(arena, view_of(key->public.p + 1 + bytes, bytes)));
}

void cert_jwk_thumbprint(const struct cert_key *key, struct arena *arena, uint8_t ret[SHA256_BYTES])
{
    digest_sha256(view_str(cert_jwk_text(key, arena)), ret);
}
