/*
 * The buffered channel of frame.h: what is sent in one turn leaves in as few writes as possible at its end,
 * cut only where a descriptor must travel with the first octet of its frame. Reading is bounded by the
 * largest frame. After the close nothing is read or sent. One thread, the loop's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/frame.h"
#include "frame_form.h"

enum { IN_FIRST = 64 * 1024, KEEP_BYTES = 256 * 1024, READS_PER_TURN = 8 };

struct buffer {
    uint8_t *p;
    size_t at, n, cap; /* p[at..n) counts */
};

/* A descriptor waits to leave with the octet at this distance from the start of the stream. */
struct mark {
    uint64_t at;
    int fd;
};

struct channel {
    struct loop *loop;
    struct loop_watch *watch;
    struct channel_events ev;
    int fd;
    struct buffer in, out;
    struct frame_fds fds;
    uint64_t sent; /* octets of the stream that have left */
    struct mark *marks;
    size_t marks_at, marks_n, marks_cap;
    size_t max_queued;
    bool closed, freed;
    bool flush_due; /* flush() is on the loop's list, so c must outlive it */
    bool reading;   /* on_frame may run */
};

static void buffer_reserve(struct buffer *b, size_t more)
{
    if (b->at > 0 && (b->at == b->n || b->n + more > b->cap)) {
        memmove(b->p, b->p + b->at, b->n - b->at);
        b->n -= b->at;
        b->at = 0;
    }
    if (b->n + more <= b->cap)
        return;
    size_t cap = b->cap ? b->cap : IN_FIRST;
    while (cap < b->n + more)
        cap *= 2;
    uint8_t *p = realloc(b->p, cap);
    CHECK(p);
    b->p = p;
    b->cap = cap;
}

static void buffer_put(struct buffer *b, const void *p, size_t n)
{
    buffer_reserve(b, n);
    if (n > 0)
        memcpy(b->p + b->n, p, n);
    b->n += n;
}

/* Gives back what a burst has taken. */
static void buffer_took(struct buffer *b, size_t n)
{
    b->at += n;
    if (b->at < b->n)
        return;
    b->at = b->n = 0;
    if (b->cap <= KEEP_BYTES)
        return;
    free(b->p);
    *b = (struct buffer){NULL, 0, 0, 0};
}

static void shut(struct channel *c)
{
    c->closed = true;
    loop_unwatch(c->watch);
    c->watch = NULL;
    close(c->fd);
    frame_fds_close(&c->fds);
    for (; c->marks_at < c->marks_n; c->marks_at++)
        close(c->marks[c->marks_at].fd);
}

static void close_with(struct channel *c, struct err *why)
{
    CHECK(!c->closed);
    shut(c);
    c->ev.on_close(c->ev.arg, why);
}

static void release(struct channel *c)
{
    if (!c->freed || c->flush_due || c->reading)
        return;
    free(c->in.p);
    free(c->out.p);
    free(c->marks);
    free(c);
}

void channel_free(struct channel *c)
{
    if (!c)
        return;
    CHECK(!c->freed);
    if (!c->closed)
        shut(c);
    c->freed = true;
    release(c);
}

static struct err *lost(void)
{
    if (errno == EPIPE || errno == ECONNRESET)
        return NULL;
    return err_sys(ERR_IO, errno, "the channel to another process failed");
}

/* ---- sending ---- */

/* One write: up to the next octet that takes a descriptor along. False where nothing left. */
static bool send_some(struct channel *c)
{
    struct view bytes = view_of(c->out.p + c->out.at, c->out.n - c->out.at);
    bool marked = c->marks_at < c->marks_n && c->marks[c->marks_at].at == c->sent;
    size_t next = c->marks_at + (marked ? 1 : 0);
    if (next < c->marks_n && c->marks[next].at - c->sent < bytes.n)
        bytes.n = (size_t)(c->marks[next].at - c->sent);
    ssize_t n = frame_form_send(c->fd, bytes, marked ? c->marks[c->marks_at].fd : -1);
    if (n <= 0)
        return false;
    if (marked)
        close(c->marks[c->marks_at++].fd);
    c->sent += (size_t)n;
    buffer_took(&c->out, (size_t)n);
    return true;
}

static void send_all(struct channel *c)
{
    while (c->out.at < c->out.n && send_some(c))
        ;
    if (c->out.at == c->out.n) {
        c->marks_at = c->marks_n = 0;
        loop_watch_set(c->watch, LOOP_READ);
        return;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        loop_watch_set(c->watch, LOOP_READ | LOOP_WRITE);
        return;
    }
    close_with(c, lost());
}

static void flush(void *arg)
{
    struct channel *c = arg;
    c->flush_due = false;
    if (!c->closed)
        send_all(c);
    else
        release(c);
}

