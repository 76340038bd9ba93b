/*
 * Patterns over directory names, in the text form of RFC 4514: attribute by attribute, as many as the name
 * has. A `*` stands for any run of octets within one value and never for a further attribute.
 *
 * Any thread.
 */
#include "pattern.h"

/* Takes what comes before the next `,` or `+` that is not escaped; *ret_end is that octet, 0 at the end. */
static struct view take(struct view *rest, uint8_t *ret_end)
{
    size_t i = 0;
    while (i < rest->n && rest->p[i] != ',' && rest->p[i] != '+')
        i += rest->p[i] == '\\' ? 2 : 1;
    i = i < rest->n ? i : rest->n;
    struct view part = view_of(rest->p, i);
    *ret_end = i < rest->n ? rest->p[i] : 0;
    *rest = view_from(*rest, i + 1);
    return part;
}

/* TYPE=VALUE, no star in the type. */
static bool part_ok(struct view part)
{
    size_t eq = view_find(part, '=');
    return eq > 0 && eq < part.n && view_find(part, '*') > eq;
}

bool pattern_directory_ok(struct view pattern)
{
    uint8_t end = ',';
    bool ok = true;
    while (ok && end)
        ok = part_ok(take(&pattern, &end));
    return ok;
}

bool pattern_directory_covers(struct view pattern, struct view name)
{
    uint8_t end = ',', name_end = ',';
    while (end && end == name_end) {
        struct view part = take(&pattern, &end), of_name = take(&name, &name_end);
        if (!part_ok(part) || !pattern_glob(part, of_name))
            return false;
    }
    return end == name_end;
}
