/* A server on a thread of its own, and blocking clients: what the tests of http share. */
#ifndef CHANCERY_TEST_WEB_H
#define CHANCERY_TEST_WEB_H

#include <stdatomic.h>

#include "http.h"

struct ssl_st;
struct ssl_ctx_st;

struct web {
    struct loop *loop;
    struct http_server *server;
    unsigned long thread;
    int port, tls_port;
    char unix_path[64];
    atomic_int resumed_null, resumed, drained, parked;
    char *cert_pem, *key_pem;
};

/* With the routes of web.c. Listens plain and TLS on 127.0.0.1, and on a unix socket. */
struct web *web_start(struct http_config config);
void web_stop(struct web *w);
/* Runs fn(w) on the server's thread and waits for it. */
void web_do(struct web *w, void (*fn)(struct web *w));
/* Waits until *v is n; fails the test after five seconds. */
void web_await(atomic_int *v, int n);
/* A P-256 key and a self-signed certificate, as PEM for free(). */
void web_make_cert(const char *name, char **ret_cert, char **ret_key);

struct client {
    int fd;
    struct ssl_st *ssl;
    char *in; /* what has come and was not taken */
    size_t n;
};

struct answer {
    int status;
    char head[4096];
    char *body; /* NUL behind it */
    size_t n;
};

struct client client_dial(int port);
struct client client_dial_unix(const char *path);
/* NULL ssl where the handshake fails. session may be NULL. */
struct client client_dial_tls(int port, struct ssl_ctx_st *ctx, void *session);
void client_send(struct client *c, const char *text);
void client_send_bytes(struct client *c, const void *p, size_t n);
/* One answer; head_only: to a HEAD. Fails the test where none comes within five seconds. */
struct answer client_answer(struct client *c);
struct answer client_answer_head(struct client *c);
void answer_free(struct answer *a);
/* The value of a header, or NULL. In a static buffer. */
const char *answer_header(const struct answer *a, const char *name);
/* True where the server closes now, with nothing more to say. */
bool client_is_closed(struct client *c);
void client_close(struct client *c);

/* Sends, expects the status and the body (NULL: any). */
void client_expect(struct client *c, const char *request, int status, const char *body);

#endif
