/*
 * Signatures of the OpenSSL provider that take the message whole: Ed25519 (RFC 8032). One shot only, no
 * digest and no parameters; that is all OpenSSL asks for where it signs a certificate, a request, a list or a
 * TLS handshake with such a key. A context belongs to one thread at a time.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

#include "mechanism.h"
#include "provider_inside.h"

struct message {
    const struct token_key *private; /* NULL: verifying only */
    EVP_PKEY *public;                /* owned reference */
};

static void *message_new(void *ctx, const char *properties)
{
    (void)ctx;
    (void)properties;
    return calloc(1, sizeof(struct message));
}

static void message_free(void *ctx)
{
    struct message *m = ctx;

    if (!m)
        return;
    EVP_PKEY_free(m->public);
    free(m);
}

static void *message_dup(void *ctx)
{
    const struct message *from = ctx;
    struct message *m = malloc(sizeof *m);

    if (!m)
        return NULL;
    *m = *from;
    if (m->public && EVP_PKEY_up_ref(m->public) != 1)
        m->public = NULL;
    return m;
}

/* A digest named here would be a second one: refused. */
static int verify_init(void *ctx, const char *digest, void *key, const OSSL_PARAM params[])
{
    struct message *m = ctx;
    const struct provider_keydata *k = key;

    (void)params;
    if (digest && *digest)
        return 0;
    if (!k) /* the same key again */
        return m->public != NULL;
    if (!k->public || EVP_PKEY_up_ref(k->public) != 1)
        return 0;
    EVP_PKEY_free(m->public);
    m->public = k->public;
    m->private = k->private;
    return 1;
}

static int sign_init(void *ctx, const char *digest, void *key, const OSSL_PARAM params[])
{
    const struct message *m = ctx;

    return verify_init(ctx, digest, key, params) && m->private;
}

static int sign(void *ctx, unsigned char *to, size_t *ret_n, size_t room, const unsigned char *data, size_t n)
{
    const struct message *m = ctx;
    uint8_t made[MECHANISM_SIGNATURE_MAX_BYTES];
    size_t made_n = 0;
    struct err *e;

    if (!to) {
        *ret_n = (size_t)EVP_PKEY_get_size(m->public);
        return 1;
    }
    if (!m->private)
        return 0;
    e = mechanism_sign(m->private, CERT_ALG_ED25519, view_of(data, n), false, made, &made_n);
    if (e)
        return provider_raise(e);
    if (made_n > room)
        return 0;
    memcpy(to, made, made_n);
    *ret_n = made_n;
    return 1;
}

static int verify(void *ctx, const unsigned char *signature, size_t n, const unsigned char *data,
                  size_t data_n)
{
    const struct message *m = ctx;

    return mechanism_verify(m->public, CERT_ALG_ED25519, view_of(data, data_n), view_of(signature, n));
}

/* The algorithm identifier is all that ASN1_item_sign_ctx() asks for. */
static int message_get(void *ctx, OSSL_PARAM params[])
{
    OSSL_PARAM *id = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);
    struct view der = cert_alg_der(CERT_ALG_ED25519);

    (void)ctx;
    return !id || OSSL_PARAM_set_octet_string(id, der.p, der.n);
}

static const OSSL_PARAM *message_gettable(void *ctx, void *provider)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)ctx;
    (void)provider;
    return params;
}

const OSSL_DISPATCH provider_sign_message_functions[] = {
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_NEWCTX, OSSL_FUNC_signature_newctx_fn, message_new),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_FREECTX, OSSL_FUNC_signature_freectx_fn, message_free),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_DUPCTX, OSSL_FUNC_signature_dupctx_fn, message_dup),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, OSSL_FUNC_signature_digest_sign_init_fn,
                      sign_init),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, OSSL_FUNC_signature_digest_sign_fn, sign),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, OSSL_FUNC_signature_digest_verify_init_fn,
                      verify_init),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, OSSL_FUNC_signature_digest_verify_fn, verify),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, OSSL_FUNC_signature_get_ctx_params_fn, message_get),
    PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, OSSL_FUNC_signature_gettable_ctx_params_fn,
                      message_gettable),
    {0, NULL},
};
