/*
 * The rules of what follows a restoration: that it was done, what the seal roll and the published lists know
 * beyond the backup, and that the loss is accepted. On the writer's thread.
 */
#include "write.h"

static struct err *put_restored(struct write *w, uint64_t seq)
{
    struct seq_row row = {seq};
    return ROW_PUT(w->ops, w->txn, TABLE_META, view_str("restored"), &row, STORE_PUT);
}

struct err *write_restored_apply(struct write *w, const struct core_append *a)
{
    return put_restored(w, a->entry.seq);
}

/* ref: the restoration whose loss is accepted. */
struct err *write_accept_check(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    struct seq_row row;
    bool found;
    TRY(ROW_GET(w->ops, w->txn, TABLE_META, view_str("restored"), &row, &found));
    if (!found || row.seq == 0)
        a->item.error = err_new(ERR_WRONG_STATE, "the ledger does not wait for a loss to be accepted");
    else if (a->entry.ref != row.seq)
        a->item.error = err_new(ERR_WRONG_STATE, "the ledger was restored by entry %llu, not %llu",
                                (unsigned long long)row.seq, (unsigned long long)a->entry.ref);
out:
    return e;
}

struct err *write_accept_apply(struct write *w, const struct core_append *a)
{
    (void)a;
    return put_restored(w, 0);
}

/* Good or bad nobody knows: it may be revoked, and is told about to nobody until then. */
struct err *write_unrecorded_apply(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    struct key k = key_serial(a->entry.issuer, a->entry.serial), mine = key_seq(a->entry.seq);
    struct seq_row serial = {a->entry.seq};
    struct cert_row row = {.state = LEDGER_STATE_UNRECORDED, .not_after = CORE_NEVER_S};
    TRY(ROW_PUT(w->ops, w->txn, TABLE_CERT, key_view(&mine), &row, STORE_PUT_LAST));
    TRY(ROW_PUT(w->ops, w->txn, TABLE_SERIAL, key_view(&k), &serial, STORE_PUT));
    TRY(write_issuer_seen(w, a->entry.issuer));
out:
    return e;
}

/* RFC 5280 5.2.3: a number that a published list had is never used again. */
struct err *write_list_floor_apply(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    struct issuer_row row;
    bool found;
    TRY(ROW_GET(w->ops, w->txn, TABLE_ISSUER, view_str(a->entry.issuer), &row, &found));
    if (a->entry.body.note.number > row.number)
        row.number = a->entry.body.note.number;
    TRY(ROW_PUT(w->ops, w->txn, TABLE_ISSUER, view_str(a->entry.issuer), &row, STORE_PUT));
out:
    return e;
}
