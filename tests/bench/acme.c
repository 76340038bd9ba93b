/*
 * bench_acme: whole ACME orders by N clients at once - newOrder, finalize, download - each client a thread
 * with one keep-alive connection and an account of its own, bound to a key whose names need no challenge. An
 * order is three requests, each signed (ES256) over the nonce of the answer before. Prints one JSON object:
 * orders a second, latencies, errors, CPU time of the processes watched per order, and what checking one such
 * signature costs by itself.
 */
#include <getopt.h>
#include <jansson.h>
#include <netdb.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "cert/jose.h"
#include "csr_make.h"
#include "load_conn.h"
#include "load_watch.h"
#include "pace.h"

enum { LATENCIES = 1 << 16, TEXT = 8192 };

struct options {
    const char *ca, *port, *kid, *secret;
    unsigned connections;
    double seconds, warmup_s;
    int core;
};

struct client {
    pthread_t thread;
    const struct options *o;
    const struct conn_target *target;
    unsigned number;
    struct conn conn;
    EVP_PKEY *key;
    struct arena *arena; /* of one order */
    char account[256], nonce[64], name[64], csr[2048];
    const char *jwk;
    struct view sample; /* a JWS as it was sent */
    int64_t begin_ns, end_ns;
    uint64_t done, errors;
    uint32_t latency_us[LATENCIES];
    size_t latencies;
};

static const char *base_url(const struct client *c)
{
    return arena_printf(c->arena, "https://localhost:%s", c->o->port);
}

/* --- one request --- */

static const char *sign(struct client *c, const char *input)
{
    unsigned char der[256], pair[64];
    size_t n = sizeof der;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, c->key) != 1 ||
        EVP_DigestSign(ctx, der, &n, (const unsigned char *)input, strlen(input)) != 1)
        pace_die("a request cannot be signed");
    EVP_MD_CTX_free(ctx);
    const unsigned char *at = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)n);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), pair, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), pair + 32, 32);
    ECDSA_SIG_free(sig);
    return base64url_of(c->arena, view_of(pair, sizeof pair));
}

static const char *jws(struct client *c, const char *url, const char *payload)
{
    const char *who = c->account[0] ? arena_printf(c->arena, "\"kid\":\"%s\"", c->account)
                                    : arena_printf(c->arena, "\"jwk\":%s", c->jwk);
    const char *header =
        arena_printf(c->arena, "{\"alg\":\"ES256\",\"url\":\"%s\",\"nonce\":\"%s\",%s}", url, c->nonce, who);
    const char *h = base64url_of(c->arena, view_str(header)), *p = base64url_of(c->arena, view_str(payload));
    return arena_printf(c->arena, "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}", h, p,
                        sign(c, arena_printf(c->arena, "%s.%s", h, p)));
}

/* A header's value, in the arena; NULL: none. */
static const char *header_of(struct client *c, const char *name)
{
    const char *line = arena_printf(c->arena, "\r\n%s: ", name), *at = strstr(c->conn.buf, line);
    if (!at || at > c->conn.buf + c->conn.head_n)
        return NULL;
    at += strlen(line);
    return arena_str(c->arena, view_of(at, strcspn(at, "\r\n")));
}

static void wait_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    poll(&p, 1, 10000);
}

static void send_and_wait(struct client *c, const char *text)
{
    const struct ask ask = {.p = (const uint8_t *)text, .n = strlen(text)};
    int whole = conn_send(&c->conn, &ask) ? 0 : -1;
    while (whole == 0) {
        whole = conn_receive(&c->conn);
        if (whole == 0)
            wait_readable(c->conn.fd);
    }
    if (whole < 0)
        pace_die("a connection was lost");
    const char *nonce = header_of(c, "Replay-Nonce");
    snprintf(c->nonce, sizeof c->nonce, "%s", nonce ? nonce : "");
}

static int post(struct client *c, const char *url, const char *payload)
{
    const char *body = jws(c, url, payload);
    send_and_wait(
        c, arena_printf(c->arena,
                        "POST %s HTTP/1.1\r\nHost: localhost:%s\r\nContent-Type: application/jose+json\r\n"
                        "Content-Length: %zu\r\n\r\n%s",
                        strstr(url + 8, "/"), c->o->port, strlen(body), body));
    return c->conn.status;
}

static void wrong(const struct client *c, const char *what)
{
    static bool shown;
    if (!shown)
        fprintf(stderr, "bench_acme: %s: %.1000s\n", what, c->conn.buf);
    shown = true;
}

