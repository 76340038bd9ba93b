/*
 * A template that extends another may only narrow it: for each field that its own file gives, whether it says
 * no more than the other's. What is not listed in narrow.def must say the same.
 *
 * Never looks at a certificate. Any thread.
 */
#include "extend.h"
#include "fields.h"
#include "narrow_pattern.h"
#include "quota.h"
#include "source.h"
#include "subject.h"

struct pair {
    const struct template *child, *parent;
    const struct conf_row *row; /* the field */
};

/* Whether the child says no more. */
typedef bool narrow_how(const struct pair *p);

static const void *member(const struct template *t, const struct pair *p)
{
    return (const char *)t + p->row->offset;
}

static int64_t number(const struct template *t, const struct pair *p)
{
    return *(const int64_t *)member(t, p);
}

static bool flag(const struct template *t, const struct pair *p)
{
    return *(const bool *)member(t, p);
}

static const struct conf_texts *texts(const struct template *t, const struct pair *p)
{
    return member(t, p);
}

static bool has_text(const struct conf_texts *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i], text) == 0)
            return true;
    }
    return false;
}

static bool within(const struct conf_texts *few, const struct conf_texts *many)
{
    bool all = true;
    for (size_t i = 0; i < few->n && all; i++)
        all = has_text(many, few->items[i]);
    return all;
}

/* --- of any field of a type --- */

static bool how_free(const struct pair *p)
{
    (void)p;
    return true;
}

static bool how_only_true(const struct pair *p)
{
    return flag(p->child, p) || !flag(p->parent, p);
}

static bool how_only_false(const struct pair *p)
{
    return !flag(p->child, p) || flag(p->parent, p);
}

static bool how_at_most(const struct pair *p)
{
    return number(p->child, p) <= number(p->parent, p);
}

static bool how_at_least(const struct pair *p)
{
    return number(p->child, p) >= number(p->parent, p);
}

/* An empty list means any. */
static bool how_fewer(const struct pair *p)
{
    return texts(p->parent, p)->n == 0 || within(texts(p->child, p), texts(p->parent, p));
}

static bool how_more(const struct pair *p)
{
    return within(texts(p->parent, p), texts(p->child, p));
}

static bool how_same(const struct pair *p)
{
    switch (p->row->type) {
    case CONF_TEXT:
        return strcmp(*(const char *const *)member(p->child, p),
                      *(const char *const *)member(p->parent, p)) == 0;
    case CONF_BOOL:
        return flag(p->child, p) == flag(p->parent, p);
    case CONF_CHOICE:
        return *(const int *)member(p->child, p) == *(const int *)member(p->parent, p);
    case CONF_TEXTS:
        return within(texts(p->child, p), texts(p->parent, p)) &&
               within(texts(p->parent, p), texts(p->child, p));
    case CONF_TREE:
        return false; /* left out it is the parent's */
    default:
        return number(p->child, p) == number(p->parent, p);
    }
}

/* --- of one field --- */

static bool how_askers(const struct pair *p)
{
    return (p->child->head.askers & ~p->parent->head.askers) == 0;
}

static bool how_ceiling(const struct pair *p)
{
    int64_t child = number(p->child, p), parent = number(p->parent, p);
    return parent == 0 || (child > 0 && child <= parent);
}

static bool how_until(const struct pair *p)
{
    return p->child->validity.until <= p->parent->validity.until;
}

static bool how_keys(const struct pair *p)
{
    return (p->child->keys.allow & ~p->parent->keys.allow) == 0;
}

static bool how_attributes(const struct pair *p)
{
    return (p->child->subject.allow & ~p->parent->subject.allow) == 0;
}

static bool how_required(const struct pair *p)
{
    return (p->parent->subject.require & ~p->child->subject.require) == 0;
}

static bool matches(const struct conf_texts *patterns, const char *value)
{
    for (size_t i = 0; i < patterns->n; i++) {
        if (pattern_glob(view_str(patterns->items[i]), view_str(value)))
            return true;
    }
    return patterns->n == 0;
}

/* What the other fixes stays; what it lets be asked for may be fixed, within its patterns. */
static bool how_fixed(const struct pair *p)
{
    const struct template_subject *c = &p->child->subject, *o = &p->parent->subject;
    bool ok = true;
    for (unsigned attr = 0; attr < SUBJECT_ATTRS && ok; attr++) {
        if (o->fixed[attr])
            ok = c->fixed[attr] && strcmp(c->fixed[attr], o->fixed[attr]) == 0;
        else if (c->fixed[attr])
            ok = (o->allow & (1u << attr)) && matches(&o->patterns[attr], c->fixed[attr]);
    }
    return ok;
}

/* A pattern is one of the other's, or lies within one: a star of it can stand for no more than theirs. */
static bool how_patterns(const struct pair *p)
{
    bool ok = true;
    for (unsigned attr = 0; attr < SUBJECT_ATTRS && ok; attr++) {
        const struct conf_texts *c = &p->child->subject.patterns[attr],
                                *o = &p->parent->subject.patterns[attr];
        ok = c->n > 0 || o->n == 0 || !(p->child->subject.allow & (1u << attr));
        for (size_t i = 0; i < c->n && ok; i++)
            ok = matches(o, c->items[i]);
    }
    return ok;
}

static bool how_sources(const struct pair *p)
{
    bool ok = true;
    for (unsigned attr = 0; attr < SUBJECT_ATTRS && ok; attr++)
        ok = (p->child->subject.sources[attr] & ~p->parent->subject.sources[attr]) == 0;
    return ok;
}

static bool how_computed(const struct pair *p)
{
    const struct template_subject *c = &p->child->subject, *o = &p->parent->subject;
    uint32_t free = o->allow & ~o->patterned;
    return o->computed_set == 0 && (c->computed_set & ~free) == 0;
}

