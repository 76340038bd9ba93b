/*
 * CertID (RFC 6960 4.1.1): the issuer by two hashes, and a serial.
 *
 * SHA-1 here names an issuer and protects nothing. No state. Any thread.
 */
#include "ocsp_id.h"

static const uint8_t oid_sha1[] = {0x2b, 0x0e, 0x03, 0x02, 0x1a};
static const uint8_t oid_sha256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};

static struct view oid_of(enum cert_ocsp_hash hash)
{
    return hash == CERT_OCSP_SHA1 ? view_of(oid_sha1, sizeof oid_sha1)
                                  : view_of(oid_sha256, sizeof oid_sha256);
}

static size_t bytes_of(enum cert_ocsp_hash hash)
{
    return hash == CERT_OCSP_SHA1 ? SHA1_BYTES : SHA256_BYTES;
}

void cert_ocsp_issuer_of(struct view name_der, const struct cert_key *key, struct cert_ocsp_issuer *ret)
{
    digest_sha1(name_der, ret->name_sha1);
    digest_sha256(name_der, ret->name_sha256);
    digest_sha1(key->public, ret->key_sha1);
    digest_sha256(key->public, ret->key_sha256);
}

struct cert_ocsp_id cert_ocsp_id_for(const struct cert_ocsp_issuer *issuer, enum cert_ocsp_hash hash,
                                     struct view serial)
{
    bool sha1 = hash == CERT_OCSP_SHA1;
    return (struct cert_ocsp_id){
        .hash = hash,
        .name_hash = view_of(sha1 ? issuer->name_sha1 : issuer->name_sha256, bytes_of(hash)),
        .key_hash = view_of(sha1 ? issuer->key_sha1 : issuer->key_sha256, bytes_of(hash)),
        .serial = serial,
    };
}

bool cert_ocsp_fits(const struct cert_ocsp_issuer *issuer, const struct cert_ocsp_id *id)
{
    if (id->hash == CERT_OCSP_HASH_OTHER)
        return false;
    struct cert_ocsp_id want = cert_ocsp_id_for(issuer, id->hash, id->serial);
    return view_eq(want.name_hash, id->name_hash) && view_eq(want.key_hash, id->key_hash);
}

static struct err *read_hash_alg(struct view *in, enum cert_ocsp_hash *ret)
{
    struct err *e = NULL;
    struct view alg, oid;
    TRY(der_read(in, DER_SEQUENCE, &alg));
    TRY(der_read_oid(&alg, &oid));
    *ret = view_eq(oid, oid_of(CERT_OCSP_SHA1))     ? CERT_OCSP_SHA1
           : view_eq(oid, oid_of(CERT_OCSP_SHA256)) ? CERT_OCSP_SHA256
                                                    : CERT_OCSP_HASH_OTHER;
    if (*ret == CERT_OCSP_HASH_OTHER)
        return NULL; /* its parameters are its own */
    if (alg.n)
        TRY(der_read_null(&alg));
    TRY(der_end(alg));
out:
    return e;
}

struct err *ocsp_id_read(struct view *in, struct cert_ocsp_id *ret)
{
    struct err *e = NULL;
    struct view before = *in, seq;
    TRY(der_read(in, DER_SEQUENCE, &seq));
    TRY(read_hash_alg(&seq, &ret->hash));
    TRY(der_read(&seq, DER_OCTET_STRING, &ret->name_hash));
    TRY(der_read(&seq, DER_OCTET_STRING, &ret->key_hash));
    TRY(der_read_integer(&seq, &ret->serial));
    TRY(der_end(seq));
    size_t want = bytes_of(ret->hash);
    if (ret->hash != CERT_OCSP_HASH_OTHER && (ret->name_hash.n != want || ret->key_hash.n != want))
        return err_new(ERR_BAD_REQUEST, "OCSP CertID: a hash of the wrong length (RFC 6960 4.1.1)");
    ret->der = view_of(before.p, before.n - in->n);
out:
    return e;
}

void ocsp_id_put(struct der_out *out, const struct cert_ocsp_id *id)
{
    size_t seq = der_begin(out, DER_SEQUENCE);
    size_t alg = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_of(id->hash));
    der_put_null(out); /* as every client writes it */
    der_finish(out, alg);
    der_put_octets(out, id->name_hash);
    der_put_octets(out, id->key_hash);
    der_put(out, DER_INTEGER, id->serial);
    der_finish(out, seq);
}
