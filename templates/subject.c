/*
 * The subject in a template: the attribute types we know, what is fixed, allowed, required, and by which
 * patterns.
 *
 * The rules over a subject's bytes are in subject_rules.c. Any thread.
 */
#include "subject.h"

#include "base/check.h"
#include "conditions.h"
#include "load.h"

enum { PATTERNS_MAX = 100 };

/* From the general to the particular, as names are read. */
const char *const subject_attrs[SUBJECT_ATTRS] = {
    "DC",
    "C",
    "ST",
    "L",
    "street",
    "O",
    "organizationIdentifier",
    "OU",
    "title",
    "dnQualifier",
    "SN",
    "GN",
    "initials",
    "pseudonym",
    "serialNumber",
    "UID",
    "matterFabricId",
    "matterVendorId",
    "matterProductId",
    "matterNodeId",
    "CN",
    "emailAddress",
};

unsigned subject_attr_of(struct view name)
{
    unsigned i = 0;
    while (i < SUBJECT_ATTRS && !view_eq_nocase(view_str(subject_attrs[i]), name))
        i++;
    return i;
}

unsigned subject_attr_of_oid(struct view oid)
{
    const char *name = cert_name_type_of(oid);
    return name ? subject_attr_of(view_str(name)) : SUBJECT_ATTRS;
}

unsigned subject_cn_attr(void)
{
    return 20;
}

bool subject_repeats(struct view cn, const struct cert_san *sans, size_t n, struct arena *arena)
{
    for (size_t i = 0; i < n; i++) {
        struct view text = view_str(cert_san_text(&sans[i], arena));
        if (view_eq_nocase(cn, view_from(text, view_find(text, ':') + 1)))
            return true;
    }
    return false;
}

static struct err *attr_of_key(const struct load *l, const json_t *at, const char *key, unsigned *ret)
{
    *ret = subject_attr_of(view_str(key));
    if (*ret < SUBJECT_ATTRS && strcmp(subject_attrs[*ret], key) == 0)
        return NULL;
    const char *near =
        *ret < SUBJECT_ATTRS ? subject_attrs[*ret] : conf_nearest(key, subject_attrs, SUBJECT_ATTRS);
    if (near)
        return conf_error(l->conf, at, "unknown attribute '%s'; did you mean '%s'?", key, near);
    return conf_error(l->conf, at, "unknown attribute '%s'", key);
}

/* The value is tried as it will be written: length, alphabet, two letters for C. */
static struct err *value_check(const struct load *l, const json_t *at, unsigned attr, const char *value)
{
    struct view der;
    struct cert_name_part part = {subject_attrs[attr], value};
    struct err *e = cert_name_write(&part, 1, l->arena, &der);
    if (!e)
        return NULL;
    struct err *said = conf_error(l->conf, at, "%s", err_detail(e));
    err_free(e);
    return said;
}

static struct err *load_fixed(struct load *l)
{
    struct err *e = NULL;
    struct template_subject *s = &l->t->subject;
    const char *key;
    json_t *value;
    unsigned attr;
    if (s->fixed_tree && (!json_is_object(s->fixed_tree) || json_object_size(s->fixed_tree) == 0))
        return conf_error(l->conf, s->fixed_tree, "'fixed' is a mapping, like {O: Example, C: DE}");
    json_object_foreach((json_t *)s->fixed_tree, key, value)
    {
        TRY(attr_of_key(l, value, key, &attr));
        if (!json_is_string(value))
            return conf_error(l->conf, value, "the value of '%s' is a text; quote it", key);
        TRY(value_check(l, value, attr, json_string_value(value)));
        s->fixed[attr] = arena_str(l->arena, view_str(json_string_value(value)));
        s->fixed_set |= 1u << attr;
    }
out:
    return e;
}

static struct err *load_pattern_list(struct load *l, unsigned attr, const json_t *list)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n == 0 || n > PATTERNS_MAX)
        return conf_error(l->conf, list, "the patterns of '%s' are a list of 1 to %d texts",
                          subject_attrs[attr], PATTERNS_MAX);
    const char **items = arena_array(l->arena, n, sizeof(items[0]));
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_string(item) || json_string_length(item) == 0)
            return conf_error(l->conf, item, "a pattern is a text; quote it");
        items[i] = arena_str(l->arena, view_str(json_string_value(item)));
    }
    l->t->subject.patterns[attr] = (struct conf_texts){n, items};
    l->t->subject.patterned |= 1u << attr;
    return NULL;
}

