/*
 * What the client keeps ahead of need: serials on lease for each announced issuer, oldest first out, and the
 * vault's status as last heard. Never gives a serial twice; all are void when the channel goes. One loop's
 * thread.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/der.h"
#include "base/log.h"
#include "client.h"
#include "house.h"
#include "hsm_freeze.h"
#include "lease.h"

enum { POOL_SERIALS = 1024, ASK = LEASE_MAX_AT_ONCE, STATUS_MS = 1000, AGAIN_MS = 200 };

struct pool {
    char issuer[HOUSE_NAME_MAX + 1];
    uint8_t serials[POOL_SERIALS][SERIAL_BYTES]; /* a ring */
    size_t first, n;
    unsigned asked;   /* leases under way */
    bool first_asked; /* one of them is of the beginning */
};

struct client_pool {
    struct hsm *h;
    struct loop_timer *timer;
    struct pool *pools[HOUSE_ISSUERS_MAX];
    size_t n_pools, beginning; /* first leases still to come */
    bool standing;
    bool status_asked;
    struct hsm_status status;
    struct arena *status_arena;
};

/* --- leases --- */

static struct pool *pool_find(const struct client_pool *p, const char *issuer)
{
    for (size_t i = 0; i < p->n_pools; i++)
        if (view_eq_str(view_str(issuer), p->pools[i]->issuer))
            return p->pools[i];
    return NULL;
}

static struct err *read_serials(struct view in, struct pool *pool)
{
    struct err *e = NULL;
    struct view list, one;
    TRY(der_read(&in, DER_SEQUENCE, &list));
    TRY(der_end(in));
    while (list.n > 0) {
        TRY(der_read(&list, DER_OCTET_STRING, &one));
        if (one.n != SERIAL_BYTES)
            TRY(err_new(ERR_PROTOCOL, "a serial of %zu octets", one.n));
        if (pool->n < POOL_SERIALS)
            memcpy(pool->serials[(pool->first + pool->n++) % POOL_SERIALS], one.p, SERIAL_BYTES);
    }
out:
    return e;
}

static void first_came(struct client_pool *p, struct pool *pool)
{
    if (!pool->first_asked)
        return;
    pool->first_asked = false;
    if (--p->beginning == 0)
        client_pool_filled(p->h);
}

static bool lease_finish(struct client_call *c, struct err *e, struct view body)
{
    struct pool *pool = c->arg;
    struct client_pool *p = client_pool(c->h);
    client_end(c);
    pool->asked--;
    if (!e)
        e = read_serials(body, pool);
    if (e && p->standing)
        log_warn("hsm.lease", log_text("issuer", pool->issuer), log_err(e));
    err_free(e);
    if (p->standing)
        first_came(p, pool);
    return false;
}

static struct err *lease_ask(struct client_pool *p, struct pool *pool)
{
    struct err *e = NULL;
    struct der_out out;
    struct view body;
    der_out_init(&out, client_scratch(p->h), 256);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, pool->issuer);
    der_put_uint(&out, ASK);
    der_finish(&out, m);
    TRY(der_out_done(&out, &body));
    struct client_call call = {.finish = lease_finish, .arg = pool};
    TRY(client_ask(p->h, &call, FRAMES_LEASE, 0, body, -1, NULL));
    pool->asked++;
out:
    arena_reset(client_scratch(p->h));
    return e;
}

static void refill(struct client_pool *p, struct pool *pool)
{
    while (pool->n + ((size_t)pool->asked + 1) * ASK <= POOL_SERIALS) {
        struct err *e = lease_ask(p, pool);
        if (!e)
            continue;
        err_free(e);
        return;
    }
}

void client_pool_announce(struct client_pool *p, const char *issuer)
{
    CHECK(house_name_ok(view_str(issuer)));
    if (pool_find(p, issuer) || p->n_pools == HOUSE_ISSUERS_MAX)
        return;
    struct pool *pool = calloc(1, sizeof *pool);
    CHECK(pool != NULL);
    memcpy(pool->issuer, issuer, strlen(issuer));
    p->pools[p->n_pools++] = pool;
    if (p->standing)
        refill(p, pool);
}

