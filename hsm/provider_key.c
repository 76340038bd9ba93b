/*
 * Key management of the OpenSSL provider. Each key holds its public half as a key of the default provider, to
 * which every public question is passed on; of the private half there is only a pointer to the token's key.
 * Never exports anything where the private half is asked for: a public-only copy in another provider would
 * sign with nothing. Any thread.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

#include "provider_inside.h"

const char *provider_key_type(enum cert_key_kind kind)
{
    switch (kind) {
    case CERT_KEY_RSA:
        return "RSA";
    case CERT_KEY_ED25519:
        return "ED25519";
    default:
        return "EC";
    }
}

struct provider_keydata *provider_key_new(const char *type)
{
    struct provider_keydata *k = calloc(1, sizeof *k);

    if (k)
        k->type = type;
    return k;
}

static void hold(struct provider_keydata *k, const struct token_key *private, EVP_PKEY *public)
{
    k->private = private;
    if (public && EVP_PKEY_up_ref(public) == 1)
        k->public = public;
}

struct provider_keydata *provider_key_of(const struct token_key *key)
{
    struct provider_keydata *k = provider_key_new(provider_key_type(key->kind));

    if (k)
        hold(k, key, token_key_public(key));
    return k;
}

void provider_key_free(void *keydata)
{
    struct provider_keydata *k = keydata;

    if (!k)
        return;
    EVP_PKEY_free(k->public);
    free(k);
}

static void *new_ec(void *ctx)
{
    (void)ctx;
    return provider_key_new("EC");
}

static void *new_rsa(void *ctx)
{
    (void)ctx;
    return provider_key_new("RSA");
}

static void *new_ed25519(void *ctx)
{
    (void)ctx;
    return provider_key_new("ED25519");
}

static void *dup(const void *keydata, int selection)
{
    const struct provider_keydata *k = keydata;
    struct provider_keydata *copy = provider_key_new(k->type);

    if (copy)
        hold(copy, selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY ? k->private : NULL, k->public);
    return copy;
}

/* Takes the key out of the reference that our store made: whoever made it must not free it then. */
static void *load(const void *reference, size_t n)
{
    struct provider_keydata **from = (struct provider_keydata **)(uintptr_t)reference, *k;

    if (n != sizeof k)
        return NULL;
    k = *from;
    *from = NULL;
    return k;
}

static int has(const void *keydata, int selection)
{
    const struct provider_keydata *k = keydata;

    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) && !k->private)
        return 0;
    if ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) && !k->public)
        return 0;
    return 1;
}

/* The public half decides: two private keys with one public half are the same. */
static int match(const void *keydata, const void *other, int selection)
{
    const struct provider_keydata *a = keydata, *b = other;

    if (!a->public || !b->public)
        return 0;
    if (selection & OSSL_KEYMGMT_SELECT_KEYPAIR)
        return EVP_PKEY_eq(a->public, b->public) == 1;
    return EVP_PKEY_parameters_eq(a->public, b->public) == 1;
}

static int import(void *keydata, int selection, const OSSL_PARAM params[])
{
    struct provider_keydata *k = keydata;
    const OSSL_PARAM *own = OSSL_PARAM_locate_const(params, PROVIDER_KEY_PARAM);
    const void *key = NULL;
    EVP_PKEY_CTX *ctx;
    int good;

    if (own) {
        if (OSSL_PARAM_get_octet_ptr(own, &key, NULL) != 1 || !key)
            return 0;
        hold(k, key, token_key_public(key));
        return k->public != NULL;
    }
    if (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) /* private keys are born in the token */
        return 0;
    ctx = EVP_PKEY_CTX_new_from_name(NULL, k->type, NULL);
    good = ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
           EVP_PKEY_fromdata(ctx, &k->public, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)(uintptr_t)params) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static int export(void *keydata, int selection, OSSL_CALLBACK *callback, void *arg)
{
    const struct provider_keydata *k = keydata;
    OSSL_PARAM *params = NULL;
    int good;

    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) || !k->public)
        return 0;
    good = EVP_PKEY_todata(k->public, selection, &params) == 1 && callback(params, arg);
    OSSL_PARAM_free(params);
    return good;
}

static const OSSL_PARAM *types_ec(int selection)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_END,
    };

    return selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY ? NULL : types;
}

static const OSSL_PARAM *types_rsa(int selection)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_END,
    };

    return selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY ? NULL : types;
}

static const OSSL_PARAM *types_ed25519(int selection)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_END,
    };

    return selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY ? NULL : types;
}

static int get_params(void *keydata, OSSL_PARAM params[])
{
    const struct provider_keydata *k = keydata;

    return k->public && EVP_PKEY_get_params(k->public, params) == 1;
}

/* What anyone asks of a public key: OpenSSL wants the list without a key at hand. */
static const OSSL_PARAM *gettable_ec(void *ctx)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)ctx;
    return params;
}

static const OSSL_PARAM *gettable_rsa(void *ctx)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)ctx;
    return params;
}

static const OSSL_PARAM *gettable_ed25519(void *ctx)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)ctx;
    return params;
}

static const char *operation_ec(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? PROVIDER_SIGN_EC : "EC";
}

static const char *operation_rsa(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? PROVIDER_SIGN_RSA : "RSA";
}

static const char *operation_ed25519(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? PROVIDER_SIGN_ED25519 : "ED25519";
}

#define KEY_FUNCTIONS(kind)                                                                                  \
    {                                                                                                        \
        PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_NEW, OSSL_FUNC_keymgmt_new_fn, new_##kind),                      \
            PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_FREE, OSSL_FUNC_keymgmt_free_fn, provider_key_free),         \
            PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_DUP, OSSL_FUNC_keymgmt_dup_fn, dup),                         \
            PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_LOAD, OSSL_FUNC_keymgmt_load_fn, load),                      \
            PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_HAS, OSSL_FUNC_keymgmt_has_fn, has),                         \
            PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_MATCH, OSSL_FUNC_keymgmt_match_fn, match),                   \
            PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT, OSSL_FUNC_keymgmt_import_fn, import),                \
            PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, OSSL_FUNC_keymgmt_import_types_fn,             \
                              types_##kind),                                                                 \
            PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT, OSSL_FUNC_keymgmt_export_fn, export),                \
            PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, OSSL_FUNC_keymgmt_export_types_fn,             \
                              types_##kind),                                                                 \
            PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, OSSL_FUNC_keymgmt_get_params_fn, get_params),    \
            PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, OSSL_FUNC_keymgmt_gettable_params_fn,       \
                              gettable_##kind),                                                              \
            PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME,                                        \
                              OSSL_FUNC_keymgmt_query_operation_name_fn, operation_##kind),                  \
        {                                                                                                    \
            0, NULL                                                                                          \
        }                                                                                                    \
    }

const OSSL_DISPATCH provider_key_ec[] = KEY_FUNCTIONS(ec);
const OSSL_DISPATCH provider_key_rsa[] = KEY_FUNCTIONS(rsa);
const OSSL_DISPATCH provider_key_ed25519[] = KEY_FUNCTIONS(ed25519);
