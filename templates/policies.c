/*
 * certificatePolicies, policyConstraints and inhibitAnyPolicy of a template: read once, written once, the
 * same in every certificate.
 *
 * What a policy means nobody here knows. Any thread.
 */
#include "cert/ext_policy.h"

#include "load.h"
#include "policies.h"

static struct err *read_cps(const struct conf *c, const json_t *list, struct cert_policy_qualifier *to,
                            size_t *n)
{
    if (list && (!json_is_array(list) || json_array_size(list) == 0))
        return conf_error(c, list, "'cps' is a list of URIs");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (!json_is_string(one) || *n == CERT_POLICY_QUALIFIERS_MAX)
            return conf_error(c, one, "'cps' is a list of at most %d URIs", CERT_POLICY_QUALIFIERS_MAX);
        to[(*n)++] = (struct cert_policy_qualifier){false, view_str(json_string_value(one))};
    }
    return NULL;
}

static struct err *read_qualifiers(const struct conf *c, const json_t *node, struct arena *arena,
                                   struct cert_policy *ret)
{
    struct err *e = NULL;
    struct cert_policy_qualifier *q = arena_array(arena, CERT_POLICY_QUALIFIERS_MAX, sizeof(q[0]));
    const json_t *notice = json_object_get(node, "notice");
    TRY(read_cps(c, json_object_get(node, "cps"), q, &ret->n));
    if (notice && (!json_is_string(notice) || ret->n == CERT_POLICY_QUALIFIERS_MAX))
        return conf_error(c, notice, "'notice' is a text, and one of %d qualifiers at most",
                          CERT_POLICY_QUALIFIERS_MAX);
    if (notice)
        q[ret->n++] = (struct cert_policy_qualifier){true, view_str(json_string_value(notice))};
    ret->qualifiers = q;
out:
    return e;
}

static struct err *read_policy(const struct conf *c, const json_t *node, struct arena *arena,
                               struct cert_policy *ret)
{
    struct err *e = NULL;
    const char *key;
    json_t *v;
    const json_t *oid = json_object_get(node, "oid");
    json_object_foreach((json_t *)node, key, v)
    {
        if (strcmp(key, "oid") != 0 && strcmp(key, "cps") != 0 && strcmp(key, "notice") != 0)
            return conf_error(c, v, "unknown key '%s'; there are oid, cps, notice", key);
    }
    if (!json_is_string(oid))
        return conf_error(c, oid ? oid : node, "a policy is a mapping with its OID: {oid: 1.2.3}");
    TRY(load_at(c, oid, der_oid_of_text(json_string_value(oid), arena, &ret->oid)));
    TRY(read_qualifiers(c, node, arena, ret));
out:
    return e;
}

struct err *policies_read(const struct conf *c, const json_t *list, struct arena *arena,
                          struct cert_policies *ret)
{
    struct err *e = NULL;
    size_t n = json_array_size(list);
    if (n == 0 || n > CERT_POLICIES_MAX)
        return conf_error(c, list, "a list of 1 to %d policies", CERT_POLICIES_MAX);
    struct cert_policy *v = arena_array(arena, n, sizeof(v[0]));
    memset(v, 0, n * sizeof(v[0]));
    for (size_t i = 0; i < n; i++)
        TRY(read_policy(c, json_array_get(list, i), arena, &v[i]));
    *ret = (struct cert_policies){v, n};
out:
    return e;
}

static struct err *load_policies(struct load *l)
{
    struct err *e = NULL;
    struct template_policies *p = &l->t->policies;
    const json_t *list = p->values.node;
    struct cert_policies all;
    struct cert_ext ext;
    if (!list && l->t->nodes[GROUP_POLICIES])
        return load_error(l, GROUP_POLICIES, "values", "policies without values; leave the group out");
    if (!list)
        return NULL;
    TRY(policies_read(l->conf, list, l->arena, &all));
    TRY(load_placed(l, list, cert_ext_write_policies(all, p->critical, l->arena, &ext)));
    load_ready(l, ext);
    load_keep(l, &p->values);
out:
    return e;
}

static struct err *load_constraints(struct load *l)
{
    struct err *e = NULL;
    const struct template_policy_constraints *c = &l->t->policy_constraints;
    struct cert_ext ext;
    bool some = c->require_explicit >= 0 || c->inhibit_mapping >= 0;
    if (l->t->nodes[GROUP_POLICY_CONSTRAINTS] && !l->t->constraints.ca)
        return load_error(l, GROUP_POLICY_CONSTRAINTS, "",
                          "policy constraints are for CA certificates (RFC 5280 4.2.1.11)");
    if (some) {
        TRY(cert_ext_write_policy_constraints(
            (struct cert_policy_constraints){(int)c->require_explicit, (int)c->inhibit_mapping}, l->arena,
            &ext));
        load_ready(l, ext);
    }
    if (c->inhibit_any >= 0) {
        TRY(cert_ext_write_inhibit_any((int)c->inhibit_any, l->arena, &ext));
        load_ready(l, ext);
    }
out:
    return e;
}

struct err *policies_load(struct load *l)
{
    struct err *e = load_policies(l);
    return e ? e : load_constraints(l);
}
