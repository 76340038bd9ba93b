/*
 * One exchange: made when a head is whole (or refused), routed, answered, freed. It lives in an arena of its
 * own, which a parked one keeps however its connection ends. Loop's thread.
 */
#include "exchange.h"

#include "base/check.h"
#include "target.h"

struct exchange *exchange_new(struct http_server *s, struct conn *c, struct peer *peer)
{
    struct arena *arena = server_arena(s);
    struct exchange *x = ARENA_NEW(arena, struct exchange);
    x->conn = c;
    x->server = s;
    x->peer = peer_ref(peer);
    x->added_last = &x->added;
    x->r.method = HTTP_GET;
    x->r.arena = arena;
    x->r.peer = &peer->facts;
    x->r.server = s;
    x->r.id = x->id;
    server_id(s, x->id);
    return x;
}

void exchange_free(struct exchange *x)
{
    if (!x)
        return;
    buf_free(&x->body);
    peer_unref(x->peer);
    server_arena_back(x->server, x->r.arena);
}

/* Where decoding fails nothing is decoded. */
static bool decode(struct arena *arena, struct view raw, struct view *ret)
{
    uint8_t *to = arena_alloc(arena, raw.n);
    size_t n;
    if (!target_decode(raw, false, to, &n))
        return false;
    *ret = view_of(to, n);
    return true;
}

static int read_path(struct exchange *x, struct view raw, const char **ret_why)
{
    *ret_why = "the path has a bad escape (RFC 3986 section 2.1)";
    if (!decode(x->r.arena, raw, &x->r.path))
        return 400;
    *ret_why = "the path has a dot segment (RFC 3986 section 6.2.2.3); it is not normalised";
    return target_has_dots(x->r.path) ? 400 : 0;
}

int exchange_read(struct exchange *x, struct view head, const char **ret_why)
{
    struct parse_head *h = &x->server->head;
    int status = parse_head(arena_dup(x->r.arena, head), h, ret_why);
    if (!status)
        status = read_path(x, h->path, ret_why);
    if (status)
        return status;
    x->is_head = h->method == HTTP_HEAD;
    x->r.method = x->is_head ? HTTP_GET : h->method;
    x->r.query = h->query;
    x->keep_alive = h->keep_alive;
    x->must_add_keep_alive = h->keep_alive && h->minor == 0;
    x->fields_n = h->fields_n;
    if (h->fields_n > 0) {
        struct parse_field *fields = arena_array(x->r.arena, h->fields_n, sizeof(*fields));
        memcpy(fields, h->fields, h->fields_n * sizeof(*fields));
        x->fields = fields;
    }
    return 0;
}

/* ---- routing ---- */

static bool decode_segments(struct exchange *x)
{
    for (size_t i = 0; i < x->segments.n; i++)
        if (!decode(x->r.arena, x->segments.v[i].value, &x->segments.v[i].value))
            return false;
    return true;
}

static const char *allowed(struct arena *arena, unsigned methods)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"};
    const char *list = "";
    if (methods & HTTP_GET)
        methods |= HTTP_HEAD;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (methods & 1u << i)
            list = arena_printf(arena, "%s%s%s", list, *list ? ", " : "", names[i]);
    return list;
}

int exchange_route(struct exchange *x, const char **ret_why)
{
    unsigned others = 0;
    struct view raw = x->server->head.path;
    for (const struct route_table *t = x->server->tables; t; t = t->next)
        for (size_t i = 0; i < t->n; i++) {
            const struct http_route *row = &t->rows[i];
            if (!route_fits(row->pattern, raw, &x->segments))
                continue;
            if (!(row->methods & x->r.method)) {
                others |= row->methods;
                continue;
            }
            if (!decode_segments(x))
                continue;
            x->route = row;
            x->r.app = t->app;
            x->r.route_arg = row->arg;
            return 0;
        }
    x->segments.n = 0;
    *ret_why = others ? "the path has other methods, see Allow" : "there is nothing at this path";
    if (others)
        http_add(&x->r, "Allow", "%s", allowed(x->r.arena, others));
    return others ? 405 : 404;
}
