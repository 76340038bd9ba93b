/*
 * Patterns over URIs (RFC 3986): scheme://host[:port]/path, or, without an authority, any text with `*` as
 * any run.
 *
 * What could be read in two ways is covered by no star: userinfo, queries, fragments, dot segments and
 * percent-encoding match only a pattern that spells them out. Never allocates. Any thread.
 */
#include "pattern.h"

struct parts {
    struct view scheme, host, port, path; /* path with its first slash, or empty */
};

static size_t find_slashes(struct view uri)
{
    for (size_t i = 0; i + 3 <= uri.n; i++) {
        if (memcmp(uri.p + i, "://", 3) == 0)
            return i;
    }
    return uri.n;
}

static bool has_any(struct view text, const char *octets)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == 0 || strchr(octets, text.p[i]))
            return true;
    }
    return false;
}

static bool split(struct view uri, struct parts *ret)
{
    size_t at = find_slashes(uri);
    if (at == 0 || at == uri.n)
        return false;
    struct view rest = view_from(uri, at + 3);
    size_t slash = view_find(rest, '/');
    struct view authority = view_of(rest.p, slash);
    size_t colon = view_find(authority, ':');
    ret->scheme = view_of(uri.p, at);
    ret->host = view_of(authority.p, colon);
    ret->port = view_from(authority, colon + 1);
    ret->path = view_from(rest, slash);
    return !has_any(authority, "@[]?#%");
}

/* Takes "/segment" off the front. */
static bool next_segment(struct view *path, struct view *ret)
{
    if (path->n == 0)
        return false;
    struct view rest = view_from(*path, 1);
    size_t end = view_find(rest, '/');
    *ret = view_of(rest.p, end);
    *path = view_from(rest, end);
    return true;
}

static bool star_may_cover(struct view segment)
{
    if (segment.n == 0 || has_any(segment, "%?#*"))
        return false;
    return !view_eq_str(segment, ".") && !view_eq_str(segment, "..");
}

/* `**` at the end: one segment or more, each of which a star may cover. */
static bool rest_covered(struct view first, struct view path)
{
    bool ok = star_may_cover(first);
    while (ok && next_segment(&path, &first))
        ok = star_may_cover(first);
    return ok;
}

static bool path_covers(struct view pattern, struct view path)
{
    struct view want, have;
    while (next_segment(&pattern, &want)) {
        if (!next_segment(&path, &have))
            return false;
        if (view_eq_str(want, "**"))
            return rest_covered(have, path);
        if (view_eq_str(want, "*") ? !star_may_cover(have) : !view_eq(want, have))
            return false;
    }
    return path.n == 0;
}

bool pattern_uri_ok(struct view pattern)
{
    struct parts p;
    struct view segment;
    if (find_slashes(pattern) == pattern.n)
        return view_find(pattern, ':') < pattern.n && pattern.p[0] != '*';
    if (!split(pattern, &p) || has_any(p.scheme, "*:/") || !pattern_host_ok(p.host, true) ||
        has_any(p.port, "*"))
        return false;
    while (next_segment(&p.path, &segment)) {
        bool last = p.path.n == 0;
        if (view_eq_str(segment, "*") || (last && view_eq_str(segment, "**")))
            continue;
        if (has_any(segment, "*"))
            return false;
    }
    return true;
}

bool pattern_uri_covers(struct view pattern, struct view name)
{
    struct parts p, n;
    if (!pattern_uri_ok(pattern))
        return false;
    if (find_slashes(pattern) == pattern.n)
        return find_slashes(name) == name.n && pattern_glob(pattern, name);
    if (!split(pattern, &p) || !split(name, &n))
        return false;
    return view_eq_nocase(p.scheme, n.scheme) && pattern_host_covers(p.host, n.host) &&
           view_eq(p.port, n.port) && path_covers(p.path, n.path);
}
