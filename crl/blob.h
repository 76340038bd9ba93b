/*
 * What goes onto the shelf, and what lies there, as streams of octets: small ones in memory, big ones through
 * a file of the shelf, so that nothing is held that grows with a list. Each on one thread at a time;
 * blocking.
 */
#ifndef CHANCERY_CRL_BLOB_H
#define CHANCERY_CRL_BLOB_H

#include "base/digest.h"
#include "ledger_shelf.h"

/* --- writing: zeroed, then blob_begin --- */

struct blob_out {
    struct shelf *shelf;
    struct shelf_file file; /* fd -1: it is still small and lies in bytes */
    uint8_t *bytes;
    size_t n, cap;
    uint64_t total;
    struct digest *digest;
};
void blob_begin(struct blob_out *o, struct shelf *shelf);
MUST_USE struct err *blob_add(struct blob_out *o, struct view bytes);
/* Puts it under that name, its hash's first half the etag where item has none. On the loop's thread. */
MUST_USE struct err *blob_put(struct blob_out *o, const char *name, const struct shelf_item *item,
                              shelf_done *done, void *arg);
void blob_drop(struct blob_out *o); /* what was not put */

/* --- reading --- */

enum { BLOB_PIECE_BYTES = 48 * 1024 }; /* a multiple of 48: whole lines of PEM */
struct blob_in {
    struct view left; /* of what lies in memory */
    int fd;           /* else a file, fd owned */
    uint64_t at, n;
    uint8_t piece[BLOB_PIECE_BYTES];
};
/* An item as read from the shelf; borrowed. */
MUST_USE struct err *blob_open(struct blob_in *in, const struct shelf *shelf, const struct shelf_item *item);
/* The next piece, as long as piece but for the last; empty at the end. */
MUST_USE struct err *blob_next(struct blob_in *in, struct view *ret);
void blob_close(struct blob_in *in);
uint64_t blob_size(const struct shelf_item *item);

/* The whole of it, gzipped (RFC 1952), in squeeze.c. */
MUST_USE struct err *blob_squeeze(struct blob_in *in, struct blob_out *out);

#endif
