/*
 * Taking up a stored ledger: its schema, its tree, and whether its last entries fit the tree. Reads only, but
 * for the schema of a new one. Any thread.
 */
#include "core.h"

#include "base/check.h"
#include "entry.h"
#include "tiles.h"

enum { TAIL_LEVEL = 10, TAIL_ARENA_BYTES = 4 << 20 };

struct err *core_entry(struct ledger *l, struct store_txn *t, uint64_t seq, struct arena *arena,
                       struct ledger_entry *ret)
{
    struct err *e = NULL;
    struct view v;
    struct key k = key_seq(seq);
    TRY(l->ops->get(t, TABLE_LOG, key_view(&k), &v));
    if (!v.p)
        return err_new(ERR_NOT_FOUND, "there is no entry %llu", (unsigned long long)seq);
    TRY(err_wrap(entry_read(v, arena, ret), "entry %llu", (unsigned long long)seq));
out:
    return e;
}

struct err *core_state(struct ledger *l, struct store_txn *t, struct tree *ret_tree, int64_t *ret_time_ms)
{
    struct err *e = NULL;
    struct view v;
    struct seq_row time;
    bool found;
    *ret_tree = (struct tree){0};
    TRY(l->ops->get(t, TABLE_META, view_str("tree"), &v));
    if (v.p)
        TRY(tree_get(v, ret_tree));
    TRY(ROW_GET(l->ops, t, TABLE_META, view_str("time"), &time, &found));
    *ret_time_ms = (int64_t)time.seq;
out:
    return e;
}

struct err *core_tags(struct ledger *l, struct store_txn *t, uint64_t intent, struct arena *arena,
                      struct ledger_texts *ret)
{
    struct err *e = NULL;
    struct key k = key_seq(intent);
    struct seq_row row;
    struct ledger_entry en;
    bool found;
    *ret = (struct ledger_texts){.n = 0};
    TRY(ROW_GET(l->ops, t, TABLE_TAGGED, key_view(&k), &row, &found));
    if (!found)
        return NULL;
    TRY(core_entry(l, t, row.seq, arena, &en));
    *ret = en.kind == LEDGER_TAGS ? en.body.tags.tags : en.body.intent.tags;
out:
    return e;
}

struct err *core_restored(struct ledger *l, struct store_txn *t, uint64_t *ret)
{
    struct seq_row row;
    bool found;
    struct err *e = ROW_GET(l->ops, t, TABLE_META, view_str("restored"), &row, &found);
    *ret = row.seq;
    return e;
}

static struct err *check_schema(struct ledger *l, struct store_txn *t)
{
    struct err *e = NULL;
    struct seq_row schema;
    bool found;
    TRY(ROW_GET(l->ops, t, TABLE_META, view_str("schema"), &schema, &found));
    if (found && schema.seq > CORE_SCHEMA)
        return err_new(ERR_WRONG_STATE,
                       "the ledger has schema %llu, made by a newer program; this one knows schema %d",
                       (unsigned long long)schema.seq, CORE_SCHEMA);
    if (l->readonly || schema.seq == CORE_SCHEMA)
        return NULL;
    if (found)
        TRY(core_migrate(l, t));
    schema.seq = CORE_SCHEMA;
    TRY(ROW_PUT(l->ops, t, TABLE_META, view_str("schema"), &schema, STORE_PUT));
out:
    return e;
}

/* The last key of the log is the number of leaves. */
static struct err *check_last(struct ledger *l, struct store_txn *t)
{
    struct err *e = NULL;
    struct store_cursor *c = NULL;
    struct view key, value;
    bool found;
    TRY(l->ops->cursor(t, TABLE_LOG, &c));
    TRY(l->ops->move(c, STORE_LAST, &key, &value, &found));
    uint64_t last = found ? key_last_seq(key) : 0;
    if (last != l->tree.n)
        e = err_new(ERR_CORRUPT, "the log ends at entry %llu, its tree has %llu leaves",
                    (unsigned long long)last, (unsigned long long)l->tree.n);
out:
    l->ops->cursor_free(c);
    return e;
}

/* The smallest subtree on the right edge, computed anew, if it is not too large: the last commit at least. */
static struct err *check_tail(struct ledger *l, struct store_txn *t)
{
    struct err *e = NULL;
    struct tree tail = {0};
    struct arena *arena = NULL;
    if (l->tree.n == 0)
        return NULL;
    unsigned level = (unsigned)__builtin_ctzll(l->tree.n);
    uint64_t n = level <= TAIL_LEVEL ? 1ull << level : 1;
    arena = arena_new(TAIL_ARENA_BYTES);
    for (uint64_t seq = l->tree.n - n + 1; seq <= l->tree.n; seq++) {
        struct ledger_entry entry;
        TRY(core_entry(l, t, seq, arena, &entry));
        tree_add(&tail, entry.leaf);
        arena_reset(arena);
    }
    if (level <= TAIL_LEVEL && memcmp(tail.node[level], l->tree.node[level], SHA256_BYTES) != 0)
        e = err_new(ERR_CORRUPT, "the last %llu entries do not fit the tree", (unsigned long long)n);
out:
    arena_free(arena);
    return e;
}

struct err *core_take_up(struct ledger *l)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    TRY(l->ops->begin(l->store, !l->readonly, &t));
    TRY(check_schema(l, t));
    TRY(core_state(l, t, &l->tree, &l->time_ms));
    TRY(core_restored(l, t, &l->restored));
    TRY(check_last(l, t));
    TRY(check_tail(l, t));
    if (!l->readonly)
        TRY(tiles_take_up(l, t));
    if (l->readonly)
        goto out;
    struct store_txn *done = t;
    t = NULL;
    TRY(l->ops->commit(done));
out:
    l->ops->abort(t);
    return e;
}
