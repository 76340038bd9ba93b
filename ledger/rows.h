/*
 * Tables, keys and rows of the ledger's store. A row is a struct of eight-octet numbers and is stored as
 * these numbers, big-endian, in order. A key that ends in a seq sorts by it within its prefix. Pure; any
 * thread.
 */
#ifndef CHANCERY_LEDGER_ROWS_H
#define CHANCERY_LEDGER_ROWS_H

#include <endian.h>

#include "base/digest.h"
#include "base/limits.h"
#include "be.h"
#include "ledger_read.h"
#include "store.h"

enum table {
#define TABLE(name, text) TABLE_##name,
#include "tables.def"
#undef TABLE
    TABLE__COUNT
};
extern const char *const rows_tables[TABLE__COUNT];

/* --- keys --- */

enum { KEY_BYTES = 511, KEY_TEXT_BYTES = 440, KEY_SEQ_BYTES = 8 };
struct key {
    size_t n;
    uint8_t b[KEY_BYTES];
};
static inline struct view key_view(const struct key *k)
{
    return view_of(k->b, k->n);
}
struct key key_seq(uint64_t seq);
/* issuer, 0, serial; an empty serial: the prefix of all of the issuer's. */
struct key key_serial(const char *issuer, struct view serial);
/* issuer, 0, number (a partition, a scope, a seq): a key, or the prefix of what lies under it. */
struct key key_number(const char *issuer, uint64_t number);
/* text, 0: the prefix of an exact text; a long one is cut, so whoever reads compares the text itself. */
struct key key_text(const char *text);
struct key key_bytes(struct view bytes);
void key_add_seq(struct key *k, uint64_t seq);
void key_add(struct key *k, struct view bytes);
uint64_t key_last_seq(struct view key); /* 0 where it is too short */
/* Above all keys with this prefix and below the next ones. False where there is nothing above. */
bool key_after_prefix(struct key *k);

/* Of index OBJECT: what leads to an object, of a kind, by this name. */
enum { KEY_OBJECT_ID = 'i', KEY_OBJECT_ALIAS = 'k', KEY_OBJECT_OWNER = 'o', KEY_OBJECT_ALL = 'a' };
struct key key_object(char by, unsigned kind, struct view name);
bool rows_is_object(unsigned kind);

/* --- rows --- */

struct cert_row { /* CERT: seq of the intent -> what became of it */
    uint64_t state, reason, record, end;
    int64_t not_after, revoked_at;
};
struct revoked_row { /* REVOKED: issuer, serial -> */
    int64_t at;
    uint64_t reason;
    int64_t invalidity, not_after;
    uint64_t intent, end;
};
struct changed_row {               /* CHANGED: issuer, seq -> whose status changed there */
    uint64_t serial[3], partition; /* its octets, zeros behind them */
};
struct list_row { /* LIST: issuer, scope, number -> */
    uint64_t seq, upto;
    int64_t this_update, next_update;
};
struct partition_row { /* PARTITION: issuer, partition -> */
    uint64_t certificates;
    int64_t not_after; /* the last one's end */
};
struct token_row { /* TOKEN: id -> */
    uint64_t seq, uses, used;
    int64_t expires, revoked_at;
};
struct issuer_row {  /* ISSUER: name -> */
    uint64_t crl;    /* the last list of everything */
    uint64_t number; /* the highest of all lists */
    uint64_t upto;
    int64_t this_update;
};
struct idem_row { /* IDEM: hash over asker and key -> */
    uint64_t intent;
    int64_t expires;
};
struct template_row { /* TEMPLATE: name -> */
    uint64_t seq, version;
};
struct seq_row { /* SERIAL, TIME, BLOCKED, META */
    uint64_t seq;
};

struct changed_row rows_changed(struct view serial, uint64_t partition);
void rows_changed_serial(const struct changed_row *row, uint8_t ret[SERIAL_BYTES]);
/* What a list is over: LEDGER_WHOLE, LEDGER_DELTA or its partition. And the issuer's row after it. */
uint64_t rows_scope(const struct ledger_entry *list);
struct issuer_row rows_issuer_after(const struct issuer_row *row, const struct ledger_entry *list);

enum { ROW_BYTES = 64 };
struct row_bytes {
    size_t n;
    uint8_t b[ROW_BYTES];
};
struct row_bytes rows_pack(const void *row, size_t n);
/* ERR_CORRUPT where the length is not the row's. */
MUST_USE struct err *rows_unpack(struct view stored, void *row, size_t n, enum table table);

/* Gets a row of type *row; *ret_found false and *row zero where there is none. */
#define ROW_GET(txn_ops, txn, table, key, row, ret_found)                                                    \
    rows_get((txn_ops), (txn), (table), (key), (row), sizeof(*(row)), (ret_found))
#define ROW_PUT(txn_ops, txn, table, key, row, how)                                                          \
    rows_put((txn_ops), (txn), (table), (key), (row), sizeof(*(row)), (how))
MUST_USE struct err *rows_get(const struct store_ops *ops, struct store_txn *t, enum table table,
                              struct view key, void *row, size_t n, bool *ret_found);
MUST_USE struct err *rows_put(const struct store_ops *ops, struct store_txn *t, enum table table,
                              struct view key, const void *row, size_t n, enum store_put how);

#endif
