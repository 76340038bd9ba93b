/*
 * Patterns of paths: literal octets, {name} with what follows it up to the slash, {name*} at the end. Works
 * on the raw path, so that an encoded slash never makes a segment. Pure.
 */
#include "route.h"

#include "base/check.h"

/* The part of `path` that {name} takes: up to its slash, less what the pattern wants behind it. */
static bool take_segment(const char *suffix, size_t suffix_n, struct view path, struct view *ret)
{
    size_t n = view_find(path, '/');
    struct view segment = view_of(path.p, n);
    if (n <= suffix_n || !view_ends(segment, view_of(suffix, suffix_n)))
        return false;
    *ret = view_of(path.p, n - suffix_n);
    for (size_t i = 0; i + 2 < ret->n; i++)
        if (ret->p[i] == '%' && ret->p[i + 1] == '2' && (ret->p[i + 2] | 0x20) == 'f')
            return false; /* a segment is one name */
    return true;
}

bool route_fits(const char *pattern, struct view path, struct route_captures *ret)
{
    ret->n = 0;
    while (*pattern) {
        if (*pattern != '{') {
            if (path.n == 0 || path.p[0] != (uint8_t)*pattern++)
                return false;
            path = view_of(path.p + 1, path.n - 1);
            continue;
        }
        const char *name = pattern + 1, *end = strchr(name, '}');
        struct route_capture *c = &ret->v[ret->n++];
        bool star = end[-1] == '*';
        c->name = view_of(name, (size_t)(end - name) - (star ? 1 : 0));
        c->value = path;
        if (star)
            return path.n > 0;
        pattern = end + 1;
        size_t suffix_n = strcspn(pattern, "/");
        if (!take_segment(pattern, suffix_n, path, &c->value))
            return false;
        pattern += suffix_n;
        path = view_from(path, c->value.n + suffix_n);
    }
    return path.n == 0;
}

void route_check(const char *pattern)
{
    size_t names = 0;
    CHECK(pattern[0] == '/');
    for (const char *p = pattern; (p = strchr(p, '{')) != NULL;) {
        const char *end = strchr(p, '}');
        CHECK(end && end > p + 1 && p[-1] == '/' && ++names <= ROUTE_NAMES);
        CHECK(end[-1] != '*' || end[1] == '\0');
        p = end + 1;
        CHECK(!memchr(p, '{', strcspn(p, "/")));
    }
}
