/*
 * Fixtures made with OpenSSL's writers, so that our readers never meet only what our writers made.
 */
#include "fixture.h"

#include "base/hex.h"
#include "base/limits.h"
#include "cert/name.h"

#include <openssl/conf.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
    char name[16];
    EVP_PKEY *key;
} keys[16];

static EVP_PKEY *make_key(const char *name)
{
    if (strcmp(name, "ed25519") == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (strcmp(name, "ed448") == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
    if (strncmp(name, "rsa", 3) == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)atoi(name + 3));
    if (strcmp(name, "k256") == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1");
    char curve[32];
    snprintf(curve, sizeof curve, "P-%.8s", name + 1);
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);
}

/* "p256" and "p256b" are two keys of one kind. */
EVP_PKEY *fixture_key(const char *name)
{
    size_t i = 0;
    while (i < COUNT(keys) && keys[i].key && strcmp(keys[i].name, name) != 0)
        i++;
    assert_true(i < COUNT(keys));
    if (!keys[i].key) {
        snprintf(keys[i].name, sizeof keys[i].name, "%s", name);
        char kind[16];
        snprintf(kind, sizeof kind, "%s", name);
        size_t n = strlen(kind);
        if (kind[n - 1] == 'b')
            kind[n - 1] = '\0';
        keys[i].key = make_key(kind);
        assert_non_null(keys[i].key);
    }
    return keys[i].key;
}

static struct view take(struct arena *arena, uint8_t *der, int n)
{
    assert_true(n > 0);
    struct view v = arena_dup(arena, view_of(der, (size_t)n));
    OPENSSL_free(der);
    return v;
}

struct view fixture_spki(const char *key, struct arena *arena)
{
    uint8_t *der = NULL;
    int n = i2d_PUBKEY(fixture_key(key), &der);
    return take(arena, der, n);
}

struct view fixture_sign(const char *key, enum cert_alg alg, struct view data, struct arena *arena)
{
    uint8_t sig[1024];
    size_t n = sizeof sig;
    EVP_PKEY_CTX *pctx = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(
        EVP_DigestSignInit_ex(ctx, &pctx, cert_alg_digest(alg), NULL, NULL, fixture_key(key), NULL), 1);
    if (cert_alg_scheme(alg) == CERT_SCHEME_PSS) {
        assert_true(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) > 0);
    }
    assert_int_equal(EVP_DigestSign(ctx, sig, &n, data.p, data.n), 1);
    EVP_MD_CTX_free(ctx);
    return arena_dup(arena, view_of(sig, n));
}

static void add_exts(X509_REQ *req, const char *const *conf)
{
    STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, NULL, NULL, req, NULL, 0);
    X509V3_set_ctx_nodb(&ctx);
    for (; *conf; conf++) {
        char name[64];
        const char *eq = strchr(*conf, '=');
        snprintf(name, sizeof name, "%.*s", (int)(eq - *conf), *conf);
        X509_EXTENSION *ext = X509V3_EXT_nconf(NULL, &ctx, name, eq + 1);
        assert_non_null(ext);
        sk_X509_EXTENSION_push(exts, ext);
    }
    assert_int_equal(X509_REQ_add_extensions(req, exts), 1);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
}

struct view fixture_csr(const char *key, const char *cn, const char *const *conf, const char *digest,
                        struct arena *arena)
{
    uint8_t *der = NULL;
    X509_REQ *req = X509_REQ_new();
    assert_int_equal(X509_REQ_set_version(req, 0), 1);
    X509_NAME *name = X509_NAME_new();
    if (cn)
        assert_int_equal(
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)cn, -1, -1, 0), 1);
    assert_int_equal(X509_REQ_set_subject_name(req, name), 1);
    X509_NAME_free(name);
    assert_int_equal(X509_REQ_set_pubkey(req, fixture_key(key)), 1);
    if (conf)
        add_exts(req, conf);
    const EVP_MD *md = digest ? EVP_get_digestbyname(digest) : NULL;
    assert_true(X509_REQ_sign(req, fixture_key(key), md) > 0);
    int n = i2d_X509_REQ(req, &der);
    X509_REQ_free(req);
    return take(arena, der, n);
}

struct view fixture_name(const char *text, struct arena *arena)
{
    struct view der;
    assert_ok(cert_name_of_text(text, arena, &der));
    return der;
}

struct cert_tbs fixture_tbs(struct arena *arena)
{
    return (struct cert_tbs){
        .serial = fixture_hex("400102030405060708090a0b0c0d0e0f", arena),
        .alg = CERT_ALG_ECDSA_SHA256,
        .issuer = fixture_name("CN=Issuer", arena),
        .not_before = 1795219200, /* 2026-11-21 */
        .not_after = 1826755200,
        .subject = fixture_name("CN=Subject", arena),
        .spki = fixture_spki("p256b", arena),
    };
}

