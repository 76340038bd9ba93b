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

/* RFC 5019 6.2. */
static void reply_ready(struct http_request *r, const struct shelf_item *item)
{
    int64_t now = world_now_s();
    const char *etag = arena_printf(r->arena, "\"%s\"", item->etag);
    metric_add(METRIC_OCSP_ANSWERS, 1);
    http_add(r, "Last-Modified", "%s", http_date(r->arena, item->this_update));
    http_add(r, "Expires", "%s", http_date(r->arena, item->next_update));
    http_add(r, "ETag", "%s", etag);
    http_add(r, "Cache-Control", "max-age=%lld, public, no-transform, must-revalidate",
             (long long)(item->next_update - now));
    if (http_not_modified(r, etag, item->this_update))
        http_reply(r, 304, NULL, view_of(NULL, 0));
    else
        http_reply(r, 200, type, item->bytes);
}

static bool ready_answer(struct ocsp_server *s, const struct question *q, struct shelf_item *ret)
{
    const struct want *w = &q->want;
    if (!begin_turn(s))
        return false;
    bool there = w->hash == CERT_OCSP_SHA1
                     ? shelf_reader_answer(s->shelf, w->issuer, view_of(w->serial, SERIAL_BYTES), ret)
                     : shelf_reader_blob(s->shelf, want_blob(w, q->arena), ret);
    return there && ret->next_update > world_now_s();
}

/* --- a nonce: the vault seals the ready answer anew --- */

static void nonce_done(void *arg, struct err *e, struct view answer)
{
    struct question *q = arg;
    struct http_request *r = http_resume(q->server->http, q->ticket);
    struct shelf_item item;
    if (r && !e) {
        metric_add(METRIC_OCSP_NONCES, 1);
        http_add(r, "Cache-Control", "no-store");
        http_reply(r, 200, type, answer);
    }
    /* Without the vault the ready answer serves, without the nonce (RFC 5019 4: a client may insist). */
    if (r && e && ready_answer(q->server, q, &item))
        reply_ready(r, &item);
    else if (r && e)
        reply_error(r, CERT_OCSP_TRY_LATER);
    err_free(e);
}

static void serve_found(struct http_request *r, struct question *q, const struct shelf_item *item)
{
    if (!q->nonce.p) {
        reply_ready(r, item);
        return;
    }
    struct err *e = hsm_nonce(q->server->hsm, q->want.issuer, item->bytes, q->nonce, nonce_done, q, NULL);
    if (e) {
        err_free(e);
        reply_ready(r, item);
        return;
    }
    q->ticket = http_park(r);
}

/* --- what is not on the shelf yet --- */

void serve_wanted(struct question *q, enum want_outcome outcome)
{
    struct http_request *r = http_resume(q->server->http, q->ticket);
    struct shelf_item item;
    if (!r)
        return;
    if (outcome == WANT_MADE && ready_answer(q->server, q, &item))
        serve_found(r, q, &item);
    else if (outcome == WANT_UNKNOWN)
        reply_error(r, CERT_OCSP_UNAUTHORIZED);
    else
        reply_error(r, CERT_OCSP_TRY_LATER);
}

/* --- the query --- */

static const struct served *issuer_of(const struct ocsp_server *s, struct view name)
{
    for (size_t i = 0; i < s->n; i++)
        if (view_eq_str(name, s->issuers[i].name))
            return &s->issuers[i];
    return NULL;
}

/* What may be asked here: one certificate (RFC 5019 2.1.1) of this issuer, with a serial of our form. NULL:
 * not ours. */
static struct question *question_of(struct http_request *r, const struct cert_ocsp_request *request)
{
    struct ocsp_server *s = r->app;
    const struct served *issuer = issuer_of(s, http_segment(r, "issuer"));
    const struct cert_ocsp_id *id = &request->ids[0];
    if (!issuer || request->n != 1 || id->serial.n != SERIAL_BYTES || !cert_ocsp_fits(&issuer->hashes, id))
        return NULL;
    struct question *q = ARENA_NEW(r->arena, struct question);
    *q = (struct question){.server = s, .arena = r->arena, .nonce = request->nonce};
    snprintf(q->want.issuer, sizeof q->want.issuer, "%s", issuer->name);
    memcpy(q->want.serial, id->serial.p, SERIAL_BYTES);
    q->want.hash = id->hash;
    return q;
}

static void serve(struct http_request *r, struct view der)
{
    struct cert_ocsp_request request;
    struct shelf_item item;
    struct err *e = cert_ocsp_request_parse(der, r->arena, &request);
    if (e) {
        log_debug("ocsp.malformed", log_err(e));
        err_free(e);
        reply_error(r, CERT_OCSP_MALFORMED_REQUEST);
        return;
    }
    struct question *q = question_of(r, &request);
    if (!q)
        reply_error(r, CERT_OCSP_UNAUTHORIZED);
    else if (ready_answer(q->server, q, &item))
        serve_found(r, q, &item);
    else if (wanting_ask(q->server, q))
        q->ticket = http_park(r);
    else
        reply_error(r, CERT_OCSP_TRY_LATER);
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
