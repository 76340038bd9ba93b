/*
 * A few clients that go on asking for certificates whatever happens to the server, and remember what they
 * were told, a line each, as it comes:
 *
 *     issued SERIAL SHA256-OF-THE-CERTIFICATE MILLISECONDS
 *     revoked SERIAL
 *     answer STATUS                    every other end of a request; 0: the connection broke
 *     twice SERIAL SERIAL              one Idempotency-Key got two certificates: never
 *
 * clients DIR-OF-A-DEMO PORT THREADS RECORD: until SIGTERM. Each request has an Idempotency-Key and is
 * repeated as it was until it is answered with a certificate; now and then it is repeated once more. Each
 * tenth certificate is revoked.
 */
#include <jansson.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clients_conn.h"

enum { THREADS_MAX = 32, SERIAL_TEXT = 64, REQUEST_MAX = 8192, REVOKE_EACH = 10, AGAIN_EACH = 7 };

static struct {
    char token[256], dir[256];
    int port;
    SSL_CTX *plain, *admin;
    FILE *record;
    pthread_mutex_t lock;
} setup = {.lock = PTHREAD_MUTEX_INITIALIZER};
static atomic_bool ending;

static void end(int sig)
{
    (void)sig;
    atomic_store(&ending, true);
}

static void nap(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    pthread_mutex_lock(&setup.lock);
    vfprintf(setup.record, fmt, args);
    fputc('\n', setup.record);
    fflush(setup.record);
    pthread_mutex_unlock(&setup.lock);
    va_end(args);
}

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- a request --- */

static size_t make_csr(const char *name, unsigned char *to, size_t max)
{
    char san[96];
    unsigned char *der = NULL;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509_REQ *req = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
    (void)snprintf(san, sizeof san, "DNS:%s", name);
    sk_X509_EXTENSION_push(exts, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san));
    int n = -1;
    if (X509_REQ_set_version(req, 0) == 1 && X509_REQ_set_pubkey(req, key) == 1 &&
        X509_REQ_add_extensions(req, exts) == 1 && X509_REQ_sign(req, key, EVP_sha256()) > 0)
        n = i2d_X509_REQ(req, &der);
    if (n <= 0 || (size_t)n > max)
        exit(2);
    memcpy(to, der, (size_t)n);
    OPENSSL_free(der);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    X509_REQ_free(req);
    EVP_PKEY_free(key);
    return (size_t)n;
}

static size_t make_request(char *to)
{
    unsigned char csr[2048], random[8];
    char name[64], key[17];
    RAND_bytes(random, sizeof random);
    for (int i = 0; i < 8; i++)
        (void)snprintf(key + 2 * i, 3, "%02x", random[i]);
    (void)snprintf(name, sizeof name, "k%s.example.internal", key);
    size_t n = make_csr(name, csr, sizeof csr);
    int head = snprintf(to, REQUEST_MAX,
                        "POST /v1/certificates?template=server HTTP/1.1\r\nHost: localhost:%d\r\n"
                        "Authorization: Bearer %s\r\nContent-Type: application/pkcs10\r\n"
                        "Idempotency-Key: %s\r\nContent-Length: %zu\r\n\r\n",
                        setup.port, setup.token, key, n);
    memcpy(to + head, csr, n);
    return (size_t)head + n;
}

/* --- its answer --- */

static bool read_certificate(const char *body, char serial[SERIAL_TEXT], char hash[65])
{
    unsigned char *der = NULL, sum[32];
    json_t *tree = json_loads(body, 0, NULL);
    const char *pem = json_string_value(json_object_get(tree, "certificate")),
               *text = json_string_value(json_object_get(tree, "serial"));
    BIO *bio = pem ? BIO_new_mem_buf(pem, -1) : NULL;
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    int n = cert ? i2d_X509(cert, &der) : 0;
    bool ok = n > 0 && text;
    if (ok) {
        SHA256(der, (size_t)n, sum);
        for (int i = 0; i < 32; i++)
            (void)snprintf(hash + 2 * i, 3, "%02x", sum[i]);
        (void)snprintf(serial, SERIAL_TEXT, "%s", text);
    }
    OPENSSL_free(der);
    X509_free(cert);
    BIO_free(bio);
    json_decref(tree);
    return ok;
}

