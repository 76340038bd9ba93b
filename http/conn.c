/*
 * A connection: octets in, requests handed over one at a time and answered in order, octets out. Every entry
 * from the loop ends in settle(), and only there a connection is destroyed; all else marks it dead. One
 * deadline for the state, one for what waits to leave. Loop's thread.
 */
#include "conn.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "arrive.h"
#include "base/check.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/world.h"

enum {
    IN_BYTES = PARSE_HEAD_BYTES + 1024, /* more than the scanner lets a head be */
    OUT_FULL_BYTES = 256 * 1024,        /* past it no further request is taken up */
    READS_PER_TURN = 8,
    FILE_PIECE_BYTES = 64 * 1024,
    FILE_PIECES_PER_TURN = 32,
    MOVE_BYTES = 64 * 1024,
    LINGER_MS = 2000,
    LINGER_BYTES = 1024 * 1024,
};
#define NEVER INT64_MAX

static bool has_out(const struct conn *c)
{
    return buf_left(&c->out) > 0 || c->file_left > 0;
}

/* ---- out ---- */

struct buf *conn_out(struct conn *c)
{
    return &c->out;
}

bool conn_may_keep(const struct conn *c)
{
    return !c->server->draining && !c->eof;
}

void conn_send_file(struct conn *c, int fd, uint64_t from, uint64_t bytes)
{
    CHECK(c->file < 0);
    c->file = fd;
    c->file_at = from;
    c->file_left = bytes;
}

static void drop_file(struct conn *c)
{
    if (c->file >= 0)
        close(c->file);
    c->file = -1;
    c->file_left = 0;
}

/* The next piece of the file into out. A file that is shorter than it was cannot be mended: the length is
 * told. */
static bool load_file(struct conn *c)
{
    size_t n = c->file_left < FILE_PIECE_BYTES ? (size_t)c->file_left : FILE_PIECE_BYTES;
    buf_reserve(&c->out, n);
    ssize_t got = pread(c->file, c->out.p + c->out.n, n, (off_t)c->file_at);
    if (got <= 0) {
        log_error("http.file", log_text("why", "a file could not be read to its end"));
        c->dead = true;
        return false;
    }
    c->out.n += (size_t)got;
    c->file_at += (uint64_t)got;
    c->file_left -= (uint64_t)got;
    if (c->file_left == 0)
        drop_file(c);
    return true;
}

/* True where it is worth going on. */
static bool write_some(struct conn *c)
{
    struct view bytes = buf_view(&c->out);
    ssize_t n = io_write(&c->io, bytes.p, bytes.n);
    if (n == IO_FAILED)
        c->dead = true;
    if (n < 0)
        return false;
    buf_took(&c->out, (size_t)n);
    c->moved += (uint64_t)n;
    return true;
}

/* An answer must keep moving: each MOVE_BYTES of it, or all, within the deadline. */
static void set_write_due(struct conn *c)
{
    if (!has_out(c)) {
        c->write_due_ms = NEVER;
        return;
    }
    if (c->write_due_ms == NEVER || c->moved >= MOVE_BYTES) {
        c->write_due_ms = loop_now_ms(c->server->loop) + c->server->config.write_ms;
        c->moved = 0;
    }
}

static void flush(struct conn *c)
{
    int pieces = 0;
    while (!c->dead && has_out(c)) {
        if (buf_left(&c->out) == 0 && (++pieces > FILE_PIECES_PER_TURN || !load_file(c)))
            break;
        if (!write_some(c))
            break;
    }
    set_write_due(c);
}

/* ---- requests ---- */

static void log_answer(const struct conn *c)
{
    const struct exchange *x = c->x;
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"};
    size_t m = 0;
    while (!(x->r.method & 1u << m))
        m++;
    check_working_on(x->id, "answered");
    LOG__EVENT(x->status >= 400 ? LOG_INFO : LOG_DEBUG, "http.request",
               log_text("method", x->is_head ? "HEAD" : names[m]), log_bytes("path", x->r.path),
               log_num("status", x->status), log_text("peer", c->peer->address),
               log_text("listener", c->peer->facts.listener),
               log_num("ms", loop_now_ms(c->server->loop) - x->r.started_ms));
    check_working_on(NULL, NULL);
}

