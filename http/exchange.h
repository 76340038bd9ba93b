/* One request and its answer. Private to http. */
#ifndef CHANCERY_HTTP_EXCHANGE_H
#define CHANCERY_HTTP_EXCHANGE_H

#include "buf.h"
#include "route.h"
#include "server.h"

struct added {
    struct added *next;
    const char *name, *value;
};

/* Lives in its arena. What the handler sees is its first member. */
struct exchange {
    struct http_request r;
    struct conn *conn; /* NULL: nobody waits any more (the client left, or had its 503) */
    struct http_server *server;
    struct peer *peer;
    const struct http_route *route;
    struct route_captures segments; /* decoded */
    const struct parse_field *fields;
    size_t fields_n;
    struct buf body;
    struct added *added, **added_last;
    ticket_id ticket; /* while parked */
    bool is_head, keep_alive, replied, must_add_keep_alive;
    int status;
    char id[33];
};

static inline struct exchange *exchange_of(struct http_request *r)
{
    return (struct exchange *)r;
}

struct exchange *exchange_new(struct http_server *s, struct conn *c, struct peer *peer);
void exchange_free(struct exchange *x); /* accepts NULL */

/* Reads a whole head into x. 0, or the status to refuse with, and why. */
int exchange_read(struct exchange *x, struct view head, const char **ret_why);
/* Finds the row for x. 0; 404; 405 with Allow added. */
int exchange_route(struct exchange *x, const char **ret_why);

/* The answer's status line and headers, into out. length < 0: none is told. */
void exchange_put_head(struct exchange *x, struct buf *out, int status, const char *type, int64_t length);

/* A problem with a status that need not be its row's. */
void exchange_refuse(struct exchange *x, int status, enum err_code code, const char *detail);

#endif
