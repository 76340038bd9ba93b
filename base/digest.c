/*
 * SHA-256 and SHA-1 by OpenSSL's default provider. A digest that fails is our bug or memory run out: a check.
 * Never signs, never reads a key. Any thread.
 */
#include "base/digest.h"
#include "base/check.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>

/* Fetched once: EVP_sha256() is looked up anew with every use, which is half the cost of a short hash. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *fetched, *fetched_sha1;

static void fetch(void)
{
    fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
    fetched_sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    CHECK(fetched && fetched_sha1);
}

static const EVP_MD *sha256(void)
{
    CHECK(pthread_once(&once, fetch) == 0);
    return fetched;
}

static const EVP_MD *sha1(void)
{
    CHECK(pthread_once(&once, fetch) == 0);
    return fetched_sha1;
}

void digest_sha256(struct view bytes, uint8_t ret[SHA256_BYTES])
{
    CHECK(EVP_Digest(bytes.n ? (const void *)bytes.p : "", bytes.n, ret, NULL, sha256(), NULL) == 1);
}

void digest_sha1(struct view bytes, uint8_t ret[SHA1_BYTES])
{
    CHECK(EVP_Digest(bytes.n ? (const void *)bytes.p : "", bytes.n, ret, NULL, sha1(), NULL) == 1);
}

/* struct digest is OpenSSL's context under our name. */
static EVP_MD_CTX *context(struct digest *d)
{
    return (EVP_MD_CTX *)d;
}

struct digest *digest_new(void)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    CHECK(ctx != NULL);
    CHECK(EVP_DigestInit_ex(ctx, sha256(), NULL) == 1);
    return (struct digest *)ctx;
}

void digest_add(struct digest *d, struct view bytes)
{
    if (bytes.n)
        CHECK(EVP_DigestUpdate(context(d), bytes.p, bytes.n) == 1);
}

void digest_done(struct digest *d, uint8_t ret[SHA256_BYTES])
{
    CHECK(EVP_DigestFinal_ex(context(d), ret, NULL) == 1);
    digest_free(d);
}

void digest_free(struct digest *d)
{
    EVP_MD_CTX_free(context(d));
}

void digest_sha256_parts(const struct view *parts, size_t n, uint8_t ret[SHA256_BYTES])
{
    struct digest *d = digest_new();
    for (size_t i = 0; i < n; i++)
        digest_add(d, parts[i]);
    digest_done(d, ret);
}

void digest_hmac_sha256(struct view key, struct view bytes, uint8_t ret[SHA256_BYTES])
{
    size_t n;
    CHECK(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key.n ? (const void *)key.p : "", key.n, bytes.p,
                    bytes.n, ret, SHA256_BYTES, &n) &&
          n == SHA256_BYTES);
}

bool digest_eq(const uint8_t *a, const uint8_t *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}
