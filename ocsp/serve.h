/* What the files of the serving half share. On the responder's loop. */
#ifndef CHANCERY_OCSP_SERVE_H
#define CHANCERY_OCSP_SERVE_H

#include "base/frame.h"
#include "ocsp.h"
#include "want.h"

enum { SERVE_ISSUERS_MAX = 64, SERVE_WANTS_MAX = 4096, SERVE_WANTS_PER_S = 4000, SERVE_WANT_MS = 500 };

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
    size_t wants_n;
    int64_t want_second; /* monotonic, that want_count counts in */
    unsigned want_count;
    uint64_t next_id;
    struct loop_timer *deadline; /* of the oldest */
};

/* One query that is parked: lives in its request's arena until http_resume. */
struct question {
    struct ocsp_server *server;
    struct arena *arena;
    struct want want;
    struct view nonce;
    ticket_id ticket;
    uint64_t id;
    int64_t until_ms;
    struct question *next, *prev;
};

/* Asks the front to make it; then the caller parks. False where that is not possible now. */
bool wanting_ask(struct ocsp_server *s, struct question *q);
/* How a question that was asked ends: exactly once. In serve.c. */
void serve_wanted(struct question *q, enum want_outcome outcome);
void wanting_close(struct ocsp_server *s);

#endif
