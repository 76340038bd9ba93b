/*
 * Copies of the log, and ledgers made from them. A backup is a folder of files that never change, each a
 * stretch of the log (ledger/copy_form.h): a further backup into the same folder adds what has come since.
 * Indexes are not in it: they follow from the log, and restoring makes them again by the rules under which
 * each entry was written.
 *
 * Never blocks the front: reads in short transactions, beside it, from a process of its own. Blocking; any
 * thread.
 */
#ifndef CHANCERY_LEDGER_BACKUP_H
#define CHANCERY_LEDGER_BACKUP_H

#include "ledger.h"

struct ledger_backup_report {
    uint64_t from, to; /* entries this call wrote (backup: from > to: there was nothing new), or checked */
    uint64_t bytes;    /* of the file, or of all files */
    size_t files;
    int64_t last_time_ms;       /* check: of the last entry; else 0 */
    uint8_t root[SHA256_BYTES]; /* of the tree over all entries up to `to` */
};

/* What the log has beyond the folder's files, as one more file, read again from the disk before it counts;
 * dir is made (0700) where missing. ERR_WRONG_STATE: the folder is another ledger's, or another backup is
 * being made; ERR_CORRUPT: an entry, or a file of before, does not fit its tree. Nothing is left half. */
MUST_USE struct err *ledger_backup(struct ledger *l, const char *dir, struct ledger_backup_report *ret);

/* Every entry of every file, from the first on. ERR_CORRUPT names file, entry and octet. */
MUST_USE struct err *ledger_backup_check(const char *dir, struct ledger_backup_report *ret);

/* To a folder that holds no ledger yet. Where it fails, what it made is of no use: the caller removes it. */
struct ledger_restore {
    const char *from, *to;
    uint64_t until;   /* the last entry to take; 0: all */
    int64_t until_ms; /* nothing written after this; 0: all */
};
struct ledger_restored {
    uint64_t entries; /* replayed */
    int64_t last_time_ms;
    uint8_t root[SHA256_BYTES];
};
/* Replays the log; ends with an entry of kind RESTORED, after which nothing is issued from this ledger until
 * one of kind ACCEPT_LOSS (ledger_restored()). *ret_ledger is open without a loop, for what must be merged
 * in; the caller closes it. ERR_WRONG_STATE: there is a ledger; ERR_CORRUPT: as above, or an entry does not
 * follow from those before it; ERR_NOT_FOUND: the backup has no such entry. */
MUST_USE struct err *ledger_restore(const struct ledger_restore *how, struct ledger **ret_ledger,
                                    struct ledger_restored *ret);

#endif