static struct err *load_patterns(struct load *l)
{
    struct err *e = NULL;
    struct template_subject *s = &l->t->subject;
    const char *key;
    json_t *list;
    unsigned attr;
    if (s->patterns_tree && (!json_is_object(s->patterns_tree) || json_object_size(s->patterns_tree) == 0))
        return conf_error(l->conf, s->patterns_tree,
                          "'patterns' is a mapping, like {CN: [\"*.example.internal\"]}");
    json_object_foreach((json_t *)s->patterns_tree, key, list)
    {
        TRY(attr_of_key(l, list, key, &attr));
        bool has = (s->allow | s->computed_set) & (1u << attr);
        if (!has && conf_inherited(l->conf, list))
            continue; /* of an attribute that this template has taken out */
        if (!has)
            return conf_error(l->conf, list, "patterns for '%s', which is not under 'allow'", key);
        TRY(load_pattern_list(l, attr, list));
    }
out:
    return e;
}

static struct err *load_computed(struct load *l)
{
    struct err *e = NULL;
    struct template_subject *s = &l->t->subject;
    const json_t *tree = s->computed_tree.node;
    const char *key;
    json_t *text;
    unsigned attr;
    if (tree && (!json_is_object(tree) || json_object_size(tree) == 0))
        return conf_error(l->conf, tree, "'computed' is a mapping, like {UID: asker.id}");
    json_object_foreach((json_t *)tree, key, text)
    {
        struct expr *x = ARENA_NEW(l->arena, struct expr);
        TRY(attr_of_key(l, text, key, &attr));
        TRY(conditions_compile(l, text, EXPR_STRING, CONDITIONS_ASKED, x));
        s->computed[attr] = x;
        s->computed_set |= 1u << attr;
        if ((x->uses & (EXPR_CSR | EXPR_REQUEST)) == 0)
            s->own_set |= 1u << attr;
    }
    s->own_set |= s->fixed_set;
    load_keep(l, &s->computed_tree);
out:
    return e;
}

static struct err *load_sources(struct load *l, const json_t *list, unsigned *ret)
{
    unsigned mask = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || (strcmp(text, "request") != 0 && strcmp(text, "csr") != 0))
            return conf_error(l->conf, json_array_get(list, i), "an attribute comes from 'request' or 'csr'");
        mask |= text[0] == 'r' ? SOURCE_REQUEST : SOURCE_CSR;
    }
    if (!mask)
        return conf_error(l->conf, list, "the sources of an attribute are a list of request and csr");
    *ret = mask;
    return NULL;
}

static struct err *load_from(struct load *l)
{
    struct err *e = NULL;
    struct template_subject *s = &l->t->subject;
    const json_t *tree = s->from_tree;
    const char *key;
    json_t *list;
    unsigned attr;
    for (attr = 0; attr < SUBJECT_ATTRS; attr++)
        s->sources[attr] = SOURCE_ASKED;
    if (tree && (!json_is_object(tree) || json_object_size(tree) == 0))
        return conf_error(l->conf, tree, "'from' is a mapping, like {serialNumber: [csr]}");
    json_object_foreach((json_t *)tree, key, list)
    {
        TRY(attr_of_key(l, list, key, &attr));
        bool has = s->allow & (1u << attr);
        if (!has && conf_inherited(l->conf, list))
            continue; /* of an attribute that this template has taken out */
        if (!has)
            return conf_error(l->conf, list, "a source for '%s', which is not under 'allow'", key);
        TRY(load_sources(l, list, &s->sources[attr]));
        s->sourced |= 1u << attr;
    }
out:
    return e;
}

static struct err *load_order(struct load *l)
{
    struct err *e = NULL;
    struct template_subject *s = &l->t->subject;
    const json_t *list = json_object_get(load_node(l, GROUP_SUBJECT), "order");
    uint32_t placed = 0;
    unsigned n = 0, attr;
    for (size_t i = 0; i < s->order_texts.n; i++) {
        TRY(attr_of_key(l, json_array_get(list, i), s->order_texts.items[i], &attr));
        s->ordered[n++] = attr;
        placed |= 1u << attr;
    }
    for (attr = 0; attr < SUBJECT_ATTRS; attr++) {
        if (!(placed & (1u << attr)))
            s->ordered[n++] = attr;
    }
out:
    return e;
}

