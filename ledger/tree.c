/*
 * The frontier of the RFC 9162 tree: adding a leaf merges equal subtrees like a carry in binary addition; the
 * root folds what stands, from the smallest up. Never sees an entry, only hashes. Any thread.
 */
#include "tree.h"

#include <string.h>

#include "be.h"

size_t tree_add_done(struct tree *t, const uint8_t leaf[SHA256_BYTES],
                     uint8_t ret_done[TREE_TILES][SHA256_BYTES])
{
    uint8_t hash[SHA256_BYTES];
    size_t done = 0;
    memcpy(hash, leaf, sizeof(hash));
    unsigned k = 0;
    while (t->n >> k & 1) {
        merkle_node(t->node[k], hash, hash);
        if (++k % TREE_TILE_BITS == 0)
            memcpy(ret_done[done++], hash, sizeof(hash));
    }
    memcpy(t->node[k], hash, sizeof(hash));
    t->n++;
    return done;
}

void tree_add(struct tree *t, const uint8_t leaf[SHA256_BYTES])
{
    uint8_t done[TREE_TILES][SHA256_BYTES];
    (void)tree_add_done(t, leaf, done);
}

void tree_root(const struct tree *t, uint8_t ret[SHA256_BYTES])
{
    bool any = false;
    for (unsigned k = 0; k < TREE_LEVELS; k++) {
        if (!(t->n >> k & 1))
            continue;
        if (any)
            merkle_node(t->node[k], ret, ret);
        if (!any)
            memcpy(ret, t->node[k], SHA256_BYTES);
        any = true;
    }
    if (!any)
        digest_sha256((struct view){NULL, 0}, ret);
}

bool tree_eq(const struct tree *a, const struct tree *b)
{
    if (a->n != b->n)
        return false;
    for (unsigned k = 0; k < TREE_LEVELS; k++)
        if ((a->n >> k & 1) && memcmp(a->node[k], b->node[k], SHA256_BYTES) != 0)
            return false;
    return true;
}

size_t tree_put(const struct tree *t, uint8_t to[TREE_BYTES_MAX])
{
    be64_put(to, t->n);
    size_t at = 8;
    for (unsigned k = TREE_LEVELS; k-- > 0;) {
        if (!(t->n >> k & 1))
            continue;
        memcpy(to + at, t->node[k], SHA256_BYTES);
        at += SHA256_BYTES;
    }
    return at;
}

struct err *tree_get(struct view stored, struct tree *ret)
{
    struct tree t = {0};
    struct view part;
    if (!view_take(&stored, 8, &part))
        return err_new(ERR_CORRUPT, "the stored tree is cut off");
    t.n = be64_get(part.p);
    for (unsigned k = TREE_LEVELS; k-- > 0;) {
        if (!(t.n >> k & 1))
            continue;
        if (!view_take(&stored, SHA256_BYTES, &part))
            return err_new(ERR_CORRUPT, "the stored tree is cut off");
        memcpy(t.node[k], part.p, SHA256_BYTES);
    }
    if (stored.n != 0)
        return err_new(ERR_CORRUPT, "the stored tree has a tail");
    *ret = t;
    return NULL;
}
