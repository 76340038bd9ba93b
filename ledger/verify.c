/*
 * Verification, the first pass: every entry of the log in order, its body against its hash, its leaf against
 * the one written with it, the tree against the stored frontier. What an entry means is judged in
 * verify_state.c, the indexes in verify_index.c, the seal roll in verify_roll.c. Never writes, never stops at
 * a finding.
 */
#include "verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "entry.h"
#include "tiles.h"

enum { ARENA_BYTES = 8 << 20, FINDING_BYTES = 512 };

void verify_found(struct verify *v, uint64_t seq, const char *fmt, ...)
{
    char text[FINDING_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    v->report->findings++;
    if (v->how->on_finding)
        v->how->on_finding(v->how->arg, seq, text);
}

struct err *verify_softly(struct verify *v, uint64_t seq, struct err *e)
{
    if (!e || (err_code(e) != ERR_CORRUPT && err_code(e) != ERR_NOT_FOUND))
        return e;
    verify_found(v, seq, "%s", err_detail(e));
    err_free(e);
    return NULL;
}

void *verify_list_add(struct verify_list *l, size_t item_bytes)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        l->items = reallocarray(l->items, l->cap, item_bytes);
        CHECK(l->items);
    }
    uint8_t *item = (uint8_t *)l->items + l->n++ * item_bytes;
    memset(item, 0, item_bytes);
    return item;
}

struct verify_intent *verify_intent_at(const struct verify *v, uint64_t seq)
{
    struct verify_intent *all = verify_intents(v);
    size_t low = 0, high = v->intents.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (all[mid].seq < seq)
            low = mid + 1;
        else
            high = mid;
    }
    return low < v->intents.n && all[low].seq == seq ? &all[low] : NULL;
}

static struct err *check_leaf(struct verify *v, const struct ledger_entry *en)
{
    struct err *e = NULL;
    struct view stored;
    struct key k = key_seq(en->seq);
    TRY(v->ledger->ops->get(v->txn, TABLE_LEAF, key_view(&k), &stored));
    if (!view_eq(stored, view_of(en->leaf, SHA256_BYTES)))
        verify_found(v, en->seq, "the header does not have the leaf hash it was written with");
out:
    return e;
}

/* And what is stored of the nodes that it completes. */
static struct err *add_leaf(struct verify *v, uint64_t place, const uint8_t leaf[SHA256_BYTES])
{
    struct err *e = NULL;
    uint8_t done[TREE_TILES][SHA256_BYTES], stored[1][SHA256_BYTES];
    size_t n = tree_add_done(&v->tree, leaf, done);
    for (unsigned i = 0; i < n; i++) {
        unsigned level = i + 1;
        e = tiles_read(v->ledger, v->txn, level, (v->tree.n >> level * TREE_TILE_BITS) - 1, 1, stored);
        if (!e && memcmp(stored[0], done[i], SHA256_BYTES) != 0)
            verify_found(v, place, "the stored node over the %" PRIu64 " entries that end here is another",
                         UINT64_C(1) << level * TREE_TILE_BITS);
        TRY(verify_softly(v, place, e));
        v->nodes++;
    }
out:
    return e;
}

static struct err *check_entry(struct verify *v, uint64_t place, struct view value)
{
    struct err *e = NULL;
    struct ledger_entry en;
    arena_reset(v->arena);
    e = entry_read(value, v->arena, &en);
    if (e) {
        uint8_t nothing[SHA256_BYTES] = {0};
        e = verify_softly(v, place, e);
        return e ? e
                 : add_leaf(v, place, nothing); /* it cannot fit; what follows is looked at all the same */
    }
    v->tree_before = v->tree;
    TRY(add_leaf(v, place, en.leaf));
    if (en.seq != place)
        verify_found(v, place, "the entry says it is number %" PRIu64, en.seq);
    en.seq = place;
    TRY(check_leaf(v, &en));
    TRY(verify_softly(v, place, verify_index_entry(v, &en)));
    verify_state(v, &en);
    v->last_time_ms = en.time_ms;
out:
    return e;
}

static struct err *walk_log(struct verify *v)
{
    struct err *e = NULL;
    const struct store_ops *ops = v->ledger->ops;
    struct store_cursor *c = NULL;
    struct view key, value;
    uint64_t place = 0;
    bool found;
    TRY(ops->cursor(v->txn, TABLE_LOG, &c));
    TRY(ops->move(c, STORE_FIRST, &key, &value, &found));
    while (found) {
        uint64_t seq = key_last_seq(key);
        if (seq != ++place) {
            verify_found(v, place, "entries %" PRIu64 " to %" PRIu64 " are missing", place, seq - 1);
            place = seq;
        }
        TRY(check_entry(v, place, value));
        TRY(ops->move(c, STORE_NEXT, &key, &value, &found));
    }
    v->report->entries = v->tree.n;
out:
    ops->cursor_free(c);
    return e;
}

static struct err *check_tree(struct verify *v)
{
    struct err *e = NULL;
    struct tree stored;
    int64_t time_ms;
    e = core_state(v->ledger, v->txn, &stored, &time_ms);
    if (e)
        return verify_softly(v, 0, e);
    tree_root(&v->tree, v->report->root);
    if (stored.n != v->tree.n)
        verify_found(v, 0, "the log has %" PRIu64 " entries, the stored tree %" PRIu64 " leaves", v->tree.n,
                     stored.n);
    else if (!tree_eq(&stored, &v->tree))
        verify_found(v, 0, "the tree over all entries is not the stored one");
    if (time_ms != v->last_time_ms)
        verify_found(v, 0, "the stored time of the last commit is not that of the last entry");
    return NULL;
}

void verify_free(struct verify *v)
{
    arena_free(v->arena);
    free(v->intents.items);
    free(v->tokens.items);
    free(v->templates.items);
    free(v->issuers.items);
    free(v->crls.items);
    free(v->partitions.items);
    free(v->heads.items);
    map_clear(&v->token_of);
    map_clear(&v->template_of);
    map_clear(&v->alias_of);
    map_clear(&v->tbs_of);
}

struct err *ledger_verify(struct ledger *l, const struct ledger_verify *how, struct ledger_verify_report *ret)
{
    struct err *e = NULL;
    struct verify v = {.ledger = l, .how = how, .report = ret};
    *ret = (struct ledger_verify_report){0};
    v.arena = arena_new(ARENA_BYTES);
    TRY(l->ops->begin(l->store, false, &v.txn));
    TRY(walk_log(&v));
    TRY(check_tree(&v));
    TRY(verify_heads(&v));
    TRY(verify_index_all(&v));
    TRY(verify_roll(&v));
out:
    l->ops->abort(v.txn);
    verify_free(&v);
    return e;
}
