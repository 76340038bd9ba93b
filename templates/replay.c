/*
 * Replay: a certificate's request told from its bytes and the version that made it, then explained under both
 * versions and held against each other, field by field.
 *
 * Any thread.
 */
#include "cert/csr.h"
#include "exts.h"
#include "shape.h"
#include "source.h"
#include "subject.h"
#include "templates_explain.h"

const char *templates_outcome_name(enum templates_outcome outcome)
{
    static const char *const names[] = {"same", "different", "refused", "neither"};
    return names[outcome];
}

/* --- from the certificate to the request --- */

struct told {
    const struct template *t; /* that made it */
    const struct templates_issuer *issuer;
    const struct cert_tbs *tbs;
    struct arena *arena;
    struct cert_csr csr;
    struct templates_request request;
};

static struct err *tell_names(struct told *d)
{
    struct err *e = NULL;
    const struct cert_ext *ext = cert_tbs_ext(d->tbs, CERT_EXT_SAN);
    if (!ext)
        return NULL;
    TRY(cert_san_read(ext->value, NULL, d->arena, &d->csr.sans, &d->csr.san_count));
    if (d->t->sans.from_csr)
        return NULL;
    const char **texts = arena_array(d->arena, d->csr.san_count, sizeof(texts[0]));
    for (size_t i = 0; i < d->csr.san_count; i++)
        texts[i] = cert_san_text(&d->csr.sans[i], d->arena);
    d->request.has_sans = true;
    d->request.sans = texts;
    d->request.sans_n = d->csr.san_count;
    d->csr.san_count = 0;
out:
    return e;
}

/* The template's own word: fixed, or the first name put there as the common name. */
static bool set_by_template(const struct told *d, const struct cert_attr *attr)
{
    unsigned number = subject_attr_of_oid(attr->oid);
    if (number == SUBJECT_ATTRS)
        return false;
    if (d->t->subject.computed_set & (1u << number))
        return true;
    if (d->t->subject.fixed[number] && view_eq_str(attr->value, d->t->subject.fixed[number]))
        return true;
    const struct cert_ext *ext = cert_tbs_ext(d->tbs, CERT_EXT_SAN);
    struct cert_san *sans = NULL;
    size_t n = 0;
    if (number != subject_cn_attr() || d->t->subject.cn != SUBJECT_CN_SAN || !ext)
        return false;
    err_free(cert_san_read(ext->value, NULL, d->arena, &sans, &n));
    return n > 0 && subject_repeats(attr->value, sans, 1, d->arena);
}

static void tell_subject(struct told *d)
{
    const struct cert_name whole = d->csr.subject;
    struct cert_attr *kept = arena_array(d->arena, whole.n, sizeof(kept[0]));
    struct templates_rdn *parts = arena_array(d->arena, whole.n, sizeof(parts[0]));
    size_t n = 0;
    for (size_t i = 0; i < whole.n; i++) {
        const char *type = cert_name_type_of(whole.attrs[i].oid);
        if (set_by_template(d, &whole.attrs[i]))
            continue;
        parts[n].attribute = type ? type : der_oid_text(whole.attrs[i].oid, d->arena);
        parts[n].value = arena_str(d->arena, whole.attrs[i].value);
        kept[n++] = whole.attrs[i];
    }
    d->csr.subject = (struct cert_name){.attrs = kept, .n = n};
    if (d->t->subject.from_csr)
        return;
    d->csr.subject.n = 0;
    d->request.has_subject = n > 0;
    d->request.subject = parts;
    d->request.subject_n = n;
}

static bool made_by_template(const struct cert_ext *wanted, size_t n, const struct cert_ext *ext)
{
    for (size_t i = 0; i < n; i++) {
        if (view_eq(wanted[i].oid, ext->oid))
            return wanted[i].critical == ext->critical && view_eq(wanted[i].value, ext->value);
    }
    return false;
}

