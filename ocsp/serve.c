/*
 * Answers OCSP queries from the shelf: strict parse, one look, reply with cache headers. What is not on the
 * shelf is asked of the front; a nonce is added by the vault. No key, no ledger, no status of its own making.
 * On the responder's loop.
 */
#include "serve.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/world.h"

static const char *const type = "application/ocsp-response";

static void end_turn(void *arg)
{
    struct ocsp_server *s = arg;
    s->ending = false;
    shelf_reader_end(s->shelf);
}

static bool begin_turn(struct ocsp_server *s)
{
    struct err *e = shelf_reader_begin(s->shelf);
    if (e) {
        err_free(e);
        return false;
    }
    if (!s->ending) {
        s->ending = true;
        loop_after_turn(s->loop, end_turn, s);
    }
    return true;
}

/* RFC 6960 2.3: errors are unsigned; they must not be kept. */
static void reply_error(struct http_request *r, enum cert_ocsp_status status)
{
    http_add(r, "Cache-Control", "no-store");
    http_reply(r, 200, type, cert_ocsp_error(status));
}

static void quote(const char *etag, char to[SHELF_ETAG_BYTES + 3])
{
    size_t n = strnlen(etag, SHELF_ETAG_BYTES);
    to[0] = '"';
    memcpy(to + 1, etag, n);
    memcpy(to + 1 + n, "\"", 2);
}

/* RFC 5019 6.2. */
static void reply_ready(struct http_request *r, const struct shelf_item *item)
{
    int64_t now = world_now_s();
    char etag[SHELF_ETAG_BYTES + 3], control[96];
    (void)snprintf(control, sizeof control, "max-age=%lld, public, no-transform, must-revalidate",
                   (long long)(item->next_update - now));
    quote(item->etag, etag);
    metric_add(METRIC_OCSP_ANSWERS, 1);
    http_add_text(r, "Last-Modified", http_date(r->arena, item->this_update));
    http_add_text(r, "Expires", http_date(r->arena, item->next_update));
    http_add_text(r, "ETag", etag);
    http_add_text(r, "Cache-Control", control);
    if (http_not_modified(r, etag, item->this_update))
        http_reply(r, 304, NULL, view_of(NULL, 0));
    else
        http_reply(r, 200, type, item->bytes);
}

/* --- the shelf --- */

static bool is_ready(const struct question *q)
{
    return q->here.p || q->item.bytes.p;
}

static void look(struct ocsp_server *s, struct question *q)
{
    uint8_t id[SHELF_ID_BYTES];
    q->item.bytes = view_of(NULL, 0);
    if (shelf_reader_answer(s->shelf, q->want.issuer, want_id(&q->want, id), &q->item) &&
        q->item.next_update <= world_now_s())
        q->item.bytes = view_of(NULL, 0);
}

/* Whether all of it lies ready. The items are good for this turn. */
static bool look_all(struct query *query)
{
    bool all = true;
    bool open = begin_turn(query->server);
    for (size_t i = 0; i < query->n; i++) {
        struct question *q = &query->questions[i];
        if (open)
            look(query->server, q);
        all = all && is_ready(q);
    }
    return all;
}

/* --- answers that are sealed for this query: a nonce, or several in one --- */

static void reply_fresh(struct http_request *r, struct view answer)
{
    http_add(r, "Cache-Control", "no-store");
    http_reply(r, 200, type, answer);
}

static void reply_one(struct http_request *r, const struct question *q)
{
    if (q->here.p)
        reply_fresh(r, q->here);
    else
        reply_ready(r, &q->item);
}

/* Without the vault the ready answer serves, without the nonce (RFC 5019 4: a client may insist). */
static void reply_unsealed(struct http_request *r, struct query *query)
{
    if (query->n == 1 && look_all(query))
        reply_one(r, &query->questions[0]);
    else
        reply_error(r, CERT_OCSP_TRY_LATER);
}

static void sealed(void *arg, struct err *e, struct view answer)
{
    struct query *query = arg;
    struct http_request *r = http_resume(query->server->http, query->ticket);
    if (r && !e) {
        metric_add(METRIC_OCSP_NONCES, 1);
        reply_fresh(r, answer);
    }
    if (r && e)
        reply_unsealed(r, query);
    err_free(e);
}

