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
    bool partition; /* its number follows the issuer's name */
    bool squeezed;  /* there may be a gzipped form */
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
    const char *name = arena_printf(r->arena, "%s%s", kind->blob, arena_str(r->arena, issuer));
    if (!kind->partition)
        return name;
    struct view partition = http_segment(r, "partition");
    if (partition.n > 20)
        return NULL;
    return arena_printf(r->arena, "%s/%s", name, arena_str(r->arena, partition));
}

/* How long a cache may keep it: to nextUpdate; where there is none (a CA certificate), an hour. */
static int64_t max_age(const struct shelf_item *item, int64_t now)
{
    if (!item->next_update)
        return 3600;
    return item->next_update > now ? item->next_update - now : 0;
}

static void caching(struct http_request *r, const struct shelf_item *item, const char *etag)
{
    int64_t now = world_now_s();
    http_add(r, "Last-Modified", "%s", http_date(r->arena, item->this_update));
    http_add(r, "ETag", "%s", etag);
    http_add(r, "Cache-Control", "max-age=%lld, public, no-transform, must-revalidate",
             (long long)max_age(item, now));
    http_add(r, "Expires", "%s", http_date(r->arena, now + max_age(item, now)));
}

/* The same list gzipped, where the client takes that and there is one; a range is of the list itself. */
static bool squeezed(struct http_request *r, const char *name, const struct shelf_item *item,
                     struct shelf_item *ret)
{
    struct crl_server *s = r->app;
    return http_accepts_coding(r, "gzip") && !http_header(r, "Range").p &&
           shelf_reader_blob(s->shelf, arena_printf(r->arena, "gz/%s", name), ret) &&
           strcmp(ret->etag, arena_printf(r->arena, "%s-gz", item->etag)) == 0;
}

static void send_item(struct http_request *r, int status, const char *type, const struct shelf_item *item,
                      uint64_t from, uint64_t n)
{
    struct crl_server *s = r->app;
    if (!item->file) {
        http_reply(r, status, type, view_of(item->bytes.p + from, (size_t)n));
        return;
    }
    int fd = shelf_reader_open(s->shelf, item);
    if (fd < 0)
        http_problem(r, err_new(ERR_STARTING, "a newer one is being put in its place"));
    else
        http_reply_file(r, status, type, fd, from, n);
}

static void reply(struct http_request *r, const struct kind *kind, const char *name,
                  const struct shelf_item *item)
{
    struct shelf_item gz;
    uint64_t size = item->file ? item->file_bytes : item->bytes.n, from, n;
    bool is_gz = kind->squeezed && squeezed(r, name, item, &gz);
    const struct shelf_item *as = is_gz ? &gz : item;
    const char *etag = arena_printf(r->arena, "\"%s\"", as->etag);
    caching(r, as, etag);
    if (kind->squeezed)
        http_add(r, "Vary", "Accept-Encoding");
    if (http_not_modified(r, etag, as->this_update)) {
        http_reply(r, 304, NULL, view_of(NULL, 0));
        return;
    }
    if (is_gz) {
        http_add(r, "Content-Encoding", "gzip");
        send_item(r, 200, kind->type, as, 0, as->file ? as->file_bytes : as->bytes.n);
        return;
    }
    http_add(r, "Accept-Ranges", "bytes");
    enum http_range range = http_range(r, etag, size, &from, &n);
    if (range == HTTP_RANGE_BEYOND) {
        http_add(r, "Content-Range", "bytes */%llu", (unsigned long long)size);
        http_reply(r, 416, NULL, view_of(NULL, 0));
        return;
    }
    if (range == HTTP_RANGE_PART)
        http_add(r, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)from,
                 (unsigned long long)(from + n - 1), (unsigned long long)size);
    send_item(r, range == HTTP_RANGE_PART ? 206 : 200, kind->type, item, from, n);
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
        reply(r, kind, name, &item);
}

static const struct kind list = {.blob = "crl/", .type = "application/pkix-crl", .squeezed = true};
static const struct kind part = {
    .blob = "crl/", .type = "application/pkix-crl", .partition = true, .squeezed = true};
static const struct kind delta = {.blob = "crl-delta/", .type = "application/pkix-crl", .squeezed = true};
static const struct kind chain = {.blob = "crl-chain/", .type = "application/x-pem-file"};
static const struct kind certificate = {.blob = "ca/", .type = "application/pkix-cert"};
static const struct kind certificate_pem = {.blob = "ca-pem/", .type = "application/pem-certificate-chain"};
static const struct kind roots = {
    .blob = "roots/pem", .whole = true, .type = "application/pem-certificate-chain"};

const struct http_route crl_routes[] = {
    {HTTP_GET, "/crl/{issuer}-chain.pem", serve, 0, &chain},
    {HTTP_GET, "/crl/{issuer}-delta.crl", serve, 0, &delta},
    {HTTP_GET, "/crl/{issuer}.crl", serve, 0, &list},
    {HTTP_GET, "/crl/{issuer}/{partition}.crl", serve, 0, &part},
    {HTTP_GET, "/ca/{issuer}.crt", serve, 0, &certificate},
    {HTTP_GET, "/ca/{issuer}.pem", serve, 0, &certificate_pem},
    {HTTP_GET, "/roots.pem", serve, 0, &roots},
};
const size_t crl_routes_n = sizeof crl_routes / sizeof crl_routes[0];
