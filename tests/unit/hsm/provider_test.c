/* Tests of hsm/provider*.c: OpenSSL's own calls on keys in a real token, each result checked by the default
 * provider. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/store.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "provider.h"
#include "token_scene.h"

/* A token and its keys as EVP_PKEYs. */
struct stage {
    struct token_scene *scene;
    struct provider *provider;
    const struct token_key *token_key[3];
    EVP_PKEY *key[3];
};
enum { P256, P384, RSA2048, KEYS };

static int setup(void **state)
{
    struct stage *g = calloc(1, sizeof *g);

    token_scene_setup((void **)&g->scene);
    g->token_key[P256] = token_scene_key(g->scene, CERT_KEY_P256, 0);
    g->token_key[P384] = token_scene_key(g->scene, CERT_KEY_P384, 0);
    g->token_key[RSA2048] = token_scene_key(g->scene, CERT_KEY_RSA, 2048);
    good(provider_open(g->scene->t, &g->provider));
    for (int i = 0; i < KEYS; i++)
        good(provider_key(g->provider, g->token_key[i], &g->key[i]));
    *state = g;
    return 0;
}

static int teardown(void **state)
{
    struct stage *g = *state;

    for (int i = 0; i < KEYS; i++)
        EVP_PKEY_free(g->key[i]);
    provider_close(g->provider);
    token_scene_teardown((void **)&g->scene);
    free(g);
    return 0;
}

static EVP_PKEY *public_of(struct stage *g, int i)
{
    return token_key_public(g->token_key[i]);
}

static void check_signature(EVP_PKEY *public, const EVP_MD *md, bool pss, const uint8_t *sig, size_t n)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;

    assert_int_equal(EVP_DigestVerifyInit(ctx, &pctx, md, NULL, public), 1);
    if (pss) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST), 1);
    }
    assert_int_equal(EVP_DigestVerify(ctx, sig, n, (const uint8_t *)"hello world", 11), 1);
    EVP_MD_CTX_free(ctx);
}

static void one_shot_with_every_digest(void **state)
{
    struct stage *g = *state;
    const EVP_MD *mds[] = {EVP_sha256(), EVP_sha384(), EVP_sha512()};

    for (int i = 0; i < KEYS; i++)
        for (int d = 0; d < 3; d++) {
            EVP_MD_CTX *ctx = EVP_MD_CTX_new();
            uint8_t sig[1024];
            size_t n = sizeof sig;

            assert_int_equal(EVP_DigestSignInit(ctx, NULL, mds[d], NULL, g->key[i]), 1);
            assert_int_equal(EVP_DigestSign(ctx, sig, &n, (const uint8_t *)"hello world", 11), 1);
            check_signature(public_of(g, i), mds[d], false, sig, n);
            EVP_MD_CTX_free(ctx);
        }
}

static void in_pieces_and_from_a_copied_context(void **state)
{
    struct stage *g = *state;

    for (int i = 0; i < KEYS; i++) {
        EVP_MD_CTX *prepared = EVP_MD_CTX_new(), *ctx = EVP_MD_CTX_new();
        uint8_t sig[1024];
        size_t n = 0;

        assert_int_equal(EVP_DigestSignInit(prepared, NULL, EVP_sha256(), NULL, g->key[i]), 1);
        for (int round = 0; round < 3; round++) {
            assert_int_equal(EVP_MD_CTX_copy_ex(ctx, prepared), 1);
            assert_int_equal(EVP_DigestSignUpdate(ctx, "hello ", 6), 1);
            assert_int_equal(EVP_DigestSignUpdate(ctx, "world", 5), 1);
            assert_int_equal(EVP_DigestSignFinal(ctx, NULL, &n), 1);
            assert_true(n <= sizeof sig);
            assert_int_equal(EVP_DigestSignFinal(ctx, sig, &n), 1);
            check_signature(public_of(g, i), EVP_sha256(), false, sig, n);
        }
        EVP_MD_CTX_free(prepared);
        EVP_MD_CTX_free(ctx);
    }
}