/* What could never be satisfied, or would name nobody. */
static struct err *combinations(struct load *l)
{
    const struct template_subject *s = &l->t->subject;
    uint32_t cn = 1u << subject_cn_attr();
    if (s->allow & s->fixed_set)
        return load_error(l, GROUP_SUBJECT, "allow", "an attribute is both fixed and allowed");
    if (s->forbid & (s->allow | s->fixed_set | s->computed_set))
        return load_error(l, GROUP_SUBJECT, "forbid", "an attribute is forbidden, and allowed or set too");
    if (s->computed_set & (s->allow | s->fixed_set))
        return load_error(l, GROUP_SUBJECT, "computed", "an attribute is computed, and fixed or allowed too");
    if (s->require & ~(s->allow | s->fixed_set | s->computed_set))
        return load_error(l, GROUP_SUBJECT, "require",
                          "an attribute is required, but neither fixed, computed nor allowed");
    if ((s->allow & cn) && s->cn == SUBJECT_CN_SAN && !l->t->sans.kinds)
        return load_error(l, GROUP_SUBJECT, "cn", "'cn: san' without sans.kinds: there is no name to repeat");
    if (!(s->allow & cn) && load_given(l, GROUP_SUBJECT, "cn"))
        return load_error(l, GROUP_SUBJECT, "cn", "'cn' without CN under 'allow'");
    if (!s->allow && !s->fixed_set && !s->computed_set && !l->t->sans.kinds)
        return load_error(l, GROUP_SUBJECT, "allow",
                          "neither a subject nor sans: the certificate would name nobody");
    if (l->t->constraints.ca && !s->require && !s->fixed_set)
        return load_error(l, GROUP_SUBJECT, "require", "a CA certificate needs a subject (RFC 5280 4.1.2.6)");
    return NULL;
}

struct err *subject_load(struct load *l)
{
    struct err *e = NULL;
    struct template_subject *s = &l->t->subject;
    const json_t *node = load_node(l, GROUP_SUBJECT);
    CHECK(strcmp(subject_attrs[subject_cn_attr()], "CN") == 0);
    TRY(load_mask(l, node, "allow", &s->allow_texts, subject_attrs, SUBJECT_ATTRS, 0, &s->allow));
    TRY(load_mask(l, node, "require", &s->require_texts, subject_attrs, SUBJECT_ATTRS, 0, &s->require));
    TRY(load_mask(l, node, "forbid", &s->forbid_texts, subject_attrs, SUBJECT_ATTRS, 0, &s->forbid));
    TRY(load_from(l));
    TRY(load_order(l));
    TRY(load_fixed(l));
    TRY(load_computed(l));
    TRY(load_patterns(l));
    TRY(combinations(l));
out:
    return e;
}

json_t *subject_fixed_json(const struct template *t)
{
    json_t *all = json_object();
    for (unsigned i = 0; i < SUBJECT_ATTRS; i++) {
        if (t->subject.fixed[i])
            json_object_set_new(all, subject_attrs[i], json_string(t->subject.fixed[i]));
    }
    return all;
}

json_t *subject_patterns_json(const struct template *t)
{
    json_t *all = json_object();
    for (unsigned i = 0; i < SUBJECT_ATTRS; i++) {
        const struct conf_texts *patterns = &t->subject.patterns[i];
        if (patterns->n == 0)
            continue;
        json_t *list = json_array();
        for (size_t k = 0; k < patterns->n; k++)
            json_array_append_new(list, json_string(patterns->items[k]));
        json_object_set_new(all, subject_attrs[i], list);
    }
    return all;
}

json_t *subject_from_json(const struct template *t)
{
    json_t *all = json_object();
    for (unsigned i = 0; i < SUBJECT_ATTRS; i++) {
        json_t *list = json_array();
        if (t->subject.sources[i] & SOURCE_REQUEST)
            json_array_append_new(list, json_string("request"));
        if (t->subject.sources[i] & SOURCE_CSR)
            json_array_append_new(list, json_string("csr"));
        if (t->subject.sourced & (1u << i))
            json_object_set(all, subject_attrs[i], list);
        json_decref(list);
    }
    return all;
}
