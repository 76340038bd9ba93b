/* What the files of this room share of an open ledger. `tree` and `time_ms` belong to the writer thread while
 * it runs. */
#ifndef CHANCERY_LEDGER_CORE_H
#define CHANCERY_LEDGER_CORE_H

#include <stdatomic.h>

#include "batch.h"
#include "finder.h"
#include "ledger.h"
#include "rows.h"
#include "tree.h"

enum { CORE_SCHEMA = 2, CORE_WATCHERS = 8, CORE_IDEMPOTENCY_S = 24 * 3600 };

/* 9999-12-31: for a certificate whose end nobody knows. */
#define CORE_NEVER_S INT64_C(253402300799)

struct core_watcher {
    void (*fn)(void *arg, const struct ledger_event *ev);
    void *arg;
};

/* Where new certificates of an issuer go: its last partition, and how many it has. */
struct core_partition {
    char issuer[LEDGER_ISSUER_BYTES + 1];
    uint64_t partition, certificates;
};

struct ledger {
    const struct store_ops *ops;
    struct store *store;
    struct finder *finder;
    struct loop *loop; /* NULL: init, or read-only */
    struct batch *batch;
    struct ticket_table *tickets;
    struct loop_timer *reader_check;
    struct core_watcher watchers[CORE_WATCHERS];
    size_t watchers_n;
    size_t unended;                    /* intents written by this process whose end was not appended yet */
    struct core_partition *partitions; /* of the issuers that were asked for; the loop's */
    size_t partitions_n;
    uint64_t restored; /* as ledger_restored_by() has it; the loop's */
    int shelf_fd;      /* folder whose disk must have room for answers and lists; -1: not looked at */
    int64_t looked_ms; /* at the room; the loop's */
    atomic_bool low;   /* room for what is kept alone */
    atomic_int failed; /* enum err_code of the last commit; -1: it stood */
    size_t map_bytes;
    int lock_fd; /* one writer; -1 */
    bool readonly;
    /* the writer's */
    struct tree tree;
    int64_t time_ms;
};

/* One entry on its way. */
struct core_append {
    struct batch_item item; /* first */
    ticket_id ticket;
    ledger_done *done;
    void *arg;
    struct arena *arena;
    struct ledger_entry entry; /* our own copy, in the arena */
    struct view body;
    uint8_t fingerprint[SHA256_BYTES]; /* RECORD: of the certificate */
    uint64_t partition;                /* of the certificate; 0: none */
    struct ledger_result result;
};

/* ledger_open on another record of functions: for tests. */
MUST_USE struct err *core_open(const struct store_ops *ops, const char *dir,
                               const struct ledger_options *options, struct loop *loop, struct ledger **ret);

/* What is free, and how much of it new work may not take. */
struct core_room {
    uint64_t free_bytes, kept_bytes;
};
MUST_USE struct err *core_room(struct ledger *l, struct store_txn *t, struct core_room *ret);

/* One transaction for all of them; sets each item's error or result. On the writer's thread. */
void write_group(struct ledger *l, struct batch_item *first);

/* Schema, tree and last entries: ERR_WRONG_STATE, ERR_CORRUPT. */
MUST_USE struct err *core_take_up(struct ledger *l);

/* From schema 1: the rows that came with the present one. In a write transaction. */
MUST_USE struct err *core_migrate(struct ledger *l, struct store_txn *t);

/* The index, with all that the log has and it has not yet. */
MUST_USE struct err *core_take_index(struct ledger *l, const char *dir);

/* Of the certificate that this signature makes of the intent; where it makes none, what nobody asks for. */
void core_fingerprint(const struct ledger_entry *intent, struct view signature, struct arena *arena,
                      uint8_t ret[SHA256_BYTES]);
/* On the loop's thread: an intent for this partition is on its way (partition.c). */
void core_partition_count(struct ledger *l, const char *issuer, uint64_t partition);

/* The tree and the time as stored; zero in a new ledger. */
MUST_USE struct err *core_state(struct ledger *l, struct store_txn *t, struct tree *ret_tree,
                                int64_t *ret_time_ms);
/* The tags that an intent has now. */
MUST_USE struct err *core_tags(struct ledger *l, struct store_txn *t, uint64_t intent, struct arena *arena,
                               struct ledger_texts *ret);
MUST_USE struct err *core_restored(struct ledger *l, struct store_txn *t, uint64_t *ret);
/* The entry with this number, copied into the arena. ERR_NOT_FOUND. */
MUST_USE struct err *core_entry(struct ledger *l, struct store_txn *t, uint64_t seq, struct arena *arena,
                                struct ledger_entry *ret);

#endif
