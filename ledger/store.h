/*
 * An ordered key-value store with transactions, as one record of functions: LMDB's home is store_lmdb.c, and
 * a test can stand another record before it (to count, to run out of space). One write transaction at a time;
 * any number of readers, each seeing one moment. A read transaction belongs to whoever began it, not to a
 * thread. Views given by get and move live until the transaction ends or, in a write transaction, changes.
 *
 * Errors: ERR_NO_SPACE (map or disk full), ERR_CORRUPT, ERR_LEDGER for the rest. After an error in a write
 * transaction only abort is of use.
 */
#ifndef CHANCERY_LEDGER_STORE_H
#define CHANCERY_LEDGER_STORE_H

#include "base/err.h"
#include "base/view.h"

struct store;
struct store_txn;
struct store_cursor;

struct store_setup {
    const char *dir; /* must exist */
    size_t map_bytes;
    unsigned mode; /* of the files */
    bool readonly;
    const char *const *tables; /* the numbers of tables in the calls below are indexes here */
    unsigned tables_n;
};

enum store_put { STORE_PUT, STORE_PUT_LAST }; /* LAST: the key is above all there are */
enum store_move { STORE_FIRST, STORE_LAST, STORE_NEXT, STORE_PREV, STORE_AT_OR_AFTER };

struct store_room {
    uint64_t used_bytes, free_bytes; /* of map and disk the smaller */
};

struct store_ops {
    /* ERR_NOT_FOUND: readonly, and there is none (or one without these tables). */
    MUST_USE struct err *(*open)(const struct store_setup *setup, struct store **ret);
    void (*close)(struct store *s); /* accepts NULL; no transaction may be open */
    /* Frees the slots of readers that died. */
    void (*clear_readers)(struct store *s);
    MUST_USE struct err *(*room)(struct store *s, struct store_room *ret);

    MUST_USE struct err *(*begin)(struct store *s, bool write, struct store_txn **ret);
    MUST_USE struct err *(*commit)(struct store_txn *t); /* durable; t is gone in any case */
    void (*abort)(struct store_txn *t);                  /* also the end of reading; accepts NULL */

    /* ret->p == NULL: not there. */
    MUST_USE struct err *(*get)(struct store_txn *t, unsigned table, struct view key, struct view *ret);
    MUST_USE struct err *(*put)(struct store_txn *t, unsigned table, struct view key, struct view value,
                                enum store_put how);
    /* Nothing there: nothing done. */
    MUST_USE struct err *(*del)(struct store_txn *t, unsigned table, struct view key);
    MUST_USE struct err *(*count)(struct store_txn *t, unsigned table, uint64_t *ret);
    /* Octets of the pages it takes. */
    MUST_USE struct err *(*size)(struct store_txn *t, unsigned table, uint64_t *ret);

    MUST_USE struct err *(*cursor)(struct store_txn *t, unsigned table, struct store_cursor **ret);
    /* AT_OR_AFTER reads *key first. *key and *value are set where *ret_found. */
    MUST_USE struct err *(*move)(struct store_cursor *c, enum store_move how, struct view *key,
                                 struct view *value, bool *ret_found);
    void (*cursor_free)(struct store_cursor *c); /* before its transaction ends; accepts NULL */
};

extern const struct store_ops store_lmdb;

#endif
