/* What the files of the serving half share. On the responder's loop. */
#ifndef CHANCERY_OCSP_SERVE_H
#define CHANCERY_OCSP_SERVE_H

#include "base/frame.h"
#include "ocsp.h"
#include "want.h"

/* The front has other work: what strangers ask here must not become the most of it. So many are with it at
 * once, so many are sent in each slice of time, and the others wait for their turn, but none for longer than
 * SERVE_WANT_MS. */
enum {
    SERVE_ISSUERS_MAX = 64,
    SERVE_WANTS_MAX = 4096,
    SERVE_WITH_FRONT_MAX = 128,
    SERVE_SLICE_MS = 10,
    SERVE_SLICE_WANTS = 80,
    SERVE_WANT_MS = 500
};

struct served {
    char name[64];
    struct cert_ocsp_issuer hashes;
};

struct ocsp_server {
    struct loop *loop;
    struct shelf_reader *shelf;
    struct hsm *hsm;
    struct http_server *http;
    struct served issuers[SERVE_ISSUERS_MAX];
    size_t n;
    bool ending; /* shelf_reader_end is due after this turn */
    struct channel *front;
    struct question *wants, *wants_last; /* parked, oldest first */
    struct question *unsent; /* the first of them that the front has not heard of; the rest follow */
    size_t wants_n, with_front;
    int64_t slice; /* of time, and what was sent in it */
    unsigned slice_wants;
    uint64_t next_id;
    struct loop_timer *deadline; /* of the oldest */
    struct loop_timer *pace;     /* the next slice */
};

struct query;

/* One certificate that a query asks about. */
struct question {
    struct query *query;
    struct want want;
    struct shelf_item item; /* the ready answer, where there is one: of this turn */
    struct view here;       /* an answer that came from the front and lies on no shelf: the query's own */
    bool sent;
    uint64_t id;
    int64_t until_ms;
    struct question *next, *prev;
};

/* A whole query: lives in its request's arena, where it is parked until http_resume. */
struct query {
    struct ocsp_server *server;
    struct arena *arena;
    struct view nonce; /* p NULL: none */
    ticket_id ticket;
    enum want_outcome worst; /* of what the front said */
    size_t waits;            /* questions that are with wanting.c */
    size_t n;
    struct question questions[];
};

/* Asks the front to make it; then the caller parks. False where that is not possible now. */
bool wanting_ask(struct ocsp_server *s, struct question *q);
/* How a question that was asked ends: exactly once, later. In serve.c. */
void serve_wanted(struct question *q, const struct want_done *done);
void wanting_close(struct ocsp_server *s);

#endif