static bool how_cn(const struct pair *p)
{
    return p->parent->subject.cn == SUBJECT_CN_FREE || p->child->subject.cn == SUBJECT_CN_SAN;
}

static bool how_kinds(const struct pair *p)
{
    return (p->child->sans.kinds & ~p->parent->sans.kinds) == 0;
}

static bool how_names(const struct pair *p)
{
    const struct conf_texts *c = &p->child->sans.allow, *o = &p->parent->sans.allow;
    bool ok = true;
    for (size_t i = 0; i < c->n && ok && o->n > 0; i++) {
        bool found = false;
        for (size_t k = 0; k < o->n && !found; k++)
            found = narrow_pattern_lies_within(view_str(c->items[i]), view_str(o->items[k]));
        ok = found;
    }
    return ok;
}

static bool how_usages(const struct pair *p)
{
    const struct template_key_usage *c = &p->child->key_usage, *o = &p->parent->key_usage;
    if (source_open(&o->from))
        return ((c->usages | c->rsa) & ~o->allow) == 0;
    return (c->usages & ~o->usages) == 0 && (c->rsa & ~(o->usages | o->rsa)) == 0;
}

static bool how_usages_asked(const struct pair *p)
{
    return (p->child->key_usage.allow & ~p->parent->key_usage.allow) == 0;
}

static bool asked_within(const struct template_from *child, const struct template_from *parent)
{
    return (child->mask & ~parent->mask & SOURCE_ASKED) == 0;
}

static bool how_usages_from(const struct pair *p)
{
    return asked_within(&p->child->key_usage.from, &p->parent->key_usage.from);
}

static bool oids_within(const struct view *few, size_t few_n, const struct view *many, size_t many_n)
{
    bool all = true;
    for (size_t i = 0; i < few_n && all; i++) {
        bool found = false;
        for (size_t k = 0; k < many_n && !found; k++)
            found = view_eq(few[i], many[k]);
        all = found;
    }
    return all;
}

static bool how_uses(const struct pair *p)
{
    const struct template_ext_key_usage *c = &p->child->ext_key_usage, *o = &p->parent->ext_key_usage;
    if (!source_open(&o->from))
        return oids_within(c->oids, c->n, o->oids, o->n);
    return o->allow_n == 0 || oids_within(c->oids, c->n, o->allow, o->allow_n);
}

static bool how_uses_asked(const struct pair *p)
{
    const struct template_ext_key_usage *c = &p->child->ext_key_usage, *o = &p->parent->ext_key_usage;
    return o->allow_n == 0 || oids_within(c->allow, c->allow_n, o->allow, o->allow_n);
}

static bool how_uses_from(const struct pair *p)
{
    return asked_within(&p->child->ext_key_usage.from, &p->parent->ext_key_usage.from);
}

static bool how_path_len(const struct pair *p)
{
    int64_t parent = p->parent->constraints.path_len;
    return parent < 0 || p->child->constraints.path_len <= parent;
}

static bool how_custom_from(const struct pair *p)
{
    return asked_within(&p->child->custom.from, &p->parent->custom.from);
}

/* As many or fewer, and no faster. */
static bool how_rate(const struct pair *p)
{
    size_t i = (p->row->offset - offsetof(struct template, limits.texts[0])) / sizeof(const char *);
    struct templates_rate child = quota_rate(p->child, i), parent = quota_rate(p->parent, i);
    return parent.n == 0 ||
           (child.n > 0 && child.n <= parent.n && child.n * parent.period_s <= parent.n * child.period_s);
}

static bool how_certified(const struct pair *p)
{
    return p->child->limits.asked.keys >= p->parent->limits.asked.keys;
}

/* Where the parent leaves the number to the roster, so does the child. */
static bool how_approvals(const struct pair *p)
{
    const struct templates_approval *o = &p->parent->approval.asked;
    return !o->quorum && p->child->approval.asked.needed >= o->needed;
}

static bool how_renewal(const struct pair *p)
{
    int64_t parent = p->parent->limits.asked.renew_within_s;
    return parent == 0 || p->child->limits.asked.renew_within_s <= parent;
}

static narrow_how *how_of(const struct conf_row *row)
{
    static const struct {
        size_t offset;
        narrow_how *how;
    } rows[] = {
#define NARROW(member, how) {offsetof(struct template, member), how_##how},
#include "narrow.def"
#undef NARROW
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].offset == row->offset)
            return rows[i].how;
    }
    return how_same;
}

static bool is_group(const struct conf_row *row)
{
    size_t first = offsetof(struct template, nodes);
    return row->offset >= first && row->offset < first + sizeof(((struct template *)NULL)->nodes);
}

static struct err *check_rows(struct load *l, const struct template *parent, const char *group,
                              const json_t *node)
{
    size_t n;
    const struct conf_row *rows = fields_rows(group, &n);
    for (size_t i = 0; i < n; i++) {
        const json_t *given = json_object_get(node, rows[i].key);
        const struct pair pair = {l->t, parent, &rows[i]};
        if (!given || is_group(&rows[i]) || conf_inherited(l->conf, given) || how_of(&rows[i])(&pair))
            continue;
        return conf_error(
            l->conf, given,
            "'%s' says more than in template '%s', which this one extends: it may only narrow it",
            rows[i].key, parent->name);
    }
    return NULL;
}

struct err *narrow_check(struct load *l, const struct template *parent)
{
    struct err *e = NULL;
    TRY(check_rows(l, parent, "", load_root(l)));
    for (enum group g = 0; g < GROUP__COUNT; g++)
        TRY(check_rows(l, parent, fields_group_key(g), load_node(l, g)));
out:
    return e;
}
