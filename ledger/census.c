/*
 * How many certificates still hang on an issuer: a walk over its serials in a read transaction of its own. On
 * any thread but the loop's, where it would stand in the way of a million.
 */
#include "read.h"

static void count(struct ledger_census *c, const struct cert_row *row, int64_t now)
{
    if (row->state != LEDGER_STATE_RECORDED || row->not_after < now)
        return;
    c->unexpired++;
    if (row->not_after > c->last_not_after)
        c->last_not_after = row->not_after;
}

struct err *ledger_census(struct ledger *l, const char *issuer, int64_t now, struct ledger_census *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct store_cursor *c = NULL;
    struct key prefix = key_serial(issuer, (struct view){NULL, 0});
    struct view key = key_view(&prefix), value;
    struct ledger_census census = {0};
    bool found;

    TRY(l->ops->begin(l->store, false, &t));
    TRY(l->ops->cursor(t, TABLE_SERIAL, &c));
    TRY(l->ops->move(c, STORE_AT_OR_AFTER, &key, &value, &found));
    while (found && view_starts(key, key_view(&prefix))) {
        struct seq_row intent;
        struct cert_row row;
        TRY(rows_unpack(value, &intent, sizeof(intent), TABLE_SERIAL));
        TRY(read_row(l, t, intent.seq, &row));
        count(&census, &row, now);
        TRY(l->ops->move(c, STORE_NEXT, &key, &value, &found));
    }
    *ret = census;
out:
    l->ops->cursor_free(c);
    l->ops->abort(t);
    return e;
}
