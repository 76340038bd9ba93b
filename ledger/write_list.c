/*
 * What lists are made of: which partition has how many certificates, whose status changed when, and which
 * lists there were. Called by the rules inside the write transaction. On the writer's thread.
 */
#include "write.h"

/* A serial has exactly SERIAL_BYTES here (ledger.c). */
struct err *write_changed(struct write *w, const struct core_append *a)
{
    struct key k = key_number(a->entry.issuer, a->entry.seq);
    struct changed_row row = rows_changed(a->entry.serial, a->partition);
    return ROW_PUT(w->ops, w->txn, TABLE_CHANGED, key_view(&k), &row, STORE_PUT);
}

struct err *write_partition(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    const struct ledger_intent *in = &a->entry.body.intent;
    struct partition_row row;
    bool found;
    if (in->partition == 0)
        return NULL;
    struct key k = key_number(a->entry.issuer, in->partition);
    TRY(ROW_GET(w->ops, w->txn, TABLE_PARTITION, key_view(&k), &row, &found));
    row.certificates++;
    if (in->not_after > row.not_after)
        row.not_after = in->not_after;
    TRY(ROW_PUT(w->ops, w->txn, TABLE_PARTITION, key_view(&k), &row, STORE_PUT));
out:
    return e;
}

struct err *write_list_check(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    struct issuer_row row;
    bool found;
    TRY(ROW_GET(w->ops, w->txn, TABLE_ISSUER, view_str(a->entry.issuer), &row, &found));
    if (a->entry.body.crl.number <= row.number)
        a->item.error =
            err_new(ERR_WRONG_STATE, "the last list of this issuer has number %llu (RFC 5280 5.2.3)",
                    (unsigned long long)row.number);
out:
    return e;
}

struct err *write_list_apply(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    const struct ledger_crl *crl = &a->entry.body.crl;
    struct list_row list = {a->entry.seq, crl->upto, crl->this_update, crl->next_update};
    struct key k = key_number(a->entry.issuer, rows_scope(&a->entry));
    struct issuer_row row;
    bool found;
    key_add_seq(&k, crl->number);
    TRY(ROW_PUT(w->ops, w->txn, TABLE_LIST, key_view(&k), &list, STORE_PUT));
    TRY(ROW_GET(w->ops, w->txn, TABLE_ISSUER, view_str(a->entry.issuer), &row, &found));
    row = rows_issuer_after(&row, &a->entry);
    TRY(ROW_PUT(w->ops, w->txn, TABLE_ISSUER, view_str(a->entry.issuer), &row, STORE_PUT));
out:
    return e;
}
