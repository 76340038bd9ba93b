/*
 * Which lists an issuer has: of everything, of changes, of each partition its certificates are in. What is
 * known of each from the ledger and the shelf at the start. On the loop's thread.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "base/world.h"
#include "maker.h"

enum { DELTA_LIVES = 3, DELTA_LEAST_S = 3600 };

struct crl_list *lists_find(const struct crl_state *s, uint64_t scope)
{
    for (size_t i = s->n; i-- > 0;)
        if (s->lists[i]->scope == scope)
            return s->lists[i];
    return NULL;
}

void lists_name(const struct crl_state *s, uint64_t scope, char to[CRL_NAME_BYTES])
{
    if (scope == LEDGER_DELTA)
        snprintf(to, CRL_NAME_BYTES, "crl-delta/%s", s->name);
    else if (scope == LEDGER_WHOLE || scope == 0)
        snprintf(to, CRL_NAME_BYTES, "crl/%s", s->name);
    else
        snprintf(to, CRL_NAME_BYTES, "crl/%s/%llu", s->name, (unsigned long long)scope);
}

int64_t lists_every_s(const struct crl_list *list, const struct crl_issuer *issuer)
{
    return list->scope == LEDGER_DELTA && issuer->delta_s ? issuer->delta_s : issuer->every_s;
}

/* A delta list is worth little when it is old; it should outlive a vault that is away for an hour. */
int64_t lists_lifetime_s(const struct crl_list *list, const struct crl_issuer *issuer)
{
    int64_t s = DELTA_LIVES * issuer->delta_s;
    if (list->scope != LEDGER_DELTA)
        return issuer->lifetime_s;
    if (s < DELTA_LEAST_S)
        s = DELTA_LEAST_S;
    return s < issuer->lifetime_s ? s : issuer->lifetime_s;
}

/* A list of an earlier life is served until the first of this one. */
static void look_at_shelf(const struct crl_state *s, struct crl_list *list)
{
    struct arena *arena = arena_new(CRL_ARENA_BYTES);
    struct shelf_item item = {.bytes = {NULL, 0}};
    char name[CRL_NAME_BYTES];
    lists_name(s, list->scope, name);
    struct err *e = shelf_get_blob(s->maker->shelf, name, arena, &item);
    if (e)
        log_warn("crl.shelf", log_err(e));
    err_free(e);
    list->this_update = item.bytes.p ? item.this_update : 0;
    list->next_update = item.bytes.p ? item.next_update : 0;
    arena_free(arena);
}

static struct crl_list *list_new(struct crl_state *s, uint64_t scope)
{
    struct crl_list *list = calloc(1, sizeof *list);
    CHECK(list);
    list->scope = scope;
    list->wanted = true;
    look_at_shelf(s, list);
    s->lists = reallocarray(s->lists, s->n + 1, sizeof(struct crl_list *));
    CHECK(s->lists);
    s->lists[s->n++] = list;
    reclaim_look(s, list);
    return list;
}

static void serve(struct crl_state *s, uint64_t scope, bool wanted)
{
    struct crl_list *list = lists_find(s, scope);
    if (!list && wanted)
        list = list_new(s, scope);
    if (!list)
        return;
    list->wanted = list->wanted || (wanted && !list->served);
    list->served = wanted;
}

/* --- partitions --- */

/* A start need not make anew what is the last that was made, and of whose partition nothing changed since. */
static struct err *stale(void *arg, const struct ledger_change *change)
{
    const struct crl_state *s = arg;
    struct crl_list *list = lists_find(s, change->partition);
    struct ledger_crl last;
    if (!list || list->wanted)
        return NULL;
    struct err *e = ledger_list_last(s->maker->ledger, s->name, list->scope, &last);
    if (!e)
        list->wanted = change->seq > last.upto;
    return e;
}

/* *least: from where on changes must be looked at. */
static struct err *look_at_ledger(const struct crl_state *s, struct crl_list *list, uint64_t *least)
{
    struct ledger_crl last;
    struct err *e = ledger_list_last(s->maker->ledger, s->name, list->scope, &last);
    if (e || !last.number || !list->this_update || last.this_update != list->this_update)
        return e;
    list->wanted = false;
    if (last.upto < *least)
        *least = last.upto;
    return NULL;
}

static struct err *take_partitions(struct crl_state *s, uint64_t from)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(CRL_ARENA_BYTES);
    const struct ledger_partition_state *all;
    uint64_t least = UINT64_MAX, upto;
    size_t n;
    TRY(ledger_partitions(s->maker->ledger, s->name, from, arena, &all, &n));
    for (size_t i = 0; i < n; i++) {
        struct crl_list *list = lists_find(s, all[i].partition);
        if (!list) {
            list = list_new(s, all[i].partition);
            TRY(look_at_ledger(s, list, &least));
        }
        list->not_after = all[i].not_after;
        list->served = true;
    }
    if (least != UINT64_MAX)
        TRY(ledger_changes(s->maker->ledger, s->name, least, stale, s, &upto));
out:
    arena_free(arena);
    return e;
}

static void all_partitions(struct crl_state *s, uint64_t from)
{
    struct err *e = take_partitions(s, from);
    if (e)
        log_error("crl.partitions", log_text("issuer", s->name), log_err(e));
    err_free(e);
}

void lists_partition(struct crl_state *s, uint64_t partition)
{
    if (partition && !lists_find(s, partition))
        all_partitions(s, partition);
}

bool lists_ended(struct crl_state *s, struct crl_list *list)
{
    if (list->scope == 0 || list->scope >= LEDGER_DELTA || list->not_after >= world_now_s())
        return false;
    if (list->this_update <= list->not_after)
        return false; /* one more */
    int64_t before = list->not_after;
    all_partitions(s, list->scope); /* it may have got certificates since */
    return list->not_after == before;
}

void lists_set(struct crl_state *s, const struct crl_issuer *issuer)
{
    serve(s, LEDGER_WHOLE, issuer->full);
    serve(s, 0, !issuer->full);
    serve(s, LEDGER_DELTA, issuer->full && issuer->delta_s);
    all_partitions(s, 1);
}

bool lists_overdue(struct crl_state *s, struct crl_list *list)
{
    return list->served && list->next_update <= world_now_s() && !lists_ended(s, list);
}
