/*
 * bench_ask_ocsp: writes OCSP questions (RFC 6960 A.1) for serials, one request each: POST, or GET with the
 * question in the path. SHA-1 CertIDs; no nonce, as RFC 5019 has it, or one of 16 octets. Serials: a file
 * with one in hex a line. OpenSSL writes the questions, not our own room. One thread.
 */
#include <errno.h>
#include <getopt.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask_file.h"
#include "pace.h"

struct options {
    const char *host, *issuer_pem, *path, *out;
    int get, max, nonce;
};

static X509 *read_issuer(const char *path)
{
    FILE *f = fopen(path, "r");
    X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;

    if (!x)
        pace_die("%s: no certificate", path);
    fclose(f);
    return x;
}

static int question(X509 *issuer, const char *serial_hex, int nonce, unsigned char **ret)
{
    BIGNUM *bn = NULL;
    ASN1_INTEGER *serial;
    OCSP_REQUEST *ask = OCSP_REQUEST_new();
    OCSP_CERTID *id;
    int n;

    if (BN_hex2bn(&bn, serial_hex) == 0)
        pace_die("%s is no serial", serial_hex);
    serial = BN_to_ASN1_INTEGER(bn, NULL);
    id = OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(issuer), X509_get0_pubkey_bitstr(issuer), serial);
    if (!id || !OCSP_request_add0_id(ask, id))
        pace_die("no question for %s", serial_hex);
    if (nonce && !OCSP_request_add1_nonce(ask, NULL, 16))
        pace_die("no nonce");
    n = i2d_OCSP_REQUEST(ask, ret);
    OCSP_REQUEST_free(ask);
    ASN1_INTEGER_free(serial);
    BN_free(bn);
    return n;
}

static void put_post(FILE *out, const struct options *o, const unsigned char *der, int n)
{
    char head[512];
    int head_n = snprintf(head, sizeof head,
                          "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/ocsp-request\r\n"
                          "Content-Length: %d\r\n\r\n",
                          o->path, o->host, n);

    ask_file_put(out, head, (size_t)head_n, der, (size_t)n);
}

/* base64 with its three special characters escaped, as a URL's path wants it. */
static void put_get(FILE *out, const struct options *o, const unsigned char *der, int n)
{
    char base64[1024], escaped[3072], head[4096];
    size_t to = 0;
    int head_n;

    if (n > 512)
        pace_die("a question of %d octets", n);
    EVP_EncodeBlock((unsigned char *)base64, der, n);
    for (const char *p = base64; *p; p++)
        to += (size_t)snprintf(escaped + to, sizeof escaped - to, strchr("+/=", *p) ? "%%%02X" : "%c", *p);
    head_n = snprintf(head, sizeof head, "GET %s/%s HTTP/1.1\r\nHost: %s\r\n\r\n", o->path, escaped, o->host);
    ask_file_put(out, head, (size_t)head_n, NULL, 0);
}

static void run(const struct options *o, FILE *serials)
{
    X509 *issuer = read_issuer(o->issuer_pem);
    FILE *out = ask_file_create(o->out);
    char line[128];

    for (int i = 0; i < o->max && fgets(line, sizeof line, serials); i++) {
        unsigned char *der = NULL;
        int n;

        line[strcspn(line, "\n")] = 0;
        n = question(issuer, line, o->nonce, &der);
        if (o->get)
            put_get(out, o, der, n);
        else
            put_post(out, o, der, n);
        OPENSSL_free(der);
    }
    ask_file_close(out);
    X509_free(issuer);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"host", required_argument, NULL, 'h'},
                                          {"issuer", required_argument, NULL, 'i'},
                                          {"path", required_argument, NULL, 'p'},
                                          {"max", required_argument, NULL, 'n'},
                                          {"get", no_argument, NULL, 'g'},
                                          {"nonce", no_argument, NULL, 'o'},
                                          {NULL, 0, NULL, 0}};
    struct options o = {.max = 1 << 30};
    FILE *serials;
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        switch (c) {
        case 'h':
            o.host = optarg;
            break;
        case 'i':
            o.issuer_pem = optarg;
            break;
        case 'p':
            o.path = optarg;
            break;
        case 'n':
            o.max = atoi(optarg);
            break;
        case 'g':
            o.get = 1;
            break;
        case 'o':
            o.nonce = 1;
            break;
        default:
            return 2;
        }
    if (!o.host || !o.issuer_pem || !o.path || optind + 2 != argc)
        pace_die("usage: bench_ask_ocsp --host HOST:PORT --issuer PEM --path /ocsp/NAME [--get] [--nonce] "
                 "[--max N] "
                 "SERIALS OUT");
    o.out = argv[optind + 1];
    serials = fopen(argv[optind], "r");
    if (!serials)
        pace_die("%s: %s", argv[optind], strerror(errno));
    run(&o, serials);
    return 0;
}
