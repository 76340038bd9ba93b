/*
 * From schema 1 to 2: which certificates are revoked, in the order of the log, and which keys are blocked.
 * Both follow from index `revoked` and the log. (Names, keys and owners moved to the index of files, which is
 * made from the log anyway; their old tables are left as they are.) In a write transaction, at the opening.
 */
#include "core.h"

enum { KEY_COMPROMISE = 1, ARENA_BYTES = 8 << 20 };

static struct err *migrate_one(struct ledger *l, struct store_txn *t, const struct revoked_row *row,
                               struct arena *arena)
{
    struct err *e = NULL;
    struct ledger_entry intent;
    struct key k = key_seq(row->intent);
    struct seq_row end = {row->end};
    TRY(l->ops->put(t, TABLE_GONE, key_view(&k), view_of("", 0), STORE_PUT));
    if (row->reason != KEY_COMPROMISE)
        return NULL;
    TRY(core_entry(l, t, row->intent, arena, &intent));
    TRY(ROW_PUT(l->ops, t, TABLE_BLOCKED, intent.body.intent.spki_sha256, &end, STORE_PUT));
out:
    arena_reset(arena);
    return e;
}

struct err *core_migrate(struct ledger *l, struct store_txn *t)
{
    struct err *e = NULL;
    struct store_cursor *c = NULL;
    struct arena *arena = arena_new(ARENA_BYTES);
    struct view key, value;
    struct revoked_row row;
    bool found;
    TRY(l->ops->cursor(t, TABLE_REVOKED, &c));
    TRY(l->ops->move(c, STORE_FIRST, &key, &value, &found));
    while (found) {
        TRY(rows_unpack(value, &row, sizeof(row), TABLE_REVOKED));
        TRY(migrate_one(l, t, &row, arena));
        TRY(l->ops->move(c, STORE_NEXT, &key, &value, &found));
    }
out:
    l->ops->cursor_free(c);
    arena_free(arena);
    return e;
}
