/*
 * The shelf's changes, numbered: which item was put or taken off, the last CHANGES_KEPT of them, written with
 * the change itself. For whoever follows the shelf (stream_send.c). The writer's transaction; any thread.
 */
#ifndef CHANCERY_LEDGER_SHELF_CHANGE_H
#define CHANCERY_LEDGER_SHELF_CHANGE_H

#include "shelf_form.h"

enum { CHANGES_KEPT = 1 << 18 };

/* The mark of the shelf, made where there is none: 16 random octets, so that two are not taken for one. */
MUST_USE struct err *shelf_change_mark(const struct store_ops *ops, struct store_txn *t,
                                       uint8_t ret[SHELF_MARK_BYTES]);

/* Within one transaction: the number of the last change, then each change, then the number of the last again.
 */
MUST_USE struct err *shelf_change_last(const struct store_ops *ops, struct store_txn *t, uint64_t *ret);
MUST_USE struct err *shelf_change_add(const struct store_ops *ops, struct store_txn *t, uint64_t seq,
                                      enum shelf_table table, struct view key);
MUST_USE struct err *shelf_change_end(const struct store_ops *ops, struct store_txn *t, uint64_t seq);

#endif
