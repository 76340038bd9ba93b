/*
 * Signatures of the OpenSSL provider: ECDSA, RSA PKCS#1 v1.5, RSA PSS, each over SHA-256, 384 or 512. Hashes
 * in software, hands the digest to the token through the same pool of sessions as the vault's signers, and
 * passes verifying on to the public half. Any other digest, padding or salt is refused. A context belongs to
 * one thread at a time.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <strings.h>

#include "mechanism.h"
#include "provider_inside.h"

struct signature {
    const struct token_key *private; /* NULL: verifying only */
    EVP_PKEY *public;                /* owned reference */
    bool rsa, pss;
    size_t digest_bytes; /* 32, 48, 64; 0: not set yet */
    EVP_MD_CTX *md;      /* NULL until digest_*_init */
};

static const struct {
    const char *name;
    size_t bytes;
} digest_names[] = {
    {"SHA256", 32},  {"SHA2-256", 32}, {"SHA-256", 32},  {"SHA384", 48},  {"SHA2-384", 48},
    {"SHA-384", 48}, {"SHA512", 64},   {"SHA2-512", 64}, {"SHA-512", 64},
};

static bool digest_by_name(const char *name, size_t *ret_bytes)
{
    for (size_t i = 0; i < sizeof digest_names / sizeof digest_names[0]; i++)
        if (strcasecmp(name, digest_names[i].name) == 0) {
            *ret_bytes = digest_names[i].bytes;
            return true;
        }
    return false;
}

/* The algorithm that the context stands for; false where no digest was set. */
static bool alg_of(const struct signature *s, enum cert_alg *ret)
{
    enum cert_scheme scheme = !s->rsa ? CERT_SCHEME_ECDSA : s->pss ? CERT_SCHEME_PSS : CERT_SCHEME_PKCS1;

    for (int i = 0; i < CERT_ALG__COUNT; i++)
        if (s->digest_bytes && cert_alg_digest_bytes((enum cert_alg)i) == s->digest_bytes &&
            cert_alg_scheme((enum cert_alg)i) == scheme) {
            *ret = (enum cert_alg)i;
            return true;
        }
    return false;
}

static void *sig_new(void *ctx, const char *properties)
{
    (void)ctx;
    (void)properties;
    return calloc(1, sizeof(struct signature));
}

static void sig_free(void *ctx)
{
    struct signature *s = ctx;

    if (!s)
        return;
    EVP_PKEY_free(s->public);
    EVP_MD_CTX_free(s->md);
    free(s);
}

/* What makes EVP_MD_CTX_copy_ex() from a prepared context cheap: the digest's state is copied, nothing is
 * fetched. */
static void *sig_dup(void *ctx)
{
    const struct signature *from = ctx;
    struct signature *s = malloc(sizeof *s);

    if (!s)
        return NULL;
    *s = *from;
    s->md = NULL;
    if (s->public && EVP_PKEY_up_ref(s->public) != 1)
        s->public = NULL;
    if (from->md) {
        s->md = EVP_MD_CTX_new();
        if (!s->md || EVP_MD_CTX_copy_ex(s->md, from->md) != 1) {
            sig_free(s);
            return NULL;
        }
    }
    return s;
}

/* --- parameters --- */

static int set_pad_mode(struct signature *s, const OSSL_PARAM *p)
{
    int mode = 0;

    if (!p)
        return 1;
    if (!s->rsa)
        return 0;
    if (p->data_type == OSSL_PARAM_UTF8_STRING) {
        s->pss = strcasecmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0;
        return s->pss || strcasecmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0;
    }
    if (OSSL_PARAM_get_int(p, &mode) != 1)
        return 0;
    s->pss = mode == RSA_PKCS1_PSS_PADDING;
    return s->pss || mode == RSA_PKCS1_PADDING;
}

/* A salt as long as the digest, however it is said; what the vault's own certificates carry. */
static int set_salt(const struct signature *s, const OSSL_PARAM *p)
{
    int n = 0;

    if (!p)
        return 1;
    if (p->data_type == OSSL_PARAM_UTF8_STRING) {
        if (strcasecmp(p->data, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) == 0)
            return 1;
        n = atoi(p->data);
        return n > 0 && (size_t)n == s->digest_bytes;
    }
    if (OSSL_PARAM_get_int(p, &n) != 1)
        return 0;
    return n == RSA_PSS_SALTLEN_DIGEST || (n > 0 && (size_t)n == s->digest_bytes);
}