static void revoke_one(struct conn *c, const char *serial)
{
    static const char body[] = "{\"reason\":\"superseded\"}";
    char request[512];
    int n = snprintf(request, sizeof request,
                     "POST /v1/certificates/%s/revoke HTTP/1.1\r\nHost: localhost:%d\r\n"
                     "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                     serial, setup.port, sizeof body - 1, body);
    for (int status = 0; status != 200 && !atomic_load(&ending);) {
        status = conn_ask(c, request, (size_t)n);
        if (status == 200)
            note("revoked %s", serial);
        else
            nap(50);
    }
}

/* Until it is answered with a certificate. */
static bool get(struct conn *c, const char *request, size_t n, char serial[SERIAL_TEXT], char hash[65])
{
    while (!atomic_load(&ending)) {
        int status = conn_ask(c, request, n);
        if ((status == 201 || status == 200) && read_certificate(c->body, serial, hash))
            return true;
        note("answer %d", status);
        nap(status == 0 ? 10 : 50);
    }
    return false;
}

static void *run(void *arg)
{
    struct conn *c = calloc(2, sizeof *c);
    char request[REQUEST_MAX], serial[SERIAL_TEXT], again[SERIAL_TEXT], hash[65];
    (void)arg;
    c[0] = (struct conn){.ctx = setup.plain, .port = setup.port};
    c[1] = (struct conn){.ctx = setup.admin, .port = setup.port};
    for (unsigned i = 1; !atomic_load(&ending); i++) {
        size_t n = make_request(request);
        if (!get(&c[0], request, n, serial, hash))
            break;
        note("issued %s %s %lld", serial, hash, now_ms());
        if (i % AGAIN_EACH == 0 && get(&c[0], request, n, again, hash) && strcmp(serial, again) != 0)
            note("twice %s %s", serial, again);
        if (i % REVOKE_EACH == 0)
            revoke_one(&c[1], serial);
        nap(2);
    }
    conn_close(&c[0]);
    conn_close(&c[1]);
    free(c);
    return NULL;
}

static void read_setup(const char *dir)
{
    char root[300], cert[300], key[300], path[300];
    (void)snprintf(root, sizeof root, "%s/issuers/root.pem", dir);
    (void)snprintf(cert, sizeof cert, "%s/admin.crt", dir);
    (void)snprintf(key, sizeof key, "%s/admin.key", dir);
    (void)snprintf(path, sizeof path, "%s/token.txt", dir);
    FILE *f = fopen(path, "r");
    if (!f || !fgets(setup.token, sizeof setup.token, f)) {
        perror(path);
        exit(2);
    }
    fclose(f);
    setup.token[strcspn(setup.token, "\r\n")] = '\0';
    setup.plain = conn_context(root, NULL, NULL);
    setup.admin = conn_context(root, cert, key);
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS_MAX];
    const struct sigaction act = {.sa_handler = end};
    if (argc != 5 || atoi(argv[3]) > THREADS_MAX) {
        fputs("clients DIR PORT THREADS RECORD\n", stderr);
        return 2;
    }
    sigaction(SIGTERM, &act, NULL);
    signal(SIGPIPE, SIG_IGN);
    read_setup(argv[1]);
    setup.port = atoi(argv[2]);
    setup.record = fopen(argv[4], "a");
    if (!setup.record) {
        perror(argv[4]);
        return 2;
    }
    int n = atoi(argv[3]);
    for (int i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, run, NULL) != 0)
            return 2;
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    return fclose(setup.record) != 0;
}
