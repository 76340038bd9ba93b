/*
 * The vault's client: one channel, calls that wait for their answers by ticket. Every call ends exactly once:
 * with its answer, with the loss of the channel, or cancelled. Holds no key and judges nothing. One loop's
 * thread.
 */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/der.h"
#include "base/log.h"
#include "base/world.h"
#include "house.h"

struct hsm {
    struct loop *loop;
    struct hsm_events ev;
    struct channel *channel;
    bool drained, ready;
    struct ticket_table *pending; /* the house's: the first's */
    struct client_pool *pool;
    uint64_t roll_n;
    struct arena *scratch;
    struct hsm *first, *next; /* of the house */
    char name[HOUSE_NAME_MAX + 1];
    char issuers[HOUSE_ISSUERS_MAX][HOUSE_NAME_MAX + 1];
    size_t issuers_n; /* whose keys are here */
};

struct hsm *hsm_new(struct loop *l, struct hsm_events ev)
{
    struct hsm *h = calloc(1, sizeof *h);
    CHECK(h != NULL);
    h->loop = l;
    h->ev = ev;
    h->pending = ticket_table_new(CLIENT_PENDING_MAX);
    h->pool = client_pool_new(h, l);
    h->scratch = arena_new(4 << 20);
    h->first = h;
    hsm_name_set(h, "vault");
    return h;
}

/* --- the house --- */

void hsm_join(struct hsm *h, struct hsm *other)
{
    struct hsm *last = h;
    CHECK(other->first == other && !other->next && ticket_count(other->pending) == 0);
    while (last->next)
        last = last->next;
    last->next = other;
    other->first = h->first;
    ticket_table_free(other->pending);
    other->pending = h->pending;
}

void hsm_name_set(struct hsm *h, const char *name)
{
    snprintf(h->name, sizeof h->name, "%s", name);
}

const char *hsm_name(const struct hsm *h)
{
    return h->name;
}

struct hsm *hsm_next(const struct hsm *h)
{
    return h->next;
}

static bool holds(const struct hsm *h, const char *issuer)
{
    for (size_t i = 0; i < h->issuers_n; i++)
        if (strcmp(h->issuers[i], issuer) == 0)
            return true;
    return false;
}

static void forget(struct hsm *h, const char *issuer)
{
    for (size_t i = 0; i < h->issuers_n; i++)
        if (strcmp(h->issuers[i], issuer) == 0)
            memcpy(h->issuers[i], h->issuers[--h->issuers_n], sizeof h->issuers[i]);
}

void hsm_holds(struct hsm *h, const char *issuer)
{
    if (!house_name_ok(view_str(issuer)))
        return;
    for (struct hsm *v = h->first; v; v = v->next)
        forget(v, issuer);
    if (h->issuers_n < HOUSE_ISSUERS_MAX)
        memcpy(h->issuers[h->issuers_n++], issuer, strlen(issuer) + 1);
}

struct hsm *hsm_for(const struct hsm *h, const char *issuer)
{
    for (struct hsm *v = h->first; v && issuer; v = v->next)
        if (holds(v, issuer))
            return v;
    return h->first;
}

bool hsm_signs(struct hsm *h, const char *issuer)
{
    const struct hsm_status *s = hsm_status(hsm_for(h, issuer));
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->issuers[i].issuer, issuer) == 0)
            return s->issuers[i].ok;
    return false;
}

struct hsm *hsm_of_roll(const struct hsm *h, struct view roll_id)
{
    for (struct hsm *v = h->first; v; v = v->next)
        if (roll_id.n && view_eq(hsm_status(v)->roll_id, roll_id))
            return v;
    return NULL;
}

struct client_pool *client_pool(struct hsm *h)
{
    return h->pool;
}

struct arena *client_scratch(struct hsm *h)
{
    return h->scratch;
}

/* --- pending calls --- */

static void call_free(struct client_call *c)
{
    free(c->state);
    free(c);
}

void client_end(struct client_call *c)
{
    (void)ticket_take(c->h->pending, c->id);
}

static void call_finish(struct client_call *c, struct err *e, struct view body)
{
    if (!c->finish(c, e, body))
        call_free(c);
}

struct gathered {
    const struct hsm *of;
    ticket_id ids[CLIENT_PENDING_MAX];
    size_t n;
};

static void gather(void *arg, ticket_id id, void *obj)
{
    struct gathered *g = arg;
    const struct client_call *c = obj;
    if (c->h == g->of)
        g->ids[g->n++] = id;
}

/* A done called on the way may cancel others or try to start new ones (refused: there is no channel). */
static void end_all(struct hsm *h, enum err_code code, const char *why)
{
    struct gathered *g = calloc(1, sizeof *g);
    CHECK(g != NULL);
    g->of = h;
    ticket_each(h->pending, gather, g);
    for (size_t i = 0; i < g->n; i++) {
        struct client_call *c = ticket_find(h->pending, g->ids[i]);
        if (c)
            call_finish(c, err_new(code, "%s", why), (struct view){NULL, 0});
    }
    free(g);
}

static void drop_channel(struct hsm *h)
{
    channel_free(h->channel);
    h->channel = NULL;
    h->drained = h->ready = false;
    client_pool_lost(h->pool);
}

static void lose(struct hsm *h, struct err *why)
{
    drop_channel(h);
    log_warn("hsm.lost", log_text("vault", h->name), log_num("pending", (long long)ticket_count(h->pending)),
             log_err(why));
    end_all(h, ERR_TOKEN_AWAY, "the vault went away before it answered");
    if (h->ev.on_lost)
        h->ev.on_lost(h->ev.arg, why);
    err_free(why);
}