static EVP_MD_CTX *pss_context(EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;

    assert_int_equal(EVP_DigestSignInit(ctx, &pctx, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, EVP_sha256()), 1);
    return ctx;
}

static void pss(void **state)
{
    struct stage *g = *state;
    EVP_MD_CTX *ctx = pss_context(g->key[RSA2048]);
    uint8_t sig[1024];
    size_t n = sizeof sig;

    assert_int_equal(EVP_DigestSign(ctx, sig, &n, (const uint8_t *)"hello world", 11), 1);
    check_signature(public_of(g, RSA2048), EVP_sha256(), true, sig, n);
    EVP_MD_CTX_free(ctx);
}

static void raw_digests(void **state)
{
    struct stage *g = *state;

    for (int i = 0; i < KEYS; i++) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(provider_libctx(g->provider), g->key[i], NULL);
        uint8_t digest[32], sig[1024];
        size_t n = sizeof sig;

        assert_int_equal(EVP_Digest("hello world", 11, digest, NULL, EVP_sha256(), NULL), 1);
        assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
        assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), 1);
        assert_int_equal(EVP_PKEY_sign(ctx, sig, &n, digest, 32), 1);
        check_signature(public_of(g, i), EVP_sha256(), false, sig, n);
        n = sizeof sig;
        assert_int_not_equal(EVP_PKEY_sign(ctx, sig, &n, digest, 31), 1);
        EVP_PKEY_CTX_free(ctx);
    }
}

static void other_digests_and_salts_are_refused(void **state)
{
    struct stage *g = *state;
    const EVP_MD *bad[] = {EVP_md5(), EVP_sha1(), EVP_sha224(), EVP_sha3_256()};
    EVP_MD_CTX *ctx;
    EVP_PKEY_CTX *pctx = NULL;

    for (int i = 0; i < KEYS; i++)
        for (int d = 0; d < 4; d++) {
            ctx = EVP_MD_CTX_new();
            assert_int_not_equal(EVP_DigestSignInit(ctx, NULL, bad[d], NULL, g->key[i]), 1);
            EVP_MD_CTX_free(ctx);
        }
    ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, &pctx, EVP_sha256(), NULL, g->key[RSA2048]), 1);
    assert_true(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_NO_PADDING) <= 0);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
    assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, 20) <= 0);
    assert_true(EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, EVP_sha1()) <= 0);
    EVP_MD_CTX_free(ctx);
}

static X509 *cert_new(EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);

    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"localhost", -1, -1, 0);
    X509_set_issuer_name(x, name);
    assert_int_equal(X509_set_pubkey(x, key), 1);
    return x;
}

static void requests_certificates_and_lists(void **state)
{
    struct stage *g = *state;

    for (int i = 0; i < KEYS; i++) {
        X509_REQ *req = X509_REQ_new();
        X509_CRL *crl = X509_CRL_new();
        X509 *x = cert_new(g->key[i]);

        assert_int_equal(X509_REQ_set_pubkey(req, g->key[i]), 1);
        assert_true(X509_REQ_sign(req, g->key[i], EVP_sha256()) > 0);
        assert_int_equal(X509_REQ_verify(req, public_of(g, i)), 1);
        assert_true(X509_sign(x, g->key[i], EVP_sha384()) > 0);
        assert_int_equal(X509_verify(x, public_of(g, i)), 1);
        assert_int_equal(X509_verify(x, g->key[i]), 1); /* verifying with the token's key */
        assert_int_equal(X509_check_private_key(x, g->key[i]), 1);
        assert_int_equal(X509_check_private_key(x, g->key[(i + 1) % KEYS]), 0);
        X509_CRL_set_version(crl, 1);
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(x));
        X509_CRL_set1_lastUpdate(crl, X509_get0_notBefore(x));
        assert_true(X509_CRL_sign(crl, g->key[i], EVP_sha256()) > 0);
        assert_int_equal(X509_CRL_verify(crl, public_of(g, i)), 1);
        X509_CRL_free(crl);
        X509_REQ_free(req);
        X509_free(x);
    }
}

