/*
 * The responder as a process: an HTTP server with the routes of ocsp and crl over a shelf that it reads. Its
 * channel to the vault is for nonces, the one to the front for wants; it serves without either. Has no key
 * and no ledger. The loop's thread.
 */
#include "role_responder.h"

#include <stdlib.h>

#include "base/check.h"
#include "crl.h"
#include "hsm_house.h"
#include "http.h"
#include "http_limits.h"
#include "ocsp.h"

struct responder {
    struct child *child;
    struct shelf_reader *shelf;
    struct hsm *hsm;
    struct ocsp_server *ocsp;
    struct crl_server *crl;
    struct http_server *http;
};

static const struct ocsp_issuer *issuers_of(const struct setup *s)
{
    struct ocsp_issuer *to = arena_array(s->arena, s->n, sizeof *to);
    for (size_t i = 0; i < s->n; i++)
        to[i] = (struct ocsp_issuer){.name = s->issuers[i].config->name,
                                     .certificate = s->issuers[i].certificate};
    return to;
}

static void responder_close(void *self)
{
    struct responder *r = self;
    hsm_free(
        r->hsm); /* what is parked for it, or for the front, is resumed: the server must still be there */
    ocsp_server_free(r->ocsp);
    http_server_free(r->http);
    crl_server_free(r->crl);
    shelf_reader_free(r->shelf);
    free(r);
}

static void healthz(struct http_request *q)
{
    http_reply(q, 200, "text/plain", view_str("ok\n"));
}

static const struct http_route own_routes[] = {{HTTP_GET, "/healthz", healthz, 0, NULL}};

static struct err *serve(struct responder *r, const struct setup *s)
{
    struct err *e = NULL;
    struct http_config config = http_limits(&s->config->limits);

    TRY(http_server_new(child_loop(r->child), &config, &r->http));
    http_routes(r->http, own_routes, 1, r);
    http_routes(r->http, ocsp_routes, ocsp_routes_n, r->ocsp);
    http_routes(r->http, crl_routes, crl_routes_n, r->crl);
    ocsp_server_http(r->ocsp, r->http);
    for (size_t i = 0; i < child_listeners(r->child); i++)
        http_listen(r->http, child_listener(r->child, i), false, "http");
out:
    return e;
}

static struct hsm *vault_at(const struct responder *r, unsigned index)
{
    struct hsm *vault = r->hsm;
    while (vault && index-- > 0)
        vault = hsm_next(vault);
    CHECK(vault != NULL);
    return vault;
}

static void know_issuers(struct responder *r, const struct setup *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->issuers[i].config->key)
            hsm_holds(vault_at(r, (unsigned)s->issuers[i].config->vault), s->issuers[i].config->name);
}

static struct hsm *vaults_new(struct loop *loop, const struct setup *s)
{
    struct hsm *first = hsm_new(loop, (struct hsm_events){0});
    for (size_t i = 1; i < s->config->vaults_n; i++)
        hsm_join(first, hsm_new(loop, (struct hsm_events){0}));
    return first;
}

static struct err *responder_open(struct child *c, void **ret_self)
{
    struct err *e = NULL;
    struct responder *r = calloc(1, sizeof *r);
    const struct setup *s = child_setup(c);

    CHECK(r);
    r->child = c;
    r->shelf = shelf_reader_new(s->config->paths.shelf);
    r->hsm = vaults_new(child_loop(c), s);
    know_issuers(r, s);
    TRY(ocsp_server_new(child_loop(c), r->shelf, r->hsm, &r->ocsp));
    ocsp_server_set(r->ocsp, issuers_of(s), s->n);
    r->crl = crl_server_new(child_loop(c), r->shelf);
    TRY(serve(r, s));
    child_serving(c);
    *ret_self = r;
    r = NULL;
out:
    if (r)
        responder_close(r);
    return e;
}

static void responder_attach(void *self, enum message_process peer, unsigned index, int fd)
{
    struct responder *r = self;
    if (peer == MESSAGE_VAULT) {
        hsm_attach(vault_at(r, index), fd);
        return;
    }
    ocsp_server_attach(r->ocsp, fd);
}

static struct err *responder_prepare(void *self, struct setup *next)
{
    (void)self;
    (void)next; /* reading it was the check */
    return NULL;
}

static void responder_commit(void *self, struct setup *now)
{
    struct responder *r = self;
    know_issuers(r, now);
    ocsp_server_set(r->ocsp, issuers_of(now), now->n);
}

static void responder_abort(void *self)
{
    (void)self;
}

static void drained(void *arg)
{
    struct responder *r = arg;
    child_stop(r->child, NULL);
}

static void responder_stop(void *self)
{
    struct responder *r = self;
    http_drain(r->http, child_setup(r->child)->config->limits.drain_s * 1000, drained, r);
}

const struct child_role role_responder = {
    .open = responder_open,
    .attach = responder_attach,
    .prepare = responder_prepare,
    .commit = responder_commit,
    .abort = responder_abort,
    .stop = responder_stop,
    .close = responder_close,
};