struct view fixture_issue(const struct cert_tbs *tbs, const char *key, struct arena *arena)
{
    struct view der, cert;
    assert_ok(cert_tbs_write(tbs, arena, &der));
    assert_ok(cert_seal(der, tbs->alg, fixture_sign(key, tbs->alg, der, arena), arena, &cert));
    return cert;
}

struct view fixture_ext(const char *sections, const char *name, const char *text, struct arena *arena)
{
    X509V3_CTX ctx;
    CONF *conf = NCONF_new(NULL);
    const char *all = sections ? sections : "[none]\n";
    BIO *bio = BIO_new_mem_buf(all, (int)strlen(all));
    assert_true(NCONF_load_bio(conf, bio, NULL) > 0);
    X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
    X509V3_set_nconf(&ctx, conf);
    X509_EXTENSION *ext = X509V3_EXT_nconf(conf, &ctx, name, text);
    assert_non_null(ext);
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(ext);
    struct view v = arena_dup(arena, view_of(value->data, (size_t)value->length));
    X509_EXTENSION_free(ext);
    BIO_free(bio);
    NCONF_free(conf);
    return v;
}

X509 *fixture_x509(struct view der)
{
    const uint8_t *p = der.p;
    X509 *x = d2i_X509(NULL, &p, (long)der.n);
    assert_non_null(x);
    assert_ptr_equal(p, der.p + der.n);
    return x;
}

struct view fixture_hex(const char *hex, struct arena *arena)
{
    struct view v;
    assert_null(hex_parse(arena, view_str(hex), &v));
    return v;
}

struct view fixture_join(struct arena *arena, size_t n, const struct view *parts)
{
    size_t total = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        total += parts[i].n;
    uint8_t *to = arena_alloc(arena, total);
    for (size_t i = 0; i < n; at += parts[i++].n) {
        if (parts[i].n)
            memcpy(to + at, parts[i].p, parts[i].n);
    }
    return view_of(to, total);
}

struct view fixture_wrap(unsigned tag, struct view body, struct arena *arena)
{
    uint8_t head[4] = {(uint8_t)tag, 0x82, (uint8_t)(body.n >> 8), (uint8_t)body.n};
    size_t n = 4;
    assert_true(body.n < 65536);
    if (body.n < 0x80) {
        head[1] = (uint8_t)body.n;
        n = 2;
    } else if (body.n < 0x100) {
        head[1] = 0x81;
        head[2] = (uint8_t)body.n;
        n = 3;
    }
    return fixture_join(arena, 2, (struct view[]){view_of(head, n), body});
}

static struct view nest(const char **text, struct arena *arena)
{
    struct view all = {NULL, 0};
    const char *p = *text;
    while (*p && *p != '}') {
        if (*p == ' ') {
            p++;
            continue;
        }
        struct view octet = fixture_hex(arena_printf(arena, "%.2s", p), arena);
        p += 2;
        if (*p == '{') {
            p++;
            octet = fixture_wrap(octet.p[0], nest(&p, arena), arena);
        }
        all = fixture_join(arena, 2, (struct view[]){all, octet});
    }
    *text = *p ? p + 1 : p;
    return all;
}

struct view fixture_nest(const char *text, struct arena *arena)
{
    struct view all = nest(&text, arena);
    assert_int_equal(*text, '\0');
    return all;
}

void fixture_ok_at(struct err *e, const char *file, int line)
{
    if (!e)
        return;
    print_error("unexpected: %s at %s\n", err_detail(e), err_pointer(e));
    err_free(e);
    _fail(file, line);
}

void fixture_refused_at(struct err *e, enum err_code code, const char *text, const char *file, int line)
{
    if (e && err_code(e) == code && strstr(err_detail(e), text)) {
        err_free(e);
        return;
    }
    print_error("expected %s \"%s\", got %s \"%s\"\n", err_row(code)->name, text,
                e ? err_row(err_code(e))->name : "ok", e ? err_detail(e) : "");
    err_free(e);
    _fail(file, line);
}

void fixture_bytes_at(struct view got, struct view want, const char *file, int line)
{
    if (view_eq(got, want))
        return;
    struct arena *arena = arena_new(1 << 20);
    print_error("got  %s\nwant %s\n", hex_of(arena, got), hex_of(arena, want));
    arena_free(arena);
    _fail(file, line);
}

int fixture_setup(void **state)
{
    *state = arena_new(64 * LIMIT_REQUEST_ARENA_BYTES);
    return 0;
}

int fixture_teardown(void **state)
{
    arena_free(*state);
    return ERR_peek_error() == 0 ? 0 : -1; /* what OpenSSL refused must not linger in its queue */
}
