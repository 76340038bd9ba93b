/* Which intent stands for a request that came before. On the loop's thread; a short read transaction. */
#include "base/world.h"
#include "read.h"

static struct err *row_of(struct ledger *l, struct view hash, struct idem_row *ret, bool *ret_found)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    TRY(l->ops->begin(l->store, false, &t));
    TRY(ROW_GET(l->ops, t, TABLE_IDEM, hash, ret, ret_found));
out:
    l->ops->abort(t);
    return e;
}

struct err *ledger_idempotent(struct ledger *l, struct view hash, struct arena *arena,
                              struct ledger_cert *ret)
{
    struct err *e = NULL;
    struct idem_row row = {.intent = 0};
    bool found;
    ret->intent = 0;
    TRY(row_of(l, hash, &row, &found));
    if (found && row.expires > world_now_s())
        TRY(ledger_cert_at(l, row.intent, arena, ret));
out:
    return e;
}
