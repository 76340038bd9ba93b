/*
 * What the ledger knows of a key: for whom it was certified, and whether it was given up as compromised. On
 * the loop's thread, one short read transaction.
 */
#include "read.h"

enum { KEY_LOOK_MAX = 64, REASON_KEY_COMPROMISE = 1 };

static struct err *look(struct ledger *l, struct store_txn *t, uint64_t intent, struct arena *arena,
                        struct ledger_key *to)
{
    struct err *e = NULL;
    struct cert_row row;
    struct ledger_entry entry;
    TRY(read_row(l, t, intent, &row));
    if (row.state == LEDGER_STATE_NEVER_SEALED)
        return NULL;
    to->compromised =
        to->compromised || (row.state == LEDGER_STATE_REVOKED && row.reason == REASON_KEY_COMPROMISE);
    if (to->certificates++ == 0) {
        TRY(core_entry(l, t, intent, arena, &entry));
        to->actor = entry.actor;
    }
out:
    return e;
}

static struct err *walk(struct ledger *l, struct store_txn *t, struct store_cursor *c, struct view spki,
                        struct arena *arena, struct ledger_key *to)
{
    struct err *e = NULL;
    struct key from = key_bytes(spki);
    struct view key = key_view(&from), value;
    enum store_move how = STORE_AT_OR_AFTER;
    for (size_t i = 0; i < KEY_LOOK_MAX; i++) {
        bool found;
        TRY(l->ops->move(c, how, &key, &value, &found));
        if (!found || !view_starts(key, spki))
            break;
        TRY(look(l, t, key_last_seq(key), arena, to));
        how = STORE_NEXT;
    }
out:
    return e;
}

struct err *ledger_key_find(struct ledger *l, struct view spki_sha256, struct arena *arena,
                            struct ledger_key *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct store_cursor *c = NULL;
    struct ledger_key key = {.actor = ""};
    TRY(l->ops->begin(l->store, false, &t));
    TRY(l->ops->cursor(t, TABLE_SPKI, &c));
    TRY(walk(l, t, c, spki_sha256, arena, &key));
    *ret = key;
out:
    l->ops->cursor_free(c);
    l->ops->abort(t);
    return e;
}
