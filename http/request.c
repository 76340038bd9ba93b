/*
 * What a handler may ask of its request: headers, segments, query parameters, and the three questions of HTTP
 * (is the body of this type, which type is liked best, is the client's copy still good). Loop's thread.
 */
#include "exchange.h"
#include "target.h"

struct view http_header(struct http_request *r, const char *name)
{
    const struct exchange *x = exchange_of(r);
    struct view wanted = view_str(name), found = view_of(NULL, 0);
    for (size_t i = 0; i < x->fields_n; i++) {
        const struct parse_field *f = &x->fields[i];
        if (f->name.n != wanted.n || !view_eq_nocase(f->name, wanted))
            continue;
        if (!found.p) {
            found = f->value.p ? f->value : view_of("", 0);
            continue;
        }
        char *joined = arena_printf(r->arena, "%.*s, %.*s", (int)found.n, (const char *)found.p,
                                    (int)f->value.n, (const char *)f->value.p);
        found = view_str(joined);
    }
    return found;
}

struct view http_segment(const struct http_request *r, const char *name)
{
    const struct exchange *x = (const struct exchange *)r;
    for (size_t i = 0; i < x->segments.n; i++)
        if (view_eq_str(x->segments.v[i].name, name))
            return x->segments.v[i].value;
    return view_of(NULL, 0);
}

/* ---- query ---- */

static bool decode(struct arena *arena, struct view raw, struct view *ret)
{
    uint8_t *to = arena_alloc(arena, raw.n);
    size_t n;
    if (!target_decode(raw, true, to, &n))
        return false;
    *ret = view_of(to, n);
    return true;
}

/* The next "name=value". */
static bool next_pair(struct view *query, struct view *ret_name, struct view *ret_value)
{
    while (query->n > 0) {
        struct view pair = view_of(query->p, view_find(*query, '&'));
        *query = view_from(*query, pair.n + 1);
        if (pair.n == 0)
            continue;
        *ret_name = view_of(pair.p, view_find(pair, '='));
        *ret_value = view_from(pair, ret_name->n + 1);
        return true;
    }
    return false;
}

static struct err *bad_query(void)
{
    return err_new(ERR_BAD_REQUEST, "the query has a bad escape (RFC 3986 section 2.1)");
}

struct err *http_query(struct http_request *r, const char *name, struct view *ret)
{
    struct view query = r->query, raw_name, raw_value, decoded;
    *ret = view_of(NULL, 0);
    while (next_pair(&query, &raw_name, &raw_value)) {
        if (!decode(r->arena, raw_name, &decoded))
            return bad_query();
        if (!view_eq_str(decoded, name))
            continue;
        if (ret->p)
            return err_new(ERR_BAD_REQUEST, "the query parameter %s is given twice", name);
        if (!decode(r->arena, raw_value, ret))
            return bad_query();
    }
    return NULL;
}

struct err *http_query_only(struct http_request *r, const char *const *names)
{
    struct view query = r->query, raw_name, raw_value, name;
    while (next_pair(&query, &raw_name, &raw_value)) {
        if (!decode(r->arena, raw_name, &name))
            return bad_query();
        const char *const *known = names;
        while (*known && !view_eq_str(name, *known))
            known++;
        if (!*known)
            return err_new(ERR_BAD_REQUEST, "the query parameter %.*s is not known here",
                           (int)(name.n < 64 ? name.n : 64), (const char *)name.p);
    }
    return NULL;
}

/* ---- media types ---- */

static struct view before(struct view v, uint8_t c)
{
    return parse_trim(view_of(v.p, view_find(v, c)));
}

bool http_is_type(struct http_request *r, const char *type)
{
    return view_eq_nocase(before(http_header(r, "Content-Type"), ';'), view_str(type));
}

/* The weight of an Accept element in thousandths (RFC 9110 section 12.4.2). */
static int weight(struct view element)
{
    struct view rest = view_from(element, view_find(element, ';') + 1);
    while (rest.n > 0) {
        struct view p = before(rest, ';');
        rest = view_from(rest, view_find(rest, ';') + 1);
        if (p.n < 3 || (p.p[0] | 0x20) != 'q' || p.p[1] != '=')
            continue;
        int q = p.p[2] == '1' ? 1000 : 0, unit = 100;
        for (size_t i = 4; i < p.n && unit > 0 && q < 1000; i++, unit /= 10)
            if (p.p[i] >= '0' && p.p[i] <= '9')
                q += (p.p[i] - '0') * unit;
        return q;
    }
    return 1000;
}

/* How exactly range names type: 0 not at all, 1 by star/star, 2 by its first half, 3 whole. */
static int fit(struct view range, struct view type)
{
    if (view_eq_str(range, "*/*"))
        return 1;
    if (view_ends(range, view_str("/*")) && type.n >= range.n - 1)
        return view_eq_nocase(view_of(range.p, range.n - 1), view_of(type.p, range.n - 1)) ? 2 : 0;
    return view_eq_nocase(range, type) ? 3 : 0;
}

static int liking(struct view accept, struct view type)
{
    int best_fit = 0, q = 0;
    struct view element;
    while (parse_list_next(&accept, &element)) {
        int f = fit(before(element, ';'), type);
        if (f > best_fit) {
            best_fit = f;
            q = weight(element);
        }
    }
    return q;
}

int http_prefer(struct http_request *r, const char *const *types, size_t n)
{
    struct view accept = http_header(r, "Accept");
    int best = -1, best_q = 0;
    if (accept.n == 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        int q = liking(accept, view_str(types[i]));
        if (q > best_q) {
            best = (int)i;
            best_q = q;
        }
    }
    return best;
}

/* ---- conditions ---- */

/* RFC 9110 section 13.1.2: compared weakly. */
static bool names_etag(struct view list, struct view etag)
{
    struct view one;
    while (parse_list_next(&list, &one)) {
        if (view_eq_str(one, "*"))
            return true;
        if (view_starts(one, view_str("W/")))
            one = view_from(one, 2);
        if (view_eq(one, etag))
            return true;
    }
    return false;
}

bool http_not_modified(struct http_request *r, const char *etag, int64_t modified_s)
{
    struct view match = http_header(r, "If-None-Match");
    if (match.p)
        return etag && names_etag(match, view_str(etag));
    struct view since = http_header(r, "If-Modified-Since");
    /* Exactly the date we told: no other can have come from us (RFC 9110 section 13.1.3 lets us compare so).
     */
    return since.n > 0 && view_eq_str(since, http_date(r->arena, modified_s));
}

bool http_is_head(const struct http_request *r)
{
    return ((const struct exchange *)r)->is_head;
}
