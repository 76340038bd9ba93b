/*
 * Subject alternative names: the template's fields, and the rules over the names of a certificate.
 *
 * A `*` in a name is a label like any other: it is let in by `wildcard: true` and covered only by a `*` of a
 * pattern. Any thread.
 */
#include "conditions.h"
#include "judge.h"
#include "load.h"
#include "pattern.h"

#define KINDS ((unsigned)CERT_SAN__COUNT)

/* Pattern and SAN kinds go by the same names and numbers. */
_Static_assert((int)PATTERN_DNS == (int)CERT_SAN_DNS && (int)PATTERN_IP == (int)CERT_SAN_IP &&
                   (int)PATTERN_URI == (int)CERT_SAN_URI && (int)PATTERN_EMAIL == (int)CERT_SAN_EMAIL &&
                   (int)PATTERN_OTHER == (int)CERT_SAN_OTHER && (int)PATTERN_UPN == (int)CERT_SAN_UPN &&
                   (int)PATTERN_DIRECTORY == (int)CERT_SAN_DIRECTORY && (int)PATTERN_RID == (int)CERT_SAN_RID,
               "kinds agree");

/* Well formed, and of a kind that the template has; inherited ones of a kind that it has taken out go. */
static struct err *patterns_check(const struct load *l, const char *key, struct conf_texts *patterns,
                                  unsigned *ret_kinds)
{
    const json_t *list = json_object_get(load_node(l, GROUP_SANS), key);
    const char **kept = arena_array(l->arena, patterns->n, sizeof(kept[0]));
    size_t n = 0;
    for (size_t i = 0; i < patterns->n; i++) {
        const json_t *at = json_array_get(list, i);
        struct view text = view_str(patterns->items[i]);
        struct err *bad = load_placed(l, at, pattern_check(text));
        if (bad)
            return bad;
        unsigned kind = 1u << pattern_parse(text).kind;
        bool has = l->t->sans.kinds & kind;
        if (!has && !conf_inherited(l->conf, at))
            return conf_error(l->conf, at, "a pattern for %s names, which sans.kinds does not list",
                              pattern_kind_text(pattern_parse(text).kind));
        if (has)
            kept[n++] = patterns->items[i];
        *ret_kinds |= has ? kind : 0;
    }
    if (patterns->n > 0 && n == 0 && strcmp(key, "allow") == 0)
        return load_error(l, GROUP_SANS, "kinds", "no inherited pattern allows any of these kinds");
    *patterns = (struct conf_texts){n, kept};
    return NULL;
}

static struct err *load_computed(struct load *l)
{
    struct err *e = NULL;
    struct template_sans *s = &l->t->sans;
    const json_t *list = json_object_get(load_node(l, GROUP_SANS), "computed");
    s->computed = arena_array(l->arena, s->computed_texts.n, sizeof(s->computed[0]));
    for (size_t i = 0; i < s->computed_texts.n; i++) {
        const json_t *at = json_array_get(list, i);
        TRY(conditions_compile(l, at, 0, CONDITIONS_ASKED, &s->computed[i]));
        if (s->computed[i].type != EXPR_STRING && s->computed[i].type != EXPR_STRINGS)
            return conf_error(l->conf, at, "the expression gives %s; a name or a list of names is wanted",
                              expr_type_name(s->computed[i].type));
    }
out:
    return e;
}

static struct err *combinations(struct load *l, unsigned allow_kinds)
{
    const struct template_sans *s = &l->t->sans;
    if (s->min > s->max)
        return load_error(l, GROUP_SANS, "min", "min is larger than max");
    if (s->wildcard && !(s->kinds & (1u << CERT_SAN_DNS)))
        return load_error(l, GROUP_SANS, "wildcard", "'wildcard: true' without dns among the kinds");
    if (!s->wildcard && load_given(l, GROUP_SANS, "wildcard_labels"))
        return load_error(l, GROUP_SANS, "wildcard_labels", "'wildcard_labels' without 'wildcard: true'");
    if (s->from_cn && !(s->kinds & (1u << CERT_SAN_DNS | 1u << CERT_SAN_IP)))
        return load_error(l, GROUP_SANS, "from_cn", "'from_cn: true' without dns or ip among the kinds");
    for (unsigned kind = 0; s->allow.n > 0 && kind < KINDS; kind++) {
        if ((s->kinds & (1u << kind)) && !(allow_kinds & (1u << kind)))
            return load_error(l, GROUP_SANS, "allow", "%s is among the kinds, but no pattern allows any",
                              cert_san_kind_name((enum cert_san_kind)kind));
    }
    return NULL;
}

