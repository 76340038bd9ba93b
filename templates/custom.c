/*
 * Extensions by OID that no group knows: fixed ones, given as DER or in a small typed form, and all those a
 * request may bring along.
 *
 * What such an extension means nobody here knows; only its form (one DER element) is looked at. Any thread.
 */
#include "cert/ext_custom.h"
#include "exts.h"
#include "judge.h"
#include "source.h"

/* One key, `value`, in one of the forms of cert_ext_der_of_text. */
static struct err *load_value(struct load *l, const json_t *node, struct cert_ext *ret)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)node, key, v)
    {
        if (strcmp(key, "oid") != 0 && strcmp(key, "critical") != 0 && strcmp(key, "value") != 0)
            return conf_error(l->conf, v, "unknown key '%s'; there are oid, critical, value", key);
    }
    v = json_object_get(node, "value");
    if (!json_is_string(v))
        return conf_error(l->conf, v ? v : node,
                          "an extension has a value, a text like 'utf8:TEXT' or 'der:HEX'");
    return load_placed(l, v, cert_ext_der_of_text(json_string_value(v), l->arena, &ret->value));
}

/* any: extensions with a group too, where they may be asked for. */
static struct err *load_oid(struct load *l, const json_t *at, const char *text, bool any, struct view *ret)
{
    struct err *e = NULL;
    if (!text)
        return conf_error(l->conf, at, "an OID in dotted form is missing; quote it");
    TRY(load_placed(l, at, der_oid_of_text(text, l->arena, ret)));
    if (source_of(l->t, *ret) != &l->t->custom.from || (!any && exts_has_fields(cert_ext_id_of(*ret))))
        return conf_error(l->conf, at, "%s has fields of its own", cert_ext_label(*ret, l->arena));
out:
    return e;
}

static struct err *load_one(struct load *l, const json_t *node)
{
    struct err *e = NULL;
    struct template_custom *c = &l->t->custom;
    struct cert_ext *ext = &c->values[c->n];
    const json_t *oid = json_object_get(node, "oid"), *critical = json_object_get(node, "critical");
    if (!json_is_object(node))
        return conf_error(l->conf, node,
                          "a custom extension is a mapping, like {oid: 1.2.3, value: utf8:text}");
    TRY(load_oid(l, oid ? oid : node, json_string_value(oid), false, &ext->oid));
    if (critical && !json_is_boolean(critical))
        return conf_error(l->conf, critical, "'critical' is true or false");
    ext->critical = json_is_true(critical);
    for (size_t i = 0; i < c->n; i++) {
        if (view_eq(c->values[i].oid, ext->oid))
            return conf_error(l->conf, oid, "the same OID twice (RFC 5280 4.2)");
    }
    TRY(load_value(l, node, ext));
    c->n++;
out:
    return e;
}

static struct err *load_allow(struct load *l)
{
    struct err *e = NULL;
    struct template_custom *c = &l->t->custom;
    const json_t *list = json_object_get(load_node(l, GROUP_CUSTOM), "allow");
    c->allow = arena_array(l->arena, c->allow_texts.n, sizeof(c->allow[0]));
    for (; c->allow_n < c->allow_texts.n; c->allow_n++)
        TRY(load_oid(l, json_array_get(list, c->allow_n), c->allow_texts.items[c->allow_n], true,
                     &c->allow[c->allow_n]));
    if (c->allow_n > 0 && !source_open(&c->from))
        return load_error(l, GROUP_CUSTOM, "allow", "'allow' without request or csr under 'from'");
out:
    return e;
}

struct err *custom_load(struct load *l)
{
    struct err *e = NULL;
    struct template_custom *c = &l->t->custom;
    const json_t *list = c->values_tree;
    TRY(source_load(l, GROUP_CUSTOM, "from", &c->from, SOURCE_TEMPLATE | SOURCE_ASKED, SOURCE_TEMPLATE));
    if (list && (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > CUSTOM_MAX))
        return conf_error(l->conf, list, "'values' is a list of 1 to %d extensions", CUSTOM_MAX);
    c->values = arena_array(l->arena, json_array_size(list), sizeof(c->values[0]));
    for (size_t i = 0; i < json_array_size(list); i++)
        TRY(load_one(l, json_array_get(list, i)));
    TRY(load_allow(l));
out:
    return e;
}

json_t *custom_values_json(const struct template *t)
{
    struct arena *arena = arena_new(64 * 1024);
    json_t *list = json_array();
    for (size_t i = 0; i < t->custom.n; i++) {
        const struct cert_ext *ext = &t->custom.values[i];
        arena_reset(arena);
        json_array_append_new(list,
                              json_pack("{s:s, s:b, s:s}", "oid", der_oid_text(ext->oid, arena), "critical",
                                        ext->critical, "value", cert_ext_der_text(ext->value, arena)));
    }
    arena_free(arena);
    return list;
}

static const struct cert_ext *by_oid(const struct cert_ext *exts, size_t n, struct view oid)
{
    for (size_t i = 0; i < n; i++) {
        if (view_eq(exts[i].oid, oid))
            return &exts[i];
    }
    return NULL;
}

struct err *custom_rule_values(const struct judged *j)
{
    for (size_t i = 0; i < j->t->custom.n; i++) {
        const struct cert_ext *want = &j->t->custom.values[i];
        const struct cert_ext *have = by_oid(j->tbs->exts, j->tbs->ext_count, want->oid);
        if (have && have->critical == want->critical && view_eq(have->value, want->value))
            continue;
        return err_new(ERR_POLICY, "the extension %s is %s", cert_ext_label(want->oid, j->arena),
                       have ? "not what the template gives" : "missing");
    }
    return NULL;
}

static bool allowed(const struct template_custom *c, struct view oid)
{
    for (size_t i = 0; i < c->allow_n; i++) {
        if (view_eq(c->allow[i], oid))
            return true;
    }
    return c->allow_n == 0;
}

struct err *custom_rule_allow(const struct judged *j)
{
    const struct template_custom *c = &j->t->custom;
    for (size_t i = 0; i < j->tbs->ext_count && source_open(&c->from); i++) {
        struct view oid = j->tbs->exts[i].oid;
        enum cert_ext_id id = cert_ext_id_of(oid);
        bool open = exts_has_fields(id) ? exts_leaves_open(j, id) : !by_oid(c->values, c->n, oid);
        if (source_of(j->t, oid) != &c->from || !open || allowed(c, oid))
            continue;
        return err_new(ERR_POLICY, "the extension %s may not be asked for", cert_ext_label(oid, j->arena));
    }
    return NULL;
}
