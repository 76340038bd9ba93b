/*
 * The responders' questions. A responder can ask for an answer to be made and nothing else; what it sends
 * that is not such a question closes its channel. On the front's loop.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "maker.h"

struct question {
    struct ocsp_maker *maker;
    size_t place;
    uint64_t life; /* of the place, when it asked: another peer may have it since */
    uint64_t id;
};

static void drop(struct ocsp_peer *p)
{
    channel_free(p->channel);
    p->channel = NULL;
}

static void answer(void *arg, const struct want_done *done)
{
    struct question *q = arg;
    struct ocsp_peer *p = &q->maker->peers[q->place];
    if (p->channel && p->life == q->life) {
        struct arena *arena = arena_new(2 * WANT_DONE_MAX);
        const struct frame f = {
            .kind = WANT_DONE, .id = q->id, .body = want_done_write(done, arena), .fd = -1};
        struct err *e = channel_send(p->channel, &f);
        if (e)
            log_warn("ocsp.unanswered", log_err(e));
        err_free(e);
        arena_free(arena);
    }
    free(q);
}

static void on_frame(void *arg, struct frame *f)
{
    struct ocsp_peer *p = arg;
    struct want want;
    struct arena *arena = arena_new(8192);
    struct err *e = f->kind == WANT_FRAME
                        ? want_read(f->body, arena, &want)
                        : err_new(ERR_PROTOCOL, "a responder sent a frame of kind %u", f->kind);
    arena_free(arena);
    if (e) {
        log_error("ocsp.violation", log_err(e));
        err_free(e);
        drop(p);
        return;
    }
    struct question *q = calloc(1, sizeof *q);
    CHECK(q);
    *q = (struct question){
        .maker = p->maker, .place = (size_t)(p - p->maker->peers), .life = p->life, .id = f->id};
    answer_make(p->maker, &want, ANSWER_ASKED, answer, q);
}

static void on_close(void *arg, struct err *why)
{
    struct ocsp_peer *p = arg;
    if (why)
        log_warn("ocsp.responder-lost", log_err(why));
    err_free(why);
    drop(p);
}

void ocsp_maker_attach(struct ocsp_maker *m, int fd)
{
    for (size_t i = 0; i < OCSP_RESPONDERS_MAX; i++) {
        struct ocsp_peer *p = &m->peers[i];
        if (p->channel)
            continue;
        p->maker = m;
        p->life++;
        p->channel = channel_new(m->loop, fd, (struct channel_events){on_frame, on_close, p});
        return;
    }
    log_error("ocsp.too-many-responders");
    close(fd);
}

void peers_close(struct ocsp_maker *m)
{
    for (size_t i = 0; i < OCSP_RESPONDERS_MAX; i++)
        drop(&m->peers[i]);
}
