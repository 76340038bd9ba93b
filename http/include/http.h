/*
 * A web server that knows no PKI: HTTP/1.1 and 1.0 (RFC 9110, 9112), strict, over TCP, TLS and unix sockets.
 * Everything here belongs to the thread of the server's loop.
 *
 * A request reaches its handler whole, within all limits. The handler answers before it returns, or parks:
 *
 *     static void show(struct http_request *r)
 *     {
 *         struct job *j = ARENA_NEW(r->arena, struct job);
 *         j->ticket = http_park(r);
 *         start_something(j, done);
 *     }
 *     static void done(struct job *j)
 *     {
 *         struct http_request *r = http_resume(server, j->ticket); // exactly once for each park
 *         if (!r)
 *             return; // the client has left or was answered 503: drop the result; j is gone now
 *         http_reply(r, 200, "text/plain", view_str("done\n"));
 *     }
 *
 * The arena of a parked request (and so r, its views, j) lives until http_resume, whatever the client does.
 */
#ifndef CHANCERY_HTTP_H
#define CHANCERY_HTTP_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/loop.h"
#include "base/ticket.h"

struct http_server;

enum http_method {
    HTTP_GET = 1,
    HTTP_HEAD = 2,
    HTTP_POST = 4,
    HTTP_PUT = 8,
    HTTP_DELETE = 16,
    HTTP_PATCH = 32
};

/* Who is at the other end. Lives as long as the request. */
struct http_peer {
    const char *listener; /* the name given to http_listen */
    const char *address;  /* "192.0.2.1", "2001:db8::1", "unix" */
    bool loopback;        /* 127.0.0.0/8, ::1 or a unix socket */
    bool is_unix;         /* then uid and gid are the kernel's word */
    uid_t uid;
    gid_t gid;
    const char *tls_version; /* "TLSv1.3"; NULL: not encrypted */
    struct view certificate; /* DER, key possession proved; NOTHING else of it is verified; empty: none */
};

struct http_request {
    enum http_method method; /* HEAD comes as HTTP_GET; the answer's body is left out */
    struct view path;        /* percent-decoded; no NUL, no "." or ".." segment */
    struct view query;       /* after '?', raw; see http_query */
    struct view body;        /* whole, transfer coding removed */
    struct arena *arena;     /* freed after the answer has been made */
    const struct http_peer *peer;
    const char *id;        /* 32 hex digits, random; X-Request-Id of the answer */
    int64_t started_ms;    /* monotonic: when its first octet came */
    void *app;             /* as given with the routes */
    const void *route_arg; /* of its row */
    struct http_server *server;
};

/* Rows are tried in order; the first that fits the path and method serves. Pattern: literal segments and
 * {name}, a segment's rest may follow it ("/crl/{issuer}-delta.crl"); a last {name*} takes all that is left,
 * slashes too. {name} never matches an empty segment or one with an encoded slash. HEAD comes with GET. A
 * path that fits with another method is answered 405 with Allow, an unknown one 404. */
struct http_route {
    unsigned methods; /* HTTP_GET | HTTP_POST ... */
    const char *pattern;
    void (*handle)(struct http_request *r);
    size_t max_body_bytes; /* 413 past it, before it is read */
    const void *arg;
};

/* 0 means the default in brackets. */
struct http_config {
    size_t connections_max;          /* [4096] past it 503 with Retry-After, or a close on TLS */
    size_t connections_per_peer_max; /* [256] by address, /64 for IPv6; not for unix sockets */
    int64_t request_ms;     /* [15000] from a request's first octet (or the accept) to its last: 408 */
    int64_t idle_ms;        /* [60000] between requests */
    int64_t write_ms;       /* [30000] to take each 64 KiB of an answer, or its rest */
    int64_t park_ms;        /* [30000] a parked request is answered 503 then */
    bool gauge_connections; /* this server feeds the metric CONNECTIONS */
};

MUST_USE struct err *http_server_new(struct loop *l, const struct http_config *config,
                                     struct http_server **ret);
void http_server_free(
    struct http_server *s); /* cuts what is open; later http_resume must not come; accepts NULL */

/* Tables are borrowed for good and tried in the order they were added. */
void http_routes(struct http_server *s, const struct http_route *routes, size_t n, void *app);

