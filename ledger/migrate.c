/*
 * From schema 1 to 2: which certificates are revoked, in the order of the log, and which keys are blocked;
 * whose status changed when, and which lists there were. All follow from index `revoked` and the log. (Names,
 * keys and owners moved to the index of files, which is made from the log anyway; their old tables are left
 * as they are.) In a write transaction, at the opening.
 */
#include "core.h"

enum { KEY_COMPROMISE = 1, ARENA_BYTES = 8 << 20 };

static struct err *migrate_one(struct ledger *l, struct store_txn *t, const char *issuer, struct view serial,
                               const struct revoked_row *row, struct arena *arena)
{
    struct err *e = NULL;
    struct ledger_entry intent;
    struct key k = key_seq(row->intent);
    struct seq_row end = {row->end};
    struct key part = key_number(issuer, 0);
    key_add(&part, serial);
    TRY(ROW_PUT(l->ops, t, TABLE_PART, key_view(&part), row, STORE_PUT));
    TRY(l->ops->put(t, TABLE_GONE, key_view(&k), view_of("", 0), STORE_PUT));
    if (row->reason != KEY_COMPROMISE)
        return NULL;
    TRY(core_entry(l, t, row->intent, arena, &intent));
    TRY(ROW_PUT(l->ops, t, TABLE_BLOCKED, intent.body.intent.spki_sha256, &end, STORE_PUT));
out:
    arena_reset(arena);
    return e;
}

/* The issuer's name ends in a NUL; its serial follows. */
static struct err *migrate_revoked(struct ledger *l, struct store_txn *t, struct arena *arena)
{
    struct err *e = NULL;
    struct store_cursor *c = NULL;
    struct view key, value;
    struct revoked_row row;
    bool found;
    TRY(l->ops->cursor(t, TABLE_REVOKED, &c));
    TRY(l->ops->move(c, STORE_FIRST, &key, &value, &found));
    while (found) {
        struct key at = key_bytes(key); /* the store changes under the cursor's views */
        size_t n = strnlen((const char *)at.b, at.n);
        TRY(rows_unpack(value, &row, sizeof(row), TABLE_REVOKED));
        TRY(migrate_one(l, t, (const char *)at.b, view_from(key_view(&at), n + 1), &row, arena));
        TRY(l->ops->move(c, STORE_NEXT, &key, &value, &found));
    }
out:
    l->ops->cursor_free(c);
    return e;
}

static struct err *migrate_entry(struct ledger *l, struct store_txn *t, const struct ledger_entry *en)
{
    bool lost = en->kind == LEDGER_CLOSE && en->body.close.reason == LEDGER_SEALED_LOST;
    const struct ledger_crl *crl = &en->body.crl;
    struct key k;
    if (en->kind == LEDGER_CRL) {
        struct list_row list = {en->seq, crl->upto, crl->this_update, crl->next_update};
        k = key_number(en->issuer, LEDGER_WHOLE);
        key_add_seq(&k, crl->number);
        return ROW_PUT(l->ops, t, TABLE_LIST, key_view(&k), &list, STORE_PUT);
    }
    if ((en->kind != LEDGER_REVOKE && !lost) || en->serial.n != SERIAL_BYTES)
        return NULL;
    struct changed_row row = rows_changed(en->serial, 0);
    k = key_number(en->issuer, en->seq);
    return ROW_PUT(l->ops, t, TABLE_CHANGED, key_view(&k), &row, STORE_PUT);
}

static struct err *migrate_log(struct ledger *l, struct store_txn *t, struct arena *arena)
{
    struct err *e = NULL;
    struct tree tree;
    struct ledger_entry en;
    int64_t time_ms;
    TRY(core_state(l, t, &tree, &time_ms));
    for (uint64_t seq = 1; seq <= tree.n; seq++) {
        TRY(core_entry(l, t, seq, arena, &en));
        TRY(migrate_entry(l, t, &en));
        arena_reset(arena);
    }
out:
    return e;
}

struct err *core_migrate(struct ledger *l, struct store_txn *t)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(ARENA_BYTES);
    TRY(migrate_revoked(l, t, arena));
    TRY(migrate_log(l, t, arena));
out:
    arena_free(arena);
    return e;
}
