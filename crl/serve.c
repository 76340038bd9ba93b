/*
 * Serves lists, CA certificates and bundles from the shelf, with the headers that let caches keep them
 * exactly as long as they hold (RFC 5019 6.2 for answers, RFC 9111). No key, no ledger, no decision. On the
 * responder's loop.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/when.h"
#include "base/world.h"
#include "crl.h"

struct crl_server {
    struct loop *loop;
    struct shelf_reader *shelf;
    bool ending; /* shelf_reader_end is due after this turn */
};

/* What a route serves: which blob, as what. */
struct kind {
    const char *blob; /* "crl/": the issuer's name follows; or a whole name where `whole` */
    bool whole;
    const char *type;
};

struct crl_server *crl_server_new(struct loop *loop, struct shelf_reader *shelf)
{
    struct crl_server *s = calloc(1, sizeof *s);
    CHECK(s);
    *s = (struct crl_server){.loop = loop, .shelf = shelf};
    return s;
}

void crl_server_free(struct crl_server *s)
{
    free(s);
}

static void end_turn(void *arg)
{
    struct crl_server *s = arg;
    s->ending = false;
    shelf_reader_end(s->shelf);
}

static struct err *begin_turn(struct crl_server *s)
{
    struct err *e = shelf_reader_begin(s->shelf);
    if (!e && !s->ending) {
        s->ending = true;
        loop_after_turn(s->loop, end_turn, s);
    }
    return e;
}

static const char *blob_name(struct http_request *r, const struct kind *kind)
{
    if (kind->whole)
        return kind->blob;
    struct view issuer = http_segment(r, "issuer");
    if (issuer.n > 63)
        return NULL;
    return arena_printf(r->arena, "%s%s", kind->blob, arena_str(r->arena, issuer));
}

/* How long a cache may keep it: to nextUpdate; where there is none (a CA certificate), an hour. */
static int64_t max_age(const struct shelf_item *item, int64_t now)
{
    if (!item->next_update)
        return 3600;
    return item->next_update > now ? item->next_update - now : 0;
}

static void reply(struct http_request *r, const struct kind *kind, const struct shelf_item *item)
{
    int64_t now = world_now_s();
    const char *etag = arena_printf(r->arena, "\"%s\"", item->etag);
    http_add(r, "Last-Modified", "%s", http_date(r->arena, item->this_update));
    http_add(r, "ETag", "%s", etag);
    http_add(r, "Cache-Control", "max-age=%lld, public, no-transform, must-revalidate",
             (long long)max_age(item, now));
    http_add(r, "Expires", "%s", http_date(r->arena, now + max_age(item, now)));
    if (http_not_modified(r, etag, item->this_update))
        http_reply(r, 304, NULL, view_of(NULL, 0));
    else
        http_reply(r, 200, kind->type, item->bytes);
}

static void serve(struct http_request *r)
{
    const struct kind *kind = r->route_arg;
    struct crl_server *s = r->app;
    struct shelf_item item;
    const char *name = blob_name(r, kind);
    struct err *e = begin_turn(s);

    if (!e && (!name || !shelf_reader_blob(s->shelf, name, &item)))
        e = err_new(ERR_NOT_FOUND, "no such issuer, or nothing published for it");
    if (e)
        http_problem(r, e);
    else
        reply(r, kind, &item);
}

static const struct kind list = {"crl/", false, "application/pkix-crl"};
static const struct kind chain = {"crl-chain/", false, "application/x-pem-file"};
static const struct kind certificate = {"ca/", false, "application/pkix-cert"};
static const struct kind certificate_pem = {"ca-pem/", false, "application/pem-certificate-chain"};
static const struct kind roots = {"roots/pem", true, "application/pem-certificate-chain"};

const struct http_route crl_routes[] = {
    {HTTP_GET, "/crl/{issuer}-chain.pem", serve, 0, &chain},
    {HTTP_GET, "/crl/{issuer}.crl", serve, 0, &list},
    {HTTP_GET, "/ca/{issuer}.crt", serve, 0, &certificate},
    {HTTP_GET, "/ca/{issuer}.pem", serve, 0, &certificate_pem},
    {HTTP_GET, "/roots.pem", serve, 0, &roots},
};
const size_t crl_routes_n = sizeof crl_routes / sizeof crl_routes[0];
