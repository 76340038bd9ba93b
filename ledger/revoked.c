/*
 * Revocations of one issuer, for its lists: a walk in the order of serials over one moment. It may run on any
 * thread: its transaction belongs to the walk. Never changes anything.
 */
#include <stdlib.h>

#include "base/check.h"
#include "read.h"

struct ledger_revoked {
    struct ledger *ledger;
    struct store_txn *txn;
    struct store_cursor *cursor;
    struct key prefix;
    struct list_row last; /* list of this scope */
    uint64_t upto;
    bool started;
};

static struct key prefix_of(const char *issuer, uint64_t scope)
{
    return scope == LEDGER_WHOLE ? key_text(issuer) : key_number(issuer, scope);
}

struct err *ledger_revoked_open(struct ledger *l, const char *issuer, uint64_t scope,
                                struct ledger_revoked **ret)
{
    struct err *e = NULL;
    struct ledger_revoked *r = calloc(1, sizeof(*r));
    CHECK(r);
    *r = (struct ledger_revoked){.ledger = l, .prefix = prefix_of(issuer, scope)};
    struct tree tree;
    int64_t time_ms;
    TRY(l->ops->begin(l->store, false, &r->txn));
    TRY(core_state(l, r->txn, &tree, &time_ms));
    r->upto = tree.n;
    TRY(read_last_list(l, r->txn, issuer, scope, &r->last));
    TRY(l->ops->cursor(r->txn, scope == LEDGER_WHOLE ? TABLE_REVOKED : TABLE_PART, &r->cursor));
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
    return r->last.seq != 0 && row->not_after < r->last.this_update && row->end <= r->last.upto;
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
