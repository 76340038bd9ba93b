/*
 * Verification of objects: each state follows the one it names, and the index leads to the newest, by every
 * name it has. One thread.
 */
#include "verify.h"

static struct err *expect(struct verify *v, const struct ledger_entry *en, char by, struct view name)
{
    struct err *e = NULL;
    struct seq_row row;
    bool found;
    struct key k = key_object(by, en->kind, name);
    TRY(ROW_GET(v->ledger->ops, v->txn, TABLE_OBJECT, key_view(&k), &row, &found));
    if (!found || row.seq < en->seq)
        verify_found(v, en->seq, "index object does not lead here, or to a later state");
out:
    return e;
}

static struct err *expect_mark(struct verify *v, const struct ledger_entry *en, char by, struct view name)
{
    struct err *e = NULL;
    struct view have;
    struct key k = key_object(by, en->kind, name);
    key_add_seq(&k, en->seq);
    TRY(v->ledger->ops->get(v->txn, TABLE_OBJECT, key_view(&k), &have));
    if (!have.p)
        verify_found(v, en->seq, "index object does not list it");
out:
    return e;
}

/* How many aliases stand, each counted once. */
static void count_alias(struct verify *v, const struct ledger_entry *en, struct view alias, bool stands)
{
    uint8_t hash[SHA256_BYTES];
    size_t was = 0;
    const uint8_t kind = (uint8_t)en->kind;
    const struct view parts[] = {view_of(&kind, 1), alias};
    if (alias.n == 0)
        return;
    digest_sha256_parts(parts, 2, hash);
    if (!map_get(&v->alias_of, hash, &was))
        was = 0;
    v->aliases += (size_t)stands - was;
    map_set(&v->alias_of, hash, stands);
}

static struct err *check_new(struct verify *v, const struct ledger_entry *en)
{
    struct err *e = NULL;
    const struct ledger_object *o = &en->body.object;
    v->objects++;
    v->objects_owned += o->owner.n > 0;
    TRY(expect_mark(v, en, KEY_OBJECT_ALL, view_of("", 0)));
    if (o->owner.n)
        TRY(expect_mark(v, en, KEY_OBJECT_OWNER, o->owner));
out:
    return e;
}

static struct err *check_change(struct verify *v, const struct ledger_entry *en)
{
    struct err *e = NULL;
    struct ledger_entry before;
    const struct ledger_object *o = &en->body.object;
    if (en->ref >= en->seq) {
        verify_found(v, en->seq, "it follows entry %llu, which is no earlier one",
                     (unsigned long long)en->ref);
        return NULL;
    }
    TRY(core_entry(v->ledger, v->txn, en->ref, v->arena, &before));
    if (before.kind != en->kind || !view_eq(before.body.object.id, o->id) ||
        !view_eq(before.body.object.owner, o->owner))
        verify_found(v, en->seq, "it follows entry %llu, which is another object",
                     (unsigned long long)en->ref);
    else if (!view_eq(before.body.object.alias, o->alias))
        count_alias(v, en, before.body.object.alias, false);
out:
    return e;
}

struct err *verify_object_entry(struct verify *v, const struct ledger_entry *en)
{
    struct err *e = NULL;
    TRY(en->ref ? check_change(v, en) : check_new(v, en));
    TRY(expect(v, en, KEY_OBJECT_ID, en->body.object.id));
    count_alias(v, en, en->body.object.alias, true);
out:
    return e;
}
