/* Opens and closes listening sockets. Accepts nothing: that is for the children. The warden's thread. */
#include "sockets.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

static int set(int fd, int level, int option)
{
    int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on);
}

static struct err *listen_on(const struct config_address *a, int *ret)
{
    struct err *e = NULL;
    int fd = socket(a->to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_sys(ERR_CONFIG, errno, "listen: %s", a->text);
    bool ok = set(fd, SOL_SOCKET, SO_REUSEADDR) == 0;
    ok = ok && (a->to.any.sa_family != AF_INET6 || set(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0);
    ok = ok && bind(fd, &a->to.any, a->len) == 0 && listen(fd, BACKLOG) == 0;
    if (ok) {
        *ret = fd;
        return NULL;
    }
    e = err_sys(errno == EADDRNOTAVAIL ? ERR_NOT_FOUND : ERR_CONFIG, errno, "listen: %s", a->text);
    close(fd);
    return e;
}

static bool address_missing(const struct err *e, const struct config_address *a)
{
    return err_code(e) == ERR_NOT_FOUND || (a->to.any.sa_family == AF_INET6 && errno == EAFNOSUPPORT);
}

static struct err *listen_all(const struct config *c, const struct config_addresses *list, int *fds,
                              size_t *ret_n)
{
    for (size_t i = 0; i < list->n; i++) {
        struct err *e = listen_on(&list->items[i], &fds[*ret_n]);
        if (e && c->demo && address_missing(e, &list->items[i]) && (*ret_n > 0 || i + 1 < list->n)) {
            log_warn("listen.left-out", log_text("address", list->items[i].text), log_err(e));
            err_free(e);
            continue;
        }
        if (e)
            return e;
        (*ret_n)++;
    }
    return NULL;
}

/* A socket left over from an earlier life goes; anything else in its place is not ours to remove. */
static struct err *control_open(const char *path, int *ret)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct stat st;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_sys(ERR_IO, errno, "listen: %s", path);
    memcpy(to.sun_path, path, strlen(path));
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(path);
    mode_t mask = umask(0117);
    int rc = bind(fd, (const struct sockaddr *)&to, sizeof to);
    umask(mask);
    if (rc == 0 && listen(fd, BACKLOG) == 0) {
        *ret = fd;
        return NULL;
    }
    struct err *e = err_sys(ERR_CONFIG, errno, "listen: %s", path);
    close(fd);
    return e;
}

struct err *sockets_open(const struct config *c, struct sockets *ret)
{
    struct err *e = NULL;
    struct sockets s = {.control = -1};

    TRY(listen_all(c, &c->http, s.http, &s.http_n));
    if (!c->responders_only) {
        TRY(listen_all(c, &c->https, s.https, &s.https_n));
        TRY(control_open(c->control, &s.control));
    }
    *ret = s;
out:
    if (e)
        sockets_close(&s);
    return e;
}

void sockets_close(struct sockets *s)
{
    for (size_t i = 0; i < s->https_n; i++)
        close(s->https[i]);
    for (size_t i = 0; i < s->http_n; i++)
        close(s->http[i]);
    if (s->control >= 0)
        close(s->control);
    *s = (struct sockets){.control = -1};
}

static bool control_answers(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    memcpy(to.sun_path, path, strlen(path));
    bool answers = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;
    close(fd);
    return answers;
}

struct err *sockets_try(const struct config *c)
{
    struct err *e = NULL;
    struct sockets s = {.control = -1};

    if (!c->responders_only && control_answers(c->control))
        return NULL;
    TRY(listen_all(c, &c->http, s.http, &s.http_n));
    if (!c->responders_only)
        TRY(listen_all(c, &c->https, s.https, &s.https_n));
out:
    sockets_close(&s);
    return e;
}
