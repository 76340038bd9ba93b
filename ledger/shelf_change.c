/* The journal of the shelf: one small row for each change, the oldest taken away as the newest comes. */
#include "shelf_change.h"

#include "base/check.h"
#include "base/world.h"
#include "rows.h"

static const char *const mark_key = "mark", *const last_key = "last";

struct err *shelf_change_mark(const struct store_ops *ops, struct store_txn *t, uint8_t ret[SHELF_MARK_BYTES])
{
    struct err *e = NULL;
    struct view v;
    TRY(ops->get(t, SHELF_META, view_str(mark_key), &v));
    if (v.n == SHELF_MARK_BYTES) {
        memcpy(ret, v.p, SHELF_MARK_BYTES);
        return NULL;
    }
    world_random(ret, SHELF_MARK_BYTES);
    TRY(ops->put(t, SHELF_META, view_str(mark_key), view_of(ret, SHELF_MARK_BYTES), STORE_PUT));
out:
    return e;
}

struct err *shelf_change_last(const struct store_ops *ops, struct store_txn *t, uint64_t *ret)
{
    struct view v;
    struct err *e = ops->get(t, SHELF_META, view_str(last_key), &v);
    if (!e)
        *ret = v.n == 8 ? be64_get(v.p) : 0;
    return e;
}

struct err *shelf_change_add(const struct store_ops *ops, struct store_txn *t, uint64_t seq,
                             enum shelf_table table, struct view key)
{
    struct err *e = NULL;
    uint8_t row[1 + KEY_BYTES];
    struct key at = key_seq(seq), old = key_seq(seq > CHANGES_KEPT ? seq - CHANGES_KEPT : 0);
    CHECK(key.n <= KEY_BYTES);
    row[0] = (uint8_t)table;
    memcpy(row + 1, key.p, key.n);
    TRY(ops->put(t, SHELF_CHANGES, key_view(&at), view_of(row, 1 + key.n), STORE_PUT_LAST));
    TRY(ops->del(t, SHELF_CHANGES, key_view(&old)));
out:
    return e;
}

struct err *shelf_change_end(const struct store_ops *ops, struct store_txn *t, uint64_t seq)
{
    uint8_t row[8];
    be64_put(row, seq);
    return ops->put(t, SHELF_META, view_str(last_key), view_of(row, sizeof row), STORE_PUT);
}