static void a_certificate_with_pss(void **state)
{
    struct stage *g = *state;
    X509 *x = cert_new(g->key[RSA2048]);
    EVP_MD_CTX *ctx = pss_context(g->key[RSA2048]);

    assert_true(X509_sign_ctx(x, ctx) > 0);
    assert_int_equal(X509_get_signature_nid(x), NID_rsassaPss);
    assert_int_equal(X509_verify(x, public_of(g, RSA2048)), 1);
    EVP_MD_CTX_free(ctx);
    X509_free(x);
}

static void ocsp_answers(void **state)
{
    struct stage *g = *state;

    for (int i = 0; i < KEYS; i++) {
        X509 *x = cert_new(g->key[i]);
        OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
        OCSP_CERTID *id;
        STACK_OF(X509) *certs = sk_X509_new_null();

        assert_true(X509_sign(x, g->key[i], EVP_sha256()) > 0);
        id = OCSP_cert_to_id(EVP_sha1(), x, x);
        OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, X509_getm_notBefore(x), NULL);
        assert_int_equal(OCSP_basic_sign(basic, x, g->key[i], EVP_sha256(), NULL, 0), 1);
        sk_X509_push(certs, x);
        assert_int_equal(OCSP_basic_verify(basic, certs, NULL, OCSP_NOVERIFY), 1);
        sk_X509_free(certs);
        OCSP_CERTID_free(id);
        OCSP_BASICRESP_free(basic);
        X509_free(x);
    }
}

static void is_equal_to_its_public_half(void **state)
{
    struct stage *g = *state;

    for (int i = 0; i < KEYS; i++) {
        EVP_PKEY *copy = EVP_PKEY_dup(g->key[i]);

        assert_int_equal(EVP_PKEY_eq(g->key[i], public_of(g, i)), 1);
        assert_int_equal(EVP_PKEY_eq(public_of(g, i), g->key[i]), 1);
        assert_int_equal(EVP_PKEY_eq(g->key[i], copy), 1);
        assert_int_not_equal(EVP_PKEY_eq(g->key[i], public_of(g, (i + 1) % KEYS)), 1);
        EVP_PKEY_free(copy);
    }
}

static void its_public_questions_are_answered(void **state)
{
    struct stage *g = *state;
    char group[32];

    assert_int_equal(EVP_PKEY_get_bits(g->key[P256]), 256);
    assert_int_equal(EVP_PKEY_get_bits(g->key[RSA2048]), 2048);
    assert_int_equal(EVP_PKEY_get_security_bits(g->key[P384]), 192);
    assert_int_equal(EVP_PKEY_get_group_name(g->key[P384], group, sizeof group, NULL), 1);
    assert_string_equal(group, "secp384r1");
    assert_true(EVP_PKEY_is_a(g->key[P256], "EC"));
    for (int i = 0; i < KEYS; i++) {
        uint8_t *der = NULL;
        int n = i2d_PUBKEY(g->key[i], &der);

        assert_true(view_eq(view_of(der, (size_t)n), g->token_key[i]->spki));
        OPENSSL_free(der);
    }
}

static void the_private_half_cannot_be_had(void **state)
{
    struct stage *g = *state;

    for (int i = 0; i < KEYS; i++) {
        BIO *out = BIO_new(BIO_s_mem());
        OSSL_PARAM *params = NULL;
        uint8_t *der = NULL;
        BIGNUM *n = NULL;

        assert_true(i2d_PrivateKey(g->key[i], &der) <= 0);
        assert_int_not_equal(PEM_write_bio_PrivateKey(out, g->key[i], NULL, NULL, 0, NULL, NULL), 1);
        assert_int_not_equal(PEM_write_bio_PKCS8PrivateKey(out, g->key[i], NULL, NULL, 0, NULL, NULL), 1);
        assert_int_equal(BIO_pending(out), 0);
        assert_int_not_equal(EVP_PKEY_todata(g->key[i], EVP_PKEY_KEYPAIR, &params), 1);
        assert_int_not_equal(EVP_PKEY_get_bn_param(g->key[i], i == RSA2048 ? "d" : "priv", &n), 1);
        assert_int_equal(EVP_PKEY_todata(g->key[i], EVP_PKEY_PUBLIC_KEY, &params), 1); /* the control */
        assert_non_null(params);
        OSSL_PARAM_free(params);
        BIO_free(out);
    }
    ERR_clear_error();
}

