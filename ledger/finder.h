/*
 * The index by which certificates are found: terms (term.h) in segments (segment.h), the newest ones in
 * memory. It follows the log, costs the commit nothing, and is made again from the log where it is missing:
 * the log alone is the book. On the loop's thread; files are written and merged on a thread of its own, a
 * ledger without a loop does that at once.
 */
#ifndef CHANCERY_LEDGER_FINDER_H
#define CHANCERY_LEDGER_FINDER_H

#include "ledger_entry.h"
#include "term.h"

struct finder;

enum { FINDER_ENTRIES = 8192, FINDER_PAIRS = 1 << 17, FINDER_MERGE = 8 };

/* dir: "index" in the ledger's folder, made where missing. entries: how many the log has; leaf_of tells whose
 * segments are there: ones of another log, or past its end, are thrown away (readonly: passed over). */
struct finder_setup {
    const char *dir;
    bool readonly, threaded;
    uint64_t entries;
    MUST_USE struct err *(*leaf_of)(void *arg, uint64_t seq, uint8_t ret[SHA256_BYTES]);
    void *arg;
};
MUST_USE struct err *finder_open(const struct finder_setup *setup, struct finder **ret);
void finder_close(struct finder *f); /* accepts NULL */

/* The first entry it has not seen: whoever opened it shows it the rest of the log. */
uint64_t finder_next_entry(const struct finder *f);
/* The next entry of the log, of whatever kind, with its seq and leaf. fingerprint: of a RECORD, or NULL. */
void finder_add(struct finder *f, const struct ledger_entry *en, const uint8_t *fingerprint);
/* All it has in files, too; for a ledger without a loop, and tests. */
MUST_USE struct err *finder_settle(struct finder *f);

/* --- walking: intents, the newest first --- */

struct finder_terms { /* a certificate must have one of these */
    const uint64_t *terms;
    size_t n;
};
struct finder_walk;
/* Those that have one of each; conds_n >= 1, and conds stay as they are. Lives in the arena, and not longer
 * than until something is added. */
struct finder_walk *finder_walk_open(struct finder *f, const struct finder_terms *conds, size_t conds_n,
                                     struct arena *arena);
/* The greatest seq below `below`, which only falls; 0: there is none. Stops after a bounded number of steps:
 * *ret_stopped, and the greatest is not above *ret. */
MUST_USE struct err *finder_walk_next(struct finder_walk *w, uint64_t below, uint64_t *ret,
                                      bool *ret_stopped);

/* The least seq with this term that is above `above`; 0: there is none. */
MUST_USE struct err *finder_first(struct finder *f, uint64_t term, uint64_t above, uint64_t *ret);

/* Octets of its files. */
uint64_t finder_bytes(const struct finder *f);
/* How many pairs of term and intent it holds, for verification. */
uint64_t finder_pairs(const struct finder *f);

#endif
