/*
 * PKCS#10 requests (RFC 2986) written with base/der.h and signed by OpenSSL with keys made on the spot. The
 * keys are thrown away: nobody will use these certificates. One maker on one thread.
 */
#include "csr_make.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "base/der.h"
#include "cert/alg.h"
#include "pace.h"

static const uint8_t oid_extension_request[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
static const uint8_t oid_subject_alt_name[] = {0x55, 0x1d, 0x11};
/* id-ecPublicKey with the named curve secp256r1 (RFC 5480 2.1.1). */
static const uint8_t p256_algorithm[] = {0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                         0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

void csr_maker_open(struct csr_maker *m)
{
    m->generate = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    m->arena = arena_new(1 << 16);
    if (!m->generate || EVP_PKEY_keygen_init(m->generate) != 1 ||
        EVP_PKEY_CTX_set_group_name(m->generate, "P-256") != 1)
        pace_die("no P-256 keys to be had");
}

void csr_maker_close(struct csr_maker *m)
{
    EVP_PKEY_CTX_free(m->generate);
    arena_free(m->arena);
}

static void put_key(struct der_out *out, EVP_PKEY *key)
{
    uint8_t point[65];
    size_t n = 0, mark = der_begin(out, DER_SEQUENCE);

    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &n) != 1)
        pace_die("a key without its point");
    der_put_raw(out, view_of(p256_algorithm, sizeof p256_algorithm));
    der_put_bits(out, view_of(point, n), 0);
    der_finish(out, mark);
}

static void put_names(struct der_out *out, const char *dns_name)
{
    size_t octets = der_begin(out, DER_OCTET_STRING), names = der_begin(out, DER_SEQUENCE);

    der_put(out, DER_CONTEXT(2), view_str(dns_name));
    der_finish(out, names);
    der_finish(out, octets);
}

/* attributes [0]: one extensionRequest with one extension. */
static void put_attributes(struct der_out *out, const char *dns_name)
{
    size_t attributes = der_begin(out, DER_CONTEXT_CONS(0)), attribute = der_begin(out, DER_SEQUENCE), set,
           exts, ext;

    der_put_oid(out, view_of(oid_extension_request, sizeof oid_extension_request));
    set = der_begin(out, DER_SET);
    exts = der_begin(out, DER_SEQUENCE);
    ext = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, view_of(oid_subject_alt_name, sizeof oid_subject_alt_name));
    put_names(out, dns_name);
    der_finish(out, ext);
    der_finish(out, exts);
    der_finish(out, set);
    der_finish(out, attribute);
    der_finish(out, attributes);
}

static struct view done(struct der_out *out)
{
    struct view der;
    struct err *e = der_out_done(out, &der);

    if (e)
        pace_die("%s", err_detail(e));
    return der;
}

static struct view write_info(struct csr_maker *m, EVP_PKEY *key, const char *dns_name)
{
    struct der_out out;
    size_t whole, subject;

    der_out_init(&out, m->arena, 4096);
    whole = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, 0);
    subject = der_begin(&out, DER_SEQUENCE);
    der_finish(&out, subject);
    put_key(&out, key);
    put_attributes(&out, dns_name);
    der_finish(&out, whole);
    return done(&out);
}

static struct view sign(struct csr_maker *m, EVP_PKEY *key, struct view info)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n = 80;
    uint8_t *sig = arena_alloc(m->arena, n);

    if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(ctx, sig, &n, info.p, info.n) != 1)
        pace_die("a request could not be signed");
    EVP_MD_CTX_free(ctx);
    return view_of(sig, n);
}

struct view csr_make(struct csr_maker *m, const char *dns_name, EVP_PKEY **ret_key)
{
    EVP_PKEY *key = NULL;
    struct view info;
    struct der_out out;
    size_t whole;

    arena_reset(m->arena);
    if (EVP_PKEY_generate(m->generate, &key) != 1)
        pace_die("no key");
    info = write_info(m, key, dns_name);
    der_out_init(&out, m->arena, 4096);
    whole = der_begin(&out, DER_SEQUENCE);
    der_put_raw(&out, info);
    der_put_raw(&out, cert_alg_der(CERT_ALG_ECDSA_SHA256));
    der_put_bits(&out, sign(m, key, info), 0);
    der_finish(&out, whole);
    if (ret_key)
        *ret_key = key;
    else
        EVP_PKEY_free(key);
    return done(&out);
}
