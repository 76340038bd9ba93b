/*
 * Patterns within patterns. A star of the narrow one is held against the wide one as an opaque label or
 * octet: it is let pass by a star alone, which then lets pass whatever stands in its place. `**` needs a
 * `**`.
 *
 * Any thread.
 */
#include "narrow_pattern.h"

#include <stdlib.h>

static bool has_double(struct view text)
{
    for (size_t i = 0; i + 1 < text.n; i++) {
        if (text.p[i] == '*' && text.p[i + 1] == '*')
            return true;
    }
    return false;
}

/* The first `**` as `*`. */
static struct view single(struct view text, uint8_t *to)
{
    size_t n = 0;
    bool done = false;
    for (size_t i = 0; i < text.n; i++) {
        if (!done && i + 1 < text.n && text.p[i] == '*' && text.p[i + 1] == '*') {
            done = true;
            continue;
        }
        to[n++] = text.p[i];
    }
    return view_of(to, n);
}

bool narrow_pattern_lies_within(struct view narrow, struct view wide)
{
    struct pattern n = pattern_parse(narrow), w = pattern_parse(wide);
    if (n.kind != w.kind)
        return false;
    if (view_eq(n.body, w.body))
        return true;
    if (n.kind == PATTERN_IP)
        return pattern_net_within(n.body, w.body);
    if (has_double(n.body) && !has_double(w.body))
        return false;
    uint8_t *copy = malloc(n.body.n + 1);
    if (!copy)
        return false;
    bool in_path = n.kind == PATTERN_URI || n.kind == PATTERN_OTHER || n.kind == PATTERN_RID;
    n.body = in_path ? n.body : single(n.body, copy);
    bool covers = pattern_covers(w, n);
    free(copy);
    return covers;
}
