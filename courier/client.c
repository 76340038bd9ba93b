/*
 * The front's half: errands out, their ends in. Knows nothing of where they go. The loop's thread.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/ticket.h"
#include "courier_check.h"
#include "errand.h"
#include "errand_check.h"

/* One of the two is there. */
struct waiting {
    courier_done *done;
    courier_checked *checked;
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
    struct arena *out;
    struct arena *in; /* what a finding says, while it is told */
};

struct courier *courier_new(struct loop *loop)
{
    struct courier *c = calloc(1, sizeof *c);
    CHECK(c);
    *c = (struct courier){.loop = loop,
                          .tickets = ticket_table_new(ERRANDS_MAX),
                          .out = arena_new(1 << 20),
                          .in = arena_new(1 << 20)};
    return c;
}

void courier_free(struct courier *c)
{
    if (!c)
        return;
    channel_free(c->channel);
    for (struct waiting *w = c->first, *next; w; w = next) {
        next = w->next;
        free(w);
    }
    ticket_table_free(c->tickets);
    arena_free(c->out);
    arena_free(c->in);
    free(c);
}

/* Takes w, which is in no list any more, and e. */
static void tell(struct waiting *w, struct err *e, const struct courier_finding *f)
{
    struct courier_finding untried = {COURIER_UNTRIED, COURIER_NO_PROBLEM, e ? err_detail(e) : ""};
    struct waiting was = *w;
    free(w);
    if (was.done) {
        was.done(was.arg, e);
        return;
    }
    was.checked(was.arg, f ? f : &untried);
    err_free(e);
}

static void unlist(struct courier *c, struct waiting *w)
{
    struct waiting **at = &c->first;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
}

static void lost(struct courier *c)
{
    channel_free(c->channel);
    c->channel = NULL;
    struct waiting *all = c->first, *next;
    c->first = NULL; /* whoever is told may ask anew */
    for (; all; all = next) {
        next = all->next;
        ticket_take(c->tickets, all->id);
        tell(all, err_new(ERR_BUSY, "the courier was lost"), NULL);
    }
}

/* The end of an errand, if the frame is one of its kind. */
static bool end(struct courier *c, struct waiting *w, const struct frame *f)
{
    struct courier_finding finding;
    bool form = true;
    struct err *e =
        w->done ? errand_done_read(f->body, c->in, &form) : errand_found_read(f->body, c->in, &finding);
    if (w->done ? form : e != NULL) {
        err_free(e);
        return false;
    }
    ticket_take(c->tickets, w->id);
    unlist(c, w);
    tell(w, e, &finding);
    return true;
}

static void on_frame(void *arg, struct frame *f)
{
    struct courier *c = arg;
    struct waiting *w = ticket_find(c->tickets, f->id);
    bool ours = w && f->kind == (w->done ? ERRAND_DONE : ERRAND_FOUND) && end(c, w, f);
    arena_reset(c->in);
    if (ours)
        return;
    log_error("courier.violation");
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

/* A place in the list and a ticket; f->id is its own. */
static struct err *wait_for(struct courier *c, struct waiting like, struct frame *f)
{
    struct err *e = NULL;
    struct waiting *w = calloc(1, sizeof *w);
    CHECK(w);
    *w = like;
    w->next = c->first;
    w->id = f->id = ticket_put(c->tickets, w);
    if (!w->id)
        TRY(err_new(ERR_BUSY, "%d errands are under way", ERRANDS_MAX));
    TRY(channel_send(c->channel, f));
    c->first = w;
    return NULL;
out:
    if (w->id)
        ticket_take(c->tickets, w->id);
    free(w);
    return e;
}

struct err *courier_put(struct courier *c, const struct courier_put *put, courier_done *done, void *arg)
{
    struct err *e = NULL;
    struct frame f = {.kind = ERRAND_PUT, .fd = put->fd};
    if (!c->channel)
        return err_new(ERR_BUSY, "there is no courier just now");
    TRY(errand_put_write(put, c->out, &f.body));
    TRY(wait_for(c, (struct waiting){.done = done, .arg = arg}, &f));
out:
    arena_reset(c->out);
    return e;
}

struct err *courier_check(struct courier *c, const struct courier_check *check, courier_checked *done,
                          void *arg)
{
    struct err *e = NULL;
    struct frame f = {.kind = ERRAND_CHECK, .fd = -1};
    struct courier_check taken;
    if (!c->channel)
        return err_new(ERR_BUSY, "there is no courier just now");
    TRY(errand_check_write(check, c->out, &f.body));
    TRY(errand_check_read(f.body, c->out, &taken)); /* or the other end would close the channel of all */
    TRY(wait_for(c, (struct waiting){.checked = done, .arg = arg}, &f));
out:
    arena_reset(c->out);
    return e;
}
