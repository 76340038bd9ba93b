/*
 * Evaluating an expression: walks the checked tree. Every part takes a step; what the checker has added up is
 * never exceeded, and is held to here all the same.
 *
 * Types are settled already. Any thread.
 */
#include "expr_node.h"

static struct err *eval(struct expr_run *run, const struct expr_node *node, struct expr_value *ret);

static struct err *step(struct expr_run *run, size_t n)
{
    if (run->steps < n)
        return err_new(ERR_POLICY, "the expression costs more than %d steps", EXPR_COST_MAX);
    run->steps -= n;
    return NULL;
}

struct err *expr_run_take(struct expr_run *run, size_t n, void *ret)
{
    if (run->bytes < n)
        return err_new(ERR_POLICY, "the expression makes more than %d octets", EXPR_BYTES_MAX);
    run->bytes -= n;
    *(void **)ret = arena_alloc(run->arena, n);
    return NULL;
}

static bool same(enum expr_type type, const struct expr_value *a, const struct expr_value *b)
{
    bool eq = a->n == b->n && view_eq(a->s, b->s) && a->n_list == b->n_list;
    for (size_t i = 0; eq && (type == EXPR_STRINGS || type == EXPR_INTS) && i < a->n_list; i++)
        eq = a->list[i].n == b->list[i].n && view_eq(a->list[i].s, b->list[i].s);
    return eq;
}

static const struct expr_value *key(const struct expr_value *map, struct view name)
{
    for (size_t i = 0; i + 1 < map->n_list; i += 2) {
        if (view_eq(map->list[i].s, name))
            return &map->list[i + 1];
    }
    return NULL;
}

static struct err *no_key(struct view name)
{
    return err_new(ERR_POLICY, "there is no '%.*s'; has() asks whether there is",
                   (int)(name.n < 64 ? name.n : 64), (const char *)name.p);
}

static struct err *eval_key(struct expr_run *run, const struct expr_node *node, struct expr_value *ret)
{
    struct err *e = NULL;
    struct expr_value map;
    TRY(eval(run, node->kids[0], &map));
    const struct expr_value *found = key(&map, node->name);
    if (node->op == EXPR_OP_HAS) {
        *ret = (struct expr_value){.n = found != NULL};
        return NULL;
    }
    if (!found)
        return no_key(node->name);
    *ret = *found;
out:
    return e;
}

static struct err *eval_index(struct expr_run *run, const struct expr_node *node, struct expr_value *ret)
{
    struct err *e = NULL;
    struct expr_value of, at;
    TRY(eval(run, node->kids[0], &of));
    TRY(eval(run, node->kids[1], &at));
    if (node->kids[0]->type == EXPR_MAP) {
        const struct expr_value *found = key(&of, at.s);
        if (!found)
            return no_key(at.s);
        *ret = *found;
        return NULL;
    }
    if (at.n < 0 || (size_t)at.n >= of.n_list)
        return err_new(ERR_POLICY, "no element %lld in a list of %zu", (long long)at.n, of.n_list);
    *ret = of.list[at.n];
out:
    return e;
}

static struct err *eval_list(struct expr_run *run, const struct expr_node *node, struct expr_value *ret)
{
    struct err *e = NULL;
    struct expr_value *values = NULL;
    TRY(expr_run_take(run, node->n * sizeof(values[0]), &values));
    for (size_t i = 0; i < node->n; i++)
        TRY(eval(run, node->kids[i], &values[i]));
    *ret = (struct expr_value){.list = values, .n_list = node->n};
out:
    return e;
}

static size_t octets(const struct expr_value *v)
{
    size_t n = v->s.n;
    for (size_t i = 0; i < v->n_list; i++)
        n += v->list[i].s.n;
    return n;
}

/* Beside what the row says: looking through long texts, and for one text in another. */
static size_t weight(const struct expr_fn_row *row, const struct expr_value *args)
{
    size_t names = args[0].n_list ? args[0].n_list : 1;
    size_t n = row->cost + args[0].s.n * args[1].s.n / 64 + 2 * names * args[1].n_list;
    for (size_t i = 0; i < row->n; i++)
        n += octets(&args[i]) / 32;
    return n;
}