static void finish(struct conn *c)
{
    log_answer(c);
    metric_add(METRIC_HTTP_REQUESTS, 1);
    bool keep = c->x->keep_alive;
    exchange_free(c->x);
    c->x = NULL;
    c->served++;
    c->began_ms = 0;
    c->scan = (struct parse_scan){0, 0, 0, 0};
    c->state = keep ? CONN_HEAD : CONN_CLOSING;
    c->due_ms = keep ? loop_now_ms(c->server->loop) + c->server->config.idle_ms : NEVER;
}

/* Too much waits to leave for a further request to be taken up. */
static bool is_full(const struct conn *c)
{
    return c->file_left > 0 || buf_left(&c->out) > OUT_FULL_BYTES;
}

static void take_up(struct conn *c)
{
    for (;;) {
        if (c->state == CONN_HANDED && c->x->replied)
            finish(c);
        if (is_full(c) || !arrive_step(c))
            return;
        if (c->state == CONN_HANDED && !c->x->replied) /* parked */
            c->due_ms = loop_now_ms(c->server->loop) + c->server->config.park_ms;
    }
}

static void drive(struct conn *c)
{
    bool was_full;
    c->driving = true;
    do {
        take_up(c);
        was_full = is_full(c);
        flush(c);
    } while (was_full && !c->dead && !is_full(c));
    c->driving = false;
}

static void kick(struct conn *c)
{
    if (c->kicked)
        return;
    c->kicked = true;
    c->kick_next = c->server->kicked;
    c->server->kicked = c;
    server_kick(c->server);
}

void conn_replied(struct conn *c)
{
    if (!c->driving)
        kick(c);
}

/* ---- in ---- */

static bool may_read(const struct conn *c)
{
    return !c->dead && !c->eof && c->state != CONN_CLOSING && buf_left(&c->in) < IN_BYTES && !is_full(c);
}

/* False where nothing more is there now. */
static bool read_some(struct conn *c)
{
    buf_reserve(&c->in, IN_BYTES - buf_left(&c->in));
    size_t room = c->in.cap - c->in.n;
    ssize_t n = io_read(&c->io, c->in.p + c->in.n, room);
    if (n > 0)
        c->in.n += (size_t)n;
    c->eof = n == 0;
    c->dead = n == IO_FAILED;
    return n > 0 && ((size_t)n == room || io_has_more(&c->io));
}

static void receive(struct conn *c)
{
    int reads = 0;
    bool more = true;
    while (more && may_read(c) && reads++ < READS_PER_TURN) {
        more = read_some(c);
        drive(c);
    }
    if (more && may_read(c) && io_has_more(&c->io))
        kick(c); /* the socket will not announce it */
}

/* ---- the end ---- */

/* What still comes is thrown away: closing on unread octets would send a reset, and the answer might be lost.
 */
static void linger(struct conn *c)
{
    char waste[8192];
    for (int i = 0; i < READS_PER_TURN; i++) {
        ssize_t n = world_recv(c->io.fd, waste, sizeof(waste), 0);
        if (n <= 0) {
            c->dead = n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
            return;
        }
        c->lingered += (uint64_t)n;
    }
    c->dead = c->lingered > LINGER_BYTES;
}

static void destroy(struct conn *c)
{
    struct http_server *s = c->server;
    if (c->x && c->x->ticket)
        c->x->conn = NULL; /* http_resume will free it */
    else
        exchange_free(c->x);
    if (c->state != CONN_LINGER)
        io_bye(&c->io);
    loop_unwatch(c->watch);
    loop_timer_free(c->timer);
    io_close(&c->io);
    drop_file(c);
    buf_free(&c->in);
    buf_free(&c->out);
    server_left(s, c);
    peer_unref(c->peer);
    free(c);
}

/* Has c come to its end? */
static void judge(struct conn *c)
{
    if (c->dead)
        return;
    if (c->eof && (!has_out(c) || c->state == CONN_HANDED))
        c->dead = true; /* the client has left; a parked request goes on without it */
    if (c->state != CONN_CLOSING || has_out(c))
        return;
    if (!c->lingers || c->eof) {
        c->dead = true;
        return;
    }
    io_bye(&c->io);
    c->state = CONN_LINGER;
    c->due_ms = loop_now_ms(c->server->loop) + LINGER_MS;
}

