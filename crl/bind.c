/*
 * What is made of lists once they are published: each gzipped, and for each issuer the bundle of all lists of
 * its chain (servers such as nginx refuse a good client where the root's list is missing). From the shelf to
 * the shelf, piece by piece, on the binder's thread; asked for and put on the loop's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "cert/pem.h"
#include "maker.h"

enum { SQUEEZE_LEAST_BYTES = 1024 };

/* One thing to be made of one or more lists. */
struct binding {
    struct binding *next;
    struct crl_maker *maker;
    char name[CRL_NAME_BYTES];
    bool squeeze;
    bool again; /* wanted once more since it was begun */
    struct arena *arena;
    const char **from; /* names of blobs */
    size_t from_n;
    int64_t this_update, next_update; /* of what it is made of, the soonest */
    const char *etag;
    struct blob_out out;
    struct err *failed;
};

static void start(struct binding *b);

bool bind_quiet(const struct crl_maker *m)
{
    return m->bindings == NULL;
}

static struct binding *under_way(const struct crl_maker *m, const char *name)
{
    struct binding *b = m->bindings;
    while (b && strcmp(b->name, name) != 0)
        b = b->next;
    return b;
}

static void forget(struct binding *b)
{
    struct binding **at = &b->maker->bindings;
    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    blob_drop(&b->out);
    arena_free(b->arena);
    free(b);
}

/* The shelf may be closed already: a file that was not put is swept when it is opened again. */
void bind_free(struct crl_maker *m)
{
    while (m->bindings) {
        m->bindings->out.shelf = NULL;
        forget(m->bindings);
    }
}

/* --- on the binder's thread --- */

static struct err *add_text(struct binding *b, const char *text)
{
    return blob_add(&b->out, view_str(text));
}

static struct err *add_pem(struct binding *b, struct blob_in *in)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(1 << 20);
    struct view piece;
    TRY(add_text(b, "-----BEGIN X509 CRL-----\n"));
    for (;;) {
        TRY(blob_next(in, &piece));
        if (piece.n == 0)
            break;
        TRY(add_text(b, cert_pem_lines(piece, arena)));
        arena_reset(arena);
    }
    TRY(add_text(b, "-----END X509 CRL-----\n"));
out:
    arena_free(arena);
    return e;
}

static struct err *add_list(struct binding *b, const char *name)
{
    struct err *e = NULL;
    struct shelf_item item;
    struct blob_in *in = calloc(1, sizeof *in);
    CHECK(in);
    in->fd = -1;
    TRY(shelf_get_blob(b->maker->shelf, name, b->arena, &item));
    if (!item.bytes.p)
        TRY(err_new(ERR_NOT_FOUND, "there is no list yet of all that belong here"));
    if (b->this_update < item.this_update)
        b->this_update = item.this_update;
    if (b->next_update > item.next_update)
        b->next_update = item.next_update;
    b->etag = arena_printf(b->arena, "%s-gz", item.etag);
    TRY(blob_open(in, b->maker->shelf, &item));
    TRY(b->squeeze ? blob_squeeze(in, &b->out) : add_pem(b, in));
out:
    blob_close(in);
    free(in);
    return e;
}

static void run(void *arg)
{
    struct binding *b = arg;
    for (size_t i = 0; !b->failed && i < b->from_n; i++)
        b->failed = add_list(b, b->from[i]);
}

/* --- on the loop's --- */

static void put(void *arg, struct err *e)
{
    struct binding *b = arg;
    if (e && err_code(e) != ERR_NOT_FOUND)
        log_error("crl.unbound", log_text("name", b->name), log_err(e));
    if (!e && !b->squeeze)
        deliver_blob(b->maker, strchr(b->name, '/') + 1, b->name);
    err_free(e);
    if (!b->again || !b->maker->binder) {
        forget(b);
        return;
    }
    blob_drop(&b->out);
    start(b);
}

static void made(void *arg)
{
    struct binding *b = arg;
    struct err *e = b->failed;
    b->failed = NULL;
    const struct shelf_item item = {
        .this_update = b->this_update, .next_update = b->next_update, .etag = b->squeeze ? b->etag : NULL};
    if (!e && !b->again)
        e = blob_put(&b->out, b->name, &item, put, b);
    else if (!e)
        e = err_new(ERR_NOT_FOUND, "newer lists have come");
    if (e)
        put(b, e);
}

