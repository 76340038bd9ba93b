/*
 * Which form of a body a client wants: its coding, and which part of it (RFC 9110 12.5.3, 14). Reads the
 * request alone. Loop's thread.
 */
#include "http.h"
#include "parse.h"

static struct view trimmed(struct view v)
{
    while (v.n > 0 && (*v.p == ' ' || *v.p == '\t'))
        v = view_from(v, 1);
    while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
        v.n--;
    return v;
}

/* Up to the mark, which goes too. */
static struct view cut(struct view *rest, char mark)
{
    const uint8_t *at = rest->n > 0 ? memchr(rest->p, mark, rest->n) : NULL;
    size_t n = at ? (size_t)(at - rest->p) : rest->n;
    struct view first = trimmed(view_of(rest->p, n));
    *rest = view_from(*rest, at ? n + 1 : n);
    return first;
}

/* "q=0", "q=0.000" and nothing else. */
static bool refuses(struct view params)
{
    struct view q = trimmed(params);
    if (!view_starts(q, view_str("q=0")) && !view_starts(q, view_str("Q=0")))
        return false;
    for (size_t i = 3; i < q.n; i++)
        if (q.p[i] != '0' && q.p[i] != '.')
            return false;
    return true;
}

bool http_accepts_coding(struct http_request *r, const char *coding)
{
    struct view list = http_header(r, "Accept-Encoding"), one;
    bool any = false;
    while (parse_list_next(&list, &one)) {
        struct view rest = one, name = cut(&rest, ';');
        bool mine = name.n == strlen(coding) && strncasecmp((const char *)name.p, coding, name.n) == 0;
        if (mine)
            return !refuses(rest);
        any = any || (view_eq_str(name, "*") && !refuses(rest));
    }
    return any;
}

/* Digits alone; false where there are none or too many. */
static bool number(struct view v, uint64_t *ret)
{
    uint64_t n = 0;
    if (v.n == 0 || v.n > 18)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(v.p[i] - '0');
    }
    *ret = n;
    return true;
}

/* "5-9", "5-", "-9" (the last nine). False: not of this form. */
static bool read_range(struct view spec, uint64_t size, uint64_t *ret_from, uint64_t *ret_n)
{
    struct view rest = spec, first = cut(&rest, '-'), last = trimmed(rest);
    uint64_t from = 0, to = size - 1;
    if (!memchr(spec.p, '-', spec.n) || (first.n == 0 && last.n == 0))
        return false;
    if (first.n > 0 && !number(first, &from))
        return false;
    if (last.n > 0 && !number(last, &to))
        return false;
    if (first.n == 0) {
        from = to < size ? size - to : 0;
        *ret_from = to == 0 ? size : from; /* "-0" asks for nothing that is there */
        *ret_n = size - from;
        return true;
    }
    if (last.n > 0 && to < from)
        return false;
    to = to < size ? to : size - 1;
    *ret_from = from;
    *ret_n = from < size ? to - from + 1 : 0;
    return true;
}

enum http_range http_range(struct http_request *r, const char *etag, uint64_t size, uint64_t *ret_from,
                           uint64_t *ret_n)
{
    struct view range = http_header(r, "Range"), when = http_header(r, "If-Range");
    uint64_t from, n;
    *ret_from = 0;
    *ret_n = size;
    if (size == 0 || !view_starts(range, view_str("bytes=")) || (when.p && !view_eq_str(when, etag)))
        return HTTP_RANGE_WHOLE;
    struct view spec = view_from(range, 6);
    if (spec.n == 0 || memchr(spec.p, ',', spec.n) || !read_range(spec, size, &from, &n))
        return HTTP_RANGE_WHOLE; /* several, or malformed: RFC 9110 14.2 lets us give all */
    if (from >= size)
        return HTTP_RANGE_BEYOND;
    *ret_from = from;
    *ret_n = n;
    return HTTP_RANGE_PART;
}