struct err *sans_load(struct load *l)
{
    struct err *e = NULL;
    struct template_sans *s = &l->t->sans;
    const char *names[KINDS];
    unsigned allow_kinds = 0, deny_kinds = 0;
    if (!l->t->nodes[GROUP_SANS])
        return NULL;
    for (unsigned kind = 0; kind < KINDS; kind++)
        names[kind] = cert_san_kind_name((enum cert_san_kind)kind);
    TRY(load_mask(l, load_node(l, GROUP_SANS), "kinds", &s->kind_texts, names, KINDS, 0, &s->kinds));
    if (!s->kinds)
        return load_error(l, GROUP_SANS, "kinds", "sans without kinds; leave the group out for no names");
    TRY(patterns_check(l, "allow", &s->allow, &allow_kinds));
    TRY(patterns_check(l, "deny", &s->deny, &deny_kinds));
    TRY(load_computed(l));
    TRY(combinations(l, allow_kinds));
out:
    return e;
}

struct err *sans_rule_kinds(const struct judged *j)
{
    for (size_t i = 0; i < j->sans_n; i++) {
        if ((unsigned)j->sans[i].kind < KINDS && (j->t->sans.kinds & (1u << j->sans[i].kind)))
            continue;
        return judge_at_san(
            j,
            err_new(ERR_POLICY, "%s names are not among those allowed", cert_san_kind_name(j->sans[i].kind)),
            i);
    }
    return NULL;
}

struct err *sans_rule_min(const struct judged *j)
{
    if ((int64_t)j->sans_n >= j->t->sans.min)
        return NULL;
    return err_at(err_new(ERR_POLICY, "%zu names; at least %d", j->sans_n, (int)j->t->sans.min), "/sans");
}

struct err *sans_rule_max(const struct judged *j)
{
    if ((int64_t)j->sans_n <= j->t->sans.max)
        return NULL;
    return err_at(err_new(ERR_POLICY, "%zu names; at most %d", j->sans_n, (int)j->t->sans.max), "/sans");
}

struct err *sans_rule_unique(const struct judged *j)
{
    for (size_t i = 1; i < j->sans_n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (cert_san_eq(&j->sans[i], &j->sans[k]))
                return judge_at_san(
                    j, err_new(ERR_POLICY, "%s stands there twice", cert_san_text(&j->sans[i], j->arena)), i);
        }
    }
    return NULL;
}

struct err *sans_rule_wildcard(const struct judged *j)
{
    for (size_t i = 0; i < j->sans_n && !j->t->sans.wildcard; i++) {
        if (j->sans[i].kind == CERT_SAN_DNS && view_find(j->sans[i].value, '*') < j->sans[i].value.n)
            return judge_at_san(j,
                                err_new(ERR_POLICY, "%s: the template allows no wildcard",
                                        cert_san_text(&j->sans[i], j->arena)),
                                i);
    }
    return NULL;
}

static size_t labels(struct view name)
{
    size_t n = 1;
    for (size_t i = 0; i < name.n; i++)
        n += name.p[i] == '.';
    return n;
}

struct err *sans_rule_wildcard_labels(const struct judged *j)
{
    for (size_t i = 0; i < j->sans_n; i++) {
        const struct cert_san *san = &j->sans[i];
        if (san->kind != CERT_SAN_DNS || view_find(san->value, '*') == san->value.n)
            continue;
        if ((int64_t)labels(san->value) - 1 < j->t->sans.wildcard_labels)
            return judge_at_san(j,
                                err_new(ERR_POLICY, "%s: at least %d labels after the '*'",
                                        cert_san_text(san, j->arena), (int)j->t->sans.wildcard_labels),
                                i);
    }
    return NULL;
}

typedef bool match(struct pattern pattern, struct pattern name);

static bool matched(const struct judged *j, const struct conf_texts *patterns, size_t i, match *how)
{
    struct pattern name;
    if (!pattern_name_parse(view_str(cert_san_text(&j->sans[i], j->arena)), &name))
        return false;
    for (size_t k = 0; k < patterns->n; k++) {
        if (how(pattern_parse(view_str(patterns->items[k])), name))
            return true;
    }
    return false;
}

struct err *sans_rule_allow(const struct judged *j)
{
    for (size_t i = 0; i < j->sans_n && j->t->sans.allow.n > 0; i++) {
        if (!matched(j, &j->t->sans.allow, i, pattern_covers))
            return judge_at_san(j,
                                err_new(ERR_POLICY, "%s matches none of the template's allowed patterns",
                                        cert_san_text(&j->sans[i], j->arena)),
                                i);
    }
    return NULL;
}

struct err *sans_rule_deny(const struct judged *j)
{
    for (size_t i = 0; i < j->sans_n; i++) {
        if (matched(j, &j->t->sans.deny, i, pattern_touches))
            return judge_at_san(
                j, err_new(ERR_POLICY, "%s is denied by the template", cert_san_text(&j->sans[i], j->arena)),
                i);
    }
    return NULL;
}