static struct err *eval_call(struct expr_run *run, const struct expr_node *node, struct expr_value *ret)
{
    struct err *e = NULL;
    const struct expr_fn_row *row = &expr_fn_rows[node->index];
    struct expr_value args[EXPR_ARGS_MAX] = {{.n = 0}};
    for (size_t i = 0; i < node->n; i++)
        TRY(eval(run, node->kids[i], &args[i]));
    TRY(step(run, weight(row, args)));
    *ret = (struct expr_value){.n = 0};
    TRY(row->call(run, args, ret));
out:
    return e;
}

/* As in CEL, either side may decide, also where the other has no value. */
static struct err *eval_logic(struct expr_run *run, const struct expr_node *node, struct expr_value *ret)
{
    bool deciding = node->op == EXPR_OP_OR;
    struct expr_value side = {.n = 0};
    struct err *first = eval(run, node->kids[0], &side);
    if (!first && (side.n != 0) == deciding) {
        *ret = side;
        return NULL;
    }
    struct err *second = eval(run, node->kids[1], &side);
    if (!second && (side.n != 0) == deciding) {
        err_free(first);
        *ret = side;
        return NULL;
    }
    if (first) {
        err_free(second);
        return first;
    }
    *ret = side;
    return second;
}

static struct err *eval_each(struct expr_run *run, const struct expr_node *node, struct expr_value *ret)
{
    struct err *e = NULL;
    struct expr_value list, one;
    bool all = node->op == EXPR_OP_ALL;
    TRY(eval(run, node->kids[0], &list));
    for (size_t i = 0; i < list.n_list; i++) {
        run->locals[node->index] = list.list[i];
        TRY(eval(run, node->kids[1], &one));
        if ((one.n != 0) == all)
            continue;
        *ret = (struct expr_value){.n = !all};
        return NULL;
    }
    *ret = (struct expr_value){.n = all};
out:
    return e;
}

static int order(const struct expr_value *a, const struct expr_value *b, enum expr_type type)
{
    if (type == EXPR_STRING)
        return view_cmp(a->s, b->s);
    return (a->n > b->n) - (a->n < b->n);
}

static bool is_in(const struct expr_value *what, const struct expr_value *of, enum expr_type type)
{
    size_t stride = type == EXPR_MAP ? 2 : 1;
    for (size_t i = 0; i < of->n_list; i += stride) {
        if (of->list[i].n == what->n && view_eq(of->list[i].s, what->s))
            return true;
    }
    return false;
}

static struct err *joined(struct expr_run *run, struct view a, struct view b, struct expr_value *ret)
{
    struct err *e = NULL;
    uint8_t *to = NULL;
    if (a.n + b.n > EXPR_STRING_BYTES)
        return err_new(ERR_POLICY, "a text of more than %d octets", EXPR_STRING_BYTES);
    TRY(expr_run_take(run, a.n + b.n, &to));
    if (a.n > 0)
        memcpy(to, a.p, a.n);
    if (b.n > 0)
        memcpy(to + a.n, b.p, b.n);
    *ret = (struct expr_value){.s = view_of(to, a.n + b.n)};
out:
    return e;
}

static struct err *number(enum expr_op op, int64_t a, int64_t b, struct expr_value *ret)
{
    bool over = false;
    int64_t n = 0;
    if ((op == EXPR_OP_DIV || op == EXPR_OP_MOD) && b == 0)
        return err_new(ERR_POLICY, "a division by zero");
    if (op == EXPR_OP_ADD)
        over = __builtin_add_overflow(a, b, &n);
    if (op == EXPR_OP_SUB)
        over = __builtin_sub_overflow(a, b, &n);
    if (op == EXPR_OP_MUL)
        over = __builtin_mul_overflow(a, b, &n);
    if (op == EXPR_OP_DIV || op == EXPR_OP_MOD)
        over = a == INT64_MIN && b == -1;
    if (over)
        return err_new(ERR_POLICY, "a number of more than 64 bits");
    if (op == EXPR_OP_DIV)
        n = a / b;
    if (op == EXPR_OP_MOD)
        n = a % b;
    *ret = (struct expr_value){.n = n};
    return NULL;
}

