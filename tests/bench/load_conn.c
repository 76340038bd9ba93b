/*
 * Connections of the load generator. One system call to send, one to receive, in the ordinary case; a head is
 * read for its status and Content-Length and no more. Never pipelines, never retries. One thread.
 */
#include "load_conn.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pace.h"

static void shake_hands(struct conn *c, const struct conn_target *target)
{
    char text[256];

    c->ssl = SSL_new(target->tls);
    SSL_set_fd(c->ssl, c->fd);
    SSL_set_tlsext_host_name(c->ssl, target->host);
    SSL_set1_host(c->ssl, target->host);
    if (SSL_connect(c->ssl) == 1)
        return;
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    pace_die("TLS with %s:%s: %s", target->host, target->port, text);
}

void conn_open(struct conn *c, const struct conn_target *target)
{
    int on = 1;

    c->fd = socket(target->address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, target->address->ai_addr, target->address->ai_addrlen) != 0)
        pace_die("%s:%s: %s", target->host, target->port, strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->ssl = NULL;
    if (target->tls)
        shake_hands(c, target);
    fcntl(c->fd, F_SETFL, fcntl(c->fd, F_GETFL) | O_NONBLOCK);
    c->waiting = false;
}

void conn_close(struct conn *c)
{
    SSL_free(c->ssl);
    close(c->fd);
    c->ssl = NULL;
    c->fd = -1;
}

/* Octets moved; 0: not now; -1: over. */
static ssize_t move(struct conn *c, int n)
{
    if (n > 0)
        return n;
    if (!c->ssl)
        return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
    switch (SSL_get_error(c->ssl, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return 0;
    default:
        ERR_clear_error();
        return -1;
    }
}

bool conn_send(struct conn *c, const struct ask *ask)
{
    size_t sent = 0;

    c->at = c->need = c->head_n = 0;
    c->waiting = true;
    while (sent < ask->n) {
        int part = (int)(ask->n - sent);
        ssize_t n = move(c, c->ssl ? SSL_write(c->ssl, ask->p + sent, part)
                                   : (int)send(c->fd, ask->p + sent, (size_t)part, MSG_NOSIGNAL));
        struct pollfd full = {.fd = c->fd, .events = POLLOUT};

        if (n < 0)
            return false;
        if (n == 0)
            poll(&full, 1, 1000);
        sent += (size_t)n;
    }
    return true;
}

/* The value of Content-Length in this head; 0 where there is none (an answer without a body). */
static size_t content_length(const char *head, const char *end)
{
    for (const char *line = head; line < end;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));

        if ((*line | 0x20) == 'c' && strncasecmp(line, "content-length:", 15) == 0)
            return strtoul(line + 15, NULL, 10);
        if (!next)
            break;
        line = next + 1;
    }
    return 0;
}

static void read_head(struct conn *c)
{
    char *end = memmem(c->buf, c->at, "\r\n\r\n", 4);

    if (!end)
        return;
    c->head_n = (size_t)(end - c->buf) + 4;
    c->status = atoi(c->buf + 9);
    c->need = c->head_n + content_length(c->buf, end);
    if (c->need > CONN_BUFFER_BYTES)
        pace_die("an answer of %zu octets", c->need);
}

int conn_receive(struct conn *c)
{
    for (;;) {
        int room = (int)(CONN_BUFFER_BYTES - c->at);
        ssize_t n = move(c, c->ssl ? SSL_read(c->ssl, c->buf + c->at, room)
                                   : (int)recv(c->fd, c->buf + c->at, (size_t)room, 0));

        if (n <= 0)
            return (int)n;
        c->at += (size_t)n;
        c->buf[c->at] = 0;
        if (!c->need)
            read_head(c);
        if (c->need && c->at >= c->need)
            return 1;
    }
}
