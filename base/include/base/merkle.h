/*
 * The Merkle tree of RFC 9162 2.1: hashes of leaves and nodes, proofs made and proofs checked. Stores nothing
 * and knows no entries: whoever makes a proof gives the roots of complete subtrees, and gets by with log2 of
 * them. Pure; any thread.
 */
#ifndef CHANCERY_BASE_MERKLE_H
#define CHANCERY_BASE_MERKLE_H

#include "base/digest.h"
#include "base/err.h"

enum { MERKLE_LEVELS = 64, MERKLE_PROOF_MAX = MERKLE_LEVELS + 1 };

struct merkle_hash {
    uint8_t b[SHA256_BYTES];
};
struct merkle_proof { /* as RFC 9162 orders it: from the leaf's side to the root's */
    size_t n;
    struct merkle_hash at[MERKLE_PROOF_MAX];
};

/* SHA-256(0x00 || bytes), RFC 9162 2.1.1. */
void merkle_leaf(struct view bytes, uint8_t ret[SHA256_BYTES]);
/* SHA-256(0x01 || left || right). ret may be one of the two. */
void merkle_node(const uint8_t *left, const uint8_t *right, uint8_t *ret);

/* The root of the complete subtree over the leaves [index << level, (index + 1) << level). */
struct merkle_source {
    struct err *(*subtree)(void *arg, unsigned level, uint64_t index, uint8_t ret[SHA256_BYTES]);
    void *arg;
};
/* Of the first n leaves; SHA-256 of nothing where n is 0. */
MUST_USE struct err *merkle_root(const struct merkle_source *s, uint64_t n, uint8_t ret[SHA256_BYTES]);
/* RFC 9162 2.1.3.1, of the leaf with this index (from 0) in the tree of n leaves; index < n. */
MUST_USE struct err *merkle_inclusion(const struct merkle_source *s, uint64_t index, uint64_t n,
                                      struct merkle_proof *ret);
/* RFC 9162 2.1.4.1, from the tree of `from` leaves to that of n; from <= n. Empty where they are equal, or
 * from is 0. */
MUST_USE struct err *merkle_consistency(const struct merkle_source *s, uint64_t from, uint64_t n,
                                        struct merkle_proof *ret);

/* RFC 9162 2.1.3.2. */
bool merkle_included(const uint8_t leaf[SHA256_BYTES], uint64_t index, uint64_t n,
                     const struct merkle_proof *proof, const uint8_t root[SHA256_BYTES]);
/* RFC 9162 2.1.4.2; any tree goes on from the empty one. */
bool merkle_consistent(uint64_t from, const uint8_t from_root[SHA256_BYTES], uint64_t n,
                       const uint8_t root[SHA256_BYTES], const struct merkle_proof *proof);

#endif
