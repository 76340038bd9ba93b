/*
 * The nodes that are kept, and complete subtrees of any size put together from them. Writes where an entry
 * completes one, and once for a store that has none yet.
 */
#include "tiles.h"

#include "base/check.h"
#include "base/log.h"

enum { WORTH_A_LINE = 100000 };

static struct key node_key(unsigned level, uint64_t index)
{
    struct key k = key_seq(level);
    key_add_seq(&k, index);
    return k;
}

struct err *tiles_add(const struct store_ops *ops, struct store_txn *t, struct tree *tree,
                      const uint8_t leaf[SHA256_BYTES])
{
    struct err *e = NULL;
    uint8_t done[TREE_TILES][SHA256_BYTES];
    size_t n = tree_add_done(tree, leaf, done);
    for (unsigned i = 0; i < n; i++) {
        unsigned level = i + 1;
        struct key k = node_key(level, (tree->n >> level * TREE_TILE_BITS) - 1);
        TRY(ops->put(t, TABLE_NODE, key_view(&k), view_of(done[i], SHA256_BYTES), STORE_PUT));
    }
out:
    return e;
}

static struct err *add_all(struct ledger *l, struct store_txn *t, struct store_cursor *c)
{
    struct err *e = NULL;
    struct tree tree = {0};
    struct view key, value;
    bool found;
    TRY(l->ops->move(c, STORE_FIRST, &key, &value, &found));
    while (found) {
        uint8_t leaf[SHA256_BYTES] = {0};
        if (value.n == sizeof(leaf))
            memcpy(leaf, value.p, sizeof(leaf));
        TRY(tiles_add(l->ops, t, &tree, leaf));
        TRY(l->ops->move(c, STORE_NEXT, &key, &value, &found));
    }
out:
    return e;
}

struct err *tiles_take_up(struct ledger *l, struct store_txn *t)
{
    struct err *e = NULL;
    struct store_cursor *c = NULL;
    struct view last = {NULL, 0};
    uint64_t whole = l->tree.n >> TREE_TILE_BITS;
    if (whole == 0)
        return NULL;
    struct key k = node_key(1, whole - 1);
    TRY(l->ops->get(t, TABLE_NODE, key_view(&k), &last));
    if (last.p)
        return NULL;
    if (l->tree.n > WORTH_A_LINE)
        log_info("ledger.nodes", log_num("entries", (long long)l->tree.n));
    TRY(l->ops->cursor(t, TABLE_LEAF, &c));
    TRY(add_all(l, t, c));
out:
    l->ops->cursor_free(c);
    return e;
}

struct err *tiles_read(struct ledger *l, struct store_txn *t, unsigned level, uint64_t first, size_t n,
                       uint8_t (*ret)[SHA256_BYTES])
{
    struct err *e = NULL;
    struct store_cursor *c = NULL;
    struct key k = level ? node_key(level, first) : key_seq(first + 1);
    struct view key = key_view(&k), value;
    bool found;
    TRY(l->ops->cursor(t, level ? TABLE_NODE : TABLE_LEAF, &c));
    TRY(l->ops->move(c, STORE_AT_OR_AFTER, &key, &value, &found));
    for (size_t i = 0; i < n; i++) {
        struct key want = level ? node_key(level, first + i) : key_seq(first + i + 1);
        if (!found || !view_eq(key, key_view(&want)) || value.n != SHA256_BYTES)
            TRY(err_new(ERR_CORRUPT, "the tree lacks node %llu of level %u", (unsigned long long)(first + i),
                        level * TREE_TILE_BITS));
        memcpy(ret[i], value.p, SHA256_BYTES);
        TRY(l->ops->move(c, STORE_NEXT, &key, &value, &found));
    }
out:
    l->ops->cursor_free(c);
    return e;
}

static struct err *subtree(void *arg, unsigned level, uint64_t index, uint8_t ret[SHA256_BYTES])
{
    struct err *e = NULL;
    const struct tiles_at *at = arg;
    uint8_t row[TILE_WIDTH][SHA256_BYTES];
    unsigned above = level % TREE_TILE_BITS;
    size_t n = (size_t)1 << above;
    TRY(tiles_read(at->ledger, at->txn, level / TREE_TILE_BITS, index << above, n, row));
    for (; n > 1; n /= 2)
        for (size_t i = 0; i < n / 2; i++)
            merkle_node(row[2 * i], row[2 * i + 1], row[i]);
    memcpy(ret, row[0], SHA256_BYTES);
out:
    return e;
}

struct merkle_source tiles_source(struct tiles_at *at)
{
    return (struct merkle_source){subtree, at};
}
