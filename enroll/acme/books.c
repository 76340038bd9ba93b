/* The objects of this door in the ledger: their names, whose they are, and new states made durable before
 * anyone is told. */
#include "acme.h"

#include <endian.h>

#include "base/hex.h"
#include "base/world.h"

enum { TIME_BYTES = 6 };

void acme_id_new(struct acme_ask *ask, struct ledger_object *to)
{
    uint8_t *id = arena_alloc(ask->r->arena, ACME_ID_BYTES);
    uint64_t ms = htobe64((uint64_t)world_now_ms() << 16); /* in the order of time: neighbours in the index */
    memcpy(id, &ms, TIME_BYTES);
    world_random(id + TIME_BYTES, ACME_ID_BYTES - TIME_BYTES);
    to->id = view_of(id, ACME_ID_BYTES);
    to->created = world_now_s();
}

static struct err *not_found(void)
{
    return err_new(ERR_NOT_FOUND, "there is nothing at this URL");
}

struct err *acme_id_of(struct acme_ask *ask, struct view *ret)
{
    struct err *e = hex_parse(ask->r->arena, http_segment(ask->r, "id"), ret);
    if (!e && ret->n == ACME_ID_BYTES)
        return NULL;
    err_free(e);
    return not_found();
}

static bool is_own(const struct acme_ask *ask, const struct ledger_object *o, unsigned kind)
{
    struct view account = ask->account.body.object.id;
    return view_eq(kind == LEDGER_ACME_ACCOUNT ? o->id : o->owner, account);
}

struct err *acme_own_id(struct acme_ask *ask, unsigned kind, struct view id, struct ledger_entry *ret)
{
    struct err *e = ledger_object_find(ask->en->setup.ledger, kind, id, ask->r->arena, ret);
    if (!e && !is_own(ask, &ret->body.object, kind))
        return err_new(ERR_FORBIDDEN, "this belongs to another account");
    if (!e || err_code(e) != ERR_NOT_FOUND)
        return e;
    err_free(e);
    return not_found();
}

struct err *acme_own(struct acme_ask *ask, unsigned kind, struct ledger_entry *ret)
{
    struct view id;
    struct err *e = acme_id_of(ask, &id);
    return e ? e : acme_own_id(ask, kind, id, ret);
}

struct ledger_entry acme_next(const struct ledger_entry *now)
{
    struct ledger_entry next = {.kind = now->kind, .ref = now->seq, .body = now->body};
    return next;
}

/* --- writing --- */

void acme_by(struct acme_ask *ask, struct ledger_entry *to)
{
    to->actor = ask->has_account ? account_owner(ask) : "";
    to->door = "acme";
    to->peer = ask->r->peer->address;
    to->request = ask->r->id;
}

struct put {
    struct acme_ask *ask;
    ticket_id ticket;
    size_t left;
    struct err *e; /* the first */
    acme_put_done *done;
    void *arg;
};

static void put_one(struct put *p, struct err *e)
{
    struct http_server *http = p->ask->en->http;
    if (e && p->e)
        err_free(e);
    else if (e)
        p->e = e;
    if (--p->left > 0)
        return;
    struct err *first = p->e;
    struct acme_ask *ask = p->ask;
    acme_put_done *done = p->done;
    void *arg = p->arg;
    if (http_resume(http, p->ticket))
        done(ask, arg, first);
    else
        err_free(first);
}

static void written(void *arg, struct err *e, const struct ledger_result *r)
{
    (void)r;
    put_one(arg, e);
}

struct err *acme_put(struct acme_ask *ask, struct ledger_entry *entries, size_t n, acme_put_done *done,
                     void *arg)
{
    struct err *e = NULL;
    struct put *p = ARENA_NEW(ask->r->arena, struct put);
    *p = (struct put){.ask = ask, .done = done, .arg = arg};
    size_t taken = 0;
    for (; taken < n && !e; taken += e == NULL) {
        acme_by(ask, &entries[taken]);
        e = ledger_append(ask->en->setup.ledger, &entries[taken], written, p, NULL);
    }
    if (taken == 0)
        return e;
    p->left = taken; /* completions come later, never from inside the call */
    p->e = e;
    p->ticket = http_park(ask->r);
    return NULL;
}

/* --- what goes on by itself --- */

struct acme_work *acme_work_of(const struct acme *a, struct view id)
{
    for (struct acme_work *w = a->work; w; w = w->next)
        if (view_eq(w->object.body.object.id, id))
            return w;
    return NULL;
}

struct err *acme_work_new(struct enroll *en, unsigned kind, struct view id, size_t bytes,
                          struct acme_work **ret)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct acme_work *w = arena_alloc(arena, bytes);
    struct err *e = ledger_object_find(en->setup.ledger, kind, id, arena, &w->object);
    if (e) {
        arena_free(arena);
        return e;
    }
    w->en = en;
    w->arena = arena;
    w->next = en->acme->work;
    en->acme->work = w;
    *ret = w;
    return NULL;
}

void acme_work_end(struct acme_work *w)
{
    struct acme_work **at = &w->en->acme->work;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    arena_free(w->arena);
}
