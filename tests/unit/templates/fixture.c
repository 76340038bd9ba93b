/* See fixture.h. Keys and CSRs are OpenSSL's, so that our own reading meets another's writing. */
#include "fixture.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "cert/name.h"
#include "cert/seal.h"

void fixture_ok(struct err *e)
{
    if (e)
        print_error("%s %s\n", err_detail(e), err_pointer(e));
    assert_null(e);
}

void fixture_refused(struct err *e, enum err_code code, const char *text)
{
    assert_non_null(e);
    if (err_code(e) != code || !strstr(err_detail(e), text))
        print_error("wanted %s '%s', got %s '%s'\n", err_row(code)->name, text, err_row(err_code(e))->name,
                    err_detail(e));
    assert_int_equal(err_code(e), code);
    assert_non_null(strstr(err_detail(e), text));
    err_free(e);
}

EVP_PKEY *fixture_key(const char *kind)
{
    if (strcmp(kind, "ed25519") == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (strncmp(kind, "rsa-", 4) == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)atoi(kind + 4));
    return EVP_EC_gen(strcmp(kind, "p384") == 0 ? "P-384" : "P-256");
}

struct view fixture_spki(struct arena *arena, EVP_PKEY *key)
{
    uint8_t *der = NULL;
    int n = i2d_PUBKEY(key, &der);
    assert_true(n > 0);
    struct view spki = arena_dup(arena, view_of(der, (size_t)n));
    OPENSSL_free(der);
    return spki;
}

static struct templates *builtins(void)
{
    struct templates_file files[32];
    struct templates *set = NULL;
    size_t n = 0;
    while (templates_builtin(n, &files[n].name, &files[n].bytes))
        n++;
    fixture_ok(templates_load(files, n, &set));
    return set;
}

struct fixture *fixture_new(void)
{
    static const uint8_t key_id[20] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    struct cert_name_part ca[] = {{"O", "Example"}, {"CN", "Example Issuing CA"}};
    struct fixture *f = calloc(1, sizeof(*f));
    f->arena = arena_new(64 << 20);
    f->set = builtins();
    f->key = fixture_key("p256");
    f->spki = fixture_spki(f->arena, f->key);
    f->issuer = (struct templates_issuer){
        .name = "issuing",
        .key_id = view_of(key_id, sizeof(key_id)),
        .alg = CERT_ALG_ECDSA_SHA256,
        .not_before = FIXTURE_NOW - 86400,
        .not_after = FIXTURE_NOW + INT64_C(86400) * 3650,
        .base_url = "http://pki.example.internal:8080",
    };
    fixture_ok(cert_name_write(ca, 2, f->arena, &f->issuer.subject));
    return f;
}

void fixture_free(struct fixture *f)
{
    templates_free(f->set);
    EVP_PKEY_free(f->key);
    arena_free(f->arena);
    free(f);
}

const struct template *fixture_template(const struct fixture *f, const char *name)
{
    const struct template *t = templates_find(f->set, view_str(name));
    assert_non_null(t);
    return t;
}

struct err *fixture_load(const char *yaml, struct templates **ret_set)
{
    struct templates_file file = {"templates/x.yaml", view_str(yaml)};
    return templates_load(&file, 1, ret_set);
}

struct err *fixture_load_overriding(const char *yaml, struct templates **ret_set)
{
    char text[8192], overrides[2048] = "";
    for (;;) {
        snprintf(text, sizeof(text), "%s%s%s", overrides[0] ? "overrides:\n" : "", overrides, yaml);
        struct err *e = fixture_load(text, ret_set);
        const char *finding = e ? strstr(err_detail(e), "finding '") : NULL;
        if (!finding)
            return e;
        finding += strlen("finding '");
        size_t n = strlen(overrides);
        snprintf(overrides + n, sizeof(overrides) - n, "  %.*s: it is meant here\n",
                 (int)strcspn(finding, "'"), finding);
        err_free(e);
    }
}

struct templates_request fixture_request(const struct fixture *f)
{
    static const uint8_t serial[16] = {0x41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    return (struct templates_request){
        .spki = f->spki, .serial = view_of(serial, sizeof(serial)), .now = FIXTURE_NOW};
}

static X509_NAME *name_of(const char *subject)
{
    X509_NAME *name = X509_NAME_new();
    char *copy = strdup(subject), *rest = NULL;
    for (char *part = strtok_r(copy, "/", &rest); part; part = strtok_r(NULL, "/", &rest)) {
        char *value = strchr(part, '=');
        *value++ = 0;
        assert_int_equal(X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8, (uint8_t *)value, -1, -1, 0),
                         1);
    }
    free(copy);
    return name;
}

static void add_exts(X509_REQ *req, const char *exts)
{
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    char *copy = strdup(exts), *rest = NULL;
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, NULL, NULL, req, NULL, 0);
    X509V3_set_ctx_nodb(&ctx);
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *value = strchr(line, '=');
        *value++ = 0;
        X509_EXTENSION *ext = X509V3_EXT_nconf(NULL, &ctx, line, value);
        if (!ext)
            ERR_print_errors_fp(stderr);
        assert_non_null(ext);
        sk_X509_EXTENSION_push(list, ext);
    }
    X509_REQ_add_extensions(req, list);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    free(copy);
}

struct cert_csr *fixture_csr(struct arena *arena, EVP_PKEY *key, const char *subject, const char *exts)
{
    struct cert_csr *csr = ARENA_NEW(arena, struct cert_csr);
    X509_REQ *req = X509_REQ_new();
    X509_NAME *name = name_of(subject);
    uint8_t *der = NULL;
    X509_REQ_set_subject_name(req, name);
    X509_REQ_set_pubkey(req, key);
    if (exts)
        add_exts(req, exts);
    assert_true(X509_REQ_sign(req, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()) > 0);
    int n = i2d_X509_REQ(req, &der);
    fixture_ok(cert_csr_parse(arena_dup(arena, view_of(der, (size_t)n)), arena, csr));
    OPENSSL_free(der);
    X509_NAME_free(name);
    X509_REQ_free(req);
    return csr;
}

struct view fixture_seal(struct arena *arena, EVP_PKEY *key, const struct cert_tbs *tbs)
{
    struct view der = {NULL, 0}, cert = {NULL, 0};
    uint8_t sig[512];
    size_t sig_n = sizeof(sig);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    fixture_ok(cert_tbs_write(tbs, arena, &der));
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, sig, &sig_n, der.p, der.n), 1);
    fixture_ok(cert_seal(der, tbs->alg, view_of(sig, sig_n), arena, &cert));
    EVP_MD_CTX_free(ctx);
    return cert;
}