/* Those that the template alone would not have made were asked for. */
static struct err *tell_extensions(struct told *d)
{
    struct err *e = NULL;
    struct cert_ext wanted[EXTS_MAX];
    size_t wanted_n = 0, csr_n = 0, request_n = 0;
    struct cert_ext *csr = arena_array(d->arena, d->tbs->ext_count, sizeof(csr[0]));
    struct cert_ext *request = arena_array(d->arena, d->tbs->ext_count, sizeof(request[0]));
    const struct exts_facts facts = {d->t,
                                     d->issuer,
                                     &d->csr.key,
                                     NULL,
                                     0,
                                     d->tbs->subject.n <= 2,
                                     exts_partition_named(d->issuer, d->tbs, d->arena)};
    TRY(exts_make(&facts, d->arena, wanted, &wanted_n));
    for (size_t i = 0; i < d->tbs->ext_count; i++) {
        const struct cert_ext *ext = &d->tbs->exts[i];
        const struct template_from *from = source_of(d->t, ext->oid);
        bool san = cert_ext_id_of(ext->oid) == CERT_EXT_SAN;
        if (san && d->csr.san_count > 0)
            csr[csr_n++] = *ext;
        if (san || made_by_template(wanted, wanted_n, ext) || !source_open(from))
            continue;
        if (from->mask & SOURCE_CSR)
            csr[csr_n++] = *ext;
        else
            request[request_n++] = *ext;
    }
    d->csr.exts = csr;
    d->csr.ext_count = csr_n;
    d->request.exts = request;
    d->request.exts_n = request_n;
out:
    return e;
}

/* The end was asked for unless it is what the template, or somebody's end, would have made of it. */
static void tell_validity(struct told *d, int64_t asked_at)
{
    const struct template_validity *v = &d->t->validity;
    int64_t now = d->tbs->not_before + v->backdate_s;
    d->request.now = d->tbs->not_before > d->issuer->not_before ? now : asked_at;
    int64_t usual = d->request.now + v->default_s, end = d->tbs->not_after;
    bool by_itself =
        (end <= usual && end >= usual - v->jitter_s) || end == d->issuer->not_after || end == v->until;
    d->request.not_after = by_itself ? 0 : end;
}

static struct err *tell(struct told *d, int64_t asked_at)
{
    struct err *e = NULL;
    TRY(cert_key_parse(d->tbs->spki, &d->csr.key));
    TRY(cert_name_parse(d->tbs->subject, d->arena, &d->csr.subject));
    TRY(tell_names(d));
    tell_subject(d);
    TRY(tell_extensions(d));
    tell_validity(d, asked_at);
    d->request.csr = &d->csr;
    d->request.serial = d->tbs->serial;
out:
    return e;
}

/* --- one against the other --- */

static const char *value_of(const struct templates_explained *x, const char *field)
{
    for (size_t i = 0; i < x->fields_n; i++) {
        if (strcmp(x->fields[i].field, field) == 0)
            return x->fields[i].value;
    }
    return "";
}

static void compare(const struct templates_explained *before, const struct templates_explained *after,
                    struct arena *arena, struct templates_replay *ret)
{
    struct templates_change *changes =
        arena_array(arena, before->fields_n + after->fields_n, sizeof(changes[0]));
    size_t n = 0;
    for (size_t i = 0; i < before->fields_n; i++) {
        const char *was = before->fields[i].value, *is = value_of(after, before->fields[i].field);
        if (strcmp(was, is) != 0)
            changes[n++] = (struct templates_change){before->fields[i].field, was, is};
    }
    for (size_t i = 0; i < after->fields_n; i++) {
        if (value_of(before, after->fields[i].field)[0] == 0 && after->fields[i].value[0] != 0)
            changes[n++] = (struct templates_change){after->fields[i].field, "", after->fields[i].value};
    }
    ret->changes = changes;
    ret->changes_n = n;
}

static const struct templates_ruled *first_broken(const struct templates_explained *x)
{
    for (size_t i = 0; i < x->rules_n; i++) {
        if (x->rules[i].verdict == TEMPLATES_BROKEN)
            return &x->rules[i];
    }
    return NULL;
}

struct err *templates_replay(const struct template *made_by, const struct template *before,
                             const struct template *after, const struct templates_issuer *issuer,
                             const struct cert_tbs *tbs, int64_t asked_at, struct arena *arena,
                             struct templates_replay *ret)
{
    struct err *e = NULL;
    struct told d = {.t = made_by, .issuer = issuer, .tbs = tbs, .arena = arena};
    struct templates_explained old, new;
    *ret = (struct templates_replay){.outcome = TEMPLATES_SAME, .why = ""};
    TRY(tell(&d, asked_at));
    templates_explain(before, &d.request, issuer, arena, &old);
    templates_explain(after, &d.request, issuer, arena, &new);
    const struct templates_ruled *by_old = first_broken(&old), *by_new = first_broken(&new);
    if (by_new || by_old) {
        const struct templates_ruled *why = by_old ? by_old : by_new;
        ret->outcome = by_old ? TEMPLATES_NEITHER : TEMPLATES_REFUSED;
        ret->why = arena_printf(arena, "%s: %s", why->rule, why->detail);
        return NULL;
    }
    compare(&old, &new, arena, ret);
    ret->outcome = ret->changes_n > 0 ? TEMPLATES_DIFFERENT : TEMPLATES_SAME;
out:
    return e;
}
