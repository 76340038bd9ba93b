/*
 * Revocations of one issuer, for its lists: what the last list said, and a walk in the order of serials over
 * one moment. The walk may run on any thread: its transaction belongs to the walk. Never changes anything.
 */
#include <stdlib.h>

#include "base/check.h"
#include "read.h"

struct ledger_revoked {
    struct ledger *ledger;
    struct store_txn *txn;
    struct store_cursor *cursor;
    struct key prefix;
    struct issuer_row last; /* list */
    uint64_t upto;
    bool started;
};

struct err *ledger_crl_last(struct ledger *l, const char *issuer, struct ledger_crl *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct arena *arena = arena_new(1 << 20);
    struct issuer_row row;
    struct ledger_entry en;
    bool found;
    struct ledger_crl crl = {0};
    TRY(l->ops->begin(l->store, false, &t));
    TRY(ROW_GET(l->ops, t, TABLE_ISSUER, view_str(issuer), &row, &found));
    if (row.crl != 0) {
        TRY(core_entry(l, t, row.crl, arena, &en));
        crl = en.body.crl;
        crl.sha256 = (struct view){NULL, 0}; /* it lies in our arena */
    }
    *ret = crl;
out:
    l->ops->abort(t);
    arena_free(arena);
    return e;
}

struct err *ledger_revoked_open(struct ledger *l, const char *issuer, struct ledger_revoked **ret)
{
    struct err *e = NULL;
    struct ledger_revoked *r = calloc(1, sizeof(*r));
    CHECK(r);
    *r = (struct ledger_revoked){.ledger = l, .prefix = key_serial(issuer, (struct view){NULL, 0})};
    struct tree tree;
    int64_t time_ms;
    bool found;
    TRY(l->ops->begin(l->store, false, &r->txn));
    TRY(core_state(l, r->txn, &tree, &time_ms));
    r->upto = tree.n;
    TRY(ROW_GET(l->ops, r->txn, TABLE_ISSUER, view_str(issuer), &r->last, &found));
    TRY(l->ops->cursor(r->txn, TABLE_REVOKED, &r->cursor));
    *ret = r;
    r = NULL;
out:
    ledger_revoked_close(r);
    return e;
}

/* RFC 5280 3.3: an entry goes only after it stood on a list made past the certificate's end. The last list
 * did that where it was made after notAfter and took this revocation into account. */
static bool had_its_last(const struct ledger_revoked *r, const struct revoked_row *row)
{
    return r->last.number != 0 && row->not_after < r->last.this_update && row->end <= r->last.upto;
}

struct err *ledger_revoked_next(struct ledger_revoked *r, struct ledger_revocation *ret, bool *ret_more)
{
    struct err *e = NULL;
    const struct store_ops *ops = r->ledger->ops;
    struct view key = key_view(&r->prefix), value;
    struct revoked_row row;
    bool found;
    for (;;) {
        TRY(ops->move(r->cursor, r->started ? STORE_NEXT : STORE_AT_OR_AFTER, &key, &value, &found));
        r->started = true;
        *ret_more = found && view_starts(key, key_view(&r->prefix));
        if (!*ret_more)
            return NULL;
        TRY(rows_unpack(value, &row, sizeof(row), TABLE_REVOKED));
        if (!had_its_last(r, &row))
            break;
    }
    *ret =
        (struct ledger_revocation){view_from(key, r->prefix.n), row.at, (unsigned)row.reason, row.invalidity};
out:
    return e;
}

void ledger_revoked_rewind(struct ledger_revoked *r)
{
    r->started = false;
}

uint64_t ledger_revoked_upto(const struct ledger_revoked *r)
{
    return r->upto;
}

void ledger_revoked_close(struct ledger_revoked *r)
{
    if (!r)
        return;
    r->ledger->ops->cursor_free(r->cursor);
    r->ledger->ops->abort(r->txn);
    free(r);
}
