/* Expressions: what compiles is evaluated, twice to the same end, and costs no more than was promised. */
#include "fuzz.h"

#include "expr.h"

static void fill(struct expr_facts *facts)
{
    static const struct expr_value items[] = {
        {.s = {(const uint8_t *)"CN", 2}},
        {.s = {(const uint8_t *)"dns:a.example", 13}},
        {.s = {(const uint8_t *)"ip:10.0.0.7", 11}},
        {.s = {(const uint8_t *)"\303\274", 2}},
    };
    memset(facts, 0, sizeof(*facts));
    for (size_t i = 0; i < EXPR_VARS; i++) {
        enum expr_type type = EXPR_BOOL;
        const char *name, *doc;
        CHECK(expr_var_at(i, &name, &type, &doc));
        if (type == EXPR_STRING)
            facts->v[i] = items[i % 4];
        else if (type == EXPR_STRINGS || type == EXPR_MAP)
            facts->v[i] = (struct expr_value){.list = items, .n_list = 4};
        else
            facts->v[i].n = (int64_t)i * 1000003 - 1;
    }
}

static bool same(const struct expr_value *a, const struct expr_value *b)
{
    return a->n == b->n && view_eq(a->s, b->s) && a->n_list == b->n_list;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct expr x;
    struct expr_facts facts;
    struct expr_value first = {.n = 0}, second = {.n = 0};
    struct err *e = expr_compile(arena_str(arena, view_of(data, size)), 0, ~0u, arena, &x);
    if (e) {
        CHECK(err_code(e) == ERR_BAD_FIELD);
        err_free(e);
        arena_free(arena);
        return 0;
    }
    CHECK(x.cost <= EXPR_COST_MAX && x.type > 0 && x.type < EXPR_TYPES);
    fill(&facts);
    e = expr_eval(&x, &facts, arena, &first);
    struct err *again = expr_eval(&x, &facts, arena, &second);
    CHECK(!e == !again && (e || same(&first, &second)));
    CHECK(!e || err_code(e) == ERR_POLICY);
    err_free(e);
    err_free(again);
    arena_free(arena);
    return 0;
}