static struct err *mark_put(struct channel *c, int fd)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0)
        return err_sys(ERR_IO, errno, "a descriptor cannot be sent");
    if (c->marks_n == c->marks_cap) {
        size_t cap = c->marks_cap ? c->marks_cap * 2 : 4;
        struct mark *marks = realloc(c->marks, cap * sizeof(*marks));
        CHECK(marks);
        c->marks = marks;
        c->marks_cap = cap;
    }
    c->marks[c->marks_n++] = (struct mark){c->sent + (c->out.n - c->out.at), own};
    return NULL;
}

struct err *channel_send(struct channel *c, const struct frame *f)
{
    struct err *e = NULL;
    if (c->closed)
        return err_new(ERR_CANCELLED, "the channel to another process is closed");
    if (c->out.n - c->out.at + FRAME_HEADER_BYTES + f->body.n > c->max_queued)
        return err_new(ERR_BUSY, "over %zu octets wait for another process", c->max_queued);
    if (f->fd >= 0)
        TRY(mark_put(c, f->fd));
    uint8_t header[FRAME_HEADER_BYTES];
    frame_form_put(header, f);
    buffer_put(&c->out, header, sizeof(header));
    buffer_put(&c->out, f->body.p, f->body.n);
    if (!c->flush_due) {
        c->flush_due = true;
        loop_after_turn(c->loop, flush, c);
    }
out:
    return e;
}

void channel_set_max_queued(struct channel *c, size_t bytes)
{
    c->max_queued = bytes;
}

/* ---- receiving ---- */

/* Hands one whole frame over. False where none is whole yet, or the channel is closed. */
static bool hand_one(struct channel *c, struct err **ret_e)
{
    struct frame f;
    bool has_fd;
    size_t have = c->in.n - c->in.at;
    if (have < FRAME_HEADER_BYTES)
        return false;
    if ((*ret_e = frame_form_get(c->in.p + c->in.at, &f, &has_fd)) != NULL)
        return false;
    if (have - FRAME_HEADER_BYTES < f.body.n)
        return false;
    if (has_fd && (f.fd = frame_fds_take(&c->fds)) < 0) {
        *ret_e = err_new(ERR_PROTOCOL, "frame: its descriptor is missing");
        return false;
    }
    f.body.p = c->in.p + c->in.at + FRAME_HEADER_BYTES;
    size_t whole = FRAME_HEADER_BYTES + f.body.n;
    c->ev.on_frame(c->ev.arg, &f);
    if (f.fd >= 0)
        close(f.fd);
    if (c->closed)
        return false;
    c->in.at += whole;
    return true;
}

/* What the first frame in the buffer still lacks, known once its header is whole. */
static size_t wanted(const struct channel *c)
{
    size_t have = c->in.n - c->in.at;
    struct frame f;
    bool has_fd;
    if (have < FRAME_HEADER_BYTES)
        return IN_FIRST - have;
    struct err *e = frame_form_get(c->in.p + c->in.at, &f, &has_fd);
    CHECK(!e); /* hand_one has read this header */
    size_t lacks = FRAME_HEADER_BYTES + f.body.n - have;
    return lacks > IN_FIRST / 2 ? lacks : IN_FIRST / 2;
}

static bool read_some(struct channel *c)
{
    buffer_reserve(&c->in, wanted(c));
    ssize_t n = frame_form_recv(c->fd, c->in.p + c->in.n, c->in.cap - c->in.n, &c->fds);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return false;
    if (n <= 0) {
        close_with(c, n == 0 ? NULL : lost());
        return false;
    }
    c->in.n += (size_t)n;
    struct err *e = NULL;
    while (hand_one(c, &e))
        ;
    if (c->closed)
        return false;
    if (!e && c->fds.n > 1) /* one may belong to the frame that is not whole yet */
        e = err_new(ERR_PROTOCOL, "frame: descriptors that no frame announces");
    if (e) {
        close_with(c, e);
        return false;
    }
    buffer_took(&c->in, 0);
    return true;
}

static void on_ready(void *arg, int ready)
{
    struct channel *c = arg;
    if (ready & LOOP_WRITE) {
        c->reading = true;
        send_all(c);
        c->reading = false;
    }
    if (!c->closed && ready & LOOP_READ) {
        c->reading = true;
        for (int i = 0; i < READS_PER_TURN && read_some(c); i++)
            ;
        c->reading = false;
    }
    release(c);
}

struct channel *channel_new(struct loop *l, int fd, struct channel_events ev)
{
    struct channel *c = calloc(1, sizeof(*c));
    CHECK(c);
    CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
    *c = (struct channel){.loop = l, .ev = ev, .fd = fd, .max_queued = 16 << 20};
    c->watch = loop_watch(l, fd, LOOP_READ, on_ready, c);
    return c;
}