/* Told of each request that is refused before any handler sees it, for what it is (400, 408, 411, 413, 414,
 * 415, 431, 501; not 404 and 405), so that it can be put on record. r has id and peer; fn must not answer. */
void http_on_refusal(struct http_server *s,
                     void (*fn)(void *arg, const struct http_request *r, const struct err *why), void *arg);

/* Takes fd: an open listening socket, TCP or unix. name is borrowed for good. A TLS listener refuses
 * handshakes until http_tls_set. */
void http_listen(struct http_server *s, int fd, bool tls, const char *name);

/* The certificate chain (PEM, leaf first) and its key (PEM) for new handshakes; may be called again at any
 * time. On failure the old one stays. TLS 1.2 (ECDHE with AEAD) and 1.3. A client certificate is asked for
 * and any is let through, with proof of possession; who it is, is judged above. */
MUST_USE struct err *http_tls_set(struct http_server *s, struct view chain_pem, struct view key_pem);

/* Accepts no more, finishes what is under way, cuts the rest after ms; then fn(arg), once, from the loop. */
void http_drain(struct http_server *s, int64_t ms, void (*fn)(void *arg), void *arg);
size_t http_connections(const struct http_server *s);

/* ---- reading ---- */

/* Whether it came as HEAD: most handlers need not know. */
bool http_is_head(const struct http_request *r);
/* A header's value without surrounding white space; repeated ones joined with ", ". p == NULL: not there. */
struct view http_header(struct http_request *r, const char *name);
/* What {name} of the pattern matched, decoded; p == NULL: the pattern has none. */
struct view http_segment(const struct http_request *r, const char *name);
/* A query parameter, decoded ('+' is a space); p == NULL: not there. BAD_REQUEST: bad encoding, or given
 * twice. */
MUST_USE struct err *http_query(struct http_request *r, const char *name, struct view *ret);
/* BAD_REQUEST where the query has a parameter that is not in this NULL-terminated list. */
MUST_USE struct err *http_query_only(struct http_request *r, const char *const *names);
/* Is the body of this type ("application/pkcs10"), parameters aside? */
bool http_is_type(struct http_request *r, const char *type);
/* Of the media types offered, the index of the one Accept likes best (the first where there is no Accept);
 * -1: none. */
int http_prefer(struct http_request *r, const char *const *types, size_t n);
/* Is what the client holds still good (If-None-Match, else If-Modified-Since)? etag with its quotes, or NULL.
 */
bool http_not_modified(struct http_request *r, const char *etag, int64_t modified_s);

/* Whether the client takes this content coding (RFC 9110 12.5.3): "gzip". */
bool http_accepts_coding(struct http_request *r, const char *coding);
/* Which part of a body of `size` octets is asked for (RFC 9110 14): one range of octets, and with If-Range
 * only where that names this etag. WHOLE: *ret_from is 0 and *ret_n is size; also for what need not be
 * honoured. */
enum http_range { HTTP_RANGE_WHOLE, HTTP_RANGE_PART, HTTP_RANGE_BEYOND };
enum http_range http_range(struct http_request *r, const char *etag, uint64_t size, uint64_t *ret_from,
                           uint64_t *ret_n);

/* ---- answering: exactly one of these, once; r is dead when the handler, or the turn that resumed it, ends
 * ---- */

/* A header for the answer to come; control characters become '?'. */
void http_add(struct http_request *r, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for a text as it is: many answers a second are made of these. */
void http_add_text(struct http_request *r, const char *name, const char *value);
char *http_date(struct arena *arena, int64_t s); /* "Sun, 06 Nov 1994 08:49:37 GMT" */

/* type may be NULL. The body is copied. Content-Length, Date, X-Request-Id and Connection are added. */
void http_reply(struct http_request *r, int status, const char *type, struct view body);
/* The body is `bytes` octets of an open file from `from` on. Takes fd. */
void http_reply_file(struct http_request *r, int status, const char *type, int fd, uint64_t from,
                     uint64_t bytes);
/* A problem document (RFC 9457) from e and its row in err.def, with Retry-After where the row has one. Takes
 * e. */
void http_problem(struct http_request *r, struct err *e);

/* ---- parking: see above ---- */

ticket_id http_park(struct http_request *r);
struct http_request *http_resume(struct http_server *s, ticket_id ticket);

#endif