static void no_private_key_comes_in(void **state)
{
    struct stage *g = *state;
    EVP_PKEY *software = EVP_EC_gen("P-256"), *out = NULL;
    OSSL_PARAM *params = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(provider_libctx(g->provider), "EC", PROVIDER_PROPERTIES);

    assert_int_equal(EVP_PKEY_todata(software, EVP_PKEY_KEYPAIR, &params), 1);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_not_equal(EVP_PKEY_fromdata(ctx, &out, EVP_PKEY_KEYPAIR, params), 1);
    EVP_PKEY_free(out);
    out = NULL;
    assert_int_equal(EVP_PKEY_fromdata(ctx, &out, EVP_PKEY_PUBLIC_KEY, params), 1); /* the control */
    EVP_PKEY_free(out);
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(software);
    ERR_clear_error();
}

static EVP_PKEY *load(struct stage *g, const char *uri)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open_ex(uri, provider_libctx(g->provider), PROVIDER_PROPERTIES, NULL,
                                               NULL, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;

    assert_non_null(store);
    while (!key && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
            key = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    return key;
}

static void keys_come_by_uri(void **state)
{
    struct stage *g = *state;
    EVP_PKEY *key = load(g, "pkcs11:token=test;object=p384-0;type=private");
    X509 *x;

    assert_non_null(key);
    assert_int_equal(EVP_PKEY_eq(key, public_of(g, P384)), 1);
    x = cert_new(key);
    assert_true(X509_sign(x, key, EVP_sha384()) > 0);
    assert_int_equal(X509_verify(x, public_of(g, P384)), 1);
    X509_free(x);
    EVP_PKEY_free(key);
    key = load(g, "pkcs11:object=rsa-2048");
    assert_int_equal(EVP_PKEY_eq(key, public_of(g, RSA2048)), 1);
    EVP_PKEY_free(key);
    assert_null(load(g, "pkcs11:object=nothing"));
    assert_null(load(g, "pkcs11:object=p384-0?pin-value=4711"));
    ERR_clear_error();
}

/* OpenSSL 3.0 keeps fetched methods in one cache a context: ours must not be in the one that all others use.
 */
static void the_default_context_stays_clean(void **state)
{
    struct stage *g = *state;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_KEYMGMT *keymgmt;
    EVP_PKEY *software;

    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, g->key[P256]), 1);
    keymgmt = EVP_KEYMGMT_fetch(NULL, "EC", NULL);
    assert_string_equal(OSSL_PROVIDER_get0_name(EVP_KEYMGMT_get0_provider(keymgmt)), "default");
    EVP_KEYMGMT_free(keymgmt);
    software = EVP_EC_gen("P-256");
    assert_non_null(software);
    EVP_PKEY_free(software);
    EVP_MD_CTX_free(ctx);
}

/* A server with this key and a client, in memory. */
static void handshake(struct stage *g, int i, int version)
{
    X509 *x = cert_new(g->key[i]);
    SSL_CTX *sctx = SSL_CTX_new(TLS_server_method()), *cctx = SSL_CTX_new(TLS_client_method());
    SSL *s, *c;
    BIO *a = NULL, *b = NULL;
    int done = 0;

    assert_true(X509_sign(x, g->key[i], EVP_sha256()) > 0);
    assert_int_equal(SSL_CTX_use_certificate(sctx, x), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(sctx, g->key[i]), 1);
    assert_int_equal(SSL_CTX_check_private_key(sctx), 1);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(cctx), x);
    SSL_CTX_set_verify(cctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_min_proto_version(cctx, version);
    SSL_CTX_set_max_proto_version(cctx, version);
    s = SSL_new(sctx);
    c = SSL_new(cctx);
    assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
    SSL_set_bio(s, a, a);
    SSL_set_bio(c, b, b);
    for (int turn = 0; turn < 20 && !done; turn++) {
        int rc = SSL_connect(c), rs = SSL_accept(s);

        done = rc == 1 && rs == 1;
    }
    if (!done)
        ERR_print_errors_fp(stderr);
    assert_true(done);
    SSL_free(s);
    SSL_free(c);
    SSL_CTX_free(sctx);
    SSL_CTX_free(cctx);
    X509_free(x);
}

