/*
 * The responder's end of the channel to the front: asks for answers that are not on the shelf, and gives up
 * after half a second, so that a front that is away costs a client a tryLater and nothing else. On the
 * responder's loop.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "cert/chain.h"
#include "serve.h"

static void arm(struct ocsp_server *s)
{
    if (!s->wants)
        return;
    int64_t left = s->wants->until_ms - loop_now_ms(s->loop);
    loop_timer_set(s->deadline, left > 1 ? left : 1);
}

static void take(struct ocsp_server *s, struct question *q)
{
    if (q->next)
        q->next->prev = q->prev;
    else
        s->wants_last = q->prev;
    if (q->prev)
        q->prev->next = q->next;
    else
        s->wants = q->next;
    if (s->unsent == q)
        s->unsent = q->next;
    s->with_front -= q->sent;
    s->wants_n--;
}

static void end(struct ocsp_server *s, struct question *q, const struct want_done *done)
{
    take(s, q);
    serve_wanted(q, done);
}

static void overdue(void *arg)
{
    struct ocsp_server *s = arg;
    while (s->wants && s->wants->until_ms <= loop_now_ms(s->loop))
        end(s, s->wants, &(struct want_done){.outcome = WANT_NOT_NOW});
    arm(s);
}

/* --- in turn, at a pace --- */

static bool has_room(struct ocsp_server *s)
{
    int64_t slice = loop_now_ms(s->loop) / SERVE_SLICE_MS;
    if (slice != s->slice) {
        s->slice = slice;
        s->slice_wants = 0;
    }
    return s->with_front < SERVE_WITH_FRONT_MAX && s->slice_wants < SERVE_SLICE_WANTS;
}

static struct err *send_one(struct ocsp_server *s, struct question *q)
{
    const struct frame f = {
        .kind = WANT_FRAME, .id = q->id, .body = want_write(&q->want, q->query->arena), .fd = -1};
    struct err *e = channel_send(s->front, &f);
    if (e)
        return e;
    q->sent = true;
    s->unsent = q->next;
    s->with_front++;
    s->slice_wants++;
    return NULL;
}

static void send_some(void *arg)
{
    struct ocsp_server *s = arg;
    struct err *e = NULL;
    while (!e && s->front && s->unsent && has_room(s))
        e = send_one(s, s->unsent);
    if (s->front && s->unsent)
        loop_timer_set(s->pace, SERVE_SLICE_MS);
    err_free(e); /* the front's channel is full: the pace tries again */
}

bool wanting_ask(struct ocsp_server *s, struct question *q)
{
    if (!s->front || s->wants_n >= SERVE_WANTS_MAX)
        return false;
    q->id = ++s->next_id;
    q->until_ms = loop_now_ms(s->loop) + SERVE_WANT_MS;
    q->prev = s->wants_last;
    if (s->wants_last)
        s->wants_last->next = q;
    else
        s->wants = q;
    s->wants_last = q;
    s->wants_n++;
    if (!s->unsent)
        s->unsent = q;
    if (s->unsent == q)
        send_some(s);
    if (s->wants == q)
        arm(s);
    return true;
}

/* Questions that wait time out by themselves. */
static void drop_front(struct ocsp_server *s)
{
    channel_free(s->front);
    s->front = NULL;
}

static void on_frame(void *arg, struct frame *f)
{
    struct ocsp_server *s = arg;
    struct want_done done;
    struct err *e = f->kind == WANT_DONE
                        ? want_done_read(f->body, &done)
                        : err_new(ERR_PROTOCOL, "the front sent a frame of kind %u", f->kind);
    if (e) {
        log_error("ocsp.front-violation", log_err(e));
        err_free(e);
        drop_front(s);
        return;
    }
    for (struct question *q = s->wants; q; q = q->next) {
        if (q->id != f->id)
            continue;
        end(s, q, &done);
        send_some(s);
        return;
    }
}

static void on_close(void *arg, struct err *why)
{
    struct ocsp_server *s = arg;
    if (why)
        log_warn("ocsp.front-lost", log_err(why));
    err_free(why);
    drop_front(s);
}

void ocsp_server_attach(struct ocsp_server *s, int fd)
{
    drop_front(s);
    s->front = channel_new(s->loop, fd, (struct channel_events){on_frame, on_close, s});
}

void wanting_close(struct ocsp_server *s)
{
    drop_front(s);
    while (s->wants)
        end(s, s->wants, &(struct want_done){.outcome = WANT_NOT_NOW});
}

/* --- the server's life --- */

static struct err *served_of(const struct ocsp_issuer *issuer, struct served *ret)
{
    struct err *e = NULL;
    struct cert_chain_cert cert;
    struct arena *arena = arena_new(256 * 1024);
    TRY(cert_chain_read(issuer->certificate, arena, &cert));
    cert_ocsp_issuer_of(cert.tbs.subject, &cert.key, &ret->hashes);
    snprintf(ret->name, sizeof ret->name, "%s", issuer->name);
out:
    arena_free(arena);
    return e;
}

void ocsp_server_set(struct ocsp_server *s, const struct ocsp_issuer *issuers, size_t n)
{
    s->n = 0;
    for (size_t i = 0; i < n && s->n < SERVE_ISSUERS_MAX; i++) {
        struct err *e = served_of(&issuers[i], &s->issuers[s->n]);
        if (e)
            log_error("ocsp.issuer", log_text("issuer", issuers[i].name), log_err(e));
        else
            s->n++;
        err_free(e);
    }
}

struct err *ocsp_server_new(struct loop *loop, struct shelf_reader *shelf, struct hsm *hsm,
                            struct ocsp_server **ret)
{
    struct ocsp_server *s = calloc(1, sizeof *s);
    if (!s)
        return err_new(ERR_NOMEM, "no memory for the OCSP server");
    *s = (struct ocsp_server){.loop = loop, .shelf = shelf, .hsm = hsm};
    s->deadline = loop_timer_new(loop, overdue, s);
    s->pace = loop_timer_new(loop, send_some, s);
    *ret = s;
    return NULL;
}

void ocsp_server_http(struct ocsp_server *s, struct http_server *http)
{
    s->http = http;
}

void ocsp_server_free(struct ocsp_server *s)
{
    if (!s)
        return;
    wanting_close(s);
    loop_timer_free(s->deadline);
    loop_timer_free(s->pace);
    free(s);
}
