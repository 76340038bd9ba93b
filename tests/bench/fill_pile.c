/* Rows of one index in order. Holds them all in memory: 10 million are a few hundred megabytes. */
#include "fill_pile.h"

#include <stdlib.h>

#include "pace.h"

enum { AT_ONCE = 100000 };

static void must(struct err *e)
{
    if (e)
        pace_die("%s", err_detail(e));
}

struct pile pile_new(enum table table, struct key prefix, size_t key_bytes, size_t value_bytes)
{
    return (struct pile){
        .table = table, .prefix = prefix, .key_bytes = key_bytes, .value_bytes = value_bytes};
}

uint8_t *pile_add(struct pile *p)
{
    size_t width = p->key_bytes + p->value_bytes;
    if (p->n == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 1024;
        p->items = realloc(p->items, p->cap * width);
        if (!p->items)
            pace_die("no memory for %zu rows", p->cap);
    }
    return p->items + p->n++ * width;
}

static int by_octets(const void *a, const void *b, void *pile)
{
    return memcmp(a, b, ((const struct pile *)pile)->key_bytes);
}

static void put(struct pile *p, struct ledger *l, struct store_txn *t, const uint8_t *item)
{
    struct key k = p->prefix;
    memcpy(k.b + k.n, item, p->key_bytes);
    k.n += p->key_bytes;
    must(l->ops->put(t, p->table, key_view(&k), view_of(item + p->key_bytes, p->value_bytes), STORE_PUT));
}

void pile_put(struct pile *p, struct ledger *l)
{
    size_t width = p->key_bytes + p->value_bytes;
    if (p->n > 0)
        qsort_r(p->items, p->n, width, by_octets, p);
    for (size_t i = 0; i < p->n;) {
        struct store_txn *t;
        must(l->ops->begin(l->store, true, &t));
        for (size_t end = i + AT_ONCE; i < p->n && i < end; i++)
            put(p, l, t, p->items + i * width);
        must(l->ops->commit(t));
    }
    free(p->items);
    p->items = NULL;
    p->n = p->cap = 0;
}
