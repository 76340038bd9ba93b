/*
 * The subject of a certificate to be: what was asked (beside the CSR, else in it) as far as the template
 * takes it, what the template fixes, and a common name out of the SANs where it wants one; written in our
 * order.
 *
 * Any thread.
 */
#include "base/limits.h"
#include "conditions.h"
#include "shape.h"
#include "subject.h"

enum { CN_MAX_CHARACTERS = 64 }; /* RFC 5280 appendix A: ub-common-name */

struct asked {
    struct cert_name_part *parts;
    size_t n;
    const char *source;
};

static struct err *asked_beside(const struct shape *s, struct asked *ret)
{
    const struct templates_request *r = s->request;
    if (!s->t->subject.from_request)
        return err_at(err_new(ERR_POLICY, "template '%s' takes no subject beside the CSR", s->t->name),
                      "/subject");
    if (r->subject_n > LIMIT_RDNS)
        return err_at(err_new(ERR_TOO_MANY, "%zu attributes; at most %d", r->subject_n, LIMIT_RDNS),
                      "/subject");
    ret->source = "request";
    ret->parts = arena_array(s->arena, r->subject_n, sizeof(ret->parts[0]));
    for (; ret->n < r->subject_n; ret->n++) {
        if (strlen(r->subject[ret->n].value) > LIMIT_RDN_VALUE_BYTES)
            return err_at(err_new(ERR_TOO_LARGE, "a value of more than %d octets", LIMIT_RDN_VALUE_BYTES),
                          "/subject/%s", r->subject[ret->n].attribute);
        ret->parts[ret->n] = (struct cert_name_part){r->subject[ret->n].attribute, r->subject[ret->n].value};
    }
    return NULL;
}

static void asked_in_csr(const struct shape *s, struct asked *ret)
{
    const struct cert_name *name = &s->request->csr->subject;
    ret->source = "csr";
    ret->parts = arena_array(s->arena, name->n, sizeof(ret->parts[0]));
    for (; ret->n < name->n; ret->n++) {
        const struct cert_attr *attr = &name->attrs[ret->n];
        const char *type = cert_name_type_of(attr->oid);
        ret->parts[ret->n].type = type ? type : der_oid_text(attr->oid, s->arena);
        ret->parts[ret->n].value = arena_str(s->arena, attr->value);
    }
}

static struct err *asked_for(const struct shape *s, struct asked *ret)
{
    *ret = (struct asked){NULL, 0, ""};
    bool dropped = !s->t->subject.from_request && s->t->subject.other == SUBJECT_DROP;
    if (s->request->has_subject && !dropped)
        return asked_beside(s, ret);
    if (s->request->csr && s->t->subject.from_csr)
        asked_in_csr(s, ret);
    return NULL;
}

struct err *shape_subject_asked_cn(const struct shape *s, const char **ret)
{
    struct asked asked;
    struct err *e = asked_for(s, &asked);
    for (size_t i = 0; !e && i < asked.n; i++) {
        if (subject_attr_of(view_str(asked.parts[i].type)) == subject_cn_attr())
            *ret = asked.parts[i].value;
    }
    return e;
}

static struct err *refuse(const struct shape *s, const struct asked *asked, const char *type)
{
    struct err *e;
    bool ours = subject_attr_of(view_str(type)) < SUBJECT_ATTRS;
    uint32_t set = s->t->subject.fixed_set | s->t->subject.computed_set;
    if (ours && (set & (1u << subject_attr_of(view_str(type)))))
        e = err_new(ERR_POLICY, "subject.fixed: template '%s' sets %s itself", s->t->name, type);
    else
        e = err_new(ERR_POLICY, "subject.allow: template '%s' takes no %s from a request", s->t->name, type);
    return strcmp(asked->source, "csr") == 0 ? err_at(e, "/csr") : err_at(e, "/subject/%s", type);
}

/* Keeps the parts that may stand in the subject; the others are dropped or refused, as the template says. */
static struct err *sift(const struct shape *s, struct asked *asked)
{
    const struct template_subject *rules = &s->t->subject;
    size_t kept = 0;
    for (size_t i = 0; i < asked->n; i++) {
        struct cert_name_part part = asked->parts[i];
        unsigned attr = subject_attr_of(view_str(part.type));
        if (attr < SUBJECT_ATTRS && (rules->allow & (1u << attr))) {
            asked->parts[kept].type = subject_attrs[attr];
            asked->parts[kept++].value = part.value;
            continue;
        }
        bool as_fixed =
            attr < SUBJECT_ATTRS && rules->fixed[attr] && strcmp(rules->fixed[attr], part.value) == 0;
        if (!as_fixed && rules->other == SUBJECT_REFUSE)
            return refuse(s, asked, part.type);
    }
    asked->n = kept;
    return NULL;
}

static bool has_attr(const struct asked *asked, unsigned attr)
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

static bool wants_cn(const struct shape *s, const struct asked *asked)
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

/* Our order; within one type (OU, DC) the order asked for. */
static struct err *arrange(struct shape *s, const struct asked *asked, const char *cn,
                           struct cert_name_part *to, size_t *ret_n)
{
    struct err *e = NULL;
    size_t n = 0;
    for (unsigned attr = 0; attr < SUBJECT_ATTRS; attr++) {
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

static void origins(struct shape *s, const struct asked *asked, const char *cn)
{
    for (unsigned attr = 0; attr < SUBJECT_ATTRS; attr++) {
        const char *field = arena_printf(s->arena, "subject.%s", subject_attrs[attr]);
        if (s->t->subject.fixed[attr])
            shape_origin(s, field, "template", "fixed");
        if (s->t->subject.computed[attr])
            shape_origin(s, field, "template", "computed");
        if (has_attr(asked, attr))
            shape_origin(s, field, asked->source, "");
    }
    if (cn)
        shape_origin(s, "subject.CN", s->sans_source, "the first name");
}

struct err *shape_subject(struct shape *s, struct cert_tbs *tbs)
{
    struct err *e = NULL;
    (void)tbs;
    struct asked asked;
    struct view der;
    TRY(asked_for(s, &asked));
    TRY(sift(s, &asked));
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