struct err *client_pool_take(struct client_pool *p, const char *issuer, uint8_t ret[SERIAL_BYTES])
{
    if (!house_name_ok(view_str(issuer)))
        return err_new(ERR_ISSUER_UNKNOWN, "no such issuer");
    client_pool_announce(p, issuer);
    struct pool *pool = pool_find(p, issuer);
    if (!pool)
        return err_new(ERR_TOO_MANY, "serials for more than %d issuers", HOUSE_ISSUERS_MAX);
    bool empty = pool->n == 0;
    if (!empty) {
        memcpy(ret, pool->serials[pool->first], SERIAL_BYTES);
        pool->first = (pool->first + 1) % POOL_SERIALS;
        pool->n--;
    }
    if (pool->n <= POOL_SERIALS / 2)
        refill(p, pool);
    return empty ? err_new(ERR_BUSY, "serials of %s are on their way from the vault", issuer) : NULL;
}

/* --- status --- */

static struct err *read_issuers(struct view list, struct arena *arena, struct hsm_status *ret)
{
    struct err *e = NULL;
    struct hsm_issuer_status *issuers = arena_array(arena, HOUSE_ISSUERS_MAX, sizeof *issuers);
    for (; list.n > 0; ret->n++) {
        struct view one;
        const char *state;
        uint64_t until;
        if (ret->n == HOUSE_ISSUERS_MAX)
            TRY(err_new(ERR_PROTOCOL, "more than %d issuers", HOUSE_ISSUERS_MAX));
        TRY(der_read(&list, DER_SEQUENCE, &one));
        TRY(der_read_text(&one, arena, HOUSE_NAME_MAX, &issuers[ret->n].issuer));
        TRY(der_read_bool(&one, &issuers[ret->n].ok));
        TRY(der_read_text(&one, arena, 1024, &issuers[ret->n].reason));
        TRY(der_read_text(&one, arena, 15, &state));
        TRY(der_read_uint(&one, INT64_MAX, &until));
        issuers[ret->n].state = hsm_state_parse(state);
        issuers[ret->n].until = (int64_t)until;
        TRY(der_end(one));
    }
    ret->issuers = issuers;
out:
    return e;
}

static struct err *read_freezes(struct view list, struct arena *arena, struct hsm_status *ret)
{
    struct err *e = NULL;
    struct hsm_freeze *freezes = arena_array(arena, HSM_FREEZES_MAX, sizeof *freezes);
    for (; list.n > 0; ret->n_freezes++) {
        struct view one;
        struct hsm_freeze *f = &freezes[ret->n_freezes];
        uint64_t what, since;
        if (ret->n_freezes == HSM_FREEZES_MAX)
            TRY(err_new(ERR_PROTOCOL, "more than %d freezes", HSM_FREEZES_MAX));
        TRY(der_read(&list, DER_SEQUENCE, &one));
        TRY(der_read_enum(&one, HSM_FREEZE_ASKER, &what));
        TRY(der_read_text(&one, arena, HSM_FREEZE_NAME_MAX, &f->name));
        TRY(der_read_uint(&one, INT64_MAX, &since));
        TRY(der_read_text(&one, arena, HSM_FREEZE_WHY_MAX, &f->why));
        TRY(der_end(one));
        f->what = (enum hsm_freeze_what)what;
        f->since = (int64_t)since;
    }
    ret->freezes = freezes;
out:
    return e;
}

static struct err *read_tokens(struct view list, struct arena *arena, struct hsm_status *ret)
{
    struct err *e = NULL;
    struct hsm_token_status *tokens = arena_array(arena, CLIENT_TOKENS_MAX, sizeof *tokens);
    for (; list.n > 0; ret->n_tokens++) {
        struct view one;
        struct hsm_token_status *t = &tokens[ret->n_tokens];
        if (ret->n_tokens == CLIENT_TOKENS_MAX)
            TRY(err_new(ERR_PROTOCOL, "more than %d tokens", CLIENT_TOKENS_MAX));
        TRY(der_read(&list, DER_SEQUENCE, &one));
        TRY(der_read_text(&one, arena, HOUSE_NAME_MAX, &t->name));
        TRY(der_read_text(&one, arena, 32, &t->state));
        TRY(der_read_text(&one, arena, 1024, &t->detail));
        TRY(der_end(one));
    }
    ret->tokens = tokens;
out:
    return e;
}

