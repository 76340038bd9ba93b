/*
 * The lists an issuer had, by scope and number, and what changed since one of them. Short read transactions;
 * never changes anything. Any thread.
 */
#include "base/check.h"
#include "read.h"

enum { LOOK_BACK = 256 };

struct err *ledger_list_number(struct ledger *l, const char *issuer, uint64_t *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct issuer_row row;
    bool found;
    TRY(l->ops->begin(l->store, false, &t));
    TRY(ROW_GET(l->ops, t, TABLE_ISSUER, view_str(issuer), &row, &found));
    *ret = row.number;
out:
    l->ops->abort(t);
    return e;
}

/* The last key under the prefix. */
static struct err *last_under(const struct store_ops *ops, struct store_cursor *c, struct key prefix,
                              struct view *key, struct view *value, bool *ret_found)
{
    struct err *e = NULL;
    struct key after = prefix;
    bool above = key_after_prefix(&after);
    *key = key_view(&after);
    if (above)
        TRY(ops->move(c, STORE_AT_OR_AFTER, key, value, &above));
    TRY(ops->move(c, above ? STORE_PREV : STORE_LAST, key, value, ret_found));
    *ret_found = *ret_found && view_starts(*key, key_view(&prefix));
out:
    return e;
}

struct err *read_last_list(struct ledger *l, struct store_txn *t, const char *issuer, uint64_t scope,
                           struct list_row *ret)
{
    struct err *e = NULL;
    struct store_cursor *c = NULL;
    struct view key, value;
    bool found;
    *ret = (struct list_row){0};
    TRY(l->ops->cursor(t, TABLE_LIST, &c));
    TRY(last_under(l->ops, c, key_number(issuer, scope), &key, &value, &found));
    if (found)
        TRY(rows_unpack(value, ret, sizeof(*ret), TABLE_LIST));
out:
    l->ops->cursor_free(c);
    return e;
}

static struct err *list_at(struct ledger *l, struct store_txn *t, uint64_t seq, struct ledger_crl *ret)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(1 << 20);
    struct ledger_entry en;
    TRY(core_entry(l, t, seq, arena, &en));
    *ret = en.body.crl;
    ret->sha256 = (struct view){NULL, 0}; /* it lies in our arena */
out:
    arena_free(arena);
    return e;
}

/* From the newest list of the scope back, as long as they hold; *ret_seq: the last of these, 0 where there is
 * none. */
static struct err *walk_back(struct ledger *l, struct store_txn *t, struct key scope, int64_t holds_at,
                             int most, uint64_t *ret_seq)
{
    struct err *e = NULL;
    struct store_cursor *c = NULL;
    struct view key, value;
    struct list_row row;
    bool found;
    *ret_seq = 0;
    TRY(l->ops->cursor(t, TABLE_LIST, &c));
    TRY(last_under(l->ops, c, scope, &key, &value, &found));
    for (; found && most > 0; most--) {
        TRY(rows_unpack(value, &row, sizeof(row), TABLE_LIST));
        if (row.next_update <= holds_at)
            break;
        *ret_seq = row.seq;
        TRY(l->ops->move(c, STORE_PREV, &key, &value, &found));
        found = found && view_starts(key, key_view(&scope));
    }
out:
    l->ops->cursor_free(c);
    return e;
}

static struct err *find_list(struct ledger *l, struct key scope, int64_t holds_at, int most,
                             struct ledger_crl *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct ledger_crl crl = {0};
    uint64_t seq;
    TRY(l->ops->begin(l->store, false, &t));
    TRY(walk_back(l, t, scope, holds_at, most, &seq));
    if (seq)
        TRY(list_at(l, t, seq, &crl));
    *ret = crl;
out:
    l->ops->abort(t);
    return e;
}

struct err *ledger_list_last(struct ledger *l, const char *issuer, uint64_t scope, struct ledger_crl *ret)
{
    return find_list(l, key_number(issuer, scope), INT64_MIN, 1, ret);
}

struct err *ledger_crl_last(struct ledger *l, const char *issuer, struct ledger_crl *ret)
{
    return ledger_list_last(l, issuer, LEDGER_WHOLE, ret);
}

struct err *ledger_list_base(struct ledger *l, const char *issuer, int64_t now, struct ledger_crl *ret)
{
    return find_list(l, key_number(issuer, LEDGER_WHOLE), now, LOOK_BACK, ret);
}

/* --- changes --- */

static struct err *change_of(struct ledger *l, struct store_txn *t, const char *issuer, struct view key,
                             struct view value, struct ledger_change *ret)
{
    struct err *e = NULL;
    struct changed_row row;
    struct revoked_row now;
    TRY(rows_unpack(value, &row, sizeof(row), TABLE_CHANGED));
    *ret = (struct ledger_change){.seq = key_last_seq(key), .partition = row.partition};
    rows_changed_serial(&row, ret->serial);
    struct key k = key_serial(issuer, view_of(ret->serial, SERIAL_BYTES));
    TRY(ROW_GET(l->ops, t, TABLE_REVOKED, key_view(&k), &now, &ret->revoked));
    ret->at = now.at;
    ret->reason = (unsigned)now.reason;
    ret->invalidity = now.invalidity;
out:
    return e;
}

struct err *ledger_changes(struct ledger *l, const char *issuer, uint64_t after, ledger_change_fn *fn,
                           void *arg, uint64_t *ret_upto)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct store_cursor *c = NULL;
    struct key prefix = key_text(issuer), from = key_number(issuer, after + 1);
    struct view key = key_view(&from), value;
    struct tree tree;
    int64_t time_ms;
    bool found;
    TRY(l->ops->begin(l->store, false, &t));
    TRY(core_state(l, t, &tree, &time_ms));
    TRY(l->ops->cursor(t, TABLE_CHANGED, &c));
    TRY(l->ops->move(c, STORE_AT_OR_AFTER, &key, &value, &found));
    while (found && view_starts(key, key_view(&prefix))) {
        struct ledger_change change;
        TRY(change_of(l, t, issuer, key, value, &change));
        TRY(fn(arg, &change));
        TRY(l->ops->move(c, STORE_NEXT, &key, &value, &found));
    }
    *ret_upto = tree.n;
out:
    l->ops->cursor_free(c);
    l->ops->abort(t);
    return e;
}
