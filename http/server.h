/* What the files of http share about a server. Private to http. */
#ifndef CHANCERY_HTTP_SERVER_H
#define CHANCERY_HTTP_SERVER_H

#include "http.h"
#include "parse.h"
#include "peer.h"

struct conn;

enum { SERVER_ARENAS = 64, SERVER_RANDOM_BYTES = 2048 };

struct route_table {
    struct route_table *next;
    const struct http_route *rows;
    size_t n;
    void *app;
};

struct listener {
    struct listener *next;
    struct http_server *server;
    const char *name;
    struct loop_watch *watch;
    int fd;
    bool tls;
};

struct http_server {
    struct loop *loop;
    struct http_config config;
    struct route_table *tables, **tables_last;
    struct listener *listeners;
    struct ssl_ctx_st *tls;
    struct bio_method_st *bio_method;
    struct peer_counts *peers;
    struct ticket_table *parked;
    struct conn *conns;
    size_t conns_n, unix_n;
    struct conn *kicked;             /* to be looked at when the turn ends */
    struct conn *kicking;            /* of these, what kick_run has still before it */
    bool kick_due;                   /* kick_run is on the loop's list */
    bool gone;                       /* freed, but for kick_due */
    struct loop_timer *accept_timer; /* listeners rest until then */
    struct loop_timer *drain_timer;
    bool draining;
    void (*on_drained)(void *arg);
    void *drained_arg;
    void (*on_refusal)(void *arg, const struct http_request *r, const struct err *why);
    void *refusal_arg;
    struct parse_head head; /* the head being read: big, so here once */
    struct arena *arenas[SERVER_ARENAS];
    size_t arenas_n;
    uint8_t random[SERVER_RANDOM_BYTES];
    size_t random_left;
    int64_t date_s; /* of date */
    char date[32];
};

/* From a store of empty ones, and back. */
struct arena *server_arena(struct http_server *s);
void server_arena_back(struct http_server *s, struct arena *a);
/* 32 hex digits and NUL. */
void server_id(struct http_server *s, char to[33]);
const char *server_date(struct http_server *s);
/* c ends: out of the lists and the counts. */
void server_left(struct http_server *s, struct conn *c);
/* See to it that conn_kicked runs for what stands in s->kicked, at the end of this turn. */
void server_kick(struct http_server *s);

#endif