static void tls_servers(void **state)
{
    for (int i = 0; i < KEYS; i++) {
        handshake(*state, i, TLS1_2_VERSION);
        handshake(*state, i, TLS1_3_VERSION);
    }
}

static void *sign_many(void *arg)
{
    intptr_t failed = 0;

    for (int i = 0; i < 100; i++) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        uint8_t sig[256];
        size_t n = sizeof sig;

        failed += EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, arg) != 1 ||
                  EVP_DigestSign(ctx, sig, &n, (const uint8_t *)"hello world", 11) != 1;
        EVP_MD_CTX_free(ctx);
    }
    return (void *)failed;
}

static void threads(void **state)
{
    struct stage *g = *state;
    pthread_t t[4];

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, sign_many, g->key[P256]), 0);
    for (int i = 0; i < 4; i++) {
        void *failed;

        pthread_join(t[i], &failed);
        assert_ptr_equal(failed, NULL);
    }
}

static void a_token_away_is_an_openssl_error(void **state)
{
    struct stage *g = *state;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t sig[256];
    size_t n = sizeof sig;
    char away[80], text[256];

    snprintf(away, sizeof away, "%s-away", g->scene->tokens);
    assert_int_equal(rename(g->scene->tokens, away), 0);
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, g->key[P256]), 1);
    ERR_clear_error();
    assert_int_not_equal(EVP_DigestSign(ctx, sig, &n, (const uint8_t *)"hello world", 11), 1);
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    assert_non_null(strstr(text, "failed to sign"));
    assert_int_equal(ERR_get_error(), 0);
    EVP_MD_CTX_free(ctx);
    assert_int_equal(rename(away, g->scene->tokens), 0);
}

/* What a process does that opens all of it and ends by exit(): no crash, whether closed in order, left open,
 * or stopped by a wrong PIN. */
static void live_and_exit(struct token_scene *s, int how)
{
    struct provider *p = NULL;
    const struct token_key *key = NULL;
    EVP_PKEY *pkey = NULL;

    token_scene_load(s);
    err_free(token_scene_open(s, how == 2 ? "0000" : SCENE_PIN));
    if (s->t) {
        good(provider_open(s->t, &p));
        good(token_key_find(s->t, "p256-0", (struct view){NULL, 0}, &key));
        good(provider_key(p, key, &pkey));
        (void)sign_many(pkey);
    }
    if (how == 1)
        exit(0);
    EVP_PKEY_free(pkey);
    provider_close(p);
    token_scene_close(s);
    exit(0);
}

static void processes_end_without_a_crash(void **state)
{
    struct stage *g = *state;

    for (int i = 0; i < KEYS; i++) {
        EVP_PKEY_free(g->key[i]);
        g->key[i] = NULL;
    }
    provider_close(g->provider);
    g->provider = NULL;
    token_scene_close(g->scene);
    for (int how = 0; how < 3; how++) {
        int status = -1;
        pid_t pid = fork();

        if (pid == 0)
            live_and_exit(g->scene, how);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_shot_with_every_digest),
        TEST(in_pieces_and_from_a_copied_context),
        TEST(pss),
        TEST(raw_digests),
        TEST(other_digests_and_salts_are_refused),
        TEST(requests_certificates_and_lists),
        TEST(a_certificate_with_pss),
        TEST(ocsp_answers),
        TEST(is_equal_to_its_public_half),
        TEST(its_public_questions_are_answered),
        TEST(the_private_half_cannot_be_had),
        TEST(no_private_key_comes_in),
        TEST(keys_come_by_uri),
        TEST(the_default_context_stays_clean),
        TEST(tls_servers),
        TEST(threads),
        TEST(a_token_away_is_an_openssl_error),
        TEST(processes_end_without_a_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
