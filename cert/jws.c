/*
 * JSON Web Signatures: two serialisations read into one record, and its signature verified.
 *
 * Never decides whose key it is, and never lets the header decide what kind of key may verify it: who calls
 * with a public key gets no HMAC, who calls with a secret nothing else. Any thread.
 */
#include "base/check.h"
#include "base/conf.h"
#include "base/der.h"
#include "base/hex.h"
#include "cert/jose.h"

#include <openssl/err.h>
#include <openssl/evp.h>

static const struct {
    const char *text;
    enum cert_key_kind kind; /* the only one it is for; HS256: none */
    enum cert_alg alg;
    size_t half; /* ECDSA: octets of r and of s (RFC 7518 3.4) */
} rows[CERT_JWS__COUNT] = {
    [CERT_JWS_RS256] = {"RS256", CERT_KEY_RSA, CERT_ALG_RSA_SHA256, 0},
    [CERT_JWS_ES256] = {"ES256", CERT_KEY_P256, CERT_ALG_ECDSA_SHA256, 32},
    [CERT_JWS_ES384] = {"ES384", CERT_KEY_P384, CERT_ALG_ECDSA_SHA384, 48},
    [CERT_JWS_ES512] = {"ES512", CERT_KEY_P521, CERT_ALG_ECDSA_SHA512, 66},
    [CERT_JWS_EDDSA] = {"EdDSA", CERT_KEY_ED25519, CERT_ALG_ED25519, 0},
    [CERT_JWS_HS256] = {"HS256", CERT_KEY__COUNT, CERT_ALG__COUNT, 0},
};

const char *cert_jws_alg_text(enum cert_jws_alg alg)
{
    return rows[alg].text;
}

/* --- the protected header --- */

static struct err *alg_of(const json_t *header, enum cert_jws_alg *ret)
{
    const char *text = json_string_value(json_object_get(header, "alg"));
    for (int i = 0; text && i < CERT_JWS__COUNT; i++)
        if (strcmp(text, rows[i].text) == 0) {
            *ret = (enum cert_jws_alg)i;
            return NULL;
        }
    return err_new(ERR_BAD_ALG,
                   "JWS: \"alg\" must be RS256, ES256, ES384, ES512, EdDSA or HS256, not '%.20s' (RFC 7518 "
                   "3.1)",
                   text ? text : "");
}

static struct err *text_of(const json_t *header, const char *name, struct arena *arena, const char **ret)
{
    const json_t *value = json_object_get(header, name);
    *ret = NULL;
    if (!value)
        return NULL;
    if (!json_is_string(value))
        return err_new(ERR_BAD_FIELD, "JWS header: \"%s\" must be a text", name);
    *ret = arena_str(arena, view_str(json_string_value(value)));
    return NULL;
}

static struct err *read_header(struct view protected, struct arena *arena, struct cert_jws *to)
{
    struct err *e = NULL;
    struct conf *c = NULL;
    struct view text;

    TRY(base64url_parse(arena, protected, &text));
    TRY(conf_parse_json(text, &c));
    const json_t *header = conf_root(c), *jwk = json_object_get(header, "jwk");
    if (!json_is_object(header))
        TRY(err_new(ERR_BAD_FIELD, "JWS: the protected header must be an object (RFC 7515 4)"));
    if (json_object_get(header, "crit"))
        TRY(err_new(ERR_BAD_FIELD,
                    "JWS: no extension named in \"crit\" is understood here (RFC 7515 4.1.11)"));
    TRY(alg_of(header, &to->alg));
    TRY(text_of(header, "kid", arena, &to->kid));
    TRY(text_of(header, "url", arena, &to->url));
    TRY(text_of(header, "nonce", arena, &to->nonce));
    TRY(text_of(header, "typ", arena, &to->typ));
    to->has_jwk = jwk != NULL;
    if (jwk)
        TRY(cert_jwk_read(jwk, arena, &to->jwk));
out:
    conf_free(c);
    return e ? err_wrap(e, "protected header") : NULL;
}

/* --- the two forms --- */

static struct err *read_parts(struct view protected, struct view payload, struct view signature,
                              struct view signing_input, struct arena *arena, struct cert_jws *ret)
{
    struct err *e = NULL;
    struct cert_jws jws = {.signing_input = signing_input};
    TRY(read_header(protected, arena, &jws));
    TRY(err_wrap(base64url_parse(arena, payload, &jws.payload), "JWS: payload"));
    TRY(err_wrap(base64url_parse(arena, signature, &jws.signature), "JWS: signature"));
    *ret = jws;
out:
    return e;
}

