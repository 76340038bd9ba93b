/*
 * The rules of objects: a new one has a name of its own, a later state follows the one it was made from, so
 * that of two who change the same state one is refused. On the writer's thread.
 */
#include "write.h"

static struct err *row_at(struct write *w, char by, unsigned kind, struct view name, struct seq_row *ret,
                          bool *ret_found)
{
    struct key k = key_object(by, kind, name);
    return ROW_GET(w->ops, w->txn, TABLE_OBJECT, key_view(&k), ret, ret_found);
}

/* An account's key is no other account's; an authorization's alias leads to the newest of several. */
static struct err *check_alias(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    const struct ledger_object *o = &a->entry.body.object;
    struct seq_row row;
    struct ledger_entry other;
    bool found;
    if (a->entry.kind != LEDGER_ACME_ACCOUNT)
        return NULL;
    TRY(row_at(w, KEY_OBJECT_ALIAS, a->entry.kind, o->alias, &row, &found));
    if (!found)
        return NULL;
    TRY(core_entry(w->ledger, w->txn, row.seq, a->arena, &other));
    if (!view_eq(other.body.object.id, o->id))
        a->item.error = err_new(ERR_WRONG_STATE, "another account has this key");
out:
    return e;
}

struct err *write_object_check(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    const struct ledger_object *o = &a->entry.body.object;
    struct seq_row row;
    bool found;
    if (o->id.n != LEDGER_OBJECT_ID_BYTES) {
        a->item.error = err_new(ERR_BAD_FIELD, "an object's id has %d octets", LEDGER_OBJECT_ID_BYTES);
        return NULL;
    }
    TRY(row_at(w, KEY_OBJECT_ID, a->entry.kind, o->id, &row, &found));
    if (a->entry.ref == 0 && found)
        a->item.error = err_new(ERR_WRONG_STATE, "an object of this id stands already");
    else if (a->entry.ref != row.seq)
        a->item.error = err_new(ERR_CONFLICT, "its state has just been changed by another request");
    else
        e = check_alias(w, a);
out:
    return e;
}

static struct err *put_row(struct write *w, struct key k, uint64_t seq)
{
    struct seq_row row = {seq};
    return ROW_PUT(w->ops, w->txn, TABLE_OBJECT, key_view(&k), &row, STORE_PUT);
}

static struct err *put_mark(struct write *w, struct key k, uint64_t seq)
{
    key_add_seq(&k, seq);
    return w->ops->put(w->txn, TABLE_OBJECT, key_view(&k), view_of("", 0), STORE_PUT);
}

/* An account that has another key is no longer found by the old one. */
static struct err *drop_alias(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    struct ledger_entry before;
    TRY(core_entry(w->ledger, w->txn, a->entry.ref, a->arena, &before));
    struct view alias = before.body.object.alias;
    struct key k = key_object(KEY_OBJECT_ALIAS, a->entry.kind, alias);
    if (alias.n && !view_eq(alias, a->entry.body.object.alias))
        e = w->ops->del(w->txn, TABLE_OBJECT, key_view(&k));
out:
    return e;
}

struct err *write_object_apply(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    const struct ledger_object *o = &a->entry.body.object;
    unsigned kind = a->entry.kind;
    uint64_t seq = a->entry.seq;
    if (a->entry.ref)
        TRY(drop_alias(w, a));
    else
        TRY(put_mark(w, key_object(KEY_OBJECT_ALL, kind, view_of("", 0)), seq));
    if (!a->entry.ref && o->owner.n)
        TRY(put_mark(w, key_object(KEY_OBJECT_OWNER, kind, o->owner), seq));
    TRY(put_row(w, key_object(KEY_OBJECT_ID, kind, o->id), seq));
    if (o->alias.n)
        TRY(put_row(w, key_object(KEY_OBJECT_ALIAS, kind, o->alias), seq));
out:
    return e;
}
