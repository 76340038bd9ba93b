/*
 * The provider's store: OSSL_STORE_open_ex("pkcs11:object=issuing", ...) gives the token's key of that URI,
 * once. Only private keys; asks the token at load. Any thread.
 */
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>
#include <openssl/store.h>
#include <stdlib.h>
#include <string.h>

#include "provider_inside.h"

struct store {
    struct token *token;
    char *uri;
    int expected; /* OSSL_STORE_INFO_..., 0: anything */
    bool done;
};

static void *store_open(void *ctx, const char *uri)
{
    const struct provider_ctx *provider = ctx;
    struct store *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->token = provider->token;
    s->uri = strdup(uri);
    return s;
}

static int store_close(void *ctx)
{
    struct store *s = ctx;

    free(s->uri);
    free(s);
    return 1;
}

static int store_eof(void *ctx)
{
    return ((struct store *)ctx)->done;
}

static const OSSL_PARAM *store_settable(void *ctx)
{
    static const OSSL_PARAM params[] = {OSSL_PARAM_int(OSSL_STORE_PARAM_EXPECT, NULL), OSSL_PARAM_END};

    (void)ctx;
    return params;
}

static int store_set(void *ctx, const OSSL_PARAM params[])
{
    struct store *s = ctx;
    const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_EXPECT);

    return !p || OSSL_PARAM_get_int(p, &s->expected);
}

/* keymgmt's load() takes the key out of the reference and leaves NULL there. */
static int give(struct provider_keydata *k, OSSL_CALLBACK *callback, void *arg)
{
    int type = OSSL_OBJECT_PKEY, good;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, (char *)(uintptr_t)k->type, 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, &k, sizeof k),
        OSSL_PARAM_construct_end(),
    };

    good = callback(params, arg);
    provider_key_free(k);
    return good;
}

static int store_load(void *ctx, OSSL_CALLBACK *callback, void *arg, OSSL_PASSPHRASE_CALLBACK *passphrase,
                      void *passphrase_arg)
{
    struct store *s = ctx;
    const struct token_key *key = NULL;
    struct provider_keydata *k;
    struct err *e;

    (void)passphrase;
    (void)passphrase_arg;
    s->done = true;
    if (s->expected != 0 && s->expected != OSSL_STORE_INFO_PKEY)
        return 0;
    e = token_key_find_uri(s->token, s->uri, &key);
    if (e)
        return provider_raise(e);
    k = provider_key_of(key);
    return k ? give(k, callback, arg) : 0;
}

const OSSL_DISPATCH provider_store_functions[] = {
    PROVIDER_FUNCTION(OSSL_FUNC_STORE_OPEN, OSSL_FUNC_store_open_fn, store_open),
    PROVIDER_FUNCTION(OSSL_FUNC_STORE_SETTABLE_CTX_PARAMS, OSSL_FUNC_store_settable_ctx_params_fn,
                      store_settable),
    PROVIDER_FUNCTION(OSSL_FUNC_STORE_SET_CTX_PARAMS, OSSL_FUNC_store_set_ctx_params_fn, store_set),
    PROVIDER_FUNCTION(OSSL_FUNC_STORE_LOAD, OSSL_FUNC_store_load_fn, store_load),
    PROVIDER_FUNCTION(OSSL_FUNC_STORE_EOF, OSSL_FUNC_store_eof_fn, store_eof),
    PROVIDER_FUNCTION(OSSL_FUNC_STORE_CLOSE, OSSL_FUNC_store_close_fn, store_close),
    {0, NULL},
};
