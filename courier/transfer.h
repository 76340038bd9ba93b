/* One transfer over HTTP(S): libcurl's multi interface on our loop. transfer*.c are libcurl's home. */
#ifndef CHANCERY_COURIER_TRANSFER_H
#define CHANCERY_COURIER_TRANSFER_H

#include <netinet/in.h>

#include "base/arena.h"
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
/* --- a question, to one address --- */

struct transfer_get {
    const char *url;
    const struct in6_addr *address; /* connected to, whatever the host in the URL resolves to */
    size_t max_bytes;               /* of the body; all headers together: 16 KiB */
    int64_t connect_ms, whole_ms;
    /* Asked once more about the very address, just before. */
    bool (*may_connect)(void *arg, const struct in6_addr *address);
};
enum transfer_end {
    TRANSFER_ANSWERED,
    TRANSFER_NO_CONNECTION,
    TRANSFER_NOT_ALLOWED,
    TRANSFER_TIMED_OUT,
    TRANSFER_TOO_LARGE,
    TRANSFER_TLS,
    TRANSFER_NO_HTTP, /* something, but not an HTTP answer */
};
struct transfer_got {
    enum transfer_end end;
    int errno_value; /* of NO_CONNECTION, where it is known; or 0 */
    int status;
    struct view body;
    const char *location; /* where a redirect leads, absolute; or NULL */
};
/* Borrowed until return. */
typedef void transfer_got_it(void *arg, const struct transfer_got *got);
/* No redirect is followed, no name looked up, no connection used again; certificates are not verified: what
 * is asked for says by itself whether it is right. */
MUST_USE struct err *transfers_get(struct transfers *t, const struct transfer_get *get, transfer_got_it *done,
                                   void *arg, struct transfer **ret);

/* An http(s) URL in parts, with its default port; false for any other. In the arena. */
struct transfer_url {
    bool https;
    const char *host; /* in lower case; an IPv6 address without its brackets */
    uint16_t port;
};
bool transfer_url_read(const char *url, struct arena *arena, struct transfer_url *ret);

void transfers_cut(struct transfer *x); /* `done` is not called */

#endif
