/*
 * Verifying many signatures in turn: EC keys are not made anew for each, their point is set in one that is
 * kept, and the digest is signed over directly. Everything else goes the way of cert_key_verify.
 *
 * Keeps no key of one call for the next: the point is set before each use. One thread at a time.
 */
#include "base/check.h"
#include "key_evp.h"

#include <openssl/err.h>
#include <stdlib.h>

struct place {
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *ctx;
};

struct cert_key_desk {
    struct place places[CERT_KEY__COUNT]; /* made on first use */
    EVP_MD *digests[CERT_ALG__COUNT];     /* likewise */
};

struct cert_key_desk *cert_key_desk_new(void)
{
    struct cert_key_desk *desk = calloc(1, sizeof *desk);
    CHECK(desk);
    return desk;
}

void cert_key_desk_free(struct cert_key_desk *desk)
{
    if (!desk)
        return;
    for (int i = 0; i < CERT_KEY__COUNT; i++) {
        EVP_PKEY_CTX_free(desk->places[i].ctx);
        EVP_PKEY_free(desk->places[i].pkey);
    }
    for (int i = 0; i < CERT_ALG__COUNT; i++)
        EVP_MD_free(desk->digests[i]);
    free(desk);
}

static const EVP_MD *digest_of(struct cert_key_desk *desk, enum cert_alg alg)
{
    if (!desk->digests[alg])
        desk->digests[alg] = EVP_MD_fetch(NULL, cert_alg_digest(alg), NULL);
    CHECK(desk->digests[alg]);
    return desk->digests[alg];
}

static EVP_PKEY_CTX *context_of(struct cert_key_desk *desk, const struct cert_key *key)
{
    struct place *place = &desk->places[key->kind];
    if (!place->pkey) {
        place->pkey = key_evp_blank(key->kind);
        place->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, place->pkey, NULL);
        CHECK(place->ctx);
    }
    /* Refuses a point that is not on the curve. */
    if (EVP_PKEY_set1_encoded_public_key(place->pkey, key->public.p, key->public.n) != 1)
        return NULL;
    return EVP_PKEY_verify_init(place->ctx) == 1 ? place->ctx : NULL;
}

struct err *cert_key_desk_verify(struct cert_key_desk *desk, const struct cert_key *key, enum cert_alg alg,
                                 struct view data, struct view sig)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (cert_alg_scheme(alg) != CERT_SCHEME_ECDSA || !cert_alg_fits(alg, key->kind))
        return cert_key_verify(key, alg, data, sig);
    EVP_PKEY_CTX *ctx = context_of(desk, key);
    if (ctx && EVP_Digest(data.p, data.n, digest, &n, digest_of(desk, alg), NULL) == 1 &&
        EVP_PKEY_verify(ctx, sig.p, sig.n, digest, n) == 1)
        return NULL;
    ERR_clear_error();
    return err_new(ERR_BAD_SIGNATURE, "the signature does not verify with this key");
}
