/*
 * Verification: signed heads. Each one, in the ledger's book or in the roll, must be over the tree as it was
 * at that size: then all of them follow from one another, and neither the ledger nor what the vault was shown
 * was ever another. One thread.
 */
#include <inttypes.h>

#include "tiles.h"
#include "verify.h"

/* Nodes that are stored wrongly are findings of their own. */
static struct err *root_is(struct verify *v, uint64_t size, struct view root, bool *ret)
{
    struct tiles_at at = {v->ledger, v->txn};
    const struct merkle_source source = tiles_source(&at);
    uint8_t have[SHA256_BYTES];
    struct err *e = merkle_root(&source, size, have);
    *ret = !e && view_eq(root, view_of(have, sizeof(have)));
    return e;
}

struct err *verify_heads(struct verify *v)
{
    struct err *e = NULL;
    const struct verify_head *heads = v->heads.items;
    for (size_t i = 0; i < v->heads.n; i++) {
        bool right = true;
        if (heads[i].size > v->tree.n)
            continue; /* a finding already: it is over more than there was */
        e = root_is(v, heads[i].size, view_of(heads[i].root, SHA256_BYTES), &right);
        TRY(verify_softly(v, heads[i].seq, e));
        if (!right)
            verify_found(v, heads[i].seq, "the head over %" PRIu64 " entries is of another tree",
                         heads[i].size);
    }
out:
    return e;
}

/* The heads are in the order of their seals, but for those that were put down late. */
static void find(struct verify *v, uint64_t n)
{
    struct verify_head *heads = v->heads.items;
    for (size_t i = v->head_at; i < v->heads.n; i++)
        if (heads[i].n == n) {
            heads[i].sealed = true;
            v->head_at = i + 1;
            return;
        }
}

struct err *verify_head_seal(struct verify *v, const struct ledger_seal *s)
{
    struct err *e = NULL;
    bool right = true;
    v->report->seals_head++;
    find(v, s->n);
    if (!v->ledger)
        return NULL; /* an export: each was looked at when the log came to its size */
    if (s->n < v->accepted_n && s->extra > v->lost_after)
        return NULL; /* over entries whose loss was accepted */
    if (s->extra > v->tree.n) {
        verify_found(v, 0,
                     "seal %" PRIu64 " is a head over %" PRIu64 " entries, the log ends at %" PRIu64
                     ": it was rolled back",
                     s->n, s->extra, v->tree.n);
        return NULL;
    }
    e = root_is(v, s->extra, s->serial, &right);
    TRY(verify_softly(v, 0, e));
    if (!right)
        verify_found(v, 0, "seal %" PRIu64 " is a head over %" PRIu64 " entries of another tree", s->n,
                     s->extra);
out:
    return e;
}
