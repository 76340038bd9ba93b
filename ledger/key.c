/*
 * What the ledger knows of a key: for whom it was certified first, and whether it was given up as
 * compromised. On the loop's thread, one short read transaction.
 */
#include "read.h"

/* *ret_sealed: a certificate of this intent was made, or may yet be. */
static struct err *look(struct ledger *l, struct store_txn *t, uint64_t intent, struct view spki,
                        struct arena *arena, struct ledger_key *to, bool *ret_sealed)
{
    struct err *e = NULL;
    struct cert_row row;
    struct ledger_entry entry;
    *ret_sealed = false;
    TRY(read_row(l, t, intent, &row));
    if (row.state == LEDGER_STATE_NEVER_SEALED)
        return NULL;
    TRY(core_entry(l, t, intent, arena, &entry));
    if (!view_eq(entry.body.intent.spki_sha256, spki))
        return NULL; /* another key of the same term */
    to->certified = true;
    to->actor = entry.actor;
    *ret_sealed = true;
out:
    return e;
}

struct err *ledger_key_find(struct ledger *l, struct view spki_sha256, struct arena *arena,
                            struct ledger_key *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct ledger_key key = {.actor = ""};
    struct seq_row blocked;
    uint64_t term = term_of(TERM_SPKI, spki_sha256), intent = 0;
    bool sealed = false;
    TRY(l->ops->begin(l->store, false, &t));
    TRY(ROW_GET(l->ops, t, TABLE_BLOCKED, spki_sha256, &blocked, &key.compromised));
    do {
        TRY(finder_first(l->finder, term, intent, &intent));
        if (intent)
            TRY(look(l, t, intent, spki_sha256, arena, &key, &sealed));
    } while (intent && !sealed);
    *ret = key;
out:
    l->ops->abort(t);
    return e;
}
