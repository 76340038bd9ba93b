/*
 * Proofs from the log's tree (RFC 9162 2.1), its tiles, and the heads that the vault has signed. Leaf seq - 1
 * is the header of entry seq. Each call is one short read transaction, on the loop's thread; sizes up to the
 * present number of entries, past it ERR_BAD_FIELD.
 */
#ifndef CHANCERY_LEDGER_PROOF_H
#define CHANCERY_LEDGER_PROOF_H

#include "base/merkle.h"
#include "ledger_entry.h"

struct ledger;

MUST_USE struct err *ledger_root_at(struct ledger *l, uint64_t size, uint8_t ret[SHA256_BYTES]);
/* Of entry seq (1 to size) in the tree of `size` leaves; ret_leaf may be NULL. */
MUST_USE struct err *ledger_inclusion(struct ledger *l, uint64_t seq, uint64_t size, struct merkle_proof *ret,
                                      uint8_t ret_leaf[SHA256_BYTES]);
MUST_USE struct err *ledger_consistency(struct ledger *l, uint64_t from, uint64_t size,
                                        struct merkle_proof *ret);

/* The newest signed head in the ledger; ERR_NOT_FOUND where there is none yet. Texts and views in the arena.
 */
MUST_USE struct err *ledger_signed(struct ledger *l, struct arena *arena, struct ledger_signed_head *ret,
                                   uint64_t *ret_seq);

/* A tile of tlog-tiles: `width` hashes (1 to 256), 32 octets each, from (index * 256) of this level on.
 * ERR_NOT_FOUND where the log does not reach so far. */
MUST_USE struct err *ledger_tile(struct ledger *l, unsigned level, uint64_t index, size_t width,
                                 struct arena *arena, struct view *ret);
/* The headers of entries index * 256 + 1 and on, each after its length in two octets. ERR_NOT_FOUND. */
MUST_USE struct err *ledger_bundle(struct ledger *l, uint64_t index, size_t width, struct arena *arena,
                                   struct view *ret);

#endif
