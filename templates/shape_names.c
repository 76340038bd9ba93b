/*
 * The SANs of a certificate to be: those asked for beside the CSR, else the CSR's, else a common name that
 * reads as one.
 *
 * Only gathers and reads them; which are allowed is the rules' affair. Any thread.
 */
#include "base/limits.h"
#include "conditions.h"
#include "pattern.h"
#include "shape_asked.h"

static struct err *san_of(const struct shape *s, const char *text, struct cert_san *ret)
{
    struct pattern p;
    if (pattern_name_parse(view_str(text), &p))
        return cert_san_of_text(view_str(text), s->arena, ret);
    p = pattern_parse(view_str(text));
    return cert_san_of_text(view_str(arena_printf(s->arena, "%s:%s", pattern_kind_text(p.kind), text)),
                            s->arena, ret);
}

/* The gate before anything is copied. */
static struct err *size_check(const struct templates_request *r)
{
    size_t sum = 0;
    if (r->sans_n > LIMIT_SANS)
        return err_at(err_new(ERR_TOO_MANY, "%zu names; at most %d in a certificate", r->sans_n, LIMIT_SANS),
                      "/sans");
    for (size_t i = 0; i < r->sans_n; i++)
        sum += strlen(r->sans[i]);
    if (sum > LIMIT_TBS_BYTES)
        return err_at(err_new(ERR_TOO_LARGE, "%zu octets of names; at most %d", sum, LIMIT_TBS_BYTES),
                      "/sans");
    return NULL;
}

static struct err *from_request(struct shape *s)
{
    struct err *e = NULL;
    const struct templates_request *r = s->request;
    bool taken = s->t->sans.from_request && s->t->sans.kinds;
    if (!taken && s->t->sans.other == SOURCE_DROP)
        return NULL;
    if (!taken)
        return err_at(err_new(ERR_POLICY, "template '%s' takes no names beside the CSR", s->t->name),
                      "/sans");
    TRY(size_check(r));
    s->sans = arena_array(s->arena, r->sans_n, sizeof(s->sans[0]));
    for (; s->sans_n < r->sans_n; s->sans_n++)
        TRY(err_at(san_of(s, r->sans[s->sans_n], &s->sans[s->sans_n]), "/sans/%zu", s->sans_n));
    s->sans_source = "request";
out:
    return e;
}

static void from_csr(struct shape *s)
{
    const struct cert_csr *csr = s->request->csr;
    s->sans_n = csr->san_count;
    s->sans = arena_array(s->arena, s->sans_n, sizeof(s->sans[0]));
    memcpy(s->sans, csr->sans, s->sans_n * sizeof(s->sans[0]));
    s->sans_source = "csr";
}

/* A common name that is no host name or address is left to the rules: there it is a name missing. */
static struct err *from_cn(struct shape *s)
{
    struct err *e = NULL;
    const char *cn = NULL;
    struct cert_san *san = ARENA_NEW(s->arena, struct cert_san);
    TRY(shape_asked_cn(s, &cn));
    if (!cn)
        return NULL;
    struct pattern p = pattern_parse(view_str(cn));
    bool taken = p.body.n == strlen(cn) && p.kind <= PATTERN_IP && (s->t->sans.kinds & (1u << p.kind));
    struct err *no = taken ? san_of(s, cn, san) : NULL;
    if (taken && !no) {
        s->sans = san;
        s->sans_n = 1;
        s->sans_source = s->request->has_subject ? "request" : "csr";
        shape_origin(s, "sans", s->sans_source, "the common name");
    }
    err_free(no);
out:
    return e;
}

/* Names of one expression, behind those there are. */
static struct err *add_computed(struct shape *s, const struct expr_value *value, enum expr_type type,
                                size_t which)
{
    struct err *e = NULL;
    const struct expr_value *list = type == EXPR_STRINGS ? value->list : value;
    size_t n = type == EXPR_STRINGS ? value->n_list : 1;
    struct cert_san *all = arena_array(s->arena, s->sans_n + n, sizeof(all[0]));
    if (s->sans_n + n > LIMIT_SANS)
        return err_new(ERR_TOO_MANY, "template '%s': sans.computed comes to more than %d names", s->t->name,
                       LIMIT_SANS);
    if (s->sans_n > 0)
        memcpy(all, s->sans, s->sans_n * sizeof(all[0]));
    for (size_t i = 0; i < n; i++)
        TRY(err_wrap(san_of(s, arena_str(s->arena, list[i].s), &all[s->sans_n + i]),
                     "template '%s': sans.computed, number %zu", s->t->name, which + 1));
    s->sans = all;
    s->sans_n += n;
out:
    return e;
}

static struct err *computed(struct shape *s)
{
    struct err *e = NULL;
    const struct template_sans *t = &s->t->sans;
    struct expr_value value;
    for (size_t i = 0; i < t->computed_texts.n; i++) {
        TRY(conditions_compute(s, &t->computed[i], "sans.computed", &value));
        TRY(add_computed(s, &value, t->computed[i].type, i));
    }
    if (t->computed_texts.n > 0)
        shape_origin(s, "sans", "template", "computed");
out:
    return e;
}

struct err *shape_names_sans(struct shape *s, struct cert_tbs *tbs)
{
    struct err *e = NULL;
    (void)tbs;
    const struct templates_request *r = s->request;
    if (r->has_sans)
        TRY(from_request(s));
    bool beside = r->has_sans && (s->t->sans.from_request || s->t->sans.other == SOURCE_REFUSE);
    if (!beside && r->csr && r->csr->san_count > 0 && s->t->sans.kinds && s->t->sans.from_csr)
        from_csr(s);
    if (s->sans_n > 0)
        shape_origin(s, "sans", s->sans_source, "");
    if (s->sans_n == 0 && s->t->sans.from_cn)
        TRY(from_cn(s));
    TRY(computed(s));
    s->sans_n = cert_san_unique(s->sans, s->sans_n);
out:
    return e;
}