static void settle(struct conn *c)
{
    judge(c);
    if (c->dead) {
        destroy(c);
        return;
    }
    if (c->in.p && buf_left(&c->in) == 0)
        buf_free(&c->in);
    bool writes = has_out(c) || c->io.wants_write;
    loop_watch_set(c->watch, (may_read(c) ? LOOP_READ : 0) | (writes ? LOOP_WRITE : 0));
    int64_t due = c->due_ms < c->write_due_ms ? c->due_ms : c->write_due_ms;
    if (due == NEVER) {
        loop_timer_clear(c->timer);
        return;
    }
    int64_t now = loop_now_ms(c->server->loop);
    loop_timer_set(c->timer, due > now ? due - now : 0);
}

/* ---- entries ---- */

static void on_ready(void *arg, int ready)
{
    struct conn *c = arg;
    if (c->state == CONN_LINGER) {
        linger(c);
        settle(c);
        return;
    }
    if (ready & LOOP_WRITE)
        drive(c);
    if (may_read(c))
        receive(c);
    settle(c);
}

void conn_kicked(struct conn *c)
{
    c->kicked = false;
    drive(c);
    if (c->state != CONN_LINGER && may_read(c) && io_has_more(&c->io))
        receive(c);
    settle(c);
}

/* The park deadline: the client gets its 503, the request stays with whoever works on it. */
static void abandon(struct conn *c)
{
    struct exchange *old = c->x;
    struct exchange *x = exchange_new(c->server, c, c->peer);
    memcpy(x->id, old->id, sizeof(x->id));
    x->r.method = old->r.method;
    x->r.path = arena_dup(x->r.arena, old->r.path);
    x->r.started_ms = old->r.started_ms;
    x->is_head = old->is_head;
    x->keep_alive = old->keep_alive;
    x->must_add_keep_alive = old->must_add_keep_alive;
    old->conn = NULL;
    c->x = x;
    exchange_refuse(x, 503, ERR_BUSY, "the answer is not ready in time; what was begun goes on");
}

static void on_due(struct conn *c)
{
    switch (c->state) {
    case CONN_HEAD:
        c->dead = buf_left(&c->in) == 0; /* nothing was asked, nothing is answered */
        if (!c->dead)
            arrive_refuse(c, 408, "the head did not come in time");
        return;
    case CONN_BODY:
        arrive_refuse(c, 408, "the body did not come in time");
        return;
    case CONN_HANDED:
        abandon(c);
        return;
    default:
        c->dead = true;
    }
}

static void on_timer(void *arg)
{
    struct conn *c = arg;
    int64_t now = loop_now_ms(c->server->loop);
    if (now >= c->write_due_ms)
        c->dead = true;
    else if (now >= c->due_ms)
        on_due(c);
    if (!c->dead)
        drive(c);
    settle(c);
}

struct conn *conn_new(struct http_server *s, int fd, bool tls, struct peer *peer)
{
    struct conn *c = calloc(1, sizeof(*c));
    CHECK(c);
    c->server = s;
    c->peer = peer;
    c->file = -1;
    io_plain(&c->io, fd);
    if (tls)
        CHECK(io_tls(&c->io, fd, s->tls, s->bio_method));
    c->write_due_ms = NEVER;
    c->due_ms = loop_now_ms(s->loop) + s->config.request_ms;
    c->timer = loop_timer_new(s->loop, on_timer, c);
    c->watch = loop_watch(s->loop, fd, LOOP_READ, on_ready, c);
    loop_timer_set(c->timer, s->config.request_ms);
    return c;
}

void conn_drain(struct conn *c)
{
    bool idle = c->state == CONN_HEAD && buf_left(&c->in) == 0 && !has_out(c);
    if (!idle)
        return;
    c->dead = true;
    settle(c);
}

void conn_cut(struct conn *c)
{
    c->dead = true;
    settle(c);
}