static void seal(struct http_request *r, struct query *query)
{
    struct view answers[LIMIT_OCSP_REQUESTS];
    for (size_t i = 0; i < query->n; i++) {
        const struct question *q = &query->questions[i];
        answers[i] = q->here.p ? q->here : q->item.bytes;
    }
    const struct hsm_nonce what = {
        .issuer = query->questions[0].want.issuer, .answers = answers, .n = query->n, .nonce = query->nonce};
    struct err *e = hsm_nonce(query->server->hsm, &what, sealed, query, NULL);
    if (e) {
        err_free(e);
        reply_unsealed(r, query);
        return;
    }
    query->ticket = http_park(r);
}

static void reply_found(struct http_request *r, struct query *query)
{
    if (query->n == 1 && !query->nonce.p)
        reply_one(r, &query->questions[0]);
    else
        seal(r, query);
}

/* --- what is not on the shelf yet --- */

static void wanted_all(struct query *query)
{
    struct http_request *r = http_resume(query->server->http, query->ticket);
    if (!r)
        return;
    if (query->worst == WANT_UNKNOWN)
        reply_error(r, CERT_OCSP_UNAUTHORIZED);
    else if (query->worst == WANT_NOT_NOW || !look_all(query))
        reply_error(r, CERT_OCSP_TRY_LATER);
    else
        reply_found(r, query);
}

void serve_wanted(struct question *q, const struct want_done *done)
{
    struct query *query = q->query;
    if (done->outcome == WANT_HERE)
        q->here = arena_dup(query->arena, done->answer);
    else if (done->outcome > query->worst)
        query->worst = done->outcome;
    if (--query->waits == 0)
        wanted_all(query);
}

/* False where one cannot be asked for: then none is waited for longer than the others take. */
static bool ask_missing(struct query *query)
{
    for (size_t i = 0; i < query->n; i++) {
        struct question *q = &query->questions[i];
        if (is_ready(q))
            continue;
        if (!wanting_ask(query->server, q))
            return false;
        query->waits++;
    }
    return true;
}

/* --- the query --- */

static const struct served *issuer_of(const struct ocsp_server *s, struct view name)
{
    for (size_t i = 0; i < s->n; i++)
        if (view_eq_str(name, s->issuers[i].name))
            return &s->issuers[i];
    return NULL;
}

/* What may be asked here: certificates of this issuer, with serials of our form. NULL: not ours. */
static struct query *query_of(struct http_request *r, const struct cert_ocsp_request *request)
{
    struct ocsp_server *s = r->app;
    const struct served *issuer = issuer_of(s, http_segment(r, "issuer"));
    struct query *query = arena_alloc(r->arena, sizeof *query + request->n * sizeof query->questions[0]);
    *query = (struct query){.server = s, .arena = r->arena, .nonce = request->nonce, .n = request->n};
    for (size_t i = 0; i < request->n; i++) {
        const struct cert_ocsp_id *id = &request->ids[i];
        struct question *q = &query->questions[i];
        if (!issuer || id->serial.n != SERIAL_BYTES || !cert_ocsp_fits(&issuer->hashes, id))
            return NULL;
        *q = (struct question){.query = query, .want.hash = id->hash};
        memcpy(q->want.issuer, issuer->name, sizeof q->want.issuer);
        memcpy(q->want.serial, id->serial.p, SERIAL_BYTES);
    }
    return query;
}

static void serve(struct http_request *r, struct view der)
{
    struct cert_ocsp_request request;
    struct err *e = cert_ocsp_request_parse(der, r->arena, &request);
    if (e) {
        log_debug("ocsp.malformed", log_err(e));
        err_free(e);
        reply_error(r, CERT_OCSP_MALFORMED_REQUEST);
        return;
    }
    struct query *query = query_of(r, &request);
    if (!query)
        reply_error(r, CERT_OCSP_UNAUTHORIZED);
    else if (look_all(query))
        reply_found(r, query);
    else if (!ask_missing(query) && query->waits == 0)
        reply_error(r, CERT_OCSP_TRY_LATER);
    else
        query->ticket = http_park(r);
}

static void post(struct http_request *r)
{
    serve(r, r->body);
}

/* RFC 6960 A.1: base64 of the request in the path, percent-encoded or not. */
static void get(struct http_request *r)
{
    struct view der;
    struct err *e = base64_parse(r->arena, http_segment(r, "request"), &der);
    if (!e) {
        serve(r, der);
        return;
    }
    err_free(e);
    reply_error(r, CERT_OCSP_MALFORMED_REQUEST);
}

const struct http_route ocsp_routes[] = {
    {HTTP_POST, "/ocsp/{issuer}", post, LIMIT_OCSP_REQUEST_BYTES, NULL},
    {HTTP_GET, "/ocsp/{issuer}/{request*}", get, 0, NULL},
};
const size_t ocsp_routes_n = sizeof ocsp_routes / sizeof ocsp_routes[0];
