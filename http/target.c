/*
 * Request targets (RFC 9112 section 3.2, RFC 3986). A path is never normalised: what would need it ("..", a
 * bad escape, an octet that may not stand in a URI) is refused. Pure.
 */
#include "target.h"

static int refuse(int status, const char *why, const char **ret_why)
{
    *ret_why = why;
    return status;
}

static bool is_unreserved(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static bool is_one_of(uint8_t c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

/* RFC 3986 section 3.3: pchar, and the slash. */
static bool is_path(uint8_t c)
{
    return is_unreserved(c) || is_one_of(c, "/%!$&'()*+,;=:@");
}

/* Wider than RFC 3986 section 3.4: clients leave brackets and bars bare. Never '#', never a control. */
static bool is_query(uint8_t c)
{
    return c > ' ' && c < 0x7f && c != '#';
}

static bool all(struct view v, bool (*is)(uint8_t))
{
    for (size_t i = 0; i < v.n; i++)
        if (!is(v.p[i]))
            return false;
    return true;
}

static bool is_authority(uint8_t c)
{
    return is_unreserved(c) || is_one_of(c, "!$&'()*+,;=:[]%");
}

bool target_is_authority(struct view v)
{
    if (v.n == 0 || v.n > 255 || v.p[0] == ':' || !all(v, is_authority))
        return false;
    size_t at = v.n; /* a port is digits (RFC 3986 section 3.2.3) */
    while (at > 0 && v.p[at - 1] >= '0' && v.p[at - 1] <= '9')
        at--;
    bool literal = v.p[0] == '[';
    size_t colon = view_find(v, ':');
    if (!literal)
        return colon == v.n || colon + 1 == at;
    size_t close = view_find(v, ']');
    return close + 1 == v.n || (close + 1 < v.n && v.p[close + 1] == ':' && close + 2 == at);
}

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool target_decode(struct view raw, bool plus, uint8_t *to, size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        uint8_t c = raw.p[i];
        if (c == '+' && plus)
            c = ' ';
        if (raw.p[i] == '%') {
            int high = i + 2 < raw.n ? hex(raw.p[i + 1]) : -1;
            int low = i + 2 < raw.n ? hex(raw.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        if (c < ' ' || c == 0x7f)
            return false;
        to[n++] = c;
    }
    *ret_n = n;
    return true;
}

bool target_has_dots(struct view decoded)
{
    while (decoded.n > 0) {
        size_t n = view_find(decoded, '/');
        struct view segment = view_of(decoded.p, n);
        if (view_eq_str(segment, ".") || view_eq_str(segment, ".."))
            return true;
        decoded = view_from(decoded, n + 1);
    }
    return false;
}

/* Takes "http://authority" off, RFC 9112 section 3.2.2. */
static bool take_authority(struct view *target, struct view *ret)
{
    struct view v = *target;
    if (v.n > 7 && view_eq_nocase(view_of(v.p, 7), view_str("http://")))
        v = view_from(v, 7);
    else if (v.n > 8 && view_eq_nocase(view_of(v.p, 8), view_str("https://")))
        v = view_from(v, 8);
    else
        return false;
    *ret = view_of(v.p, view_find(v, '/'));
    *target = view_from(v, ret->n);
    return target_is_authority(*ret);
}

int target_split(struct view target, struct parse_head *ret, const char **ret_why)
{
    ret->authority = ret->query = view_of(NULL, 0);
    bool origin = target.n > 0 && target.p[0] == '/';
    if (!origin && !take_authority(&target, &ret->authority))
        return refuse(400, "the target is neither a path nor an http URI (RFC 9112 section 3.2)", ret_why);
    size_t n = view_find(target, '?');
    ret->path = view_of(target.p, n);
    ret->query = view_from(target, n + 1);
    if (n == 0 || ret->path.p[0] != '/')
        return refuse(400, "the target has no path (RFC 9112 section 3.2)", ret_why);
    if (!all(ret->path, is_path) || !all(ret->query, is_query))
        return refuse(400, "an octet that may not stand in a target (RFC 3986 section 3.3)", ret_why);
    return 0;
}
