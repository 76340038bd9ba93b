/*
 * Roots of earlier sizes, proofs, tiles and bundles, each read in one short transaction from what is kept.
 * Never writes; never looks at more than a few hundred rows for a proof, however long the log.
 */
#include "ledger_proof.h"

#include "base/der.h"
#include "tiles.h"

enum { BUNDLE_BYTES = 4 << 20 };

/* A moment of the ledger, and whether it reaches `size`. The transaction is the caller's to end. */
static struct err *look(struct ledger *l, uint64_t size, struct store_txn **ret)
{
    struct err *e = NULL;
    struct tree tree;
    int64_t time_ms;
    TRY(l->ops->begin(l->store, false, ret));
    TRY(core_state(l, *ret, &tree, &time_ms));
    if (size > tree.n)
        e = err_new(ERR_BAD_FIELD, "the log has %llu entries, not %llu", (unsigned long long)tree.n,
                    (unsigned long long)size);
out:
    return e;
}

struct err *ledger_root_at(struct ledger *l, uint64_t size, uint8_t ret[SHA256_BYTES])
{
    struct err *e = NULL;
    struct tiles_at at = {l, NULL};
    TRY(look(l, size, &at.txn));
    const struct merkle_source source = tiles_source(&at);
    TRY(merkle_root(&source, size, ret));
out:
    l->ops->abort(at.txn);
    return e;
}

struct err *ledger_inclusion(struct ledger *l, uint64_t seq, uint64_t size, struct merkle_proof *ret,
                             uint8_t ret_leaf[SHA256_BYTES])
{
    struct err *e = NULL;
    struct tiles_at at = {l, NULL};
    uint8_t leaf[1][SHA256_BYTES];
    if (seq == 0 || seq > size)
        return err_new(ERR_BAD_FIELD, "a head over %llu entries does not cover entry %llu",
                       (unsigned long long)size, (unsigned long long)seq);
    TRY(look(l, size, &at.txn));
    const struct merkle_source source = tiles_source(&at);
    TRY(tiles_read(l, at.txn, 0, seq - 1, 1, leaf));
    TRY(merkle_inclusion(&source, seq - 1, size, ret));
    if (ret_leaf)
        memcpy(ret_leaf, leaf[0], SHA256_BYTES);
out:
    l->ops->abort(at.txn);
    return e;
}

struct err *ledger_consistency(struct ledger *l, uint64_t from, uint64_t size, struct merkle_proof *ret)
{
    struct err *e = NULL;
    struct tiles_at at = {l, NULL};
    if (from > size)
        return err_new(ERR_BAD_FIELD, "a tree of %llu does not go on from one of %llu",
                       (unsigned long long)size, (unsigned long long)from);
    TRY(look(l, size, &at.txn));
    const struct merkle_source source = tiles_source(&at);
    TRY(merkle_consistency(&source, from, size, ret));
out:
    l->ops->abort(at.txn);
    return e;
}

struct err *ledger_signed(struct ledger *l, struct arena *arena, struct ledger_signed_head *ret,
                          uint64_t *ret_seq)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct seq_row row;
    struct ledger_entry entry;
    bool found;
    TRY(l->ops->begin(l->store, false, &t));
    TRY(ROW_GET(l->ops, t, TABLE_META, view_str("head"), &row, &found));
    if (!found)
        TRY(err_new(ERR_NOT_FOUND, "no head of this log has been signed yet"));
    TRY(core_entry(l, t, row.seq, arena, &entry));
    *ret = entry.body.signed_head;
    if (ret_seq)
        *ret_seq = row.seq;
out:
    l->ops->abort(t);
    return e;
}

/* Whether `width` of that level from index * 256 on are there. */
static struct err *reach(struct ledger *l, unsigned level, uint64_t index, size_t width,
                         struct store_txn **ret)
{
    struct err *e = NULL;
    struct tree tree;
    int64_t time_ms;
    TRY(l->ops->begin(l->store, false, ret));
    TRY(core_state(l, *ret, &tree, &time_ms));
    uint64_t there = level < TREE_TILES ? tree.n >> level * TREE_TILE_BITS : 0;
    if (width < 1 || width > TILE_WIDTH || index > UINT64_MAX / TILE_WIDTH - 1 ||
        index * TILE_WIDTH + width > there)
        e = err_new(ERR_NOT_FOUND, "the log does not reach so far");
out:
    return e;
}

struct err *ledger_tile(struct ledger *l, unsigned level, uint64_t index, size_t width, struct arena *arena,
                        struct view *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    TRY(reach(l, level, index, width, &t));
    uint8_t(*row)[SHA256_BYTES] = arena_array(arena, width, SHA256_BYTES);
    TRY(tiles_read(l, t, level, index * TILE_WIDTH, width, row));
    *ret = view_of(row[0], width * SHA256_BYTES);
out:
    l->ops->abort(t);
    return e;
}

/* The header of a stored entry as it is hashed. */
static struct err *header_of(struct ledger *l, struct store_txn *t, uint64_t seq, struct view *ret)
{
    struct err *e = NULL;
    struct key k = key_seq(seq);
    struct view value, in;
    TRY(l->ops->get(t, TABLE_LOG, key_view(&k), &value));
    if (!value.p)
        return err_new(ERR_CORRUPT, "there is no entry %llu", (unsigned long long)seq);
    TRY(der_read(&value, DER_SEQUENCE, &in));
    TRY(der_read_whole(&in, DER_SEQUENCE, ret));
out:
    return e;
}

struct err *ledger_bundle(struct ledger *l, uint64_t index, size_t width, struct arena *arena,
                          struct view *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct der_out out;
    TRY(reach(l, 0, index, width, &t));
    der_out_init(&out, arena, BUNDLE_BYTES);
    for (size_t i = 0; i < width; i++) {
        struct view header;
        TRY(header_of(l, t, index * TILE_WIDTH + i + 1, &header));
        const uint8_t length[2] = {(uint8_t)(header.n >> 8), (uint8_t)header.n};
        der_put_raw(&out, view_of(length, sizeof(length)));
        der_put_raw(&out, header);
    }
    TRY(der_out_done(&out, ret));
out:
    l->ops->abort(t);
    return e;
}
