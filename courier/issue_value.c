/* RFC 8659 4.2, read strictly: what is not of this form permits nothing. */
#include "issue_value.h"

#include <ctype.h>

static void skip_blanks(struct view *in)
{
    while (in->n > 0 && (in->p[0] == ' ' || in->p[0] == '\t'))
        *in = view_from(*in, 1);
}

static struct view take_while(struct view *in, bool (*is)(uint8_t c))
{
    size_t n = 0;
    struct view taken;
    while (n < in->n && is(in->p[n]))
        n++;
    view_take(in, n, &taken);
    return taken;
}

static bool in_name(uint8_t c)
{
    return isalnum(c) || c == '-' || c == '.' || c == '_';
}

static bool in_tag(uint8_t c)
{
    return isalnum(c) || c == '-';
}

static bool in_value(uint8_t c)
{
    return c > 0x20 && c < 0x7f && c != ';';
}

static bool parameter_read(struct view *in, struct issue_value *to)
{
    struct view tag = take_while(in, in_tag);
    skip_blanks(in);
    if (tag.n == 0 || in->n == 0 || in->p[0] != '=' || to->n == ISSUE_PARAMETERS_MAX)
        return false;
    *in = view_from(*in, 1);
    skip_blanks(in);
    to->parameters[to->n].tag = tag;
    to->parameters[to->n++].value = take_while(in, in_value);
    skip_blanks(in);
    return true;
}

bool issue_value_read(struct view text, struct issue_value *ret)
{
    struct issue_value v = {.n = 0};
    struct view in = text;
    skip_blanks(&in);
    v.issuer = take_while(&in, in_name);
    skip_blanks(&in);
    while (in.n > 0) {
        if (in.p[0] != ';')
            return false;
        in = view_from(in, 1);
        skip_blanks(&in);
        if (in.n > 0 && in.p[0] != ';' && !parameter_read(&in, &v))
            return false;
    }
    *ret = v;
    return true;
}

size_t issue_value_find(const struct issue_value *v, const char *tag, struct view *ret)
{
    size_t found = 0;
    for (size_t i = 0; i < v->n; i++)
        if (view_eq_nocase(v->parameters[i].tag, view_str(tag))) {
            *ret = v->parameters[i].value;
            found++;
        }
    return found;
}

bool issue_value_is_of(const struct issue_value *v, const char *const *issuers, size_t n)
{
    struct view name = v->issuer;
    if (name.n > 0 && name.p[name.n - 1] == '.')
        name.n--;
    for (size_t i = 0; i < n; i++)
        if (view_eq_nocase(name, view_str(issuers[i])))
            return true;
    return false;
}
