/* The server, the clients and the routes of web.h. The server's thread runs the loop; clients block on the
 * test's. */
#include "web.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- routes ---- */

static void hello(struct http_request *r)
{
    http_reply(r, 200, "text/plain", view_str("hello\n"));
}

static void echo(struct http_request *r)
{
    http_reply(r, 200, "application/octet-stream", r->body);
}

static void segments(struct http_request *r)
{
    struct view a = http_segment(r, "a"), b = http_segment(r, "b");
    char *text =
        arena_printf(r->arena, "%.*s|%.*s", (int)a.n, (const char *)a.p, (int)b.n, (const char *)b.p);
    http_reply(r, 200, NULL, view_str(text));
}

static void rest(struct http_request *r)
{
    http_reply(r, 200, NULL, http_segment(r, "rest"));
}

static void which(struct http_request *r)
{
    http_reply(r, 200, NULL, view_str(r->route_arg));
}

static void facts(struct http_request *r)
{
    const struct http_peer *p = r->peer;
    char *text = arena_printf(r->arena, "%s %s loopback=%d unix=%d uid=%d tls=%s cert=%zu", p->listener,
                              p->address, p->loopback, p->is_unix, p->is_unix ? (int)p->uid : -1,
                              p->tls_version ? p->tls_version : "none", p->certificate.n);
    http_reply(r, 200, NULL, view_str(text));
}

static void certificate(struct http_request *r)
{
    http_reply(r, 200, NULL, r->peer->certificate);
}

struct job {
    struct web *web;
    struct loop_timer *timer;
    struct http_server *server;
    ticket_id ticket;
    const char *text;
};

static void job_done(void *arg)
{
    struct job *j = arg;
    struct web *w = j->web;
    loop_timer_free(j->timer);
    assert_string_equal(j->text, "in the request's arena");
    struct http_request *r = http_resume(j->server, j->ticket);
    if (!r) {
        atomic_fetch_add(&w->resumed_null, 1);
        return;
    }
    atomic_fetch_add(&w->resumed, 1);
    http_reply(r, 200, "text/plain", view_str("slow\n"));
}

/* /slow/{ms} */
static void slow(struct http_request *r)
{
    struct job *j = ARENA_NEW(r->arena, struct job);
    struct web *w = r->app;
    char *ms = arena_str(r->arena, http_segment(r, "ms"));
    *j = (struct job){w, loop_timer_new(w->loop, job_done, j), r->server, http_park(r), NULL};
    j->text = arena_str(r->arena, view_str("in the request's arena"));
    loop_timer_set(j->timer, atoi(ms));
    atomic_fetch_add(&w->parked, 1);
}

static void file(struct http_request *r)
{
    struct view n = http_segment(r, "bytes");
    size_t bytes = (size_t)atol(arena_str(r->arena, n));
    int fd = memfd_create("file", MFD_CLOEXEC);
    uint8_t *p = malloc(bytes ? bytes : 1);
    for (size_t i = 0; i < bytes; i++)
        p[i] = (uint8_t)(i * 2654435761u >> 24);
    assert_int_equal(write(fd, p, bytes), bytes);
    free(p);
    http_reply_file(r, 200, "application/octet-stream", fd, 0, bytes);
}

static void big(struct http_request *r)
{
    struct view n = http_segment(r, "bytes");
    size_t bytes = (size_t)atol(arena_str(r->arena, n));
    uint8_t *p = arena_alloc(r->arena, bytes);
    memset(p, 'b', bytes);
    http_reply(r, 200, NULL, view_of(p, bytes));
}

static void problem(struct http_request *r)
{
    http_problem(r, err_at(err_new(ERR_TOKEN_AWAY, "quote \" back \\ bell \a bad \xff\xc0\x80 good \xc3\xa9"),
                           "/sans/%d", 3));
}

static void inject(struct http_request *r)
{
    http_add(r, "X-Echo", "%s", "a\r\nX-Evil: yes");
    http_reply(r, 204, NULL, view_of(NULL, 0));
}

static void prefer(struct http_request *r)
{
    static const char *const types[] = {"application/json", "application/pem-certificate-chain"};
    static const char *const text[] = {"none", "json", "pem"};
    http_reply(r, 200, NULL, view_str(text[1 + http_prefer(r, types, 2)]));
}

static void fresh(struct http_request *r)
{
    bool still = http_not_modified(r, "\"abc\"", 784111777);
    http_add(r, "Last-Modified", "%s", http_date(r->arena, 784111777));
    http_reply(r, still ? 304 : 200, NULL, view_str("new"));
}

