/* Intents that are open still, the oldest first. On the loop's thread, one short read transaction. */
#include "read.h"

static struct err *walk_open(struct ledger *l, struct store_txn *t, struct store_cursor *c, uint64_t from,
                             size_t limit, struct arena *arena, struct ledger_page *page)
{
    struct err *e = NULL;
    struct key k = key_seq(from);
    struct view key = key_view(&k), value;
    struct ledger_cert *certs = arena_array(arena, limit, sizeof(*certs));
    size_t bytes = 0, n = 0;
    bool found;
    TRY(l->ops->move(c, STORE_AT_OR_AFTER, &key, &value, &found));
    while (found && n < limit && bytes < READ_PAGE_BYTES) {
        TRY(read_cert(l, t, key_last_seq(key), arena, &certs[n]));
        bytes += certs[n++].decision.tbs.n + 1024;
        TRY(l->ops->move(c, STORE_NEXT, &key, &value, &found));
    }
    *page = (struct ledger_page){.certs = certs, .n = n};
out:
    return e;
}

struct err *ledger_open_intents(struct ledger *l, uint64_t from, size_t limit, struct arena *arena,
                                struct ledger_page *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct store_cursor *c = NULL;
    limit = limit == 0 || limit > READ_PAGE_MAX ? READ_PAGE_MAX : limit;
    TRY(l->ops->begin(l->store, false, &t));
    TRY(l->ops->cursor(t, TABLE_OPEN, &c));
    TRY(walk_open(l, t, c, from, limit, arena, ret));
out:
    l->ops->cursor_free(c);
    l->ops->abort(t);
    return e;
}
