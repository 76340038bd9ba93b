/*
 * OpenSSL's part of the front's own certificate: a key that lives in a file, never in the token, for TLS
 * alone. PEM bytes are wiped when they are let go. Blocking for about a millisecond; any thread.
 */
#include "own_cert_key.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum { KEY_PEM_BYTES = 4096, CSR_BYTES = 4096 };

static struct err *failed(const char *what)
{
    ERR_clear_error();
    return err_new(ERR_INTERNAL, "%s", what);
}

static struct err *key_pem(EVP_PKEY *key, struct secret **ret)
{
    uint8_t bytes[KEY_PEM_BYTES];
    BIO *bio = BIO_new(BIO_s_secmem());
    struct err *e = NULL;

    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
        e = failed("the key cannot be written");
        goto out;
    }
    int n = BIO_read(bio, bytes, sizeof bytes);
    if (n <= 0 || n == sizeof bytes) {
        e = failed("the key cannot be written");
        goto out;
    }
    e = secret_of(view_of(bytes, (size_t)n), ret);
    secret_wipe(bytes, sizeof bytes);
out:
    BIO_free(bio);
    return e;
}

static struct err *request(EVP_PKEY *key, struct arena *arena, struct view *ret)
{
    X509_REQ *req = X509_REQ_new();
    struct err *e = NULL;
    uint8_t *der = arena_alloc(arena, CSR_BYTES), *end = der;

    if (!req || X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 || X509_REQ_set_pubkey(req, key) != 1 ||
        X509_REQ_sign(req, key, EVP_sha256()) <= 0)
        e = failed("the request cannot be made");
    int n = e ? 0 : i2d_X509_REQ(req, NULL);
    if (!e && (n <= 0 || n > CSR_BYTES || i2d_X509_REQ(req, &end) != n))
        e = failed("the request cannot be written");
    X509_REQ_free(req);
    if (!e)
        *ret = view_of(der, (size_t)n);
    return e;
}

struct err *own_cert_key_make(struct secret **ret_pem, struct arena *arena, struct view *ret_csr)
{
    struct err *e = NULL;
    struct secret *pem = NULL;
    EVP_PKEY *key = EVP_EC_gen("P-256");

    if (!key)
        return failed("no key can be made");
    TRY(key_pem(key, &pem));
    TRY(request(key, arena, ret_csr));
    *ret_pem = pem;
    pem = NULL;
out:
    secret_free(pem);
    EVP_PKEY_free(key);
    return e;
}

struct err *own_cert_key_spki(struct view pem, struct arena *arena, struct view *ret_spki)
{
    struct err *e = NULL;
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    uint8_t *der = NULL;
    int n = key ? i2d_PUBKEY(key, &der) : 0;

    if (n > 0)
        *ret_spki = arena_dup(arena, view_of(der, (size_t)n));
    if (n <= 0)
        e = failed("it is not a private key in PEM");
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return e;
}
