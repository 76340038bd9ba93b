/*
 * Keys in the token as EVP_PKEYs: an OpenSSL 3 provider built into this program, in a library context of its
 * own that holds "default" and "chancery". EVP_DigestSign*, X509_sign, X509_REQ_sign_ctx, X509_CRL_sign,
 * OCSP_basic_sign and TLS work with them. The private half cannot be exported; verifying and all public
 * questions go to the default provider.
 *
 * The context is private because OpenSSL 3.0 keeps one cache of fetched methods for each context: ours beside
 * the default's "EC" would be found by everyone who asks for EC.
 *
 * Any thread, except open and close.
 */
#ifndef CHANCERY_HSM_PROVIDER_H
#define CHANCERY_HSM_PROVIDER_H

#include <openssl/types.h>

#include "token.h"

struct provider;

/* The token must outlive it. */
MUST_USE struct err *provider_open(struct token *t, struct provider **ret);
/* Every EVP_PKEY, context and store made with it must be freed before. Never calls the module. Accepts NULL.
 */
void provider_close(struct provider *p);

/* For OSSL_STORE_open_ex("pkcs11:object=...", libctx, PROVIDER_PROPERTIES, ...). Borrowed. */
OSSL_LIB_CTX *provider_libctx(const struct provider *p);
#define PROVIDER_NAME       "chancery"
#define PROVIDER_PROPERTIES "provider=chancery"

/* The key as an EVP_PKEY; the caller frees it. */
MUST_USE struct err *provider_key(struct provider *p, const struct token_key *key, EVP_PKEY **ret);

#endif
