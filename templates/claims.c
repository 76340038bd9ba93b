/* See templates_claims.h. A claim that is not there has no value, and so grants nothing. Any thread. */
#include "templates_claims.h"

#include <string.h>

#include "expr.h"
#include "templates_patterns.h"

enum { CLAIMS_MAX = 100, NESTED_MAX = 4, NAMES_MAX = 64 };

struct templates_claims {
    bool has_when;
    struct expr when, template, names;
};

static struct err *compile(const char *which, const char *text, enum expr_type want, struct arena *arena,
                           struct expr *ret)
{
    struct err *e = expr_compile(text, want, EXPR_CLAIMS | EXPR_CLOCK, arena, ret);
    struct err *said = e ? err_new(ERR_CONFIG, "%s: %s", which, err_detail(e)) : NULL;
    err_free(e);
    return said;
}

struct err *templates_claims_compile(const char *when, const char *template, const char *names,
                                     struct arena *arena, const struct templates_claims **ret)
{
    struct err *e = NULL;
    struct templates_claims *c = ARENA_NEW(arena, struct templates_claims);
    c->has_when = when != NULL;
    if (when)
        TRY(compile("when", when, EXPR_BOOL, arena, &c->when));
    TRY(compile("template", template, EXPR_STRING, arena, &c->template));
    TRY(compile("names", names, 0, arena, &c->names));
    if (c->names.type != EXPR_STRING && c->names.type != EXPR_STRINGS)
        TRY(err_new(ERR_CONFIG, "names: a text or a list of texts, not %s", expr_type_name(c->names.type)));
    *ret = c;
out:
    return e;
}

/* --- claims as a mapping of texts --- */

struct flat {
    struct arena *arena;
    struct expr_value *list; /* name and value in turn */
    size_t n;
};

static const char *joined(const json_t *list, struct arena *arena)
{
    const char *text = "";
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        const char *s = json_string_value(one);
        if (s && !strchr(s, ',')) /* one that would read as two is left out */
            text = arena_printf(arena, "%s%s%s", text, text[0] ? "," : "", s);
    }
    return text;
}

static const char *text_of(const json_t *value, struct arena *arena)
{
    if (json_is_string(value))
        return arena_str(arena, view_of(json_string_value(value), json_string_length(value)));
    if (json_is_integer(value))
        return arena_printf(arena, "%lld", (long long)json_integer_value(value));
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    return json_is_array(value) ? joined(value, arena) : NULL;
}

static void flatten(struct flat *f, const json_t *object, const char *prefix, unsigned depth)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        const char *name = arena_printf(f->arena, "%s%s", prefix, key), *text = text_of(value, f->arena);
        if (json_is_object(value) && depth < NESTED_MAX)
            flatten(f, value, arena_printf(f->arena, "%s.", name), depth + 1);
        if (!text || f->n == CLAIMS_MAX || strlen(text) > EXPR_STRING_BYTES)
            continue;
        f->list[2 * f->n] = (struct expr_value){.s = view_str(name)};
        f->list[2 * f->n++ + 1] = (struct expr_value){.s = view_str(text)};
    }
}

static const struct expr_facts *facts_of(const json_t *claims, int64_t now, struct arena *arena)
{
    struct expr_facts *facts = ARENA_NEW(arena, struct expr_facts);
    struct flat f = {arena, arena_array(arena, 2 * (size_t)CLAIMS_MAX, sizeof *f.list), 0};
    flatten(&f, claims, "", 1);
    facts->v[EXPR_VAR_CLAIMS] = (struct expr_value){.list = f.list, .n_list = 2 * f.n};
    facts->v[EXPR_VAR_NOW].n = now;
    return facts;
}

/* --- the grant --- */

static struct err *eval(const char *which, const struct expr *x, const struct expr_facts *facts,
                        struct arena *arena, struct expr_value *ret)
{
    struct err *e = expr_eval(x, facts, arena, ret);
    struct err *said =
        e ? err_new(ERR_FORBIDDEN, "the claims of this token give no %s: %s", which, err_detail(e)) : NULL;
    err_free(e);
    return said;
}

static struct err *names_of(const struct expr *x, const struct expr_value *v, struct arena *arena,
                            struct templates_claims_grant *to)
{
    const struct expr_value *list = x->type == EXPR_STRING ? v : v->list;
    size_t n = x->type == EXPR_STRING ? 1 : v->n_list;
    if (n > NAMES_MAX)
        return err_new(ERR_FORBIDDEN, "the claims of this token give more than %d names", NAMES_MAX);
    const char **names = arena_array(arena, n, sizeof *names);
    for (size_t i = 0; i < n; i++) {
        names[i] = arena_str(arena, list[i].s);
        struct err *e = templates_pattern_check(names[i]);
        if (!e)
            continue;
        struct err *said =
            err_new(ERR_FORBIDDEN, "the claims of this token give a name that is none: %s", err_detail(e));
        err_free(e);
        return said;
    }
    to->names = names;
    to->names_n = n;
    return NULL;
}

struct err *templates_claims_grant(const struct templates_claims *c, const json_t *claims, int64_t now,
                                   struct arena *arena, struct templates_claims_grant *ret)
{
    struct err *e = NULL;
    const struct expr_facts *facts = facts_of(claims, now, arena);
    struct expr_value v = {.n = 1};
    if (c->has_when)
        TRY(eval("answer whether they count", &c->when, facts, arena, &v));
    if (!v.n)
        TRY(err_new(ERR_FORBIDDEN, "the claims of this token are not those that count here"));
    TRY(eval("template", &c->template, facts, arena, &v));
    ret->template = arena_str(arena, v.s);
    TRY(eval("names", &c->names, facts, arena, &v));
    TRY(names_of(&c->names, &v, arena, ret));
out:
    return e;
}
