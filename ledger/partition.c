/*
 * Partitions of an issuer's certificates, filled one after the other: where the next one goes is known on the
 * loop's thread without a look at the store, since every intent passes there. Fixed by the intent, never
 * moved.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "read.h"

static struct err *read_all(struct ledger *l, const char *issuer, uint64_t from,
                            void (*fn)(void *arg, uint64_t partition, const struct partition_row *row),
                            void *arg)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct store_cursor *c = NULL;
    struct key prefix = key_text(issuer), first = key_number(issuer, from);
    struct view key = key_view(&first), value;
    struct partition_row row;
    bool found;
    TRY(l->ops->begin(l->store, false, &t));
    TRY(l->ops->cursor(t, TABLE_PARTITION, &c));
    TRY(l->ops->move(c, STORE_AT_OR_AFTER, &key, &value, &found));
    while (found && view_starts(key, key_view(&prefix))) {
        TRY(rows_unpack(value, &row, sizeof(row), TABLE_PARTITION));
        fn(arg, key_last_seq(key), &row);
        TRY(l->ops->move(c, STORE_NEXT, &key, &value, &found));
    }
out:
    l->ops->cursor_free(c);
    l->ops->abort(t);
    return e;
}

/* --- where the next one goes --- */

static struct core_partition *known(struct ledger *l, const char *issuer)
{
    for (size_t i = 0; i < l->partitions_n; i++)
        if (strcmp(l->partitions[i].issuer, issuer) == 0)
            return &l->partitions[i];
    return NULL;
}

static void keep_last(void *arg, uint64_t partition, const struct partition_row *row)
{
    struct core_partition *to = arg;
    to->partition = partition;
    to->certificates = row->certificates;
}

static struct err *learn(struct ledger *l, const char *issuer, struct core_partition **ret)
{
    struct err *e = NULL;
    struct core_partition fresh = {.partition = 1};
    snprintf(fresh.issuer, sizeof(fresh.issuer), "%s", issuer);
    TRY(read_all(l, issuer, 1, keep_last, &fresh));
    l->partitions = reallocarray(l->partitions, l->partitions_n + 1, sizeof(fresh));
    CHECK(l->partitions);
    *ret = &l->partitions[l->partitions_n++];
    **ret = fresh;
out:
    return e;
}

struct err *ledger_partition(struct ledger *l, const char *issuer, uint64_t size, uint64_t *ret)
{
    struct err *e = NULL;
    struct core_partition *p = known(l, issuer);
    if (!p)
        TRY(learn(l, issuer, &p));
    *ret = p->certificates < size ? p->partition : p->partition + 1;
out:
    return e;
}

void core_partition_count(struct ledger *l, const char *issuer, uint64_t partition)
{
    struct core_partition *p = known(l, issuer);
    if (!p || partition < p->partition)
        return;
    if (partition > p->partition)
        p->certificates = 0;
    p->partition = partition;
    p->certificates++;
}

/* --- all of them --- */

struct gathered {
    struct ledger_partition_state *all;
    size_t n, cap;
};

static void gather(void *arg, uint64_t partition, const struct partition_row *row)
{
    struct gathered *to = arg;
    if (to->n == to->cap) {
        to->cap = to->cap ? to->cap * 2 : 64;
        to->all = reallocarray(to->all, to->cap, sizeof(*to->all));
        CHECK(to->all);
    }
    to->all[to->n++] = (struct ledger_partition_state){partition, row->certificates, row->not_after};
}

struct err *ledger_partitions(struct ledger *l, const char *issuer, uint64_t from, struct arena *arena,
                              const struct ledger_partition_state **ret, size_t *ret_n)
{
    struct err *e = NULL;
    struct gathered all = {0};
    TRY(read_all(l, issuer, from, gather, &all));
    struct ledger_partition_state *to = arena_array(arena, all.n, sizeof(*to));
    if (all.n > 0)
        memcpy(to, all.all, all.n * sizeof(*to));
    *ret = to;
    *ret_n = all.n;
out:
    free(all.all);
    return e;
}
