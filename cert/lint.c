/*
 * Our reading of a certificate against OpenSSL's, field by field.
 *
 * Uses OpenSSL's decoder on purpose, as a second opinion; never on the way of an issuance. Any thread.
 */
#include "cert/lint.h"

#include "base/when.h"
#include "key_evp.h"
#include "lint_ext.h"

#include <openssl/err.h>

struct err *lint_ext_differs(const char *field)
{
    ERR_clear_error();
    return err_new(ERR_CORRUPT, "our reading and OpenSSL's of a certificate differ: %s", field);
}

static struct err *same(bool ok, const char *field)
{
    return ok ? NULL : lint_ext_differs(field);
}

static bool same_name(const X509_NAME *name, struct view der)
{
    const uint8_t *p = NULL;
    size_t n = 0;
    return X509_NAME_get0_der(name, &p, &n) == 1 && view_eq(view_of(p, n), der);
}

static bool same_time(const ASN1_TIME *time, int64_t s)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return false;
    struct when_fields f = {.year = tm.tm_year + 1900,
                            .month = tm.tm_mon + 1,
                            .day = tm.tm_mday,
                            .hour = tm.tm_hour,
                            .minute = tm.tm_min,
                            .second = tm.tm_sec};
    return when_join(&f) == s;
}

static bool same_serial(X509 *x, struct view serial)
{
    uint8_t *der = NULL;
    int n = i2d_ASN1_INTEGER(X509_get_serialNumber(x), &der);
    bool ok = n > 2 && view_eq(view_of(der + 2, (size_t)n - 2), serial); /* at most 20 octets: short length */
    OPENSSL_free(der);
    return ok;
}

static bool same_signature(const X509 *x, const struct cert_sealed *sealed)
{
    const ASN1_BIT_STRING *sig = NULL;
    const X509_ALGOR *alg = NULL;
    uint8_t *der = NULL;
    X509_get0_signature(&sig, &alg, x);
    enum cert_alg read = CERT_ALG__COUNT;
    int n = i2d_X509_ALGOR(alg, &der);
    struct view in = view_of(der, n > 0 ? (size_t)n : 0);
    struct err *e = cert_alg_read(&in, &read);
    err_free(e);
    OPENSSL_free(der);
    return !e && read == sealed->alg && view_eq(view_of(sig->data, (size_t)sig->length), sealed->sig);
}

static bool same_key(X509 *x, const struct cert_key *key)
{
    EVP_PKEY *ours = NULL;
    struct err *e = key_evp_new(key, &ours);
    bool ok = !e && X509_get0_pubkey(x) && EVP_PKEY_eq(X509_get0_pubkey(x), ours) == 1;
    EVP_PKEY_free(ours);
    err_free(e);
    return ok;
}

static bool same_spki(const X509 *x, struct view spki)
{
    uint8_t *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    bool ok = n > 0 && view_eq(view_of(der, (size_t)n), spki);
    OPENSSL_free(der);
    return ok;
}

/* OpenSSL's own encoding of what it understood must be what was signed. */
static bool same_tbs(X509 *x, struct view tbs)
{
    uint8_t *der = NULL;
    int n = i2d_re_X509_tbs(x, &der);
    bool ok = n > 0 && view_eq(view_of(der, (size_t)n), tbs);
    OPENSSL_free(der);
    return ok;
}

static struct err *compare(X509 *x, const struct cert_sealed *sealed, const struct cert_tbs *tbs,
                           struct arena *arena)
{
    struct err *e = NULL;
    struct cert_key key;
    TRY(same(X509_get_version(x) == X509_VERSION_3, "version"));
    TRY(same(same_serial(x, tbs->serial), "serialNumber"));
    TRY(same(same_name(X509_get_issuer_name(x), tbs->issuer), "issuer"));
    TRY(same(same_name(X509_get_subject_name(x), tbs->subject), "subject"));
    TRY(same(same_time(X509_get0_notBefore(x), tbs->not_before), "notBefore"));
    TRY(same(same_time(X509_get0_notAfter(x), tbs->not_after), "notAfter"));
    TRY(same(same_spki(x, tbs->spki), "subjectPublicKeyInfo"));
    TRY(cert_key_parse(tbs->spki, &key));
    TRY(same(same_key(x, &key), "public key"));
    TRY(same(same_signature(x, sealed), "signature"));
    TRY(lint_ext_compare(x, tbs, arena));
    TRY(same(same_tbs(x, sealed->tbs), "tbsCertificate as encoded again"));
out:
    return e;
}

struct err *cert_lint(struct view cert_der, struct arena *arena)
{
    struct err *e = NULL;
    struct cert_sealed sealed;
    struct cert_tbs tbs;
    const uint8_t *p = cert_der.p;
    X509 *x = NULL;
    TRY(cert_tbs_open(cert_der, arena, &sealed, &tbs));
    x = d2i_X509(NULL, &p, (long)cert_der.n);
    if (!x || p != cert_der.p + cert_der.n) {
        e = lint_ext_differs("OpenSSL cannot read it");
        goto out;
    }
    TRY(compare(x, &sealed, &tbs, arena));
out:
    X509_free(x);
    return e;
}
