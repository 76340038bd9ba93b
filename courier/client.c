/*
 * The front's half: errands out, their ends in. Knows nothing of where they go. The loop's thread.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/ticket.h"
#include "errand.h"

struct waiting {
    courier_done *done;
    void *arg;
    ticket_id id;
    struct waiting *next;
};

struct courier {
    struct loop *loop;
    struct channel *channel; /* NULL: none */
    struct ticket_table *tickets;
    struct waiting *first;
    void (*ready)(void *arg);
    void *ready_arg;
    struct arena *scratch;
};

struct courier *courier_new(struct loop *loop)
{
    struct courier *c = calloc(1, sizeof *c);
    CHECK(c);
    *c = (struct courier){
        .loop = loop, .tickets = ticket_table_new(ERRANDS_MAX), .scratch = arena_new(1 << 20)};
    return c;
}

static void forget(struct courier *c, struct waiting *w)
{
    struct waiting **at = &c->first;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    free(w);
}

void courier_free(struct courier *c)
{
    if (!c)
        return;
    channel_free(c->channel);
    while (c->first)
        forget(c, c->first);
    ticket_table_free(c->tickets);
    arena_free(c->scratch);
    free(c);
}

static void end(struct courier *c, struct waiting *w, struct err *e)
{
    courier_done *done = w->done;
    void *arg = w->arg;
    forget(c, w);
    done(arg, e);
}

static void lost(struct courier *c)
{
    channel_free(c->channel);
    c->channel = NULL;
    struct waiting *all = c->first, *next;
    c->first = NULL; /* whoever is told may ask anew */
    for (; all; all = next) {
        next = all->next;
        courier_done *done = all->done;
        void *arg = all->arg;
        ticket_take(c->tickets, all->id);
        free(all);
        done(arg, err_new(ERR_BUSY, "the courier was lost"));
    }
}

static void on_frame(void *arg, struct frame *f)
{
    struct courier *c = arg;
    struct waiting *w = f->kind == ERRAND_DONE ? ticket_take(c->tickets, f->id) : NULL;
    bool form = true;
    struct err *e = w ? errand_done_read(f->body, c->scratch, &form) : NULL;
    if (!form) {
        end(c, w, e);
        arena_reset(c->scratch);
        return;
    }
    err_free(e);
    log_error("courier.violation");
    if (w)
        end(c, w, err_new(ERR_BUSY, "the courier was lost"));
    lost(c);
}

static void on_close(void *arg, struct err *why)
{
    err_free(why);
    lost(arg);
}

void courier_attach(struct courier *c, int fd)
{
    lost(c);
    c->channel = channel_new(c->loop, fd, (struct channel_events){on_frame, on_close, c});
    if (c->ready)
        c->ready(c->ready_arg);
}

void courier_on_ready(struct courier *c, void (*ready)(void *arg), void *arg)
{
    c->ready = ready;
    c->ready_arg = arg;
}

bool courier_ready(const struct courier *c)
{
    return c && c->channel;
}

struct err *courier_put(struct courier *c, const struct courier_put *put, courier_done *done, void *arg)
{
    struct err *e = NULL;
    struct waiting *w = NULL;
    struct frame f = {.kind = ERRAND_PUT, .fd = put->fd};
    if (!c->channel)
        return err_new(ERR_BUSY, "there is no courier just now");
    w = calloc(1, sizeof *w);
    CHECK(w);
    *w = (struct waiting){.done = done, .arg = arg, .next = c->first};
    w->id = ticket_put(c->tickets, w);
    if (!w->id)
        TRY(err_new(ERR_BUSY, "%d errands are under way", ERRANDS_MAX));
    f.id = w->id;
    TRY(errand_put_write(put, c->scratch, &f.body));
    TRY(channel_send(c->channel, &f));
    c->first = w;
    w = NULL;
out:
    if (w && w->id)
        ticket_take(c->tickets, w->id);
    free(w);
    arena_reset(c->scratch);
    return e;
}
