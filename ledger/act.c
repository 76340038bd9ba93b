/*
 * Acts as the ledger knows them: a request and its steps, led to by index. Judges none of it. Never writes.
 * On the loop's thread.
 */
#include "base/check.h"
#include "ledger_act.h"
#include "read.h"

enum { PREFIX_LEAST = 4, LIST_MAX = 100 };

static bool is_of(struct view key, uint64_t request)
{
    struct key k = key_seq(request);
    return key.n == k.n + KEY_SEQ_BYTES && view_starts(key, key_view(&k));
}

static struct err *read_step(struct ledger *l, struct store_txn *t, uint64_t seq, struct arena *arena,
                             struct ledger_act_step *ret)
{
    struct ledger_entry en;
    struct err *e = core_entry(l, t, seq, arena, &en);
    if (e)
        return e;
    *ret = (struct ledger_act_step){.seq = en.seq, .kind = en.kind, .time_ms = en.time_ms, .actor = en.actor};
    if (en.kind == LEDGER_ACT_DONE)
        ret->note = en.body.note;
    else
        ret->signature = en.body.act_sign.signature;
    return NULL;
}

static struct err *read_state(struct ledger *l, struct store_txn *t, struct store_cursor *c, uint64_t request,
                              struct arena *arena, struct ledger_act_state *ret)
{
    struct err *e = NULL;
    struct ledger_entry en;
    struct ledger_act_step *steps = arena_array(arena, LEDGER_ACT_STEPS_MAX, sizeof *steps);
    struct key from = key_seq(request);
    bool found;
    TRY(core_entry(l, t, request, arena, &en));
    *ret = (struct ledger_act_state){
        .seq = request, .time_ms = en.time_ms, .actor = en.actor, .request = en.body.act, .steps = steps};
    key_add_seq(&from, request + 1);
    struct view key = key_view(&from), value;
    TRY(l->ops->move(c, STORE_AT_OR_AFTER, &key, &value, &found));
    while (found && is_of(key, request) && ret->steps_n < LEDGER_ACT_STEPS_MAX) {
        TRY(read_step(l, t, key_last_seq(key), arena, &steps[ret->steps_n++]));
        TRY(l->ops->move(c, STORE_NEXT, &key, &value, &found));
    }
out:
    return e;
}

static struct err *request_of(struct ledger *l, struct store_cursor *c, struct view id, uint64_t *ret)
{
    struct err *e = NULL;
    struct view key = id, value, next, next_value;
    struct seq_row row;
    bool found, more;
    TRY(l->ops->move(c, STORE_AT_OR_AFTER, &key, &value, &found));
    if (!found || !view_starts(key, id))
        return err_new(ERR_NOT_FOUND, "no request of this id is on record");
    TRY(rows_unpack(value, &row, sizeof(row), TABLE_ACT));
    *ret = row.seq;
    TRY(l->ops->move(c, STORE_NEXT, &next, &next_value, &more));
    if (more && view_starts(next, id))
        e = err_new(ERR_CONFLICT, "several requests begin like this; write more of the id");
out:
    return e;
}

struct err *ledger_act_find(struct ledger *l, struct view id, struct arena *arena,
                            struct ledger_act_state *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct store_cursor *c = NULL, *steps = NULL;
    uint64_t request;
    if (id.n < PREFIX_LEAST || id.n > LEDGER_ACT_ID_BYTES)
        return err_new(ERR_BAD_FIELD, "a request is named by at least %d octets of its id", PREFIX_LEAST);
    TRY(l->ops->begin(l->store, false, &t));
    TRY(l->ops->cursor(t, TABLE_ACT, &c));
    TRY(l->ops->cursor(t, TABLE_ACT_STEP, &steps));
    TRY(request_of(l, c, id, &request));
    TRY(read_state(l, t, steps, request, arena, ret));
out:
    l->ops->cursor_free(c);
    l->ops->cursor_free(steps);
    l->ops->abort(t);
    return e;
}

/* The newest request before `before`; 0: there is none. */
static struct err *newest_before(struct ledger *l, struct store_cursor *c, uint64_t before, uint64_t *ret)
{
    struct err *e = NULL;
    struct key at = key_seq(before);
    struct view key = key_view(&at), value;
    bool found = false;
    *ret = 0;
    if (before)
        TRY(l->ops->move(c, STORE_AT_OR_AFTER, &key, &value, &found));
    TRY(l->ops->move(c, found ? STORE_PREV : STORE_LAST, &key, &value, &found));
    if (found && key.n == 2 * KEY_SEQ_BYTES)
        *ret = key_last_seq(view_of(key.p, KEY_SEQ_BYTES));
out:
    return e;
}

struct err *ledger_act_list(struct ledger *l, uint64_t before, size_t limit, struct arena *arena,
                            const struct ledger_act_state **ret, size_t *ret_n)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct store_cursor *c = NULL;
    size_t n = 0;
    uint64_t request = before;
    limit = limit == 0 || limit > LIST_MAX ? LIST_MAX : limit;
    struct ledger_act_state *states = arena_array(arena, limit, sizeof(*states));
    TRY(l->ops->begin(l->store, false, &t));
    TRY(l->ops->cursor(t, TABLE_ACT_STEP, &c));
    TRY(newest_before(l, c, before, &request));
    while (request && n < limit) {
        TRY(read_state(l, t, c, request, arena, &states[n++]));
        TRY(newest_before(l, c, request, &request));
    }
    *ret = states;
    *ret_n = n;
out:
    l->ops->cursor_free(c);
    l->ops->abort(t);
    return e;
}

struct err *ledger_act_roster(struct ledger *l, uint64_t seq, struct arena *arena, struct ledger_roster *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct seq_row at;
    struct ledger_entry en = {.seq = 0};
    bool found;
    TRY(l->ops->begin(l->store, false, &t));
    TRY(ROW_GET(l->ops, t, TABLE_META, view_str("roster"), &at, &found));
    while (found && at.seq > seq) {
        TRY(core_entry(l, t, at.seq, arena, &en));
        at.seq = en.ref;
    }
    if (!found || at.seq == 0)
        TRY(err_new(ERR_NOT_FOUND, "no roster is on record before entry %llu", (unsigned long long)seq));
    TRY(core_entry(l, t, at.seq, arena, &en));
    *ret = en.body.roster;
out:
    l->ops->abort(t);
    return e;
}
