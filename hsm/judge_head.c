/*
 * Judging a head of the ledger: against the last one that was signed, by a proof over hashes alone. Knows no
 * ledger and no key. Pure.
 */
#include "floor.h"
#include "head_book.h"

struct err *judge_head(const struct head_book *b, const struct hsm_head *head,
                       const struct merkle_proof *proof)
{
    unsigned long long was = b->last.size, is = head->size;
    if (is < was)
        return floor_breach(
            FLOOR_HEAD, "a head over %llu entries after one over %llu: the ledger was taken back", is, was);
    if (merkle_consistent(was, b->last.root, is, head->root, proof))
        return NULL;
    return floor_breach(
        FLOOR_HEAD, "a head over %llu entries that does not go on from the one over %llu (RFC 9162 2.1.4)",
        is, was);
}