static int set_digest(struct signature *s, const OSSL_PARAM *p)
{
    size_t bytes = 0;

    if (!p)
        return 1;
    if (p->data_type != OSSL_PARAM_UTF8_STRING || !digest_by_name(p->data, &bytes))
        return 0;
    if (s->md && s->digest_bytes != bytes) /* too late: data may have been hashed */
        return 0;
    s->digest_bytes = bytes;
    return 1;
}

static int check_mgf1(const struct signature *s, const OSSL_PARAM *p)
{
    size_t bytes = 0;

    if (!p)
        return 1;
    return p->data_type == OSSL_PARAM_UTF8_STRING && digest_by_name(p->data, &bytes) &&
           bytes == s->digest_bytes;
}

static int sig_set(void *ctx, const OSSL_PARAM params[])
{
    struct signature *s = ctx;

    if (!params)
        return 1;
    return set_digest(s, OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_DIGEST)) &&
           set_pad_mode(s, OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE)) &&
           set_salt(s, OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN)) &&
           check_mgf1(s, OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_MGF1_DIGEST));
}

static const OSSL_PARAM *sig_settable(void *ctx, void *provider)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)ctx;
    (void)provider;
    return params;
}

static int get_pad_mode(const struct signature *s, OSSL_PARAM *p)
{
    if (!p)
        return 1;
    if (p->data_type == OSSL_PARAM_UTF8_STRING)
        return OSSL_PARAM_set_utf8_string(p, s->pss ? OSSL_PKEY_RSA_PAD_MODE_PSS
                                                    : OSSL_PKEY_RSA_PAD_MODE_PKCSV15);
    return OSSL_PARAM_set_int(p, s->pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING);
}

/* The algorithm identifier is all that ASN1_item_sign_ctx() asks for. */
static int sig_get(void *ctx, OSSL_PARAM params[])
{
    const struct signature *s = ctx;
    OSSL_PARAM *id = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);
    OSSL_PARAM *digest = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_DIGEST);
    OSSL_PARAM *salt = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
    enum cert_alg alg;
    struct view der;

    if (!alg_of(s, &alg))
        return 0;
    der = cert_alg_der(alg);
    return (!id || OSSL_PARAM_set_octet_string(id, der.p, der.n)) &&
           (!digest || OSSL_PARAM_set_utf8_string(digest, cert_alg_digest(alg))) &&
           (!salt || OSSL_PARAM_set_int(salt, (int)s->digest_bytes)) &&
           get_pad_mode(s, OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_PAD_MODE));
}

static const OSSL_PARAM *sig_gettable(void *ctx, void *provider)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL),
        OSSL_PARAM_END,
    };

    (void)ctx;
    (void)provider;
    return params;
}

/* --- starting --- */

static bool set_key(struct signature *s, const struct provider_keydata *k)
{
    if (!k) /* the same key again */
        return s->public != NULL;
    if (!k->public || EVP_PKEY_up_ref(k->public) != 1)
        return false;
    EVP_PKEY_free(s->public);
    s->public = k->public;
    s->private = k->private;
    s->rsa = strcmp(k->type, "RSA") == 0;
    return true;
}

static int verify_init(void *ctx, void *key, const OSSL_PARAM params[])
{
    return set_key(ctx, key) && sig_set(ctx, params);
}

static int sign_init(void *ctx, void *key, const OSSL_PARAM params[])
{
    const struct signature *s = ctx;

    return verify_init(ctx, key, params) && s->private;
}

static int digest_verify_init(void *ctx, const char *name, void *key, const OSSL_PARAM params[])
{
    struct signature *s = ctx;
    enum cert_alg alg;

    EVP_MD_CTX_free(s->md);
    s->md = NULL;
    s->digest_bytes = 32;
    if ((name && *name && !digest_by_name(name, &s->digest_bytes)) || !verify_init(s, key, params) ||
        !alg_of(s, &alg))
        return 0;
    s->md = EVP_MD_CTX_new();
    return s->md && EVP_DigestInit_ex(s->md, mechanism_digest(alg), NULL) == 1;
}

static int digest_sign_init(void *ctx, const char *name, void *key, const OSSL_PARAM params[])
{
    const struct signature *s = ctx;

    return digest_verify_init(ctx, name, key, params) && s->private;
}

/* --- signing and verifying --- */

static int digest_update(void *ctx, const unsigned char *data, size_t n)
{
    struct signature *s = ctx;

    return s->md && EVP_DigestUpdate(s->md, data, n) == 1;
}

