/*
 * The inner nodes that are kept: the roots of all complete subtrees of 256, 256^2, ... leaves, a row for
 * each. With the leaves they are the tiles of C2SP's tlog-tiles, and every proof costs at most a few hundred
 * rows, however long the log. Inside a transaction.
 */
#ifndef CHANCERY_LEDGER_TILES_H
#define CHANCERY_LEDGER_TILES_H

#include "core.h"

enum { TILE_WIDTH = 1 << TREE_TILE_BITS };

/* Adds the leaf to the tree, and to the store the nodes that it completes. */
MUST_USE struct err *tiles_add(const struct store_ops *ops, struct store_txn *t, struct tree *tree,
                               const uint8_t leaf[SHA256_BYTES]);
/* In a store of an older program: all nodes, from the leaves. */
MUST_USE struct err *tiles_take_up(struct ledger *l, struct store_txn *t);

/* n hashes of this level (0: leaves) from `first` on, which must be there: ERR_CORRUPT. */
MUST_USE struct err *tiles_read(struct ledger *l, struct store_txn *t, unsigned level, uint64_t first,
                                size_t n, uint8_t (*ret)[SHA256_BYTES]);

/* Complete subtrees for proofs (merkle.h); lives as long as what it points to. */
struct tiles_at {
    struct ledger *ledger;
    struct store_txn *txn;
};
struct merkle_source tiles_source(struct tiles_at *at);

#endif