void hsm_free(struct hsm *h)
{
    if (!h)
        return;
    drop_channel(h);
    end_all(h, ERR_CANCELLED, "this process is closing its channel to the vault");
    hsm_free(h->next);
    client_pool_free(h->pool);
    if (h == h->first)
        ticket_table_free(h->pending);
    arena_free(h->scratch);
    free(h);
}

void hsm_cancel(struct hsm *h, ticket_id id)
{
    struct client_call *c = ticket_take(h->pending, id);
    if (c)
        call_free(c);
}

/* --- asking --- */

static struct err *send_frame(struct hsm *h, enum frames_kind kind, uint32_t generation, ticket_id id,
                              struct view body, int fd)
{
    if (!h->channel || !h->drained)
        return err_new(ERR_TOKEN_AWAY, "the vault is not there");
    return channel_send(
        h->channel,
        &(struct frame){.kind = (uint16_t)kind, .generation = generation, .id = id, .body = body, .fd = fd});
}

struct err *client_ask(struct hsm *h, const struct client_call *call, enum frames_kind kind,
                       uint32_t generation, struct view body, int fd, ticket_id *ret)
{
    if (body.n > frames_row((uint16_t)kind)->max_bytes)
        return err_new(ERR_TOO_LARGE, "%s of %zu octets; at most %zu", frames_row((uint16_t)kind)->name,
                       body.n, frames_row((uint16_t)kind)->max_bytes);
    struct client_call *c = malloc(sizeof *c);
    CHECK(c != NULL);
    *c = *call;
    c->h = h;
    c->id = ticket_put(h->pending, c);
    struct err *e = c->id ? send_frame(h, kind, generation, c->id, body, fd)
                          : err_new(ERR_BUSY, "%d calls wait for the vault", CLIENT_PENDING_MAX);
    if (e) {
        client_end(c);
        free(c);
        return e;
    }
    if (ret)
        *ret = c->id;
    return NULL;
}

struct err *client_ask_on(struct client_call *c, enum frames_kind kind, struct view body)
{
    return send_frame(c->h, kind, 0, c->id, body, -1);
}

void client_saw(struct hsm *h, uint64_t n)
{
    if (n > h->roll_n)
        h->roll_n = n;
}

/* --- the channel --- */

static struct err *read_drained(struct hsm *h, struct view in)
{
    struct err *e = NULL;
    struct view body;
    uint64_t generation, n;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read_uint(&body, UINT32_MAX, &generation));
    TRY(der_read_uint(&body, UINT64_MAX, &n));
    TRY(der_end(body));
    client_saw(h, n);
    h->drained = true;
    client_pool_begin(h->pool);
out:
    return e;
}

void client_pool_filled(struct hsm *h)
{
    if (!h->drained || h->ready)
        return;
    h->ready = true;
    if (h->ev.on_ready)
        h->ev.on_ready(h->ev.arg, h->roll_n);
}

static struct err *take_frame(struct hsm *h, const struct frame *f)
{
    if (!h->drained && f->kind == FRAMES_DRAINED)
        return read_drained(h, f->body);
    if (!h->drained || (f->kind != FRAMES_RESULT && f->kind != FRAMES_REFUSED))
        return err_new(ERR_PROTOCOL, "a frame of kind %u from the vault, out of place", f->kind);
    struct client_call *c = ticket_find(h->pending, f->id);
    if (!c) /* cancelled */
        return NULL;
    if (f->kind == FRAMES_RESULT) {
        call_finish(c, NULL, f->body);
        return NULL;
    }
    struct arena *arena = arena_new(64 * 1024);
    struct err *e = frames_read_refused(f->body, arena);
    arena_free(arena);
    call_finish(c, e, (struct view){NULL, 0});
    return NULL;
}

static void on_frame(void *arg, struct frame *f)
{
    struct hsm *h = arg;
    struct err *e = take_frame(h, f);
    if (e)
        lose(h, e);
}

static void on_close(void *arg, struct err *why)
{
    lose(arg, why);
}

void hsm_attach(struct hsm *h, int fd)
{
    if (h->channel)
        lose(h, err_new(ERR_CANCELLED, "a fresh channel takes its place"));
    h->channel = channel_new(h->loop, fd,
                             (struct channel_events){.on_frame = on_frame, .on_close = on_close, .arg = h});
}

bool hsm_ready(const struct hsm *h)
{
    return h->ready;
}

uint64_t hsm_roll_n(const struct hsm *h)
{
    return h->roll_n;
}

void hsm_serials_for(struct hsm *h, const char *issuer)
{
    client_pool_announce(hsm_for(h, issuer)->pool, issuer);
}

struct err *hsm_serial(struct hsm *h, const char *issuer, uint8_t ret[SERIAL_BYTES])
{
    h = hsm_for(h, issuer);
    if (!h->ready)
        return err_new(ERR_TOKEN_AWAY, "the vault is not there");
    return client_pool_take(h->pool, issuer, ret);
}

enum hsm_state hsm_issuer_state(struct hsm *h, const char *issuer, int64_t not_after)
{
    const struct hsm_status *s = hsm_status(hsm_for(h, issuer));
    enum hsm_state set = HSM_STATE__NONE;
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->issuers[i].issuer, issuer) == 0)
            set = s->issuers[i].state;
    return hsm_state_now(set, not_after, world_now_s());
}

const struct hsm_status *hsm_status(struct hsm *h)
{
    return client_pool_status(h->pool);
}
