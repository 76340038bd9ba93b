/* One transfer over HTTP(S): libcurl's multi interface on our loop. transfer.c is libcurl's home. */
#ifndef CHANCERY_COURIER_TRANSFER_H
#define CHANCERY_COURIER_TRANSFER_H

#include "base/err.h"
#include "base/loop.h"

struct transfers;
struct transfer;

MUST_USE struct err *transfers_new(struct loop *loop, struct transfers **ret);
void transfers_free(struct transfers *t); /* no `done` is called; accepts NULL */

struct transfer_put {
    const char *url, *type;
    const char *header;  /* one more header line, or NULL */
    const char *ca_file; /* or NULL */
    int fd;              /* a file, all of it; taken on success */
};
/* e: NULL for a 2xx, else the callee's: ERR_IO. */
typedef void transfer_done(void *arg, struct err *e);
MUST_USE struct err *transfers_put(struct transfers *t, const struct transfer_put *put, transfer_done *done,
                                   void *arg, struct transfer **ret);
void transfers_cut(struct transfer *x); /* `done` is not called */

#endif
