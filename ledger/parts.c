/* What the ledger's parts take on disk. One short read transaction; any thread but for the index's size. */
#include "base/check.h"
#include "read.h"

static void add(struct ledger_parts *to, const char *name, uint64_t rows, uint64_t bytes)
{
    CHECK(to->n < LEDGER_PARTS_MAX);
    to->all[to->n++] = (struct ledger_part){name, rows, bytes};
}

struct err *ledger_parts(struct ledger *l, struct ledger_parts *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct store_room room;
    struct ledger_parts parts = {.n = 0};
    uint64_t rows, bytes, used = 0;
    TRY(l->ops->begin(l->store, false, &t));
    for (unsigned table = 0; table < TABLE__COUNT; table++) {
        TRY(l->ops->count(t, table, &rows));
        TRY(l->ops->size(t, table, &bytes));
        used += bytes;
        add(&parts, rows_tables[table], rows, bytes);
    }
    TRY(l->ops->room(l->store, &room));
    add(&parts, "free", 0, room.used_bytes > used ? room.used_bytes - used : 0);
    add(&parts, "index of files", finder_pairs(l->finder), finder_bytes(l->finder));
    *ret = parts;
out:
    l->ops->abort(t);
    return e;
}
