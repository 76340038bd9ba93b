/* See clients_conn.h. Reads answers with Content-Length alone, as the front sends them. */
#include "clients_conn.h"

#include <netinet/in.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

SSL_CTX *conn_context(const char *root, const char *cert, const char *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx || SSL_CTX_load_verify_locations(ctx, root, NULL) != 1 ||
        (cert && (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
                  SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1))) {
        ERR_print_errors_fp(stderr);
        exit(2);
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(ctx, SSL_MODE_AUTO_RETRY);
    return ctx;
}

void conn_close(struct conn *c)
{
    if (!c->ssl)
        return;
    SSL_free(c->ssl);
    close(c->fd);
    c->ssl = NULL;
}

static int open_socket(int port)
{
    const struct timeval wait = {10, 0};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static int connected(struct conn *c)
{
    if (c->ssl)
        return 1;
    c->fd = open_socket(c->port);
    if (c->fd < 0)
        return 0;
    c->ssl = SSL_new(c->ctx);
    if (c->ssl && SSL_set_fd(c->ssl, c->fd) == 1 && SSL_set_tlsext_host_name(c->ssl, "localhost") == 1 &&
        SSL_set1_host(c->ssl, "localhost") == 1 && SSL_connect(c->ssl) == 1)
        return 1;
    conn_close(c);
    return 0;
}

/* Octets of the whole answer where its head is there, else 0. */
static size_t whole(struct conn *c)
{
    const char *end = strstr(c->answer, "\r\n\r\n"), *length;
    if (!end)
        return 0;
    c->body = end + 4;
    length = strcasestr(c->answer, "\r\ncontent-length:");
    return (size_t)(c->body - c->answer) + (length && length < end ? strtoull(length + 17, NULL, 10) : 0);
}

static int receive(struct conn *c)
{
    size_t want;
    c->n = 0;
    c->answer[0] = '\0';
    while ((want = whole(c)) == 0 || c->n < want) {
        int got = c->n + 1 < sizeof c->answer
                      ? SSL_read(c->ssl, c->answer + c->n, (int)(sizeof c->answer - 1 - c->n))
                      : 0;
        if (got <= 0)
            return 0;
        c->n += (size_t)got;
        c->answer[c->n] = '\0';
    }
    return strncmp(c->answer, "HTTP/1.1 ", 9) == 0 ? atoi(c->answer + 9) : 0;
}

int conn_ask(struct conn *c, const char *request, size_t n)
{
    int status = 0;
    ERR_clear_error();
    if (!connected(c))
        return 0;
    if (SSL_write(c->ssl, request, (int)n) == (int)n)
        status = receive(c);
    if (status == 0 || strcasestr(c->answer, "\r\nconnection: close"))
        conn_close(c);
    return status;
}