/* --- the account --- */

static const char *binding(struct client *c, const char *url)
{
    uint8_t mac[32];
    size_t n = 0;
    struct view secret;
    struct err *e = base64url_parse(c->arena, view_str(c->o->secret), &secret);
    if (e)
        pace_die("--secret is no base64url");
    const char *h = base64url_of(
        c->arena, view_str(arena_printf(c->arena, "{\"alg\":\"HS256\",\"kid\":\"%s\",\"url\":\"%s\"}",
                                        c->o->kid, url)));
    const char *p = base64url_of(c->arena, view_str(c->jwk)), *input = arena_printf(c->arena, "%s.%s", h, p);
    EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, secret.p, secret.n, (const unsigned char *)input,
              strlen(input), mac, sizeof mac, &n);
    return arena_printf(
        c->arena,
        "{\"externalAccountBinding\":{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}}", h, p,
        base64url_of(c->arena, view_of(mac, n)));
}

static void make_account(struct client *c)
{
    unsigned char *der = NULL;
    struct cert_key key;
    struct csr_maker maker;
    int n = i2d_PUBKEY(c->key, &der);
    struct err *e = cert_key_parse(view_of(der, (size_t)n), &key);
    if (e)
        pace_die("%s", err_detail(e));
    c->jwk = strdup(cert_jwk_text(&key, c->arena));
    OPENSSL_free(der);
    snprintf(c->name, sizeof c->name, "b%u-%d.example.internal", c->number, (int)getpid());
    csr_maker_open(&maker);
    snprintf(c->csr, sizeof c->csr, "%s", base64url_of(c->arena, csr_make(&maker, c->name, NULL)));
    csr_maker_close(&maker);
    send_and_wait(
        c, arena_printf(c->arena, "HEAD /acme/new-nonce HTTP/1.1\r\nHost: localhost:%s\r\n\r\n", c->o->port));
    const char *url = arena_printf(c->arena, "%s/acme/new-account", base_url(c));
    if (post(c, url, binding(c, url)) != 201) {
        wrong(c, "newAccount");
        pace_die("no account");
    }
    snprintf(c->account, sizeof c->account, "%s", header_of(c, "Location"));
}

/* --- orders --- */

static bool order(struct client *c)
{
    const char *base = base_url(c);
    if (post(c, arena_printf(c->arena, "%s/acme/new-order", base),
             arena_printf(c->arena, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"%s\"}]}", c->name)) !=
        201) {
        wrong(c, "newOrder");
        return false;
    }
    const char *url = header_of(c, "Location"), *id = strrchr(url, '/') + 1;
    const char *finalize = arena_printf(c->arena, "%s/finalize", url);
    if (post(c, finalize, arena_printf(c->arena, "{\"csr\":\"%s\"}", c->csr)) != 200 ||
        !strstr(c->conn.buf + c->conn.head_n, "\"status\":\"valid\"")) {
        wrong(c, "finalize");
        return false;
    }
    if (post(c, arena_printf(c->arena, "%s/acme/cert/%s", base, id), "") != 200) {
        wrong(c, "certificate");
        return false;
    }
    return true;
}

static void *run_client(void *arg)
{
    struct client *c = arg;
    int64_t now;
    while ((now = pace_ns()) < c->end_ns) {
        bool good = order(c);
        int64_t after = pace_ns();
        arena_reset(c->arena);
        if (now < c->begin_ns || after >= c->end_ns)
            continue;
        c->done += good;
        c->errors += !good;
        if (c->latencies < LATENCIES)
            c->latency_us[c->latencies++] = (uint32_t)((after - now) / 1000);
    }
    return NULL;
}

/* --- what one signature costs to check --- */

static double jws_cpu_us(struct client *c)
{
    enum { TIMES = 3000 };
    struct cert_key key;
    const char *payload =
        arena_printf(c->arena, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"%s\"}]}", c->name);
    struct view text =
        view_str(strdup(jws(c, arena_printf(c->arena, "%s/acme/new-order", base_url(c)), payload)));
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(c->key, &der);
    int64_t begin = pace_cpu_ns();
    for (int i = 0; i < TIMES; i++) {
        struct cert_jws read;
        arena_reset(c->arena);
        struct err *e = cert_jws_read(text, c->arena, &read);
        e = e ? e : cert_key_parse(view_of(der, (size_t)n), &key);
        e = e ? e : cert_jws_verify(&read, &key);
        if (e)
            pace_die("%s", err_detail(e));
    }
    OPENSSL_free(der);
    return (double)(pace_cpu_ns() - begin) / 1000 / TIMES;
}

