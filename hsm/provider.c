/*
 * The OpenSSL provider's frame: a library context of its own with "default" and "chancery" in it, the query
 * table, and the way from a token's key to an EVP_PKEY. Closing it never calls the PKCS#11 module. Opened and
 * closed by one thread; used by any.
 */
#include "provider.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/proverr.h>
#include <openssl/provider.h>
#include <stdlib.h>

#include "provider_inside.h"

struct provider {
    OSSL_LIB_CTX *libctx;
    OSSL_PROVIDER *defaults, *own;
};

static const OSSL_ALGORITHM keys[] = {
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", PROVIDER_PROPERTIES, provider_key_ec, "EC keys in a token"},
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", PROVIDER_PROPERTIES, provider_key_rsa, "RSA keys in a token"},
    {"ED25519:1.3.101.112", PROVIDER_PROPERTIES, provider_key_ed25519, "Ed25519 keys in a token"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM signatures[] = {
    {PROVIDER_SIGN_EC, PROVIDER_PROPERTIES, provider_sign_functions, "ECDSA by a token"},
    {PROVIDER_SIGN_RSA, PROVIDER_PROPERTIES, provider_sign_functions, "RSA PKCS#1 v1.5 and PSS by a token"},
    {PROVIDER_SIGN_ED25519, PROVIDER_PROPERTIES, provider_sign_message_functions, "Ed25519 by a token"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM stores[] = {
    {"pkcs11", PROVIDER_PROPERTIES, provider_store_functions, "keys by pkcs11: URI"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM *query(void *ctx, int operation, int *ret_no_cache)
{
    (void)ctx;
    *ret_no_cache = 0;
    switch (operation) {
    case OSSL_OP_KEYMGMT:
        return keys;
    case OSSL_OP_SIGNATURE:
        return signatures;
    case OSSL_OP_STORE:
        return stores;
    default:
        return NULL;
    }
}

static const OSSL_PARAM *gettable(void *ctx)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_NAME, NULL, 0),
        OSSL_PARAM_int(OSSL_PROV_PARAM_STATUS, NULL),
        OSSL_PARAM_END,
    };

    (void)ctx;
    return params;
}

static int get(void *ctx, OSSL_PARAM params[])
{
    OSSL_PARAM *name = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_NAME);
    OSSL_PARAM *status = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);

    (void)ctx;
    return (!name || OSSL_PARAM_set_utf8_ptr(name, "keys of Chancery's token")) &&
           (!status || OSSL_PARAM_set_int(status, 1));
}

static void teardown(void *ctx)
{
    free(ctx);
}

static const OSSL_DISPATCH functions[] = {
    PROVIDER_FUNCTION(OSSL_FUNC_PROVIDER_TEARDOWN, OSSL_FUNC_provider_teardown_fn, teardown),
    PROVIDER_FUNCTION(OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, OSSL_FUNC_provider_gettable_params_fn, gettable),
    PROVIDER_FUNCTION(OSSL_FUNC_PROVIDER_GET_PARAMS, OSSL_FUNC_provider_get_params_fn, get),
    PROVIDER_FUNCTION(OSSL_FUNC_PROVIDER_QUERY_OPERATION, OSSL_FUNC_provider_query_operation_fn, query),
    {0, NULL},
};

static int init(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in, const OSSL_DISPATCH **ret_functions,
                void **ret_ctx)
{
    struct provider_ctx *ctx = calloc(1, sizeof *ctx);

    (void)core;
    (void)in;
    if (!ctx)
        return 0;
    *ret_functions = functions;
    *ret_ctx = ctx;
    return 1;
}

int provider_raise(struct err *e)
{
    ERR_raise_data(ERR_LIB_PROV, PROV_R_FAILED_TO_SIGN, "%s: %s", err_row(err_code(e))->type, err_detail(e));
    err_free(e);
    return 0;
}

struct err *provider_open(struct token *t, struct provider **ret)
{
    struct err *e = NULL;
    struct provider *p = calloc(1, sizeof *p);
    struct provider_ctx *ctx;

    if (!p)
        return err_new(ERR_NOMEM, "provider");
    p->libctx = OSSL_LIB_CTX_new();
    if (!p->libctx || OSSL_PROVIDER_add_builtin(p->libctx, PROVIDER_NAME, init) != 1)
        TRY(err_new(ERR_INTERNAL, "OpenSSL does not take a provider"));
    p->defaults = OSSL_PROVIDER_load(p->libctx, "default");
    p->own = OSSL_PROVIDER_load(p->libctx, PROVIDER_NAME);
    if (!p->defaults || !p->own)
        TRY(err_new(ERR_INTERNAL, "OpenSSL does not start a provider"));
    ctx = OSSL_PROVIDER_get0_provider_ctx(p->own);
    ctx->token = t;
    *ret = p;
    p = NULL;
out:
    provider_close(p);
    return e;
}

void provider_close(struct provider *p)
{
    if (!p)
        return;
    if (p->own)
        OSSL_PROVIDER_unload(p->own);
    if (p->defaults)
        OSSL_PROVIDER_unload(p->defaults);
    OSSL_LIB_CTX_free(p->libctx);
    free(p);
}

OSSL_LIB_CTX *provider_libctx(const struct provider *p)
{
    return p->libctx;
}

struct err *provider_key(struct provider *p, const struct token_key *key, EVP_PKEY **ret)
{
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_name(p->libctx, provider_key_type(key->kind), PROVIDER_PROPERTIES);
    void *pointer = (void *)(uintptr_t)key;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_ptr(PROVIDER_KEY_PARAM, &pointer, sizeof *key),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *made = NULL;
    bool good = ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
                EVP_PKEY_fromdata(ctx, &made, EVP_PKEY_KEYPAIR, params) == 1;

    EVP_PKEY_CTX_free(ctx);
    if (!good)
        return err_new(ERR_INTERNAL, "OpenSSL does not take the token's key");
    *ret = made;
    return NULL;
}
