/*
 * Verifying a signature with a parsed public key, at once or over parts, through EVP.
 *
 * Says only whether the signature holds: OpenSSL's error queue is emptied, never shown. Any thread.
 */
#include "base/check.h"
#include "key_evp.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>

struct cert_key_verifier {
    EVP_MD_CTX *ctx;
    bool failed;
};

static struct err *not_verified(void)
{
    ERR_clear_error();
    return err_new(ERR_BAD_SIGNATURE, "the signature does not verify with this key");
}

static struct err *begin(EVP_MD_CTX *ctx, const struct cert_key *key, enum cert_alg alg)
{
    struct err *e = NULL;
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *pctx = NULL;
    if (!cert_alg_fits(alg, key->kind))
        return err_new(ERR_BAD_SIGNATURE,
                       "signature algorithm %s does not fit a key of kind %s (RFC 5280 4.1.1.2)",
                       cert_alg_name(alg), cert_key_kind_name(key->kind));
    TRY(key_evp_new(key, &pkey));
    bool ok = EVP_DigestVerifyInit_ex(ctx, &pctx, cert_alg_digest(alg), NULL, NULL, pkey, NULL) == 1;
    if (ok && cert_alg_scheme(alg) == CERT_SCHEME_PSS)
        ok = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, (int)cert_alg_digest_bytes(alg)) > 0;
    if (!ok)
        e = not_verified();
out:
    EVP_PKEY_free(pkey); /* ctx holds its own reference */
    return e;
}

struct err *cert_key_verify(const struct cert_key *key, enum cert_alg alg, struct view data, struct view sig)
{
    struct err *e = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    CHECK(ctx);
    TRY(begin(ctx, key, alg));
    if (EVP_DigestVerify(ctx, sig.p, sig.n, data.p, data.n) != 1)
        e = not_verified();
out:
    EVP_MD_CTX_free(ctx);
    return e;
}

struct err *cert_key_verify_begin(const struct cert_key *key, enum cert_alg alg,
                                  struct cert_key_verifier **ret)
{
    struct err *e = NULL;
    if (cert_alg_scheme(alg) == CERT_SCHEME_EDDSA)
        return err_new(ERR_BAD_SIGNATURE, "Ed25519 cannot be verified in parts (RFC 8032 5.1.7)");
    struct cert_key_verifier *v = calloc(1, sizeof *v);
    CHECK(v);
    v->ctx = EVP_MD_CTX_new();
    CHECK(v->ctx);
    TRY(begin(v->ctx, key, alg));
    *ret = v;
    v = NULL;
out:
    cert_key_verify_free(v);
    return e;
}

void cert_key_verify_add(struct cert_key_verifier *v, struct view data)
{
    if (EVP_DigestVerifyUpdate(v->ctx, data.p, data.n) != 1)
        v->failed = true;
}

struct err *cert_key_verify_done(struct cert_key_verifier **take, struct view sig)
{
    struct cert_key_verifier *v = *take;
    *take = NULL;
    bool ok = !v->failed && EVP_DigestVerifyFinal(v->ctx, sig.p, sig.n) == 1;
    cert_key_verify_free(v);
    return ok ? NULL : not_verified();
}

void cert_key_verify_free(struct cert_key_verifier *v)
{
    if (!v)
        return;
    EVP_MD_CTX_free(v->ctx);
    free(v);
}
