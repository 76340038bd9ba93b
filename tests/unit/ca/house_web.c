/* See house_web.h. */
#include "house_web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { HEAD_MAX = 16384, PATIENCE_S = 10 };

struct asking {
    const struct web_to *to;
    struct view request;
    struct web_answer answer;
    uint8_t *in;
    size_t in_n;
    atomic_bool done;
    struct loop *loop;
    struct loop_timer *timer;
};

static int dial(const struct web_to *to)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)to->port)};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = PATIENCE_S};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (to->path)
        snprintf(un.sun_path, sizeof un.sun_path, "%s", to->path);
    int fd = socket(to->path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    int rc = to->path ? connect(fd, (struct sockaddr *)&un, sizeof un)
                      : connect(fd, (struct sockaddr *)&in, sizeof in);
    if (rc == 0)
        return fd;
    close(fd);
    return -1;
}

static ssize_t take(int fd, SSL *ssl, void *to, size_t n)
{
    return ssl ? SSL_read(ssl, to, (int)n) : recv(fd, to, n, 0);
}

static void put(int fd, SSL *ssl, struct view bytes)
{
    while (bytes.n) {
        ssize_t n = ssl ? SSL_write(ssl, bytes.p, (int)bytes.n) : send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        bytes = view_from(bytes, (size_t)n);
    }
}

static void exchange(struct asking *a, int fd, SSL *ssl)
{
    size_t cap = 1 << 16;
    a->in = malloc(cap);
    put(fd, ssl, a->request);
    for (;;) {
        if (a->in_n == cap)
            a->in = realloc(a->in, cap *= 2);
        ssize_t n = take(fd, ssl, a->in + a->in_n, cap - a->in_n);
        a->answer.ended = n == 0;
        if (n <= 0)
            return;
        a->in_n += (size_t)n;
    }
}

static void split(struct asking *a)
{
    uint8_t *end = a->in_n ? memmem(a->in, a->in_n, "\r\n\r\n", 4) : NULL;
    if (!end || sscanf((char *)a->in, "HTTP/1.%*c %d", &a->answer.status) != 1)
        return;
    size_t head = (size_t)(end - a->in) + 4;
    a->answer.head = strndup((char *)a->in, head);
    a->answer.n = a->in_n - head;
    a->answer.body = malloc(a->answer.n + 1);
    memcpy(a->answer.body, a->in + head, a->answer.n);
    a->answer.body[a->answer.n] = 0;
}

static void *ask(void *arg)
{
    struct asking *a = arg;
    int fd = dial(a->to);
    SSL *ssl = fd >= 0 && a->to->tls ? SSL_new(a->to->tls) : NULL;
    if (ssl)
        SSL_set_fd(ssl, fd);
    if (fd >= 0 && (!ssl || SSL_connect(ssl) == 1))
        exchange(a, fd, ssl);
    split(a);
    SSL_free(ssl);
    if (fd >= 0)
        close(fd);
    free(a->in);
    atomic_store(&a->done, true);
    return NULL;
}

static void look(void *arg)
{
    struct asking *a = arg;
    if (atomic_load(&a->done))
        loop_stop(a->loop);
    else
        loop_timer_set(a->timer, 1);
}

struct web_answer web_ask(struct loop *loop, const struct web_to *to, struct view request)
{
    struct asking a = {.to = to, .request = request, .loop = loop};
    pthread_t thread;
    if (pthread_create(&thread, NULL, ask, &a) != 0)
        abort();
    a.timer = loop_timer_new(loop, look, &a);
    loop_timer_set(a.timer, 1);
    loop_run(loop);
    loop_timer_free(a.timer);
    pthread_join(thread, NULL);
    return a.answer;
}

struct web_answer web_get(struct loop *loop, const struct web_to *to, const char *method, const char *target,
                          const char *headers, struct view body)
{
    char *text;
    int n = asprintf(
        &text, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n",
        method, target, body.n, headers ? headers : "");
    if (n < 0)
        abort();
    uint8_t *whole = malloc((size_t)n + body.n);
    memcpy(whole, text, (size_t)n);
    if (body.n)
        memcpy(whole + n, body.p, body.n);
    struct web_answer a = web_ask(loop, to, view_of(whole, (size_t)n + body.n));
    free(whole);
    free(text);
    return a;
}

void web_free(struct web_answer *a)
{
    free(a->head);
    free(a->body);
    *a = (struct web_answer){.status = 0};
}

const char *web_header(const struct web_answer *a, const char *name)
{
    static char value[2048];
    size_t n = strlen(name);
    for (const char *line = a->head; line && (line = strstr(line, "\r\n")) != NULL;) {
        line += 2;
        if (strncasecmp(line, name, n) != 0 || line[n] != ':')
            continue;
        const char *from = line + n + 1 + strspn(line + n + 1, " ");
        snprintf(value, sizeof value, "%.*s", (int)strcspn(from, "\r"), from);
        return value;
    }
    return NULL;
}

int web_listen(int *ret_port)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t n = sizeof in;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&in, sizeof in) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&in, &n) != 0)
        abort();
    *ret_port = ntohs(in.sin_port);
    return fd;
}

int web_listen_unix(const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&un, sizeof un) != 0 || listen(fd, 16) != 0)
        abort();
    return fd;
}