static struct err *eval_binary(struct expr_run *run, const struct expr_node *node, struct expr_value *ret)
{
    struct err *e = NULL;
    struct expr_value a, b;
    enum expr_type type = node->kids[0]->type;
    TRY(eval(run, node->kids[0], &a));
    TRY(eval(run, node->kids[1], &b));
    switch (node->op) {
    case EXPR_OP_EQ:
    case EXPR_OP_NE:
        *ret = (struct expr_value){.n = same(type, &a, &b) == (node->op == EXPR_OP_EQ)};
        return NULL;
    case EXPR_OP_LT:
        *ret = (struct expr_value){.n = order(&a, &b, type) < 0};
        return NULL;
    case EXPR_OP_LE:
        *ret = (struct expr_value){.n = order(&a, &b, type) <= 0};
        return NULL;
    case EXPR_OP_GT:
        *ret = (struct expr_value){.n = order(&a, &b, type) > 0};
        return NULL;
    case EXPR_OP_GE:
        *ret = (struct expr_value){.n = order(&a, &b, type) >= 0};
        return NULL;
    case EXPR_OP_IN:
        *ret = (struct expr_value){.n = is_in(&a, &b, node->kids[1]->type)};
        return NULL;
    default:
        return type == EXPR_STRING ? joined(run, a.s, b.s, ret) : number(node->op, a.n, b.n, ret);
    }
out:
    return e;
}

static struct err *eval_unary(struct expr_run *run, const struct expr_node *node, struct expr_value *ret)
{
    struct expr_value of = {.n = 0};
    struct err *e = eval(run, node->kids[0], &of);
    if (e || node->op == EXPR_OP_NEGATE)
        return e ? e : number(EXPR_OP_SUB, 0, of.n, ret);
    *ret = (struct expr_value){.n = !of.n};
    return NULL;
}

static struct err *eval_choose(struct expr_run *run, const struct expr_node *node, struct expr_value *ret)
{
    struct expr_value test = {.n = 0};
    struct err *e = eval(run, node->kids[0], &test);
    return e ? e : eval(run, node->kids[test.n ? 1 : 2], ret);
}

static struct err *eval(struct expr_run *run, const struct expr_node *node, struct expr_value *ret)
{
    struct err *e = step(run, 1);
    if (e)
        return e;
    switch (node->op) {
    case EXPR_OP_CONST:
        *ret = node->value;
        return NULL;
    case EXPR_OP_VAR:
        *ret = run->facts->v[node->index];
        return NULL;
    case EXPR_OP_LOCAL:
        *ret = run->locals[node->index];
        return NULL;
    case EXPR_OP_KEY:
    case EXPR_OP_HAS:
        return eval_key(run, node, ret);
    case EXPR_OP_INDEX:
        return eval_index(run, node, ret);
    case EXPR_OP_LIST:
        return eval_list(run, node, ret);
    case EXPR_OP_CALL:
        return eval_call(run, node, ret);
    case EXPR_OP_AND:
    case EXPR_OP_OR:
        return eval_logic(run, node, ret);
    case EXPR_OP_ALL:
    case EXPR_OP_EXISTS:
        return eval_each(run, node, ret);
    case EXPR_OP_CHOOSE:
        return eval_choose(run, node, ret);
    case EXPR_OP_NOT:
    case EXPR_OP_NEGATE:
        return eval_unary(run, node, ret);
    default:
        return eval_binary(run, node, ret);
    }
}

struct err *expr_eval(const struct expr *x, const struct expr_facts *facts, struct arena *arena,
                      struct expr_value *ret)
{
    struct expr_run run = {
        .facts = facts, .arena = arena, .steps = 2 * EXPR_COST_MAX, .bytes = EXPR_BYTES_MAX};
    return eval(&run, x->root, ret);
}