static void query(struct http_request *r)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct view limit, cursor;
    struct err *e = http_query_only(r, names);
    if (!e)
        e = http_query(r, "limit", &limit);
    if (!e)
        e = http_query(r, "cursor", &cursor);
    if (e) {
        http_problem(r, e);
        return;
    }
    http_reply(r, 200, NULL,
               view_str(arena_printf(r->arena, "%.*s,%s%.*s", (int)limit.n, (const char *)limit.p,
                                     cursor.p ? "" : "none", (int)cursor.n, (const char *)cursor.p)));
}

static void header(struct http_request *r)
{
    struct view v = http_header(r, "x-a");
    bool typed = http_is_type(r, "application/pkcs10");
    http_reply(
        r, 200, NULL,
        view_str(arena_printf(r->arena, "%s%.*s %d", v.p ? "" : "none", (int)v.n, (const char *)v.p, typed)));
}

static const struct http_route routes[] = {
    {HTTP_GET, "/hello", hello, 0, NULL},
    {HTTP_POST | HTTP_GET, "/echo", echo, 300000, NULL},
    {HTTP_POST, "/small", echo, 10, NULL},
    {HTTP_GET, "/s/{a}/x/{b}.crl", segments, 0, NULL},
    {HTTP_GET, "/rest/{rest*}", rest, 0, NULL},
    {HTTP_GET, "/crl/{i}-delta.crl", which, 0, "delta"},
    {HTTP_GET, "/crl/{i}.crl", which, 0, "full"},
    {HTTP_DELETE, "/crl/{i}.crl", which, 0, "delete"},
    {HTTP_GET, "/facts", facts, 0, NULL},
    {HTTP_GET, "/certificate", certificate, 0, NULL},
    {HTTP_GET | HTTP_POST, "/slow/{ms}", slow, 100, NULL},
    {HTTP_GET, "/file/{bytes}", file, 0, NULL},
    {HTTP_GET, "/big/{bytes}", big, 0, NULL},
    {HTTP_GET, "/problem", problem, 0, NULL},
    {HTTP_GET, "/inject", inject, 0, NULL},
    {HTTP_GET, "/prefer", prefer, 0, NULL},
    {HTTP_GET, "/fresh", fresh, 0, NULL},
    {HTTP_GET, "/query", query, 0, NULL},
    {HTTP_POST, "/header", header, 10, NULL},
};

/* ---- the server ---- */

static int listen_tcp(int *ret_port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

static int listen_unix(const char *path)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 64), 0);
    return fd;
}

static void *run(void *arg)
{
    struct web *w = arg;
    loop_run(w->loop);
    return NULL;
}

struct web *web_start(struct http_config config)
{
    struct web *w = calloc(1, sizeof(*w));
    char dir[] = "/tmp/http-test-XXXXXX";
    assert_non_null(mkdtemp(dir));
    snprintf(w->unix_path, sizeof(w->unix_path), "%s/s", dir);
    assert_null(loop_new(&w->loop));
    assert_null(http_server_new(w->loop, &config, &w->server));
    http_routes(w->server, routes, sizeof(routes) / sizeof(routes[0]), w);
    web_make_cert("server", &w->cert_pem, &w->key_pem);
    assert_null(http_tls_set(w->server, view_str(w->cert_pem), view_str(w->key_pem)));
    http_listen(w->server, listen_tcp(&w->port), false, "plain");
    http_listen(w->server, listen_tcp(&w->tls_port), true, "tls");
    http_listen(w->server, listen_unix(w->unix_path), false, "control");
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, w), 0);
    w->thread = thread;
    return w;
}

void web_stop(struct web *w)
{
    loop_stop(w->loop);
    pthread_join(w->thread, NULL);
    http_server_free(w->server);
    loop_free(w->loop);
    unlink(w->unix_path);
    *strrchr(w->unix_path, '/') = '\0';
    rmdir(w->unix_path);
    free(w->cert_pem);
    free(w->key_pem);
    free(w);
}

struct task {
    struct web *web;
    void (*fn)(struct web *w);
    atomic_int done;
};

static void run_task(void *arg)
{
    struct task *t = arg;
    t->fn(t->web);
    atomic_store(&t->done, 1);
}

void web_do(struct web *w, void (*fn)(struct web *w))
{
    struct task t = {.web = w, .fn = fn};
    loop_post(w->loop, run_task, &t);
    web_await(&t.done, 1);
}

