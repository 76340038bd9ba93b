/* The Merkle tree of RFC 9162 over the entries' headers, as its frontier: the roots of the perfect subtrees
 * on the right edge, one for each bit set in the number of leaves. Pure; any thread. */
#ifndef CHANCERY_LEDGER_TREE_H
#define CHANCERY_LEDGER_TREE_H

#include "base/digest.h"
#include "base/merkle.h"

/* TILE_BITS: subtrees of 256, 256^2, ... leaves are kept (tiles.h). */
enum {
    TREE_LEVELS = 64,
    TREE_BYTES_MAX = 8 + TREE_LEVELS * SHA256_BYTES,
    TREE_TILE_BITS = 8,
    TREE_TILES = TREE_LEVELS / TREE_TILE_BITS
};

struct tree {
    uint64_t n;                              /* leaves */
    uint8_t node[TREE_LEVELS][SHA256_BYTES]; /* node[k] counts where bit k of n is set: 2^k leaves */
};

void tree_add(struct tree *t, const uint8_t leaf[SHA256_BYTES]);
/* The same; the roots of the subtrees of 256, 256^2, ... leaves that end with it, and how many these are. */
size_t tree_add_done(struct tree *t, const uint8_t leaf[SHA256_BYTES],
                     uint8_t ret_done[TREE_TILES][SHA256_BYTES]);
/* SHA-256 of nothing where n is 0. */
void tree_root(const struct tree *t, uint8_t ret[SHA256_BYTES]);
bool tree_eq(const struct tree *a, const struct tree *b);

/* Stored: n, 8 octets big-endian, then the nodes from the largest subtree down. Returns the length. */
size_t tree_put(const struct tree *t, uint8_t to[TREE_BYTES_MAX]);
MUST_USE struct err *tree_get(struct view stored, struct tree *ret); /* ERR_CORRUPT */

#endif
