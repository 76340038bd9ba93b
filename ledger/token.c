/*
 * Bearer tokens as the ledger knows them: the grant from the log, uses and revocation from the index. Holds
 * only hashes of tokens. Never writes. On the loop's thread.
 */
#include "base/check.h"
#include "read.h"

enum { PREFIX_LEAST = 4 };

static struct err *token_of_row(struct ledger *l, struct store_txn *t, struct view value, struct arena *arena,
                                struct ledger_token_state *ret)
{
    struct err *e = NULL;
    struct token_row row;
    struct ledger_entry en;
    TRY(rows_unpack(value, &row, sizeof(row), TABLE_TOKEN));
    TRY(core_entry(l, t, row.seq, arena, &en));
    *ret = (struct ledger_token_state){.token = en.body.token,
                                       .actor = en.actor,
                                       .created_ms = en.time_ms,
                                       .used = row.used,
                                       .revoked_at = row.revoked_at,
                                       .seq = row.seq};
out:
    return e;
}

static struct err *find(struct ledger *l, struct store_txn *t, struct store_cursor *c, struct view id,
                        struct arena *arena, struct ledger_token_state *ret)
{
    struct err *e = NULL;
    struct view key = id, value, next, next_value;
    bool found, more;
    TRY(l->ops->move(c, STORE_AT_OR_AFTER, &key, &value, &found));
    if (!found || !view_starts(key, id))
        return err_new(ERR_NOT_FOUND, "no such token");
    TRY(l->ops->move(c, STORE_NEXT, &next, &next_value, &more));
    if (more && view_starts(next, id))
        return err_new(ERR_CONFLICT, "several tokens begin like this");
    TRY(token_of_row(l, t, value, arena, ret));
out:
    return e;
}

struct err *ledger_token_find(struct ledger *l, struct view id, struct arena *arena,
                              struct ledger_token_state *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct store_cursor *c = NULL;
    if (id.n < PREFIX_LEAST || id.n > SHA256_BYTES)
        return err_new(ERR_BAD_FIELD, "a token is named by at least %d octets of its hash", PREFIX_LEAST);
    TRY(l->ops->begin(l->store, false, &t));
    TRY(l->ops->cursor(t, TABLE_TOKEN, &c));
    TRY(find(l, t, c, id, arena, ret));
out:
    l->ops->cursor_free(c);
    l->ops->abort(t);
    return e;
}

static struct err *list(struct ledger *l, struct store_txn *t, struct store_cursor *c, struct view from,
                        size_t limit, struct arena *arena, struct ledger_token_state *to, size_t *ret_n)
{
    struct err *e = NULL;
    struct view key = from, value;
    size_t n = 0, bytes = 0;
    bool found;
    TRY(l->ops->move(c, STORE_AT_OR_AFTER, &key, &value, &found));
    while (found && n < limit && bytes < READ_PAGE_BYTES) {
        TRY(token_of_row(l, t, value, arena, &to[n]));
        bytes += 512 + 256 * (to[n].token.names.n + to[n].token.templates.n);
        n++;
        TRY(l->ops->move(c, STORE_NEXT, &key, &value, &found));
    }
    *ret_n = n;
out:
    return e;
}

struct err *ledger_token_list(struct ledger *l, struct view after, size_t limit, struct arena *arena,
                              const struct ledger_token_state **ret, size_t *ret_n)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct store_cursor *c = NULL;
    if (after.n > SHA256_BYTES)
        return err_new(ERR_BAD_FIELD, "not the id of a token");
    struct key from = key_bytes(after);
    from.b[from.n++] = 0; /* the least key above `after`; ids have one length, so it is none itself */
    limit = limit == 0 || limit > READ_PAGE_MAX ? READ_PAGE_MAX : limit;
    struct ledger_token_state *states = arena_array(arena, limit, sizeof(*states));
    TRY(l->ops->begin(l->store, false, &t));
    TRY(l->ops->cursor(t, TABLE_TOKEN, &c));
    TRY(list(l, t, c, key_view(&from), limit, arena, states, ret_n));
    *ret = states;
out:
    l->ops->cursor_free(c);
    l->ops->abort(t);
    return e;
}
