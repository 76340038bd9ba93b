/*
 * A request on its way in: its head, its body, its handler. Each limit is checked before what it bounds is
 * stored. Never reads from the socket and never writes to it. Loop's thread.
 */
#include "arrive.h"

#include "base/check.h"
#include "base/log.h"
#include "base/metric.h"

static const struct {
    int status;
    enum err_code code;
} codes[] = {{404, ERR_NOT_FOUND}, {405, ERR_METHOD},         {408, ERR_TIMEOUT},   {413, ERR_TOO_LARGE},
             {414, ERR_TOO_LARGE}, {415, ERR_BAD_MEDIA_TYPE}, {431, ERR_TOO_LARGE}, {503, ERR_BUSY}};

static enum err_code code_of(int status)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].status == status)
            return codes[i].code;
    return ERR_BAD_REQUEST;
}

static struct exchange *exchange(struct conn *c)
{
    if (!c->x) {
        peer_add_tls(c->peer, &c->io);
        c->x = exchange_new(c->server, c, c->peer);
        c->x->r.started_ms = c->began_ms;
    }
    return c->x;
}

static void tell(struct conn *c, int status, const char *why)
{
    const struct http_server *s = c->server;
    if (!s->on_refusal || status == 404 || status == 405 || status == 503)
        return;
    struct err *e = err_new(code_of(status), "%s", why);
    s->on_refusal(s->refusal_arg, &c->x->r, e);
    err_free(e);
}

/* Answers, and the connection goes on where the refused request has no body left to come. */
static void answer(struct conn *c, int status, const char *why)
{
    metric_add(METRIC_HTTP_REFUSED, 1);
    c->state = CONN_HANDED;
    exchange(c);
    tell(c, status, why);
    exchange_refuse(c->x, status, code_of(status), why);
}

void arrive_refuse(struct conn *c, int status, const char *why)
{
    exchange(c)->keep_alive = false;
    c->lingers = true;
    answer(c, status, why);
}

/* ---- the handler ---- */

static bool hand(struct conn *c)
{
    struct exchange *x = c->x;
    const struct http_server *s = c->server;
    c->state = CONN_HANDED;
    if (ticket_count(s->parked) >= 2 * s->config.connections_max) {
        answer(c, 503, "too many requests are under way");
        return true;
    }
    x->r.body = buf_left(&x->body) > 0 ? buf_view(&x->body) : x->r.body;
    check_working_on(x->id, x->route->pattern);
    x->route->handle(&x->r);
    CHECK(x->replied || x->ticket); /* a handler answers or parks */
    check_working_on(NULL, NULL);
    return true;
}

/* ---- the body ---- */

static bool too_large(struct conn *c)
{
    arrive_refuse(c, 413, "the body is larger than what this path takes");
    return true;
}

static bool step_chunked(struct conn *c)
{
    struct view in = buf_view(&c->in), piece;
    size_t before = in.n;
    enum chunk_step step;
    while ((step = chunk_next(&c->chunk, &in, &piece)) == CHUNK_DATA) {
        if (buf_left(&c->x->body) + piece.n > c->x->route->max_body_bytes)
            return too_large(c);
        buf_put(&c->x->body, piece);
    }
    buf_took(&c->in, before - in.n);
    if (step == CHUNK_MORE)
        return false;
    if (step == CHUNK_END)
        return hand(c);
    arrive_refuse(c, 400, "the chunked coding is broken (RFC 9112 section 7.1)");
    return true;
}

static bool step_body(struct conn *c)
{
    if (c->chunked)
        return step_chunked(c);
    struct view in = buf_view(&c->in), piece;
    size_t n = in.n < c->body_left ? in.n : (size_t)c->body_left;
    view_take(&in, n, &piece);
    c->body_left -= n;
    if (c->body_left == 0 && buf_left(&c->x->body) == 0) /* all at once: no need for a queue */
        c->x->r.body = arena_dup(c->x->r.arena, piece);
    else
        buf_put(&c->x->body, piece);
    if (n > 0)
        buf_took(&c->in, n);
    return c->body_left == 0 && hand(c);
}

/* ---- the head ---- */

/* Its row is known: is there a body, and may it be that large? */
static bool begin_body(struct conn *c)
{
    const struct parse_head *h = &c->server->head;
    if (h->length > c->x->route->max_body_bytes)
        return too_large(c);
    c->chunked = h->chunked;
    c->body_left = h->length;
    c->chunk = (struct chunk){0, 0, 0, 0};
    c->state = CONN_BODY;
    if (h->expects_continue && buf_left(&c->in) == 0)
        buf_puts(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
    return true;
}

static bool route(struct conn *c)
{
    const struct parse_head *h = &c->server->head;
    const char *why;
    int status = exchange_route(c->x, &why);
    if (status == 0)
        return begin_body(c);
    if (h->chunked || h->length > 0)
        arrive_refuse(c, status, why); /* nobody will read its body */
    else
        answer(c, status, why);
    return true;
}

static bool step_head(struct conn *c)
{
    struct view head;
    const char *why;
    if (buf_left(&c->in) == 0)
        return false;
    if (c->began_ms == 0) {
        c->began_ms = loop_now_ms(c->server->loop);
        if (c->served > 0)
            c->due_ms = c->began_ms + c->server->config.request_ms;
    }
    int status = parse_scan(&c->scan, buf_view(&c->in), &head, &why);
    if (status == 0 && !head.p)
        return false;
    if (status == 0) {
        status = exchange_read(exchange(c), head, &why);
        buf_took(&c->in, (size_t)(head.p - buf_view(&c->in).p) + head.n);
    }
    if (status == 0)
        return route(c);
    arrive_refuse(c, status, why);
    return true;
}

bool arrive_step(struct conn *c)
{
    switch (c->state) {
    case CONN_HEAD:
        return step_head(c);
    case CONN_BODY:
        return step_body(c);
    default:
        return false;
    }
}
