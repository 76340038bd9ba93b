/*
 * Versions of templates: each an entry that refers to the one before it, the newest of each name in an index.
 * The rules are applied on the writer's thread; the rest is short looks, on the loop's.
 */
#include "base/check.h"
#include "entry.h"
#include "read.h"
#include "write.h"

static struct err *newest(const struct store_ops *ops, struct store_txn *t, const char *name,
                          struct template_row *row, bool *ret_found)
{
    return ROW_GET(ops, t, TABLE_TEMPLATE, view_str(name), row, ret_found);
}

/* --- writing --- */

struct err *write_template_check(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    struct template_row row;
    bool found;
    const struct ledger_template *t = &a->entry.body.template;
    if (t->name[0] == 0)
        a->item.error = err_new(ERR_BAD_FIELD, "a template without a name");
    if (a->item.error)
        return NULL;
    TRY(newest(w->ops, w->txn, t->name, &row, &found));
    if (t->version != row.version + 1 || a->entry.ref != row.seq)
        a->item.error = err_new(ERR_WRONG_STATE, "the newest version of template '%s' is %llu, of entry %llu",
                                t->name, (unsigned long long)row.version, (unsigned long long)row.seq);
out:
    return e;
}

struct err *write_template_apply(struct write *w, const struct core_append *a)
{
    struct template_row row = {a->entry.seq, a->entry.body.template.version};
    return ROW_PUT(w->ops, w->txn, TABLE_TEMPLATE, view_str(a->entry.body.template.name), &row, STORE_PUT);
}

/* --- reading --- */

static struct err *walk(struct ledger *l, struct store_txn *t, uint64_t seq, size_t limit,
                        struct arena *arena, struct ledger_entry *to, size_t *ret_n)
{
    struct err *e = NULL;
    size_t n = 0, bytes = 0;
    while (seq != 0 && n < limit && bytes < READ_PAGE_BYTES) {
        TRY(core_entry(l, t, seq, arena, &to[n]));
        if (to[n].kind != LEDGER_TEMPLATE || to[n].ref >= seq)
            return err_new(ERR_CORRUPT, "entry %llu is no version of a template", (unsigned long long)seq);
        bytes += to[n].raw.n;
        seq = to[n++].ref;
    }
    *ret_n = n;
out:
    return e;
}

struct err *ledger_template_versions(struct ledger *l, const char *name, uint64_t from, size_t limit,
                                     struct arena *arena, const struct ledger_entry **ret, size_t *ret_n)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct template_row row;
    bool found;
    struct ledger_entry *to = arena_array(arena, limit, sizeof(*to));
    TRY(l->ops->begin(l->store, false, &t));
    TRY(newest(l->ops, t, name, &row, &found));
    TRY(walk(l, t, from ? from : row.seq, limit, arena, to, ret_n));
    *ret = to;
out:
    l->ops->abort(t);
    return e;
}