void web_await(atomic_int *v, int n)
{
    for (int i = 0; i < 5000 && atomic_load(v) != n; i++)
        usleep(1000);
    assert_int_equal(atomic_load(v), n);
}

static char *text_of(BIO *b)
{
    char *p;
    long n = BIO_get_mem_data(b, &p);
    char *text = strndup(p, (size_t)n);
    BIO_free(b);
    return text;
}

void web_make_cert(const char *name, char **ret_cert, char **ret_key)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *subject = X509_NAME_new();
    assert_true(key && cert && subject);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_subject_name(cert, subject);
    X509_set_issuer_name(cert, subject);
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(c, cert);
    PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL);
    *ret_cert = text_of(c);
    *ret_key = text_of(k);
    X509_NAME_free(subject);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* ---- clients ---- */

static struct client client_of(int fd)
{
    struct timeval five = {5, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &five, sizeof(five));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &five, sizeof(five));
    return (struct client){fd, NULL, NULL, 0};
}

struct client client_dial(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    return client_of(fd);
}

struct client client_dial_unix(const char *path)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    return client_of(fd);
}

struct client client_dial_tls(int port, struct ssl_ctx_st *ctx, void *session)
{
    struct client c = client_dial(port);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, c.fd);
    if (session)
        SSL_set_session(ssl, session);
    if (SSL_connect(ssl) == 1) {
        c.ssl = ssl;
        return c;
    }
    SSL_free(ssl);
    return c;
}

void client_send_bytes(struct client *c, const void *p, size_t n)
{
    if (c->ssl) {
        assert_int_equal(SSL_write(c->ssl, p, (int)n), n);
        return;
    }
    for (size_t at = 0; at < n;) {
        ssize_t put = send(c->fd, (const char *)p + at, n - at, MSG_NOSIGNAL);
        assert_true(put > 0);
        at += (size_t)put;
    }
}

void client_send(struct client *c, const char *text)
{
    client_send_bytes(c, text, strlen(text));
}

/* False at the end. */
static bool more(struct client *c)
{
    c->in = realloc(c->in, c->n + 65536 + 1);
    ssize_t n = c->ssl ? SSL_read(c->ssl, c->in + c->n, 65536) : recv(c->fd, c->in + c->n, 65536, 0);
    if (n < 0 && !c->ssl)
        assert_true(errno == ECONNRESET); /* EAGAIN: nothing came in time */
    if (n <= 0)
        return false;
    c->n += (size_t)n;
    c->in[c->n] = '\0';
    return true;
}

static struct answer take(struct client *c, bool head_only)
{
    struct answer a = {0};
    const char *end;
    while (c->n == 0 || !(end = strstr(c->in, "\r\n\r\n")))
        assert_true(more(c));
    size_t head = (size_t)(end - c->in) + 4;
    assert_true(head < sizeof(a.head));
    memcpy(a.head, c->in, head);
    assert_int_equal(sscanf(a.head, "HTTP/1.1 %d", &a.status), 1);
    const char *length = answer_header(&a, "Content-Length");
    a.n = head_only || !length ? 0 : (size_t)atol(length);
    while (c->n < head + a.n)
        assert_true(more(c));
    a.body = calloc(1, a.n + 1);
    memcpy(a.body, c->in + head, a.n);
    c->n -= head + a.n;
    memmove(c->in, c->in + head + a.n, c->n + 1);
    return a;
}

struct answer client_answer(struct client *c)
{
    return take(c, false);
}

struct answer client_answer_head(struct client *c)
{
    return take(c, true);
}

void answer_free(struct answer *a)
{
    free(a->body);
}

const char *answer_header(const struct answer *a, const char *name)
{
    static char value[512];
    size_t n = strlen(name);
    for (const char *line = strstr(a->head, "\r\n"); line && line[2] != '\r'; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':') {
            snprintf(value, sizeof(value), "%.*s", (int)strcspn(line + n + 4, "\r"), line + n + 4);
            return value;
        }
    return NULL;
}

bool client_is_closed(struct client *c)
{
    return c->n == 0 && !more(c);
}

void client_close(struct client *c)
{
    if (c->ssl)
        SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    close(c->fd);
    free(c->in);
}

void client_expect(struct client *c, const char *request, int status, const char *body)
{
    client_send(c, request);
    struct answer a = client_answer(c);
    if (a.status != status)
        fail_msg("%d, not %d: %s%s", a.status, status, a.head, a.body);
    if (body)
        assert_string_equal(a.body, body);
    answer_free(&a);
}
