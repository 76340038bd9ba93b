/*
 * Roots and proofs of the tree of RFC 9162. Making one goes down the tree as its definition does, and asks
 * for the complete subtrees beside the way; checking one follows the algorithms of 2.1.3.2 and 2.1.4.2. Any
 * thread.
 */
#include "base/merkle.h"

#include <string.h>

#include "base/check.h"

void merkle_leaf(struct view bytes, uint8_t ret[SHA256_BYTES])
{
    static const uint8_t zero[1] = {0x00};
    digest_sha256_parts((const struct view[]){view_of(zero, 1), bytes}, 2, ret);
}

void merkle_node(const uint8_t *left, const uint8_t *right, uint8_t *ret)
{
    uint8_t both[1 + 2 * SHA256_BYTES] = {0x01};
    memcpy(both + 1, left, SHA256_BYTES);
    memcpy(both + 1 + SHA256_BYTES, right, SHA256_BYTES);
    digest_sha256(view_of(both, sizeof both), ret);
}

/* --- making --- */

/* The largest power of two below n, which is at least 2. */
static uint64_t split(uint64_t n)
{
    return 1ull << (63 - __builtin_clzll(n - 1));
}

/* Of [from, to): from is a multiple of a power of two that is not below to - from, as in every part of a
 * tree. */
static struct err *range_root(const struct merkle_source *s, uint64_t from, uint64_t to,
                              uint8_t ret[SHA256_BYTES])
{
    struct err *e = NULL;
    uint8_t right[SHA256_BYTES];
    uint64_t n = to - from;
    if ((n & (n - 1)) == 0) {
        unsigned level = (unsigned)__builtin_ctzll(n);
        return s->subtree(s->arg, level, from >> level, ret);
    }
    TRY(range_root(s, from, from + split(n), ret));
    TRY(range_root(s, from + split(n), to, right));
    merkle_node(ret, right, ret);
out:
    return e;
}

static struct err *add(const struct merkle_source *s, uint64_t from, uint64_t to, struct merkle_proof *ret)
{
    CHECK(ret->n < MERKLE_PROOF_MAX);
    return range_root(s, from, to, ret->at[ret->n++].b);
}

struct err *merkle_root(const struct merkle_source *s, uint64_t n, uint8_t ret[SHA256_BYTES])
{
    if (n > 0)
        return range_root(s, 0, n, ret);
    digest_sha256((struct view){NULL, 0}, ret);
    return NULL;
}

static struct err *path(const struct merkle_source *s, uint64_t index, uint64_t from, uint64_t to,
                        struct merkle_proof *ret)
{
    struct err *e = NULL;
    if (to - from == 1)
        return NULL;
    uint64_t mid = from + split(to - from);
    bool left = index < mid;
    TRY(path(s, index, left ? from : mid, left ? mid : to, ret));
    TRY(add(s, left ? mid : from, left ? to : mid, ret));
out:
    return e;
}

struct err *merkle_inclusion(const struct merkle_source *s, uint64_t index, uint64_t n,
                             struct merkle_proof *ret)
{
    CHECK(index < n);
    ret->n = 0;
    return path(s, index, 0, n, ret);
}

/* SUBPROOF of RFC 9162 2.1.4.1; whole: the old tree is a subtree here, whose root the asker has. */
static struct err *subproof(const struct merkle_source *s, uint64_t old, uint64_t from, uint64_t to,
                            bool whole, struct merkle_proof *ret)
{
    struct err *e = NULL;
    if (old == to)
        return whole ? NULL : add(s, from, to, ret);
    uint64_t mid = from + split(to - from);
    bool left = old <= mid;
    TRY(subproof(s, old, left ? from : mid, left ? mid : to, whole && left, ret));
    TRY(add(s, left ? mid : from, left ? to : mid, ret));
out:
    return e;
}

struct err *merkle_consistency(const struct merkle_source *s, uint64_t from, uint64_t n,
                               struct merkle_proof *ret)
{
    CHECK(from <= n);
    ret->n = 0;
    return from == 0 || from == n ? NULL : subproof(s, from, 0, n, true, ret);
}

/* --- checking --- */

static bool same(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, SHA256_BYTES) == 0;
}

bool merkle_included(const uint8_t leaf[SHA256_BYTES], uint64_t index, uint64_t n,
                     const struct merkle_proof *proof, const uint8_t root[SHA256_BYTES])
{
    uint8_t r[SHA256_BYTES];
    uint64_t fn = index, sn = n - 1;
    if (index >= n)
        return false;
    memcpy(r, leaf, sizeof r);
    for (size_t i = 0; i < proof->n; i++) {
        if (sn == 0)
            return false;
        bool right = (fn & 1) || fn == sn;
        merkle_node(right ? proof->at[i].b : r, right ? r : proof->at[i].b, r);
        for (; right && !(fn & 1) && fn != 0; sn >>= 1)
            fn >>= 1;
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && same(r, root);
}

/* The roots of both trees as the proof has them: fr of the old one, sr of the new. */
static bool fold(uint64_t fn, uint64_t sn, const struct merkle_proof *proof, size_t first, uint8_t *fr,
                 uint8_t *sr)
{
    for (size_t i = first; i < proof->n; i++) {
        if (sn == 0)
            return false;
        bool right = (fn & 1) || fn == sn;
        if (right)
            merkle_node(proof->at[i].b, fr, fr);
        merkle_node(right ? proof->at[i].b : sr, right ? sr : proof->at[i].b, sr);
        for (; right && !(fn & 1) && fn != 0; sn >>= 1)
            fn >>= 1;
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0;
}

bool merkle_consistent(uint64_t from, const uint8_t from_root[SHA256_BYTES], uint64_t n,
                       const uint8_t root[SHA256_BYTES], const struct merkle_proof *proof)
{
    uint8_t fr[SHA256_BYTES], sr[SHA256_BYTES];
    uint64_t fn = from - 1, sn = n - 1;
    bool power = (from & (from - 1)) == 0;
    if (from > n)
        return false;
    if (from == 0 || from == n)
        return proof->n == 0 && (from == 0 || same(from_root, root));
    if (!power && proof->n == 0)
        return false;
    memcpy(fr, power ? from_root : proof->at[0].b, sizeof fr);
    memcpy(sr, fr, sizeof sr);
    for (; fn & 1; sn >>= 1)
        fn >>= 1;
    return fold(fn, sn, proof, power ? 0 : 1, fr, sr) && same(fr, from_root) && same(sr, root);
}