static struct err *part_of(const json_t *tree, const char *name, struct view *ret)
{
    const json_t *value = json_object_get(tree, name);
    if (!json_is_string(value))
        return err_new(ERR_BAD_FIELD, "JWS: member \"%s\" must be a text (RFC 7515 7.2.2)", name);
    *ret = view_of(json_string_value(value), json_string_length(value));
    return NULL;
}

static struct err *check_size(struct view text)
{
    if (text.n > CERT_JWS_BYTES)
        return err_new(ERR_TOO_LARGE, "a JWS has at most %d octets", CERT_JWS_BYTES);
    return NULL;
}

struct err *cert_jws_read(struct view json, struct arena *arena, struct cert_jws *ret)
{
    struct err *e = NULL;
    struct conf *c = NULL;
    struct view protected, payload, signature;

    TRY(check_size(json));
    TRY(conf_parse_json(json, &c));
    const json_t *tree = conf_root(c);
    if (!json_is_object(tree))
        TRY(err_new(ERR_BAD_FIELD, "a JWS in flattened JSON is an object (RFC 7515 7.2.2)"));
    if (json_object_get(tree, "header") || json_object_get(tree, "signatures"))
        TRY(err_new(ERR_BAD_FIELD, "JWS: one signature and no unprotected header (RFC 8555 6.2)"));
    TRY(part_of(tree, "protected", &protected));
    TRY(part_of(tree, "payload", &payload));
    TRY(part_of(tree, "signature", &signature));
    char *input = arena_alloc(arena, protected.n + 1 + payload.n + 1);
    memcpy(input, protected.p, protected.n);
    input[protected.n] = '.';
    memcpy(input + protected.n + 1, payload.p, payload.n);
    TRY(read_parts(protected, payload, signature, view_of(input, protected.n + 1 + payload.n), arena, ret));
out:
    conf_free(c);
    return e;
}

struct err *cert_jws_read_compact(struct view text, struct arena *arena, struct cert_jws *ret)
{
    struct err *e = NULL;
    TRY(check_size(text));
    size_t first = view_find(text, '.');
    struct view rest = view_from(text, first + 1);
    size_t second = view_find(rest, '.');
    if (first == text.n || second == rest.n)
        TRY(err_new(ERR_BAD_FIELD,
                    "a JWS in compact form has three parts, with dots between (RFC 7515 7.1)"));
    struct view signature = view_from(rest, second + 1);
    TRY(read_parts(view_of(text.p, first), view_of(rest.p, second), signature,
                   view_of(text.p, first + 1 + second), arena, ret));
out:
    return e;
}

/* --- verifying --- */

/* r and s side by side (RFC 7518 3.4) as the SEQUENCE that everything else takes (RFC 3279 2.2.3). */
static struct err *ecdsa_der(struct view pair, struct arena *arena, struct view *ret)
{
    struct der_out out;
    der_out_init(&out, arena, 256);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_magnitude(&out, view_of(pair.p, pair.n / 2));
    der_put_magnitude(&out, view_of(pair.p + pair.n / 2, pair.n / 2));
    der_finish(&out, m);
    return der_out_done(&out, ret);
}

struct err *cert_jws_verify(const struct cert_jws *jws, const struct cert_key *key)
{
    struct err *e = NULL;
    struct arena *arena = NULL;
    struct view signature = jws->signature;
    size_t half = rows[jws->alg].half;

    if (rows[jws->alg].kind != key->kind)
        TRY(err_new(ERR_BAD_ALG, "JWS: %s is no algorithm for a key of kind %s (RFC 7518 3.1)",
                    rows[jws->alg].text, cert_key_kind_name(key->kind)));
    if (half && signature.n != 2 * half)
        TRY(err_new(ERR_BAD_SIGNATURE, "JWS: a signature by %s has %zu octets (RFC 7518 3.4)",
                    rows[jws->alg].text, 2 * half));
    if (half) {
        arena = arena_new(1024);
        TRY(ecdsa_der(jws->signature, arena, &signature));
    }
    TRY(cert_key_verify(key, rows[jws->alg].alg, jws->signing_input, signature));
out:
    arena_free(arena);
    return e;
}

struct err *cert_jws_verify_mac(const struct cert_jws *jws, struct view secret)
{
    uint8_t mac[SHA256_BYTES];
    if (jws->alg != CERT_JWS_HS256)
        return err_new(ERR_BAD_ALG, "JWS: a shared secret verifies HS256 alone, not %s", rows[jws->alg].text);
    digest_hmac_sha256(secret, jws->signing_input, mac);
    if (jws->signature.n != sizeof mac || !digest_eq(mac, jws->signature.p, sizeof mac))
        return err_new(ERR_BAD_SIGNATURE, "the signature does not verify with this key");
    return NULL;
}