static void start(struct binding *b)
{
    b->again = false;
    b->this_update = 0;
    b->next_update = INT64_MAX;
    blob_begin(&b->out, b->maker->shelf);
    struct err *e = worker_submit(b->maker->binder, run, b->maker->loop, made, b);
    if (e)
        put(b, e);
}

static struct binding *binding_new(struct crl_maker *m, const char *name, bool squeeze, size_t from_max)
{
    struct binding *b = calloc(1, sizeof *b);
    CHECK(b);
    *b = (struct binding){.next = m->bindings, .maker = m, .squeeze = squeeze, .out.file.fd = -1};
    b->arena = arena_new(CRL_ARENA_BYTES);
    b->from = arena_array(b->arena, from_max, sizeof *b->from);
    snprintf(b->name, sizeof b->name, "%s", name);
    m->bindings = b;
    return b;
}

static void add_from(struct binding *b, const struct crl_state *s, uint64_t scope)
{
    char name[CRL_NAME_BYTES];
    lists_name(s, scope, name);
    b->from[b->from_n++] = arena_str(b->arena, view_str(name));
}

static const struct crl_state *state_of(const struct crl_maker *m, const char *name)
{
    for (size_t i = 0; i < m->states_n; i++)
        if (strcmp(m->states[i].name, name) == 0)
            return &m->states[i];
    return NULL;
}

/* Of the issuer and of all above it: every list but deltas, which such servers do not read. */
static size_t gather(const struct crl_maker *m, const char *issuer, struct binding *to)
{
    size_t n = 0;
    for (const struct crl_issuer *i = maker_issuer(m, issuer); i; i = maker_issuer(m, i->parent)) {
        const struct crl_state *s = i->offline ? NULL : state_of(m, i->name);
        n += i->offline;
        if (to && i->offline)
            to->from[to->from_n++] = arena_printf(to->arena, "crl/%s", i->name);
        for (size_t k = 0; s && k < s->n; k++) {
            if (!s->lists[k]->served || s->lists[k]->scope == LEDGER_DELTA)
                continue;
            n++;
            if (to)
                add_from(to, s, s->lists[k]->scope);
        }
    }
    return n;
}

static bool is_above(const struct crl_maker *m, const char *issuer, const char *changed)
{
    const struct crl_issuer *i = maker_issuer(m, issuer);
    while (i && strcmp(i->name, changed) != 0)
        i = maker_issuer(m, i->parent);
    return i != NULL;
}

static void bundle(struct crl_maker *m, const char *issuer)
{
    char name[CRL_NAME_BYTES];
    snprintf(name, sizeof name, "crl-chain/%s", issuer);
    struct binding *b = under_way(m, name);
    if (b) {
        b->again = true;
        return;
    }
    b = binding_new(m, name, false, gather(m, issuer, NULL));
    gather(m, issuer, b);
    start(b);
}

static void squeeze(struct crl_state *s, const struct crl_list *list)
{
    char name[CRL_NAME_BYTES], from[CRL_NAME_BYTES];
    lists_name(s, list->scope, from);
    snprintf(name, sizeof name, "gz/%.*s", CRL_NAME_BYTES - 4, from);
    struct binding *b = under_way(s->maker, name);
    if (b) {
        b->again = true;
        return;
    }
    b = binding_new(s->maker, name, true, 1);
    add_from(b, s, list->scope);
    start(b);
}

void bind_list(struct crl_state *s, const struct crl_list *list)
{
    if (!s->maker->binder)
        return; /* it ends */
    if (list->bytes >= SQUEEZE_LEAST_BYTES)
        squeeze(s, list);
    for (size_t i = 0; i < s->maker->n && list->scope != LEDGER_DELTA; i++)
        if (is_above(s->maker, s->maker->issuers[i].name, s->name))
            bundle(s->maker, s->maker->issuers[i].name);
}

void bind_given(struct crl_maker *m, const char *issuer)
{
    for (size_t i = 0; m->binder && i < m->n; i++)
        if (is_above(m, m->issuers[i].name, issuer))
            bundle(m, m->issuers[i].name);
}
