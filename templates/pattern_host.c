/*
 * Patterns over host names (RFC 1123 labels, compared without case as RFC 4343 says).
 *
 * `*` and `**` have a meaning as the left-most label of a pattern alone; in a name, `*` is a label like any
 * other, which no plain label equals. Never allocates. Any thread.
 */
#include "base/limits.h"
#include "pattern.h"

static bool label_ok(struct view label)
{
    if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++) {
        uint8_t c = label.p[i], lower = c | 0x20;
        if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return true;
}

/* The part after the first dot; empty where there is none. */
static struct view tail(struct view name)
{
    return view_from(name, view_find(name, '.') + 1);
}

static struct view head(struct view name)
{
    return view_of(name.p, view_find(name, '.'));
}

bool pattern_host_ok(struct view name, bool stars)
{
    if (name.n == 0 || name.n > LIMIT_DNS_BYTES || name.p[name.n - 1] == '.')
        return false;
    if (stars && (view_eq_str(head(name), "*") || view_eq_str(head(name), "**"))) {
        name = tail(name);
        if (name.n == 0)
            return true;
    }
    for (; name.n > 0; name = tail(name)) {
        if (!label_ok(head(name)))
            return false;
    }
    return true;
}

/* name ends in "." and rest, with something before. */
static bool below(struct view name, struct view rest)
{
    if (name.n <= rest.n + 1)
        return false;
    size_t dot = name.n - rest.n - 1;
    return name.p[dot] == '.' && name.p[0] != '.' && view_eq_nocase(view_from(name, dot + 1), rest);
}

bool pattern_host_covers(struct view pattern, struct view name)
{
    struct view rest = tail(pattern);
    if (!pattern_host_ok(pattern, true) || name.n == 0)
        return false;
    if (view_eq_str(pattern, "**"))
        return true;
    if (view_eq_str(pattern, "*"))
        return tail(name).n == 0 && head(name).n == name.n;
    if (view_eq_str(head(pattern), "**"))
        return below(name, rest);
    if (view_eq_str(head(pattern), "*"))
        return head(name).n > 0 && view_eq_nocase(tail(name), rest);
    return view_eq_nocase(pattern, name);
}

bool pattern_host_touches(struct view pattern, struct view name)
{
    if (pattern_host_covers(pattern, name))
        return true;
    return view_eq_str(head(name), "*") && tail(name).n > 0 && view_eq_nocase(tail(pattern), tail(name));
}
