/*
 * The subject that was asked for: beside the CSR, else in it; an attribute that the template takes from the
 * CSR alone comes from there in either case.
 *
 * Which values are within bounds is the rules' affair. Any thread.
 */
#include "shape_asked.h"

#include "base/limits.h"
#include "subject.h"

static void add(struct shape_asked *to, const char *type, const char *value, const char *from)
{
    to->parts[to->n] = (struct cert_name_part){type, value};
    to->from[to->n++] = from;
}

static struct err *asked_beside(const struct shape *s, struct shape_asked *ret)
{
    const struct templates_request *r = s->request;
    if (!s->t->subject.from_request)
        return err_at(err_new(ERR_POLICY, "template '%s' takes no subject beside the CSR", s->t->name),
                      "/subject");
    if (r->subject_n > LIMIT_RDNS)
        return err_at(err_new(ERR_TOO_MANY, "%zu attributes; at most %d", r->subject_n, LIMIT_RDNS),
                      "/subject");
    ret->source = "request";
    for (size_t i = 0; i < r->subject_n; i++) {
        if (strlen(r->subject[i].value) > LIMIT_RDN_VALUE_BYTES)
            return err_at(err_new(ERR_TOO_LARGE, "a value of more than %d octets", LIMIT_RDN_VALUE_BYTES),
                          "/subject/%s", r->subject[i].attribute);
        add(ret, r->subject[i].attribute, r->subject[i].value, "request");
    }
    return NULL;
}

/* all: not only what the template takes from a CSR alone. */
static void asked_in_csr(const struct shape *s, bool all, struct shape_asked *ret)
{
    const struct cert_name *name = &s->request->csr->subject;
    for (size_t i = 0; i < name->n; i++) {
        const struct cert_attr *attr = &name->attrs[i];
        const char *type = cert_name_type_of(attr->oid);
        unsigned number = subject_attr_of_oid(attr->oid);
        bool here = number < SUBJECT_ATTRS && s->t->subject.sources[number] == SOURCE_CSR;
        if (all || here)
            add(ret, type ? type : der_oid_text(attr->oid, s->arena), arena_str(s->arena, attr->value),
                "csr");
    }
}

static struct err *gather(const struct shape *s, struct shape_asked *ret)
{
    struct err *e = NULL;
    const struct cert_csr *csr = s->t->subject.from_csr ? s->request->csr : NULL;
    bool dropped = !s->t->subject.from_request && s->t->subject.other == SUBJECT_DROP;
    bool beside = s->request->has_subject && !dropped;
    size_t most = (beside ? s->request->subject_n : 0) + (csr ? csr->subject.n : 0);
    *ret = (struct shape_asked){.source = csr ? "csr" : ""};
    ret->parts = arena_array(s->arena, most, sizeof(ret->parts[0]));
    ret->from = arena_array(s->arena, most, sizeof(ret->from[0]));
    if (beside)
        TRY(asked_beside(s, ret));
    if (csr)
        asked_in_csr(s, !beside, ret);
out:
    return e;
}

struct err *shape_asked_cn(const struct shape *s, const char **ret)
{
    struct shape_asked asked;
    struct err *e = gather(s, &asked);
    for (size_t i = 0; !e && i < asked.n; i++) {
        if (subject_attr_of(view_str(asked.parts[i].type)) == subject_cn_attr())
            *ret = asked.parts[i].value;
    }
    return e;
}

static struct err *refuse(const struct shape *s, const struct shape_asked *asked, size_t i)
{
    struct err *e;
    const struct template_subject *rules = &s->t->subject;
    const char *type = asked->parts[i].type;
    unsigned attr = subject_attr_of(view_str(type));
    uint32_t bit = attr < SUBJECT_ATTRS ? 1u << attr : 0;
    if ((rules->fixed_set | rules->computed_set) & bit)
        e = err_new(ERR_POLICY, "subject.fixed: template '%s' sets %s itself", s->t->name, type);
    else if (rules->forbid & bit)
        e = err_new(ERR_POLICY, "subject.forbid: template '%s' forbids %s", s->t->name, type);
    else if (rules->allow & bit)
        e = err_new(ERR_POLICY, "subject.from: template '%s' takes no %s from a %s", s->t->name, type,
                    asked->from[i]);
    else
        e = err_new(ERR_POLICY, "subject.allow: template '%s' takes no %s from a request", s->t->name, type);
    return strcmp(asked->from[i], "csr") == 0 ? err_at(e, "/csr") : err_at(e, "/subject/%s", type);
}

static bool taken(const struct shape *s, const struct shape_asked *asked, size_t i)
{
    unsigned attr = subject_attr_of(view_str(asked->parts[i].type));
    unsigned from = strcmp(asked->from[i], "csr") == 0 ? SOURCE_CSR : SOURCE_REQUEST;
    return attr < SUBJECT_ATTRS && (s->t->subject.allow & (1u << attr)) &&
           (s->t->subject.sources[attr] & from);
}

static bool as_fixed(const struct shape *s, const struct cert_name_part *part)
{
    unsigned attr = subject_attr_of(view_str(part->type));
    const char *fixed = attr < SUBJECT_ATTRS ? s->t->subject.fixed[attr] : NULL;
    return fixed && strcmp(fixed, part->value) == 0;
}

static bool forbidden(const struct shape *s, const struct cert_name_part *part)
{
    unsigned attr = subject_attr_of(view_str(part->type));
    return attr < SUBJECT_ATTRS && (s->t->subject.forbid & (1u << attr));
}

struct err *shape_asked_subject(const struct shape *s, struct shape_asked *ret)
{
    struct err *e = NULL;
    struct shape_asked asked;
    size_t kept = 0;
    TRY(gather(s, &asked));
    for (size_t i = 0; i < asked.n; i++) {
        struct cert_name_part part = asked.parts[i];
        if (taken(s, &asked, i)) {
            part.type = subject_attrs[subject_attr_of(view_str(part.type))];
            asked.from[kept] = asked.from[i];
            asked.parts[kept++] = part;
            continue;
        }
        if (forbidden(s, &part) || (!as_fixed(s, &part) && s->t->subject.other == SUBJECT_REFUSE))
            TRY(refuse(s, &asked, i));
    }
    asked.n = kept;
    *ret = asked;
out:
    return e;
}
