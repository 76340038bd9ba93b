/*
 * Objects as their newest entries have them, led to by index. Judges none of it. Never writes. On the loop's
 * thread.
 */
#include "ledger_object.h"
#include "read.h"

enum { LIST_MAX = 500 };

static struct err *entry_at(struct ledger *l, struct store_txn *t, char by, unsigned kind, struct view name,
                            struct arena *arena, struct ledger_entry *ret)
{
    struct err *e = NULL;
    struct seq_row row;
    bool found;
    struct key k = key_object(by, kind, name);
    TRY(ROW_GET(l->ops, t, TABLE_OBJECT, key_view(&k), &row, &found));
    if (!found)
        return err_new(ERR_NOT_FOUND, "nothing of this name is on record");
    e = core_entry(l, t, row.seq, arena, ret);
out:
    return e;
}

static struct err *find(struct ledger *l, char by, unsigned kind, struct view name, size_t bytes,
                        struct arena *arena, struct ledger_entry *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    if (name.n != bytes)
        return err_new(ERR_NOT_FOUND, "nothing of this name is on record");
    TRY(l->ops->begin(l->store, false, &t));
    e = entry_at(l, t, by, kind, name, arena, ret);
out:
    l->ops->abort(t);
    return e;
}

struct err *ledger_object_find(struct ledger *l, unsigned kind, struct view id, struct arena *arena,
                               struct ledger_entry *ret)
{
    return find(l, KEY_OBJECT_ID, kind, id, LEDGER_OBJECT_ID_BYTES, arena, ret);
}

struct err *ledger_object_aliased(struct ledger *l, unsigned kind, struct view alias, struct arena *arena,
                                  struct ledger_entry *ret)
{
    return find(l, KEY_OBJECT_ALIAS, kind, alias, SHA256_BYTES, arena, ret);
}

struct walk {
    struct ledger *l;
    struct store_txn *t;
    struct store_cursor *c;
    struct key prefix;
};

/* The first state of the newest object made before entry `before`; 0: there is none. */
static struct err *newest_before(struct walk *w, uint64_t before, uint64_t *ret)
{
    struct err *e = NULL;
    struct key at = w->prefix;
    struct view key, value;
    bool found;
    key_add_seq(&at, before);
    key = key_view(&at);
    *ret = 0;
    TRY(w->l->ops->move(w->c, STORE_AT_OR_AFTER, &key, &value, &found));
    TRY(w->l->ops->move(w->c, found ? STORE_PREV : STORE_LAST, &key, &value, &found));
    if (found && key.n == w->prefix.n + KEY_SEQ_BYTES && view_starts(key, key_view(&w->prefix)))
        *ret = key_last_seq(key);
out:
    return e;
}

static struct err *fill(struct walk *w, uint64_t before, unsigned kind, size_t limit, struct arena *arena,
                        struct ledger_entry *to, size_t *ret_n, uint64_t *ret_next)
{
    struct err *e = NULL;
    uint64_t first;
    struct ledger_entry made;
    *ret_n = 0;
    *ret_next = 0;
    TRY(newest_before(w, before ? before : UINT64_MAX, &first));
    while (first && *ret_n < limit) {
        TRY(core_entry(w->l, w->t, first, arena, &made));
        TRY(entry_at(w->l, w->t, KEY_OBJECT_ID, kind, made.body.object.id, arena, &to[(*ret_n)++]));
        before = first;
        TRY(newest_before(w, before, &first));
    }
    *ret_next = first ? before : 0;
out:
    return e;
}

struct err *ledger_object_list(struct ledger *l, unsigned kind, struct view owner, uint64_t before,
                               size_t limit, struct arena *arena, const struct ledger_entry **ret,
                               size_t *ret_n, uint64_t *ret_next)
{
    struct err *e = NULL;
    struct walk w = {.l = l, .prefix = key_object(owner.n ? KEY_OBJECT_OWNER : KEY_OBJECT_ALL, kind, owner)};
    limit = limit == 0 || limit > LIST_MAX ? LIST_MAX : limit;
    struct ledger_entry *to = arena_array(arena, limit, sizeof(*to));
    TRY(l->ops->begin(l->store, false, &w.t));
    TRY(l->ops->cursor(w.t, TABLE_OBJECT, &w.c));
    TRY(fill(&w, before, kind, limit, arena, to, ret_n, ret_next));
    *ret = to;
out:
    l->ops->cursor_free(w.c);
    l->ops->abort(w.t);
    return e;
}
