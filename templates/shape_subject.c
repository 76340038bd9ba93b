/*
 * The subject of a certificate to be: what was asked for and taken (shape_asked.c), what the template fixes
 * and computes, and a common name out of the SANs where it wants one; in the template's order.
 *
 * Any thread.
 */
#include "base/limits.h"
#include "conditions.h"
#include "shape_asked.h"
#include "subject.h"

enum { CN_MAX_CHARACTERS = 64 }; /* RFC 5280 appendix A: ub-common-name */

static bool has_attr(const struct shape_asked *asked, unsigned attr)
{
    for (size_t i = 0; i < asked->n; i++) {
        if (strcmp(asked->parts[i].type, subject_attrs[attr]) == 0)
            return true;
    }
    return false;
}

static bool readable(const struct cert_san *san)
{
    return san->kind != CERT_SAN_OTHER && san->kind != CERT_SAN_DIRECTORY && san->kind != CERT_SAN_RID;
}

/* The first name that people can read, without its kind, where it is short enough; else there is no common
 * name, which RFC 6125 prefers. */
static const char *cn_of_sans(const struct shape *s)
{
    size_t i = 0;
    while (i < s->sans_n && !readable(&s->sans[i]))
        i++;
    if (i == s->sans_n)
        return NULL;
    const char *text = cert_san_text(&s->sans[i], s->arena);
    text = strchr(text, ':') + 1;
    return strlen(text) <= CN_MAX_CHARACTERS ? text : NULL;
}

static bool wants_cn(const struct shape *s, const struct shape_asked *asked)
{
    uint32_t cn = 1u << subject_cn_attr();
    if (!(s->t->subject.allow & cn) || has_attr(asked, subject_cn_attr()))
        return false;
    return s->t->subject.cn == SUBJECT_CN_SAN || (s->t->subject.require & cn);
}

/* What the template sets itself; NULL: nothing. */
static struct err *template_says(struct shape *s, unsigned attr, const char **ret)
{
    struct err *e = NULL;
    struct expr_value value;
    const struct expr *x = s->t->subject.computed[attr];
    *ret = s->t->subject.fixed[attr];
    if (!x)
        return NULL;
    TRY(conditions_compute(s, x, arena_printf(s->arena, "subject.%s", subject_attrs[attr]), &value));
    if (view_find(value.s, 0) < value.s.n || value.s.n > LIMIT_RDN_VALUE_BYTES)
        return err_new(
            ERR_POLICY,
            "template '%s': subject.%s is computed to a text with a NUL, or of more than %d octets",
            s->t->name, subject_attrs[attr], LIMIT_RDN_VALUE_BYTES);
    *ret = value.s.n > 0 ? arena_str(s->arena, value.s) : NULL;
out:
    return e;
}

/* The template's order, else ours; within one type (OU, DC) the order asked for. */
static struct err *arrange(struct shape *s, const struct shape_asked *asked, const char *cn,
                           struct cert_name_part *to, size_t *ret_n)
{
    struct err *e = NULL;
    size_t n = 0;
    for (unsigned place = 0; place < SUBJECT_ATTRS; place++) {
        unsigned attr = s->t->subject.ordered[place];
        const char *own = NULL;
        TRY(template_says(s, attr, &own));
        if (own)
            to[n++] = (struct cert_name_part){subject_attrs[attr], own};
        for (size_t i = 0; i < asked->n; i++) {
            if (strcmp(asked->parts[i].type, subject_attrs[attr]) == 0)
                to[n++] = asked->parts[i];
        }
        if (attr == subject_cn_attr() && cn)
            to[n++] = (struct cert_name_part){subject_attrs[attr], cn};
    }
    *ret_n = n;
out:
    return e;
}

static const char *source_of_attr(const struct shape_asked *asked, unsigned attr)
{
    size_t i = 0;
    while (strcmp(asked->parts[i].type, subject_attrs[attr]) != 0)
        i++;
    return asked->from[i];
}

static void origins(struct shape *s, const struct shape_asked *asked, const char *cn)
{
    for (unsigned attr = 0; attr < SUBJECT_ATTRS; attr++) {
        if (!s->t->subject.fixed[attr] && !s->t->subject.computed[attr] && !has_attr(asked, attr))
            continue;
        const char *field = arena_printf(s->arena, "subject.%s", subject_attrs[attr]);
        if (s->t->subject.fixed[attr])
            shape_origin(s, field, "template", "fixed");
        if (s->t->subject.computed[attr])
            shape_origin(s, field, "template", "computed");
        if (has_attr(asked, attr))
            shape_origin(s, field, source_of_attr(asked, attr), "");
    }
    if (cn)
        shape_origin(s, "subject.CN", s->sans_source, "the first name");
}

struct err *shape_subject(struct shape *s, struct cert_tbs *tbs)
{
    struct err *e = NULL;
    (void)tbs;
    struct shape_asked asked;
    struct view der;
    TRY(shape_asked_subject(s, &asked));
    const char *cn = wants_cn(s, &asked) ? cn_of_sans(s) : NULL;
    struct cert_name_part *parts = arena_array(s->arena, asked.n + SUBJECT_ATTRS + 1, sizeof(parts[0]));
    size_t n = 0;
    TRY(arrange(s, &asked, cn, parts, &n));
    TRY(err_at(cert_name_write(parts, n, s->arena, &der),
               strcmp(asked.source, "csr") == 0 ? "/csr" : "/subject"));
    TRY(cert_name_parse(der, s->arena, &s->subject));
    s->subject_source = asked.source;
    origins(s, &asked, cn);
out:
    return e;
}
