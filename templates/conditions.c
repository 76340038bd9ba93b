/*
 * Conditions of a template: expressions that must hold. Those over the certificate alone are a rule of the
 * judge, in front and vault; those that look at asker, CSR or request are kept by the front, who knows them.
 *
 * Any thread.
 */
#include "conditions.h"

#include "facts.h"

#define OF_BYTES ((unsigned)(EXPR_CERT | EXPR_CLOCK))
#define ANYTHING (~0u)

enum { OTHERWISE_MAX = 200 };

struct err *conditions_compile(struct load *l, const json_t *at, enum expr_type type, unsigned may,
                               struct expr *ret)
{
    if (!json_is_string(at))
        return conf_error(l->conf, at, "an expression is a text; quote it");
    return load_placed(l, at, expr_compile(json_string_value(at), type, may, l->arena, ret));
}

static struct err *load_one(struct load *l, const json_t *node, struct template_condition *ret)
{
    struct err *e = NULL;
    const char *key;
    json_t *v;
    const json_t *that = json_object_get(node, "that"), *otherwise = json_object_get(node, "else");
    json_object_foreach((json_t *)node, key, v)
    {
        if (strcmp(key, "that") != 0 && strcmp(key, "else") != 0)
            return conf_error(l->conf, v, "unknown key '%s'; there are that, else", key);
    }
    if (!that || !otherwise)
        return conf_error(l->conf, node,
                          "a condition is a mapping: {that: 'EXPRESSION', else: what the asker is told}");
    size_t n = json_string_length(otherwise);
    if (!json_is_string(otherwise) || n == 0 || n > OTHERWISE_MAX)
        return conf_error(l->conf, otherwise, "'else' is a sentence of at most %d octets", OTHERWISE_MAX);
    ret->otherwise = arena_str(l->arena, view_str(json_string_value(otherwise)));
    TRY(conditions_compile(l, that, EXPR_BOOL, ANYTHING, &ret->that));
out:
    return e;
}

struct err *conditions_load(struct load *l)
{
    struct err *e = NULL;
    struct template_conditions *c = &l->t->conditions;
    const json_t *list = c->tree.node;
    if (list &&
        (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > CONDITIONS_MAX))
        return conf_error(l->conf, list, "'conditions' is a list of 1 to %d conditions", CONDITIONS_MAX);
    c->v = arena_array(l->arena, json_array_size(list), sizeof(c->v[0]));
    for (; c->n < json_array_size(list); c->n++)
        TRY(load_one(l, json_array_get(list, c->n), &c->v[c->n]));
    load_keep(l, &c->tree);
out:
    return e;
}

static struct err *holds(const struct template_condition *c, size_t i, const struct expr_facts *facts,
                         struct arena *arena)
{
    struct expr_value yes = {.n = 0};
    struct err *e = expr_eval(&c->that, facts, arena, &yes);
    if (e)
        return err_wrap(e, "number %zu (%s) has no answer", i + 1, c->otherwise);
    return yes.n ? NULL : err_new(ERR_POLICY, "%s", c->otherwise);
}

/* of_bytes: those that the bytes alone answer, else the others. */
static struct err *all_hold(const struct template_conditions *c, bool of_bytes,
                            const struct expr_facts *facts, struct arena *arena)
{
    struct err *e = NULL;
    for (size_t i = 0; i < c->n; i++) {
        if (((c->v[i].that.uses & ~OF_BYTES) == 0) == of_bytes)
            TRY(holds(&c->v[i], i, facts, arena));
    }
out:
    return e;
}

struct err *conditions_rule(const struct judged *j)
{
    struct expr_facts facts;
    if (j->t->conditions.n == 0)
        return NULL;
    memset(&facts, 0, sizeof(facts));
    facts_cert(j, &facts);
    return all_hold(&j->t->conditions, true, &facts, j->arena);
}

struct err *conditions_step(struct shape *s, struct cert_tbs *tbs)
{
    struct expr_facts facts;
    if (s->t->conditions.n == 0)
        return NULL;
    const struct judged j = shape_judged(s, tbs);
    facts = *facts_asked(s);
    facts_cert(&j, &facts);
    return err_wrap(all_hold(&s->t->conditions, false, &facts, s->arena), "template '%s': conditions",
                    s->t->name);
}

struct err *conditions_compute(struct shape *s, const struct expr *x, const char *what,
                               struct expr_value *ret)
{
    return err_wrap(expr_eval(x, facts_asked(s), s->arena, ret), "template '%s': %s cannot be computed",
                    s->t->name, what);
}
