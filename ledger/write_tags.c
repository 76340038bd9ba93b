/*
 * Tags of certificates: which stand, and which certificates have one. They begin with the intent; each entry
 * of kind TAGS takes the place of all that stood before it. On the writer's thread.
 */
#include "entry.h"
#include "write.h"

static struct key tag_key(const char *tag, uint64_t intent)
{
    struct key k = key_text(tag);
    key_add_seq(&k, intent);
    return k;
}

struct err *write_tags_put(struct write *w, uint64_t intent, uint64_t entry, const struct ledger_texts *tags)
{
    struct err *e = NULL;
    struct key mine = key_seq(intent);
    struct seq_row row = {entry};
    if (entry == intent && tags->n == 0)
        return NULL;
    for (size_t i = 0; i < tags->n; i++) {
        struct key k = tag_key(tags->items[i], intent);
        TRY(w->ops->put(w->txn, TABLE_TAG, key_view(&k), view_of("", 0), STORE_PUT));
    }
    TRY(ROW_PUT(w->ops, w->txn, TABLE_TAGGED, key_view(&mine), &row, STORE_PUT));
out:
    return e;
}

/* Long ones are cut in the key: two of one certificate may share it, so all go before the new ones come. */
static struct err *remove_old(struct write *w, uint64_t intent, struct arena *arena)
{
    struct err *e = NULL;
    struct ledger_texts tags;
    TRY(core_tags(w->ledger, w->txn, intent, arena, &tags));
    for (size_t i = 0; i < tags.n; i++) {
        struct key k = tag_key(tags.items[i], intent);
        TRY(w->ops->del(w->txn, TABLE_TAG, key_view(&k)));
    }
out:
    return e;
}

struct err *write_tags_check(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    struct seq_row serial;
    bool found;
    struct key k = key_serial(a->entry.issuer, a->entry.serial);
    TRY(ROW_GET(w->ops, w->txn, TABLE_SERIAL, key_view(&k), &serial, &found));
    if (!found)
        a->item.error = err_new(ERR_NOT_FOUND, "no certificate of this serial is on record");
    a->entry.ref = a->result.intent = found ? serial.seq : 0;
out:
    return e;
}

struct err *write_tags_apply(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    TRY(remove_old(w, a->entry.ref, a->arena));
    TRY(write_tags_put(w, a->entry.ref, a->entry.seq, &a->entry.body.tags.tags));
out:
    return e;
}