/* What a raw EVP_PKEY_sign() hands over tells the digest by its length where none was set. */
static bool alg_of_digest(struct signature *s, size_t n, enum cert_alg *ret)
{
    if (!s->digest_bytes && (n == 32 || n == 48 || n == 64))
        s->digest_bytes = n;
    return alg_of(s, ret) && n == s->digest_bytes;
}

static int sign(void *ctx, unsigned char *to, size_t *ret_n, size_t room, const unsigned char *digest,
                size_t n)
{
    struct signature *s = ctx;
    uint8_t made[MECHANISM_SIGNATURE_MAX_BYTES];
    size_t made_n = 0;
    enum cert_alg alg;
    struct err *e;

    if (!to) {
        *ret_n = (size_t)EVP_PKEY_get_size(s->public);
        return 1;
    }
    if (!s->private || !alg_of_digest(s, n, &alg))
        return 0;
    e = mechanism_sign(s->private, alg, view_of(digest, n), false, made, &made_n);
    if (e)
        return provider_raise(e);
    if (made_n > room)
        return 0;
    memcpy(to, made, made_n);
    *ret_n = made_n;
    return 1;
}

static int verify(void *ctx, const unsigned char *signature, size_t n, const unsigned char *digest,
                  size_t digest_n)
{
    struct signature *s = ctx;
    enum cert_alg alg;

    return alg_of_digest(s, digest_n, &alg) &&
           mechanism_verify(s->public, alg, view_of(digest, digest_n), view_of(signature, n));
}

static int digest_sign_final(void *ctx, unsigned char *to, size_t *ret_n, size_t room)
{
    struct signature *s = ctx;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (!to)
        return sign(s, NULL, ret_n, room, NULL, 0);
    return s->md && EVP_DigestFinal_ex(s->md, digest, &n) == 1 && sign(s, to, ret_n, room, digest, n);
}

static int digest_sign(void *ctx, unsigned char *to, size_t *ret_n, size_t room, const unsigned char *data,
                       size_t n)
{
    return (!to || digest_update(ctx, data, n)) && digest_sign_final(ctx, to, ret_n, room);
}

static int digest_verify_final(void *ctx, const unsigned char *signature, size_t n)
{
    struct signature *s = ctx;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_n = 0;

    return s->md && EVP_DigestFinal_ex(s->md, digest, &digest_n) == 1 &&
           verify(s, signature, n, digest, digest_n);
}

static int digest_verify(void *ctx, const unsigned char *signature, size_t n, const unsigned char *data,
                         size_t data_n)
{
    return digest_update(ctx, data, data_n) && digest_verify_final(ctx, signature, n);
}

const OSSL_DISPATCH provider_sign_functions[] = {
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_NEWCTX, OSSL_FUNC_signature_newctx_fn, sig_new),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_FREECTX, OSSL_FUNC_signature_freectx_fn, sig_free),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_DUPCTX, OSSL_FUNC_signature_dupctx_fn, sig_dup),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_SIGN_INIT, OSSL_FUNC_signature_sign_init_fn, sign_init),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_SIGN, OSSL_FUNC_signature_sign_fn, sign),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_VERIFY_INIT, OSSL_FUNC_signature_verify_init_fn, verify_init),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_VERIFY, OSSL_FUNC_signature_verify_fn, verify),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, OSSL_FUNC_signature_digest_sign_init_fn,
                      digest_sign_init),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, OSSL_FUNC_signature_digest_sign_update_fn,
                      digest_update),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, OSSL_FUNC_signature_digest_sign_final_fn,
                      digest_sign_final),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, OSSL_FUNC_signature_digest_sign_fn, digest_sign),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, OSSL_FUNC_signature_digest_verify_init_fn,
                      digest_verify_init),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, OSSL_FUNC_signature_digest_verify_update_fn,
                      digest_update),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, OSSL_FUNC_signature_digest_verify_final_fn,
                      digest_verify_final),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, OSSL_FUNC_signature_digest_verify_fn, digest_verify),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, OSSL_FUNC_signature_get_ctx_params_fn, sig_get),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, OSSL_FUNC_signature_gettable_ctx_params_fn,
                      sig_gettable),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, OSSL_FUNC_signature_set_ctx_params_fn, sig_set),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, OSSL_FUNC_signature_settable_ctx_params_fn,
                      sig_settable),
    {0, NULL},
};
