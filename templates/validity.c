/*
 * Validity: how long, how far back, never outside the issuer's own life. The maximum counts from now, the
 * moment of judging; the backdate comes on top of it.
 *
 * Never reads a clock: now is given. Any thread.
 */
#include "base/when.h"
#include "conditions.h"
#include "judge.h"
#include "load.h"

struct err *validity_load(struct load *l)
{
    struct err *e = NULL;
    struct template_validity *v = &l->t->validity;
    if (v->default_s == 0 || v->max_s == 0)
        return load_error(l, GROUP_VALIDITY, "", "validity needs both 'default' and 'max'");
    if (v->default_s > v->max_s)
        return load_error(l, GROUP_VALIDITY, "default", "the default is longer than the maximum");
    if (v->jitter_s * 2 > v->default_s)
        return load_error(l, GROUP_VALIDITY, "jitter", "jitter is more than half of the default");
    if (v->computed_text[0]) {
        struct expr *x = ARENA_NEW(l->arena, struct expr);
        TRY(conditions_compile(l, json_object_get(load_node(l, GROUP_VALIDITY), "computed"), EXPR_DURATION,
                               CONDITIONS_ASKED, x));
        v->computed = x;
    }
    v->until = INT64_MAX;
    if (!v->until_text[0])
        return NULL;
    TRY(load_placed(l, json_object_get(load_node(l, GROUP_VALIDITY), "until"),
                    when_parse(view_str(v->until_text), &v->until)));
out:
    return e;
}

int64_t templates_validity_default_s(const struct template *t)
{
    return t->validity.default_s;
}

int64_t templates_validity_max_s(const struct template *t)
{
    return t->validity.max_s;
}

int64_t templates_backdate_s(const struct template *t)
{
    return t->validity.backdate_s;
}

static const char *at(const struct judged *j, int64_t s)
{
    return when_text(j->arena, s);
}

struct err *validity_rule_future(const struct judged *j)
{
    if (j->tbs->not_before <= j->now)
        return NULL;
    return err_new(ERR_POLICY, "notBefore %s lies ahead of now", at(j, j->tbs->not_before));
}

struct err *validity_rule_backdate(const struct judged *j)
{
    if (j->tbs->not_before >= j->now - j->t->validity.backdate_s - TEMPLATES_SLACK_S)
        return NULL;
    return err_new(ERR_POLICY, "notBefore %s lies further back than %s", at(j, j->tbs->not_before),
                   when_duration_text(j->arena, j->t->validity.backdate_s));
}

/* The field by which the end was asked for. */
static struct err *at_end(const struct judged *j, struct err *e)
{
    return err_at(e, j->end_by_validity ? "/validity" : "/not_after");
}

struct err *validity_rule_over(const struct judged *j)
{
    if (j->tbs->not_after > j->now)
        return NULL;
    return at_end(j, err_new(ERR_POLICY, "notAfter %s is over already", at(j, j->tbs->not_after)));
}

struct err *validity_rule_max(const struct judged *j)
{
    if (j->tbs->not_after <= j->now + j->t->validity.max_s)
        return NULL;
    return at_end(j, err_new(ERR_POLICY, "notAfter %s is past the maximum of %s from now, which is %s",
                             at(j, j->tbs->not_after), when_duration_text(j->arena, j->t->validity.max_s),
                             at(j, j->now + j->t->validity.max_s)));
}

struct err *validity_rule_until(const struct judged *j)
{
    if (j->tbs->not_after <= j->t->validity.until)
        return NULL;
    return at_end(j, err_new(ERR_POLICY, "notAfter %s is past the template's own end, %s",
                             at(j, j->tbs->not_after), j->t->validity.until_text));
}

struct err *validity_rule_issuer_start(const struct judged *j)
{
    if (j->tbs->not_before >= j->issuer->not_before)
        return NULL;
    return err_new(ERR_POLICY, "notBefore %s lies before issuer '%s' itself, from %s",
                   at(j, j->tbs->not_before), j->issuer->name, at(j, j->issuer->not_before));
}

struct err *validity_rule_issuer_end(const struct judged *j)
{
    if (j->tbs->not_after <= j->issuer->not_after)
        return NULL;
    return at_end(j, err_new(ERR_POLICY, "notAfter %s is past the end of issuer '%s', %s",
                             at(j, j->tbs->not_after), j->issuer->name, at(j, j->issuer->not_after)));
}
