/*
 * The rules of acts: an id is asked for once, approvals and denials are of a request that stands, and what is
 * done is done once. Whether a signature holds is not the ledger's to know. On the writer's thread.
 */
#include "write.h"

static struct err *request_at(struct write *w, uint64_t seq, bool *ret_found)
{
    struct view v;
    struct key k = key_seq(seq);
    key_add_seq(&k, seq);
    struct err *e = w->ops->get(w->txn, TABLE_ACT_STEP, key_view(&k), &v);
    *ret_found = !e && v.p;
    return e;
}

struct err *write_act_check_request(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    struct view v;
    if (a->entry.body.act.id.n != LEDGER_ACT_ID_BYTES) {
        a->item.error = err_new(ERR_BAD_FIELD, "an act's id has %d octets", LEDGER_ACT_ID_BYTES);
        return NULL;
    }
    TRY(w->ops->get(w->txn, TABLE_ACT, a->entry.body.act.id, &v));
    if (v.p)
        a->item.error = err_new(ERR_WRONG_STATE, "this request stands already; ask anew under another id");
out:
    return e;
}

struct err *write_act_check_step(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    bool found;
    TRY(request_at(w, a->entry.ref, &found));
    if (!found)
        a->item.error = err_new(ERR_NOT_FOUND, "entry %llu is no request", (unsigned long long)a->entry.ref);
out:
    return e;
}

static struct err *put_step(struct write *w, uint64_t request, uint64_t seq)
{
    struct key k = key_seq(request);
    key_add_seq(&k, seq);
    return w->ops->put(w->txn, TABLE_ACT_STEP, key_view(&k), view_of("", 0), STORE_PUT);
}

struct err *write_act_apply_request(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    struct seq_row row = {a->entry.seq};
    TRY(ROW_PUT(w->ops, w->txn, TABLE_ACT, a->entry.body.act.id, &row, STORE_PUT));
    TRY(put_step(w, a->entry.seq, a->entry.seq));
out:
    return e;
}

struct err *write_act_apply_step(struct write *w, const struct core_append *a)
{
    return put_step(w, a->entry.ref, a->entry.seq);
}

/* --- rosters: each leads to the one before --- */

struct err *write_act_check_roster(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    struct seq_row last;
    struct ledger_entry before;
    bool found;
    TRY(ROW_GET(w->ops, w->txn, TABLE_META, view_str("roster"), &last, &found));
    if (!found)
        return NULL;
    TRY(core_entry(w->ledger, w->txn, last.seq, a->arena, &before));
    a->entry.ref = last.seq;
    if (view_eq(before.body.roster.sha256, a->entry.body.roster.sha256))
        a->result.outcome = LEDGER_ALREADY;
out:
    return e;
}

struct err *write_act_apply_roster(struct write *w, const struct core_append *a)
{
    struct seq_row row = {a->entry.seq};
    return ROW_PUT(w->ops, w->txn, TABLE_META, view_str("roster"), &row, STORE_PUT);
}
