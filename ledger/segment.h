/*
 * A segment: for a stretch of the log, which certificates have which terms (term.h). A file that is written
 * once, read through the memory map and never changed; several become one by merging. All of it can be made
 * again from the log: a file that is not whole, or is not of this log, is thrown away.
 *
 *     postings  uint32 each, in groups, ascending within a group: seqs less `base`
 *     terms     struct segment_term, ascending
 *     footer    struct segment_footer
 *
 * In the byte order of the machine, which the footer tells. Writing and merging block: on any thread.
 */
#ifndef CHANCERY_LEDGER_SEGMENT_H
#define CHANCERY_LEDGER_SEGMENT_H

#include "base/digest.h"
#include "base/err.h"
#include "base/view.h"

struct segment_term {
    uint64_t term;
    uint32_t at, n; /* postings [at, at + n); where n is 1, at is the posting itself */
};

struct segment_footer {
    char magic[16];
    uint64_t order;    /* 0x0102030405060708 */
    uint64_t from, to; /* entries of the log, both included */
    uint64_t base;     /* a posting is the seq of an intent less this */
    uint64_t terms_n, postings_n, pairs_n;
    uint64_t level;             /* how often it was merged */
    uint8_t leaf[SHA256_BYTES]; /* leaf hash of entry `to`: whose log this is */
};

struct segment {
    const struct segment_term *terms;
    const uint32_t *postings;
    struct segment_footer head;
    void *map; /* NULL: lies in memory of its own */
    size_t map_bytes;
    char *path; /* NULL: no file yet */
};

struct segment_pair {
    uint64_t term, seq;
};

/* One in memory, of n >= 1 pairs in ascending order without repetition. head: from, to, leaf. */
struct segment *segment_of(const struct segment_pair *pairs, size_t n, const struct segment_footer *head);

/* Writes what these n neighbours, in the order of the log, say together: durable when it returns. */
MUST_USE struct err *segment_write(const char *dir, const struct segment *const *all, size_t n,
                                   struct segment **ret);

/* ERR_CORRUPT where it is not a whole segment. */
MUST_USE struct err *segment_open(const char *path, struct segment **ret);
void segment_free(struct segment *s);   /* accepts NULL */
void segment_remove(struct segment *s); /* the file too */

struct segment_list {
    const uint32_t *p;
    uint32_t n;
    uint64_t base;
};
/* n 0: no certificate here has the term. Points into the segment. ERR_CORRUPT where it would point outside.
 */
MUST_USE struct err *segment_find(const struct segment *s, uint64_t term, struct segment_list *ret);

#endif
