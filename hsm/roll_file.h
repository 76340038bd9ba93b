/*
 * The seal roll's file, roll.der: opened and verified whole, appended in groups, synced by another thread.
 * The loop's thread, except roll_file_sync_run.
 *
 *     roll_file_add() ... roll_file_add()     in memory: numbers and chain are given here
 *     roll_file_write()                       one write for all added; fails: all of them are taken back
 *     roll_file_sync_begin(), _run(), _end()  fdatasync; then roll_file_synced() tells up to where the roll
 * is durable
 *
 * A failed fdatasync leaves the kernel's copy in doubt: what was not known durable is written again before
 * the next one.
 */
#ifndef CHANCERY_HSM_ROLL_FILE_H
#define CHANCERY_HSM_ROLL_FILE_H

#include "roll.h"

struct roll_file;

/* seen (may be NULL): each entry on file, in order. A torn end is cut and logged; a broken chain is
 * ERR_CORRUPT with its place, and the file is left as it is. A missing file is made. The file is
 * locked while it is open: ERR_WRONG_STATE where another process has it. */
MUST_USE struct err *roll_file_open(const char *dir,
                                    void (*seen)(void *arg, const struct hsm_roll_entry *entry), void *arg,
                                    struct roll_file **ret);
void roll_file_close(struct roll_file *r); /* accepts NULL */

const uint8_t *roll_file_id(const struct roll_file *r); /* ROLL_ID_BYTES: which vault this is */
uint64_t roll_file_n(const struct roll_file *r);        /* of the last entry added */
uint64_t roll_file_synced(const struct roll_file *r);   /* of the last entry known durable */
/* Highest crlNumber sealed under this key; 0 where none. */
uint64_t roll_file_crl_floor(const struct roll_file *r, struct view key);
/* ERR_TOO_MANY where no floor can be kept for another key. Ask before adding a CRL. */
MUST_USE struct err *roll_file_crl_room(const struct roll_file *r, struct view key);

/* n, time_ms and prev_sha256 are filled in here. Gives n. */
uint64_t roll_file_add(struct roll_file *r, const struct hsm_roll_entry *entry);
/* ERR_NO_SPACE or ERR_IO: nothing of what was added since the last write is on file, or counts. */
MUST_USE struct err *roll_file_write(struct roll_file *r);

/* False where all that is written is durable, or a sync is under way. */
bool roll_file_sync_begin(struct roll_file *r);
void roll_file_sync_run(struct roll_file *r); /* the sync thread; blocks */
/* ERR_NO_SPACE or ERR_IO: nothing more is durable than before. *ret_n: up to which number this sync spoke. */
MUST_USE struct err *roll_file_sync_end(struct roll_file *r, uint64_t *ret_n);

/* Whole entries from number `from` on, at least one where there is one, about max_bytes; next as in hsm.h. */
MUST_USE struct err *roll_file_read(struct roll_file *r, uint64_t from, uint64_t max, size_t max_bytes,
                                    struct arena *arena, struct view *ret, uint64_t *ret_next);
/* ns[i] becomes the number of the first entry at or after `from` with this tbs hash, where one is found and
 * ns[i] is 0. Looks at a bounded number of entries; *ret_next: where to go on, 0 at the end. */
MUST_USE struct err *roll_file_find(struct roll_file *r, uint64_t from, const struct view *tbs_sha256,
                                    size_t n, uint64_t *ns, struct arena *arena, uint64_t *ret_next);

#endif
