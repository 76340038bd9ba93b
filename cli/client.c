/*
 * The connection to the daemon: one HTTP/1.1 request over control.sock, one answer, blocking. The kernel
 * tells the daemon who is asking, so there is nothing to log in with.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/file.h"
#include "cert/pem.h"
#include "cli.h"

enum { ANSWER_MAX = 64 << 20, HEAD_MAX = 16 * 1024, TIMEOUT_S = 60, PEM_MAX = 1 << 20 };

struct answer {
    int status;
    struct view head; /* lines, each with its end */
    struct view body;
};

struct err *cli_config(struct cli *c, struct config **ret)
{
    struct view bytes;
    return config_load(c->config_path, c->arena, &bytes, ret);
}

static struct err *connect_to(const char *path, int patience_s, int *ret_fd)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = patience_s ? patience_s : TIMEOUT_S};
    if (strlen(path) >= sizeof to.sun_path)
        return err_new(ERR_CONFIG, "%s is too long for a socket", path);
    memcpy(to.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_sys(ERR_IO, errno, "socket");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        int why = errno;
        close(fd);
        return err_sys(ERR_STARTING, why, "no daemon answers at %s (start it: chanceryd -c FILE)", path);
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    *ret_fd = fd;
    return NULL;
}

static struct err *send_all(int fd, struct view bytes)
{
    while (bytes.n) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(ERR_IO, errno, "sending to the daemon");
        bytes = view_from(bytes, (size_t)n);
    }
    return NULL;
}

/* The whole answer: the daemon closes, as asked. */
static struct err *receive(int fd, struct arena *arena, struct view *ret)
{
    size_t cap = HEAD_MAX, n = 0;
    uint8_t *buf = malloc(cap);
    struct err *e = buf ? NULL : err_new(ERR_NOMEM, "no memory for the answer");
    while (!e) {
        if (n == cap && cap < ANSWER_MAX) {
            uint8_t *more = realloc(buf, cap * 2);
            buf = more ? more : buf;
            cap = more ? cap * 2 : cap;
        }
        ssize_t got = n < cap ? recv(fd, buf + n, cap - n, 0) : -1;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            e = err_sys(ERR_IO, n < cap ? errno : EMSGSIZE, "reading the daemon's answer");
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    if (!e)
        *ret = arena_dup(arena, view_of(buf, n));
    free(buf);
    return e;
}

static struct err *split(struct view all, struct answer *ret)
{
    const char *head = (const char *)all.p;
    const char *end = all.n ? memmem(head, all.n, "\r\n\r\n", 4) : NULL;
    if (!end || all.n < 12 || memcmp(head, "HTTP/1.1 ", 9) != 0)
        return err_new(ERR_IO, "the daemon's answer is no HTTP");
    ret->status = atoi(head + 9);
    ret->head = view_of(head, (size_t)(end + 2 - head));
    ret->body = view_from(all, (size_t)(end + 4 - head));
    return NULL;
}

static struct err *exchange(struct cli *c, const char *method, const char *path, const char *accept,
                            const char *body, struct answer *ret)
{
    struct err *e = NULL;
    struct config *config = NULL;
    struct view all;
    int fd = -1;

    TRY(cli_config(c, &config));
    TRY(connect_to(config->control, c->patience_s, &fd));
    const char *request =
        arena_printf(c->arena,
                     "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: %s\r\n"
                     "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                     method, path, accept, body ? strlen(body) : 0, body ? body : "");
    TRY(send_all(fd, view_str(request)));
    TRY(receive(fd, c->arena, &all));
    TRY(split(all, ret));
out:
    if (fd >= 0)
        close(fd);
    config_free(config);
    return e;
}

/* An error as the daemon told it. */
static struct err *problem(const struct answer *a)
{
    json_t *tree = json_loadb((const char *)a->body.p, a->body.n, 0, NULL);
    const char *type = json_string_value(json_object_get(tree, "type"));
    const char *detail = json_string_value(json_object_get(tree, "detail"));
    const char *pointer = json_string_value(json_object_get(tree, "pointer"));
    const char *prefix = "urn:chancery:error:";
    bool ours = type && strncmp(type, prefix, strlen(prefix)) == 0;
    struct err *e = err_new(ours ? err_code_of_type(type + strlen(prefix)) : ERR_IO, "%s",
                            detail ? detail : "the daemon refused without saying why");
    if (pointer && pointer[0])
        e = err_at(e, "%s", pointer);
    json_decref(tree);
    return e;
}

struct err *cli_call(struct cli *c, const char *method, const char *path, json_t *body, json_t **ret_json)
{
    struct err *e = NULL;
    struct answer a;
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

    TRY(exchange(c, method, path, "application/json", text, &a));
    /* /readyz says why it is not ready with status 503 and its own form */
    if (a.status >= 400 && strcmp(path, "/readyz") != 0)
        TRY(problem(&a));
    *ret_json = json_loadb((const char *)a.body.p, a.body.n, 0, NULL);
    if (!*ret_json)
        e = err_new(ERR_IO, "the daemon's answer is no JSON");
out:
    free(text);
    json_decref(body);
    return e;
}

struct err *cli_get_text(struct cli *c, const char *path, const char *accept, const char **ret_text)
{
    struct err *e = NULL;
    struct answer a;
    TRY(exchange(c, "GET", path, accept, NULL, &a));
    if (a.status >= 400)
        return problem(&a);
    *ret_text = arena_str(c->arena, a.body);
out:
    return e;
}

/* The daemon writes each header as "Name: value". */
static const char *header(struct cli *c, const struct answer *a, const char *name)
{
    const char *line = arena_printf(c->arena, "\r\n%s: ", name), *at;
    const char *head = arena_str(c->arena, a->head);
    at = strstr(head, line);
    if (!at)
        return NULL;
    at += strlen(line);
    return arena_str(c->arena, view_of(at, strcspn(at, "\r\n")));
}

struct err *cli_get_page(struct cli *c, const char *path, const char *accept, const char **ret_text,
                         const char **ret_next)
{
    struct err *e = NULL;
    struct answer a;
    TRY(exchange(c, "GET", path, accept, NULL, &a));
    if (a.status >= 400)
        return problem(&a);
    *ret_text = arena_str(c->arena, a.body);
    *ret_next = header(c, &a, "X-Next-Cursor");
out:
    return e;
}

const char *cli_escape(struct cli *c, const char *value)
{
    char *to = arena_alloc(c->arena, strlen(value) * 3 + 1), *at = to;
    for (; *value; value++) {
        bool plain = strchr("-._~", *value) || (*value >= '0' && *value <= '9') ||
                     (*value >= 'a' && *value <= 'z') || (*value >= 'A' && *value <= 'Z');
        at += snprintf(at, 4, plain ? "%c" : "%%%02X", (unsigned char)*value);
    }
    return to;
}

struct err *cli_pem(struct cli *c, const char *path, const char *label, struct view *ret_der)
{
    struct err *e = NULL;
    struct view text;
    TRY(file_read(path, PEM_MAX, c->arena, &text));
    TRY(err_wrap(cert_pem_read(text, label, c->arena, ret_der), "%s", path));
out:
    return e;
}

const char *cli_csr_text(struct cli *c, struct view csr)
{
    bool der = csr.n > 0 && csr.p[0] == 0x30;
    return der ? cert_pem_write("CERTIFICATE REQUEST", csr, c->arena) : arena_str(c->arena, csr);
}