static struct err *read_status(struct view in, struct arena *arena, struct hsm_status *ret)
{
    struct err *e = NULL;
    struct view body, list;
    struct hsm_status status = {.attached = true};
    uint64_t generation;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read_text(&body, arena, 32, &status.token));
    TRY(der_read_text(&body, arena, 1024, &status.detail));
    TRY(der_read_uint(&body, UINT64_MAX, &status.roll_n));
    TRY(der_read_uint(&body, UINT32_MAX, &generation));
    TRY(der_read(&body, DER_SEQUENCE, &list));
    TRY(read_issuers(list, arena, &status));
    TRY(der_read(&body, DER_OCTET_STRING, &list));
    status.roll_id = arena_dup(arena, list);
    TRY(der_read(&body, DER_SEQUENCE, &list));
    TRY(read_freezes(list, arena, &status));
    TRY(der_read(&body, DER_SEQUENCE, &list));
    TRY(read_tokens(list, arena, &status));
    TRY(der_end(body));
    status.generation = (uint32_t)generation;
    *ret = status;
out:
    return e;
}

static bool status_finish(struct client_call *c, struct err *e, struct view body)
{
    struct client_pool *p = client_pool(c->h);
    struct arena *fresh = arena_new(256 * 1024);
    struct hsm_status status;
    client_end(c);
    p->status_asked = false;
    if (!e)
        e = read_status(body, fresh, &status);
    if (!e) {
        arena_free(p->status_arena);
        p->status_arena = fresh;
        fresh = NULL;
        p->status = status;
        client_saw(p->h, status.roll_n);
    }
    arena_free(fresh);
    err_free(e);
    return false;
}

void client_pool_look(struct client_pool *p)
{
    struct client_call call = {.finish = status_finish};
    if (p->status_asked)
        return;
    struct err *e = client_ask(p->h, &call, FRAMES_STATUS, 0, (struct view){NULL, 0}, -1, NULL);
    p->status_asked = e == NULL;
    err_free(e);
}

const struct hsm_status *client_pool_status(struct client_pool *p)
{
    return &p->status;
}

/* --- life --- */

static void on_timer(void *arg)
{
    struct client_pool *p = arg;
    if (!p->standing)
        return;
    client_pool_look(p);
    for (size_t i = 0; i < p->n_pools; i++)
        refill(p, p->pools[i]);
    loop_timer_set(p->timer, STATUS_MS);
}

static const struct hsm_status nobody = {.token = "away", .detail = "no channel to the vault"};

struct client_pool *client_pool_new(struct hsm *h, struct loop *l)
{
    struct client_pool *p = calloc(1, sizeof *p);
    CHECK(p != NULL);
    p->h = h;
    p->status = nobody;
    p->timer = loop_timer_new(l, on_timer, p);
    return p;
}

void client_pool_free(struct client_pool *p)
{
    loop_timer_free(p->timer);
    for (size_t i = 0; i < p->n_pools; i++)
        free(p->pools[i]);
    arena_free(p->status_arena);
    free(p);
}

void client_pool_begin(struct client_pool *p)
{
    p->standing = true;
    p->beginning = 1; /* ours, so that no lease alone makes it ready */
    client_pool_look(p);
    for (size_t i = 0; i < p->n_pools; i++) {
        struct pool *pool = p->pools[i];
        refill(p, pool);
        pool->first_asked = pool->asked > 0;
        p->beginning += pool->first_asked;
    }
    loop_timer_set(p->timer, STATUS_MS);
    if (--p->beginning == 0)
        client_pool_filled(p->h);
}

void client_pool_lost(struct client_pool *p)
{
    p->standing = false;
    loop_timer_clear(p->timer);
    for (size_t i = 0; i < p->n_pools; i++) {
        p->pools[i]->n = 0;
        p->pools[i]->first_asked = false;
    }
    p->status = nobody;
}
