/*
 * The rules over a subject's bytes: form, fixed, allowed, required, patterns, common name.
 *
 * Never looks at who asked. Any thread.
 */
#include "judge.h"
#include "pattern.h"
#include "subject.h"

static unsigned attr_at(const struct judged *j, size_t i)
{
    return subject_attr_of_oid(j->subject.attrs[i].oid);
}

static uint32_t attrs_present(const struct judged *j)
{
    uint32_t present = 0;
    for (size_t i = 0; i < j->subject.n; i++) {
        unsigned attr = attr_at(j, i);
        present |= attr < SUBJECT_ATTRS ? 1u << attr : 0;
    }
    return present;
}

static unsigned place_of(const struct template *t, unsigned attr)
{
    unsigned place = 0;
    while (place < SUBJECT_ATTRS && t->subject.ordered[place] != attr)
        place++;
    return place;
}

/* A subject has our form where writing its values anew gives the same bytes: single-valued RDNs in the
 * template's order, of known types, with the string type of each (RFC 5280 4.1.2.4). */
struct err *subject_rule_form(const struct judged *j)
{
    struct cert_name_part *parts = arena_array(j->arena, j->subject.n, sizeof(*parts));
    unsigned last = 0;
    bool ok = true;
    for (size_t i = 0; i < j->subject.n && ok; i++) {
        unsigned attr = attr_at(j, i);
        unsigned place = place_of(j->t, attr);
        ok = place < SUBJECT_ATTRS && place >= last;
        last = place;
        parts[i].type = ok ? subject_attrs[attr] : "";
        parts[i].value = arena_str(j->arena, j->subject.attrs[i].value);
    }
    struct view again = {NULL, 0};
    struct err *e = ok ? cert_name_write(parts, j->subject.n, j->arena, &again) : NULL;
    ok = ok && !e && view_eq(again, j->tbs->subject);
    err_free(e);
    return ok ? NULL
              : err_new(ERR_POLICY, "the subject is not written in this authority's form (RFC 5280 4.1.2.4)");
}

struct err *subject_rule_allow(const struct judged *j)
{
    uint32_t allowed = j->t->subject.allow | j->t->subject.fixed_set | j->t->subject.computed_set;
    for (size_t i = 0; i < j->subject.n; i++) {
        unsigned attr = attr_at(j, i);
        if (attr < SUBJECT_ATTRS && (allowed & (1u << attr)))
            continue;
        const char *type = attr < SUBJECT_ATTRS ? subject_attrs[attr] : "an unknown attribute";
        return judge_at_subject(
            j, err_new(ERR_POLICY, "the subject has %s, which the template does not allow", type), type);
    }
    return NULL;
}

struct err *subject_rule_once(const struct judged *j)
{
    uint32_t seen = 0, many = 1u << subject_attr_of(view_str("OU")) | 1u << subject_attr_of(view_str("DC"));
    many &= ~j->t->subject.fixed_set;
    for (size_t i = 0; i < j->subject.n; i++) {
        unsigned attr = attr_at(j, i);
        if (attr == SUBJECT_ATTRS)
            continue;
        uint32_t bit = 1u << attr;
        if (seen & bit & ~many)
            return judge_at_subject(j, err_new(ERR_POLICY, "the subject has %s twice", subject_attrs[attr]),
                                    subject_attrs[attr]);
        seen |= bit;
    }
    return NULL;
}

struct err *subject_rule_fixed(const struct judged *j)
{
    for (unsigned attr = 0; attr < SUBJECT_ATTRS; attr++) {
        const char *fixed = j->t->subject.fixed[attr];
        const struct cert_attr *have = fixed ? cert_name_find(&j->subject, subject_attrs[attr]) : NULL;
        if (!fixed || (have && view_eq_str(have->value, fixed)))
            continue;
        return judge_at_subject(
            j, err_new(ERR_POLICY, "the subject's %s must be '%s'", subject_attrs[attr], fixed),
            subject_attrs[attr]);
    }
    return NULL;
}

struct err *subject_rule_require(const struct judged *j)
{
    uint32_t missing = j->t->subject.require & ~attrs_present(j);
    for (unsigned attr = 0; attr < SUBJECT_ATTRS; attr++) {
        if (missing & (1u << attr))
            return judge_at_subject(j, err_new(ERR_POLICY, "the subject needs %s", subject_attrs[attr]), "");
    }
    return NULL;
}

static bool matches_any(const struct conf_texts *patterns, struct view value)
{
    for (size_t i = 0; i < patterns->n; i++) {
        if (pattern_glob(view_str(patterns->items[i]), value))
            return true;
    }
    return patterns->n == 0;
}

struct err *subject_rule_patterns(const struct judged *j)
{
    for (size_t i = 0; i < j->subject.n; i++) {
        unsigned attr = attr_at(j, i);
        if (attr == SUBJECT_ATTRS || matches_any(&j->t->subject.patterns[attr], j->subject.attrs[i].value))
            continue;
        return judge_at_subject(j,
                                err_new(ERR_POLICY,
                                        "the subject's %s matches none of the template's patterns",
                                        subject_attrs[attr]),
                                subject_attrs[attr]);
    }
    return NULL;
}

/* Only a common name that was asked for; a fixed one is the template's word. */
struct err *subject_rule_cn(const struct judged *j)
{
    bool asked = j->t->subject.allow & (1u << subject_cn_attr());
    const struct cert_attr *cn = cert_name_find(&j->subject, "CN");
    if (j->t->subject.cn == SUBJECT_CN_FREE || !asked || !cn)
        return NULL;
    if (subject_repeats(cn->value, j->sans, j->sans_n, j->arena))
        return NULL;
    return judge_at_subject(
        j, err_new(ERR_POLICY, "the common name must repeat one of the certificate's names"), "CN");
}

struct err *subject_rule_named(const struct judged *j)
{
    bool ca = j->t->constraints.ca;
    if (j->subject.n > 0 || (j->sans_n > 0 && !ca))
        return NULL;
    return err_new(ERR_POLICY, "%s (RFC 5280 4.1.2.6)",
                   ca ? "a CA certificate needs a subject"
                      : "neither a subject nor a name: the certificate names nobody");
}
