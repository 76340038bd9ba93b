/* X509_CRL as its manual shows: one X509_REVOKED each, sorted, signed, written. */
#include "list_openssl.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

#include "list_fill.h"
#include "pace.h"

static void must(int ok, const char *what)
{
    if (ok != 1)
        pace_die("openssl: %s", what);
}

static void add(X509_CRL *crl, unsigned long i)
{
    uint8_t serial[SERIAL_BYTES];
    int64_t at;
    unsigned reason;
    fill_entry(i, serial, &at, &reason);
    X509_REVOKED *r = X509_REVOKED_new();
    BIGNUM *number = BN_bin2bn(serial, SERIAL_BYTES, NULL);
    ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(number, NULL);
    ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)at);
    ASN1_ENUMERATED *why = ASN1_ENUMERATED_new();
    must(ASN1_ENUMERATED_set(why, (long)reason), "reason");
    must(X509_REVOKED_set_serialNumber(r, integer), "serial");
    must(X509_REVOKED_set_revocationDate(r, time), "date");
    must(X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, why, 0, 0), "extension");
    must(X509_CRL_add0_revoked(crl, r), "entry");
    BN_free(number);
    ASN1_INTEGER_free(integer);
    ASN1_TIME_free(time);
    ASN1_ENUMERATED_free(why);
}

static void put_number(X509_CRL *crl)
{
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    must(ASN1_INTEGER_set(number, 1), "number");
    must(X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0), "number");
    ASN1_INTEGER_free(number);
}

static void head(X509_CRL *crl)
{
    X509_NAME *name = X509_NAME_new();
    ASN1_TIME *now = ASN1_TIME_set(NULL, (time_t)fill_now()),
              *next = ASN1_TIME_set(NULL, (time_t)fill_now() + 86400);
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"Test", -1, -1, 0),
         "name");
    must(X509_CRL_set_version(crl, 1), "version");
    must(X509_CRL_set_issuer_name(crl, name), "issuer");
    must(X509_CRL_set1_lastUpdate(crl, now), "thisUpdate");
    must(X509_CRL_set1_nextUpdate(crl, next), "nextUpdate");
    put_number(crl);
    X509_NAME_free(name);
    ASN1_TIME_free(now);
    ASN1_TIME_free(next);
}

void list_openssl(EVP_PKEY *key, unsigned long n, const char *file)
{
    X509_CRL *crl = X509_CRL_new();
    FILE *to = fopen(file, "wb");
    if (!to)
        pace_die("%s", file);
    head(crl);
    for (unsigned long i = 0; i < n; i++)
        add(crl, i);
    must(X509_CRL_sort(crl), "sort");
    must(X509_CRL_sign(crl, key, EVP_sha256()) > 0, "sign");
    must(i2d_X509_CRL_fp(to, crl), "write");
    if (fflush(to) != 0 || fdatasync(fileno(to)) != 0)
        pace_die("%s", file);
    fclose(to);
    X509_CRL_free(crl);
}
