/*
 * A copy of a stretch of the log: one file, written once and never changed. All DER:
 *
 *     Copy ::= Head Item* Foot size(4)
 *     Head ::= SEQUENCE { version INTEGER (1), from INTEGER, before OCTET STRING }
 *     Item ::= SEQUENCE { leaf OCTET STRING, value (as it stands in the log) }
 *     Foot ::= [0] SEQUENCE { to INTEGER, leaf OCTET STRING, after OCTET STRING }
 *
 * before and after are the tree's frontier on either side, leaf in the foot is that of entry `to`, size the
 * octets of Foot, so that it is found from the end. Every bit is pinned: the leaf is over the header, the
 * header pins the body, the frontier the leaves. Blocking; any thread.
 */
#ifndef CHANCERY_LEDGER_COPY_FORM_H
#define CHANCERY_LEDGER_COPY_FORM_H

#include "entry.h"
#include "tree.h"

enum { COPY_VERSION = 1, COPY_PATH_BYTES = 4096 };

/* What its name says, "%016x-%016x.entries". */
struct copy_name {
    uint64_t from, to;
};
bool copy_name_read(const char *name, struct copy_name *ret);

/* --- writing: under a temporary name until it is whole --- */

struct copy_writer;
MUST_USE struct err *copy_begin(const char *dir, const struct tree *before, struct copy_writer **ret);
/* Entry after entry, without a gap. */
MUST_USE struct err *copy_put(struct copy_writer *w, struct view value, const uint8_t leaf[SHA256_BYTES]);
const struct tree *copy_tree(const struct copy_writer *w);
/* Durable under its own name, and read again from the disk: ret_path, and its octets. w is gone in any case;
 * where it fails nothing is left. */
MUST_USE struct err *copy_finish(struct copy_writer *w, char ret_path[COPY_PATH_BYTES], uint64_t *ret_bytes);
void copy_abandon(struct copy_writer *w); /* accepts NULL */

/* --- reading --- */

struct copy {
    char path[COPY_PATH_BYTES];
    struct view file, rest;
    struct tree before, tree; /* tree: with all that were read */
    struct tree after;        /* as the foot says */
    struct copy_name name;
    uint8_t last[SHA256_BYTES]; /* leaf of the last entry, by the foot */
    uint8_t seen[SHA256_BYTES]; /* of the last one read */
};
/* Head and foot. ERR_CORRUPT, ERR_NOT_FOUND, ERR_IO; all name the path. */
MUST_USE struct err *copy_open(const char *path, struct copy **ret);
void copy_close(struct copy *c); /* accepts NULL */
/* The next entry, held against its leaf; at the end the tree against the foot. *ret_more false: the end.
 * value borrows from the file, ret from the arena. ERR_CORRUPT says which entry, and at which octet. */
MUST_USE struct err *copy_next(struct copy *c, struct arena *arena, struct ledger_entry *ret,
                               struct view *ret_value, bool *ret_more);
/* All of it. */
MUST_USE struct err *copy_check(const char *path, struct tree *ret_after);

#endif
