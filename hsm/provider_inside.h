/* The parts of the OpenSSL provider among themselves: provider.c, provider_key.c, provider_sign.c,
 * provider_message.c, provider_store.c. */
#ifndef CHANCERY_HSM_PROVIDER_INSIDE_H
#define CHANCERY_HSM_PROVIDER_INSIDE_H

#include <openssl/core_dispatch.h>

#include "provider.h"

/* Made by the provider's init; provider_open() puts the token in. */
struct provider_ctx {
    struct token *token;
};

/* What an EVP_PKEY of ours holds (keydata). */
struct provider_keydata {
    const char *type;                /* "EC", "RSA", "ED25519" */
    const struct token_key *private; /* NULL: a public key only */
    EVP_PKEY *public;                /* owned reference; of the default provider and context */
};

/* OpenSSL's name for keys of this kind. */
const char *provider_key_type(enum cert_key_kind kind);
struct provider_keydata *provider_key_new(const char *type);
struct provider_keydata *provider_key_of(const struct token_key *key);
void provider_key_free(void *keydata); /* accepts NULL */

/* The name of the parameter by which provider_key() hands a struct token_key to keymgmt's import. */
#define PROVIDER_KEY_PARAM "chancery-key"

/* Dispatch tables. */
extern const OSSL_DISPATCH provider_key_ec[], provider_key_rsa[], provider_key_ed25519[];
extern const OSSL_DISPATCH provider_sign_functions[], provider_sign_message_functions[];
extern const OSSL_DISPATCH provider_store_functions[];

/* Names under which only our own keys find our signatures: under "ECDSA" OpenSSL would first try the
 * default's. */
#define PROVIDER_SIGN_EC      "CHANCERY-EC"
#define PROVIDER_SIGN_RSA     "CHANCERY-RSA"
#define PROVIDER_SIGN_ED25519 "CHANCERY-ED25519"

/* One error on OpenSSL's queue; frees e; 0. */
int provider_raise(struct err *e);

/* A dispatch table's entry, checked against the type that core_dispatch.h gives the function. */
#define PROVIDER_FUNCTION(id, type, function)                                                                \
    {                                                                                                        \
        id, (void (*)(void))((type *)function)                                                               \
    }

#endif
