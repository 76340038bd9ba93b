/* A connection. Private to http. */
#ifndef CHANCERY_HTTP_CONN_H
#define CHANCERY_HTTP_CONN_H

#include "buf.h"
#include "chunk.h"
#include "exchange.h"
#include "io.h"

enum conn_state {
    CONN_HEAD,    /* a head comes, or nothing does */
    CONN_BODY,    /* the body of x comes */
    CONN_HANDED,  /* x is with its handler: replied, or parked */
    CONN_CLOSING, /* what is written still leaves */
    CONN_LINGER, /* our half is closed; what still comes is thrown away, so that no reset overtakes the answer
                  */
};

struct conn {
    struct http_server *server;
    struct conn *next, *prev;
    struct conn *kick_next;
    struct io io;
    struct loop_watch *watch;
    struct loop_timer *timer;
    struct peer *peer;
    enum conn_state state;
    struct buf in, out;
    int file; /* follows what is in out; -1: none */
    uint64_t file_at, file_left;
    struct parse_scan scan;
    struct chunk chunk;
    struct exchange *x;
    bool chunked;
    uint64_t body_left;   /* of a body with a length */
    int64_t began_ms;     /* the first octet of the request in hand; 0: none has come */
    int64_t due_ms;       /* the state's end */
    int64_t write_due_ms; /* while something waits to leave */
    uint64_t served, lingered;
    uint64_t moved; /* octets that left since write_due_ms was set */
    bool kicked;
    bool driving; /* conn_drive runs: a reply need not kick */
    bool eof, dead, lingers;
};

/* Takes io's descriptor and peer. Stands in s's list from now on. */
struct conn *conn_new(struct http_server *s, int fd, bool tls, struct peer *peer);
/* What was put off to the end of the turn. */
void conn_kicked(struct conn *c);
/* Nothing is under way, or nothing more will be. Draining: ends c now, or after its answer. */
void conn_drain(struct conn *c);
void conn_cut(struct conn *c);

/* For answers. */
struct buf *conn_out(struct conn *c);
bool conn_may_keep(const struct conn *c);
void conn_send_file(struct conn *c, int fd, uint64_t from, uint64_t bytes); /* takes fd */
void conn_replied(struct conn *c);

#endif
