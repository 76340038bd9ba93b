/*
 * EVP_PKEY from a parsed key: EC by copying a template of the curve and setting its point (a twentieth of
 * what OpenSSL's decoder takes), RSA from its two numbers, Ed25519 from its octets.
 *
 * The templates are made once, by whichever thread comes first, and only read afterwards. Any thread.
 */
#include "key_evp.h"

#include "base/check.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <pthread.h>

static const int nids[CERT_KEY__COUNT] = {
    [CERT_KEY_P256] = NID_X9_62_prime256v1,
    [CERT_KEY_P384] = NID_secp384r1,
    [CERT_KEY_P521] = NID_secp521r1,
};

/* Constant after init. */
static EC_GROUP *groups[CERT_KEY__COUNT];
static EVP_PKEY *templates[CERT_KEY__COUNT];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static EVP_PKEY *new_template(int nid)
{
    EVP_PKEY *params = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    CHECK(ctx && EVP_PKEY_paramgen_init(ctx) > 0);
    CHECK(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, nid) > 0);
    CHECK(EVP_PKEY_paramgen(ctx, &params) > 0);
    EVP_PKEY_CTX_free(ctx);
    return params;
}

static void init(void)
{
    for (int i = 0; i < CERT_KEY__COUNT; i++) {
        if (!nids[i])
            continue;
        groups[i] = EC_GROUP_new_by_curve_name(nids[i]);
        CHECK(groups[i]);
        templates[i] = new_template(nids[i]);
    }
}

bool key_evp_on_curve(enum cert_key_kind kind, struct view point)
{
    CHECK(pthread_once(&once, init) == 0);
    CHECK(groups[kind]);
    EC_POINT *p = EC_POINT_new(groups[kind]);
    CHECK(p);
    bool on = EC_POINT_oct2point(groups[kind], p, point.p, point.n, NULL) == 1;
    EC_POINT_free(p);
    if (!on)
        ERR_clear_error();
    return on;
}

EVP_PKEY *key_evp_blank(enum cert_key_kind kind)
{
    CHECK(pthread_once(&once, init) == 0);
    EVP_PKEY *pkey = EVP_PKEY_dup(templates[kind]);
    CHECK(pkey);
    return pkey;
}

static EVP_PKEY *ec_new(const struct cert_key *key)
{
    CHECK(pthread_once(&once, init) == 0);
    EVP_PKEY *pkey = EVP_PKEY_dup(templates[key->kind]);
    if (pkey && EVP_PKEY_set1_encoded_public_key(pkey, key->public.p, key->public.n) == 1)
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

static EVP_PKEY *rsa_new(const struct cert_key *key)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = NULL;
    BIGNUM *n = BN_bin2bn(key->modulus.p, (int)key->modulus.n, NULL);
    BIGNUM *x = BN_bin2bn(key->exponent.p, (int)key->exponent.n, NULL);
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (n && x && bld && ctx && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, x) && (params = OSSL_PARAM_BLD_to_param(bld)) &&
        EVP_PKEY_fromdata_init(ctx) > 0 && EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        pkey = NULL;
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_BLD_free(bld);
    BN_free(x);
    BN_free(n);
    return pkey;
}

struct err *key_evp_new(const struct cert_key *key, EVP_PKEY **ret)
{
    EVP_PKEY *pkey = NULL;
    switch (key->kind) {
    case CERT_KEY_RSA:
        pkey = rsa_new(key);
        break;
    case CERT_KEY_ED25519:
        pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->public.p, key->public.n);
        break;
    default:
        pkey = ec_new(key);
    }
    if (!pkey) {
        ERR_clear_error();
        return err_new(ERR_BAD_KEY, "the public key cannot be used (RFC 5280 4.1.2.7)");
    }
    *ret = pkey;
    return NULL;
}