/* --- all --- */

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void print(struct client *clients, const struct options *o, const struct watch *w, double jws_us)
{
    uint64_t done = 0, errors = 0;
    size_t n = 0, cap = (size_t)o->connections * LATENCIES;
    uint32_t *all = malloc(cap * sizeof *all);
    for (unsigned i = 0; i < o->connections; i++) {
        done += clients[i].done;
        errors += clients[i].errors;
        memcpy(all + n, clients[i].latency_us, clients[i].latencies * sizeof *all);
        n += clients[i].latencies;
    }
    qsort(all, n, sizeof *all, by_size);
    printf("{\"rate\":%.1f,\"errors\":%llu,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"jws_us\":%.2f,\"cpu_us\":{",
           (double)done / o->seconds, (unsigned long long)errors, n ? all[n / 2] / 1000.0 : 0,
           n ? all[n - 1 - n / 100] / 1000.0 : 0, jws_us);
    watch_print(w, done ? 1e6 / (double)done : 0);
    printf("}}\n");
    free(all);
}

static void run(const struct options *o, struct watch *w)
{
    struct conn_target target = {.host = "localhost", .port = o->port};
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET};
    struct client *clients = calloc(o->connections, sizeof *clients);
    target.tls = SSL_CTX_new(TLS_client_method());
    if (getaddrinfo("127.0.0.1", o->port, &hints, &target.address) != 0 ||
        SSL_CTX_load_verify_locations(target.tls, o->ca, NULL) != 1)
        pace_die("the address or --ca cannot be used");
    SSL_CTX_set_verify(target.tls, SSL_VERIFY_PEER, NULL);
    pace_pin(o->core);
    for (unsigned i = 0; i < o->connections; i++) {
        struct client *c = &clients[i];
        *c = (struct client){
            .o = o, .target = &target, .number = i, .key = EVP_EC_gen("P-256"), .arena = arena_new(1 << 24)};
        conn_open(&c->conn, &target);
        make_account(c);
    }
    double jws_us = jws_cpu_us(&clients[0]);
    int64_t begin = pace_ns() + (int64_t)(o->warmup_s * 1e9), end = begin + (int64_t)(o->seconds * 1e9);
    for (unsigned i = 0; i < o->connections; i++) {
        clients[i].begin_ns = begin;
        clients[i].end_ns = end;
        if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i]) != 0)
            pace_die("no thread");
    }
    usleep((useconds_t)(o->warmup_s * 1e6));
    watch_begin(w);
    usleep((useconds_t)(o->seconds * 1e6));
    watch_end(w);
    for (unsigned i = 0; i < o->connections; i++)
        pthread_join(clients[i].thread, NULL);
    print(clients, o, w, jws_us);
}

int main(int argc, char **argv)
{
    static struct watch watch;
    struct options o = {.connections = 1, .seconds = 4, .warmup_s = 1, .core = -1};
    static const struct option longs[] = {
        {"port", required_argument, NULL, 'p'},        {"ca", required_argument, NULL, 'a'},
        {"kid", required_argument, NULL, 'k'},         {"secret", required_argument, NULL, 's'},
        {"connections", required_argument, NULL, 'n'}, {"seconds", required_argument, NULL, 't'},
        {"warmup", required_argument, NULL, 'w'},      {"core", required_argument, NULL, 'c'},
        {"watch", required_argument, NULL, 'o'},       {NULL, 0, NULL, 0}};
    int c;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 'p')
            o.port = optarg;
        if (c == 'a')
            o.ca = optarg;
        if (c == 'k')
            o.kid = optarg;
        if (c == 's')
            o.secret = optarg;
        if (c == 'n')
            o.connections = (unsigned)atoi(optarg);
        if (c == 't')
            o.seconds = atof(optarg);
        if (c == 'w')
            o.warmup_s = atof(optarg);
        if (c == 'c')
            o.core = atoi(optarg);
        if (c == 'o')
            watch_add(&watch, optarg);
        if (c == '?')
            return 2;
    }
    if (!o.port || !o.ca || !o.kid || !o.secret || !o.connections)
        pace_die(
            "usage: bench_acme --port N --ca PEM --kid KID --secret B64URL [--connections N] [--seconds S] "
            "[--warmup S] [--core N] [--watch NAME:PID]...");
    run(&o, &watch);
    return 0;
}
