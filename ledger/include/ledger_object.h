/*
 * Objects that live on (ledger_entry_object.h), as their newest entries have them: by id, by alias, by owner.
 * On the loop's thread; errors as ledger_read.h has them.
 */
#ifndef CHANCERY_LEDGER_OBJECT_H
#define CHANCERY_LEDGER_OBJECT_H

#include "ledger_read.h"

/* kind: LEDGER_ACME_ACCOUNT, ... ERR_NOT_FOUND. */
MUST_USE struct err *ledger_object_find(struct ledger *l, unsigned kind, struct view id, struct arena *arena,
                                        struct ledger_entry *ret);
/* The newest entry of any object of this kind with this alias. ERR_NOT_FOUND. */
MUST_USE struct err *ledger_object_aliased(struct ledger *l, unsigned kind, struct view alias,
                                           struct arena *arena, struct ledger_entry *ret);
/* Newest first: those made before entry `before` (0: from the newest), at most limit; *ret_next: for the next
 * page, 0: that was all. owner empty: everybody's. */
MUST_USE struct err *ledger_object_list(struct ledger *l, unsigned kind, struct view owner, uint64_t before,
                                        size_t limit, struct arena *arena, const struct ledger_entry **ret,
                                        size_t *ret_n, uint64_t *ret_next);

#endif
