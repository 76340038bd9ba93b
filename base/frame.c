/*
 * Frames over a stream socketpair: the form, and the blocking calls. A descriptor travels with the first
 * octet of its frame; without one, frames go through a pipe as well. Knows no kinds and keeps no state; the
 * buffered channel is channel.c.
 */
#include "base/frame.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/world.h"
#include "frame_form.h"

static void put(uint8_t *to, size_t n, uint64_t v)
{
    for (; n > 0; n--, v >>= 8)
        to[n - 1] = (uint8_t)v;
}

static uint64_t get(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

void frame_form_put(uint8_t to[FRAME_HEADER_BYTES], const struct frame *f)
{
    CHECK(f->body.n <= FRAME_BODY_MAX);
    to[0] = FRAME_VERSION;
    to[1] = f->fd >= 0 ? FRAME_HAS_FD : 0;
    put(to + 2, 2, f->kind);
    put(to + 4, 4, f->body.n);
    put(to + 8, 4, f->generation);
    put(to + 12, 4, 0);
    put(to + 16, 8, f->id);
}

struct err *frame_form_get(const uint8_t from[FRAME_HEADER_BYTES], struct frame *ret, bool *ret_has_fd)
{
    if (from[0] != FRAME_VERSION)
        return err_new(ERR_PROTOCOL, "frame: version %u, not %u", from[0], (unsigned)FRAME_VERSION);
    if (from[1] & ~FRAME_HAS_FD)
        return err_new(ERR_PROTOCOL, "frame: unknown flags %02x", from[1]);
    if (get(from + 12, 4) != 0)
        return err_new(ERR_PROTOCOL, "frame: the reserved octets are not zero");
    size_t n = (size_t)get(from + 4, 4);
    if (n > FRAME_BODY_MAX)
        return err_new(ERR_PROTOCOL, "frame: a body of %zu octets, over %d", n, FRAME_BODY_MAX);
    *ret_has_fd = from[1] & FRAME_HAS_FD;
    *ret = (struct frame){.kind = (uint16_t)get(from + 2, 2),
                          .generation = (uint32_t)get(from + 8, 4),
                          .id = get(from + 16, 8),
                          .body = {NULL, n},
                          .fd = -1};
    return NULL;
}

ssize_t frame_form_send(int sock, struct view bytes, int fd)
{
    struct iovec iov = {(void *)(uintptr_t)bytes.p, bytes.n};
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd >= 0) {
        m.msg_control = control.room;
        m.msg_controllen = sizeof(control.room);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(int));
    }
    ssize_t sent = world_sendmsg(sock, &m, MSG_NOSIGNAL);
    if (sent < 0 && errno == ENOTSOCK && fd < 0)
        return world_write(sock, bytes.p, bytes.n);
    return sent;
}

/* Puts the descriptors of m at fds; false where there are more than room for (the rest is closed). */
static bool take_fds(struct msghdr *m, struct frame_fds *fds)
{
    bool all = !(m->msg_flags & MSG_CTRUNC);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= c->cmsg_len; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (fds->n < FRAME_FDS_MAX) {
                fds->v[fds->n++] = fd;
                continue;
            }
            close(fd);
            all = false;
        }
    }
    return all;
}

ssize_t frame_form_recv(int sock, void *to, size_t n, struct frame_fds *fds)
{
    struct iovec iov = {to, n};
    union {
        char room[CMSG_SPACE(FRAME_FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof(control.room)};
    ssize_t got = world_recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == ENOTSOCK)
        return read(sock, to, n);
    if (got >= 0 && !take_fds(&m, fds)) {
        errno = EMFILE;
        return -1;
    }
    return got;
}

int frame_fds_take(struct frame_fds *fds)
{
    if (fds->n == 0)
        return -1;
    int fd = fds->v[0];
    fds->n--;
    memmove(fds->v, fds->v + 1, fds->n * sizeof(fds->v[0]));
    return fd;
}

void frame_fds_close(struct frame_fds *fds)
{
    while (fds->n > 0)
        close(fds->v[--fds->n]);
}

/* ---- blocking ---- */

/* True where the call is worth trying again; waits for it. */
static bool wait_for(int sock, short what)
{
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return false;
    struct pollfd p = {.fd = sock, .events = what};
    return poll(&p, 1, -1) >= 0 || errno == EINTR;
}

static struct err *write_all(int sock, struct view bytes, int fd)
{
    while (bytes.n > 0) {
        ssize_t n = frame_form_send(sock, bytes, fd);
        if (n < 0 && wait_for(sock, POLLOUT))
            continue;
        if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
            return err_new(ERR_CANCELLED, "the peer has closed the channel");
        if (n < 0)
            return err_sys(ERR_IO, errno, "frame: cannot be sent");
        bytes = view_from(bytes, (size_t)n);
        fd = -1;
    }
    return NULL;
}

struct err *frame_write(int fd, const struct frame *f)
{
    uint8_t header[FRAME_HEADER_BYTES];
    frame_form_put(header, f);
    struct err *e = write_all(fd, view_of(header, sizeof(header)), f->fd);
    return e ? e : write_all(fd, f->body, -1);
}

static struct err *read_all(int sock, uint8_t *to, size_t n, struct frame_fds *fds)
{
    while (n > 0) {
        ssize_t got = frame_form_recv(sock, to, n, fds);
        if (got < 0 && wait_for(sock, POLLIN))
            continue;
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            return err_new(ERR_CANCELLED, "the peer has closed the channel");
        if (got < 0)
            return err_sys(ERR_IO, errno, "frame: cannot be received");
        to += got;
        n -= (size_t)got;
    }
    return NULL;
}

struct err *frame_read(int fd, struct arena *arena, struct frame *ret)
{
    struct err *e = NULL;
    struct frame_fds fds = {.n = 0};
    struct frame f;
    uint8_t header[FRAME_HEADER_BYTES];
    bool has_fd;
    TRY(read_all(fd, header, sizeof(header), &fds));
    TRY(frame_form_get(header, &f, &has_fd));
    uint8_t *body = arena_alloc(arena, f.body.n);
    TRY(read_all(fd, body, f.body.n, &fds));
    if (fds.n != (has_fd ? 1 : 0)) {
        e = err_new(ERR_PROTOCOL, "frame: %zu descriptors came with it", fds.n);
        goto out;
    }
    f.body.p = body;
    f.fd = frame_fds_take(&fds);
    *ret = f;
out:
    frame_fds_close(&fds);
    return e;
}
