/*
 * Expressions, third stage: every name is settled, every part has a type, and what the whole can cost at most
 * is added up. Calls with constant arguments are tried here.
 *
 * Any thread.
 */
#include "base/conf.h"
#include "expr_node.h"

enum { PATH_BYTES = 200 };

static const struct {
    const char *name;
    enum expr_type type;
    unsigned source;
    size_t longest;
    const char *doc;
} vars[] = {
#define EXPR_VAR(id, name, type, source, longest, doc) {name, type, source, longest, doc},
#define EXPR_FN(...)
#include "expr.def"
#undef EXPR_VAR
#undef EXPR_FN
};

static const char *const type_names[EXPR_TYPES] = {
    [EXPR_BOOL] = "bool",
    [EXPR_INT] = "int",
    [EXPR_STRING] = "string",
    [EXPR_TIME] = "timestamp",
    [EXPR_DURATION] = "duration",
    [EXPR_CIDR] = "cidr",
    [EXPR_STRINGS] = "list(string)",
    [EXPR_INTS] = "list(int)",
    [EXPR_MAP] = "map(string, string)",
};

const char *expr_type_name(enum expr_type type)
{
    return type_names[type];
}

bool expr_var_at(size_t i, const char **ret_name, enum expr_type *ret_type, const char **ret_doc)
{
    if (i >= EXPR_VARS)
        return false;
    *ret_name = vars[i].name;
    *ret_type = vars[i].type;
    *ret_doc = vars[i].doc;
    return true;
}

static struct err *wrong_type(const struct expr_node *node, const char *wanted)
{
    return expr_lex_error(node->at, "%s stands here; %s is wanted", expr_type_name(node->type), wanted);
}

static bool is_list(enum expr_type type)
{
    return type == EXPR_STRINGS || type == EXPR_INTS;
}

/* --- names --- */

/* "csr.key.kind" of nested selections; false where it is none. */
static bool path_of(const struct expr_node *node, char to[PATH_BYTES], size_t *n)
{
    bool select = node->op == EXPR_OP_SELECT;
    if (!select && node->op != EXPR_OP_NAME)
        return false;
    if (select && !path_of(node->kids[0], to, n))
        return false;
    if (*n + node->name.n + 2 > PATH_BYTES)
        return false;
    if (select)
        to[(*n)++] = '.';
    memcpy(to + *n, node->name.p, node->name.n);
    *n += node->name.n;
    to[*n] = 0;
    return true;
}

static bool settle_local(const struct expr_check *c, struct expr_node *node)
{
    for (size_t i = c->locals_n; node->op == EXPR_OP_NAME && i > 0; i--) {
        if (!view_eq(c->locals[i - 1], node->name))
            continue;
        node->op = EXPR_OP_LOCAL;
        node->index = i - 1;
        node->type = c->local_types[i - 1];
        return true;
    }
    return false;
}

static struct err *settle_var(struct expr_check *c, struct expr_node *node, const char *path, bool *ret_found)
{
    size_t i = 0;
    while (i < EXPR_VARS && strcmp(vars[i].name, path) != 0)
        i++;
    *ret_found = i < EXPR_VARS;
    if (!*ret_found)
        return NULL;
    if (!(vars[i].source & c->may))
        return expr_lex_error(node->at, "'%s' cannot be looked at here", path);
    node->op = EXPR_OP_VAR;
    node->index = i;
    node->type = vars[i].type;
    node->longest = vars[i].longest;
    c->uses |= vars[i].source;
    return NULL;
}

static struct err *unknown(const struct expr_node *node, const char *path)
{
    const char *names[EXPR_VARS];
    for (size_t i = 0; i < EXPR_VARS; i++)
        names[i] = vars[i].name;
    const char *near = conf_nearest(path, names, EXPR_VARS);
    return near ? expr_lex_error(node->at, "unknown '%s'; did you mean '%s'?", path, near)
                : expr_lex_error(node->at, "unknown '%s'", path);
}

static struct err *check_name(struct expr_check *c, struct expr_node *node, size_t *ret_cost)
{
    struct err *e = NULL;
    char path[PATH_BYTES] = "";
    size_t n = 0;
    bool found = settle_local(c, node), named = !found && path_of(node, path, &n);
    *ret_cost = 1;
    if (named)
        TRY(settle_var(c, node, path, &found));
    if (found)
        return NULL;
    if (node->op == EXPR_OP_NAME)
        return unknown(node, path);
    e = expr_check_node(c, node->kids[0], ret_cost);
    if (e && named && node->kids[0]->op == EXPR_OP_NAME) {
        err_free(e);
        return unknown(node, path);
    }
    TRY(e);
    if (node->kids[0]->type != EXPR_MAP)
        return wrong_type(node->kids[0], "a mapping, before the dot,");
    node->op = EXPR_OP_KEY;
    node->type = EXPR_STRING;
    *ret_cost += 4;
out:
    return e;
}

/* --- calls --- */

static struct err *check_has(struct expr_check *c, struct expr_node *node, size_t *ret_cost)
{
    struct err *e = NULL;
    struct expr_node *of = node->n == 1 ? node->kids[0] : NULL;
    if (!of || of->op != EXPR_OP_SELECT)
        return expr_lex_error(node->at, "has() is about an attribute: has(csr.subject.O)");
    TRY(check_name(c, of, ret_cost));
    if (of->op != EXPR_OP_KEY)
        return expr_lex_error(of->at, "has() is about an attribute: has(csr.subject.O)");
    of->op = EXPR_OP_HAS;
    of->type = EXPR_BOOL;
    *node = *of;
out:
    return e;
}

/* list.all(x, body): the body once for each element, which x names. */
static struct err *check_each(struct expr_check *c, struct expr_node *node, size_t *ret_cost)
{
    struct err *e = NULL;
    size_t list_cost, body_cost;
    if (node->n != 3 || node->kids[1]->op != EXPR_OP_NAME)
        return expr_lex_error(node->at, "all and exists take a name and a condition: sans.all(n, n != '')");
    if (c->locals_n == EXPR_LOCALS)
        return expr_lex_error(node->at, "all and exists stand in each other more than %d deep", EXPR_LOCALS);
    TRY(expr_check_node(c, node->kids[0], &list_cost));
    if (!is_list(node->kids[0]->type))
        return wrong_type(node->kids[0], "a list");
    node->index = c->locals_n;
    c->locals[c->locals_n] = node->kids[1]->name;
    c->local_types[c->locals_n++] = node->kids[0]->type == EXPR_STRINGS ? EXPR_STRING : EXPR_INT;
    TRY(expr_check_node(c, node->kids[2], &body_cost));
    c->locals_n--;
    if (node->kids[2]->type != EXPR_BOOL)
        return wrong_type(node->kids[2], "bool");
    node->op = view_eq_str(node->name, "all") ? EXPR_OP_ALL : EXPR_OP_EXISTS;
    node->type = EXPR_BOOL;
    node->kids[1] = node->kids[2];
    node->n = 2;
    *ret_cost = list_cost + node->kids[0]->longest * (1 + body_cost);
out:
    return e;
}

static bool fits(const struct expr_fn_row *row, const struct expr_node *node)
{
    if (row->method != node->method || row->n != node->n || !view_eq_str(node->name, row->name))
        return false;
    for (size_t i = 0; i < node->n; i++) {
        if (row->args[i] != node->kids[i]->type)
            return false;
    }
    return true;
}

static struct err *no_such_call(struct expr_check *c, const struct expr_node *node)
{
    const char *types = "";
    bool known = false;
    for (size_t i = 0; i < expr_fn_rows_count(); i++)
        known |= view_eq_str(node->name, expr_fn_rows[i].name);
    for (size_t i = 0; i < node->n; i++)
        types = arena_printf(c->arena, "%s%s%s", types, i ? ", " : "", expr_type_name(node->kids[i]->type));
    const char *name = arena_str(c->arena, node->name);
    if (!known)
        return expr_lex_error(node->at, "no function '%s'", name);
    return expr_lex_error(node->at, "'%s' does not take %s", name, types[0] ? types : "nothing");
}

/* A call with constant arguments is tried, so that a malformed network or date is found now. What it makes is
 * thrown away. */
static struct err *try_call(struct expr_node *node, const struct expr_fn_row *row)
{
    struct expr_value args[EXPR_ARGS_MAX] = {{.n = 0}}, value = {.n = 0};
    size_t constants = 0;
    for (size_t i = 0; i < node->n; i++) {
        constants += node->kids[i]->op == EXPR_OP_CONST;
        args[i] = node->kids[i]->value; /* a receiver that is not known yet: empty */
    }
    bool whole = constants == node->n;
    bool probed = row->probe && constants + 1 == node->n && node->kids[0]->op != EXPR_OP_CONST;
    if (!whole && !probed)
        return NULL;
    struct arena *scratch = arena_new(2 * EXPR_BYTES_MAX);
    struct expr_run run = {.arena = scratch, .steps = EXPR_COST_MAX, .bytes = EXPR_BYTES_MAX};
    struct err *e = row->call(&run, args, &value);
    struct err *said = e ? expr_lex_error(node->at, "%s", err_detail(e)) : NULL;
    err_free(e);
    arena_free(scratch);
    return said;
}

/* Names held against patterns: each against each. */
static size_t pairs(const struct expr_node *node)
{
    size_t patterns = node->n == 2 ? node->kids[1]->longest : 0,
           names = is_list(node->kids[0]->type) ? node->kids[0]->longest : 1;
    return 2 * patterns * names;
}

static struct err *check_call(struct expr_check *c, struct expr_node *node, size_t *ret_cost)
{
    struct err *e = NULL;
    size_t row = 0, cost = 0, sum = 1;
    if (!node->method && view_eq_str(node->name, "has"))
        return check_has(c, node, ret_cost);
    if (node->method && (view_eq_str(node->name, "all") || view_eq_str(node->name, "exists")))
        return check_each(c, node, ret_cost);
    for (size_t i = 0; i < node->n; i++) {
        TRY(expr_check_node(c, node->kids[i], &cost));
        sum += cost;
    }
    while (row < expr_fn_rows_count() && !fits(&expr_fn_rows[row], node))
        row++;
    if (row == expr_fn_rows_count())
        return no_such_call(c, node);
    node->index = row;
    node->type = expr_fn_rows[row].result;
    node->longest = is_list(node->type) ? EXPR_LIST_MAX : 0;
    *ret_cost = sum + expr_fn_rows[row].cost + pairs(node);
    TRY(try_call(node, &expr_fn_rows[row]));
out:
    return e;
}

/* --- the rest --- */

static struct err *check_list(struct expr_check *c, struct expr_node *node, size_t *ret_cost)
{
    struct err *e = NULL;
    bool constant = true;
    size_t sum = 1, cost;
    struct expr_value *values = arena_array(c->arena, node->n, sizeof(values[0]));
    node->type = EXPR_STRINGS;
    for (size_t i = 0; i < node->n; i++) {
        TRY(expr_check_node(c, node->kids[i], &cost));
        enum expr_type type = node->kids[i]->type;
        if (type != EXPR_STRING && type != EXPR_INT)
            return wrong_type(node->kids[i], "a list is of strings or of integers: one of them");
        if (i > 0 && type != node->kids[0]->type)
            return wrong_type(node->kids[i], "the type of the elements before");
        node->type = type == EXPR_INT ? EXPR_INTS : EXPR_STRINGS;
        constant &= node->kids[i]->op == EXPR_OP_CONST;
        values[i] = node->kids[i]->value;
        sum += cost;
    }
    node->longest = node->n;
    *ret_cost = sum;
    if (constant) {
        node->op = EXPR_OP_CONST;
        node->value = (struct expr_value){.list = values, .n_list = node->n};
    }
out:
    return e;
}

static struct err *check_index(struct expr_check *c, struct expr_node *node, size_t *ret_cost)
{
    struct err *e = NULL;
    size_t of, at;
    TRY(expr_check_node(c, node->kids[0], &of));
    TRY(expr_check_node(c, node->kids[1], &at));
    enum expr_type type = node->kids[0]->type;
    if (!is_list(type) && type != EXPR_MAP)
        return wrong_type(node->kids[0], "a list or a mapping");
    if (node->kids[1]->type != (type == EXPR_MAP ? EXPR_STRING : EXPR_INT))
        return wrong_type(node->kids[1], type == EXPR_MAP ? "string" : "int");
    node->type = type == EXPR_INTS ? EXPR_INT : EXPR_STRING;
    *ret_cost = of + at + 4;
out:
    return e;
}

static struct err *check_unary(struct expr_check *c, struct expr_node *node, size_t *ret_cost)
{
    struct err *e = NULL;
    enum expr_type want = node->op == EXPR_OP_NOT ? EXPR_BOOL : EXPR_INT;
    TRY(expr_check_node(c, node->kids[0], ret_cost));
    if (node->kids[0]->type != want)
        return wrong_type(node->kids[0], expr_type_name(want));
    node->type = want;
    *ret_cost += 1;
out:
    return e;
}

static struct err *check_choose(struct expr_check *c, struct expr_node *node, size_t *ret_cost)
{
    struct err *e = NULL;
    size_t test, yes, no;
    TRY(expr_check_node(c, node->kids[0], &test));
    TRY(expr_check_node(c, node->kids[1], &yes));
    TRY(expr_check_node(c, node->kids[2], &no));
    if (node->kids[0]->type != EXPR_BOOL)
        return wrong_type(node->kids[0], "bool, before the question mark,");
    if (node->kids[1]->type != node->kids[2]->type)
        return wrong_type(node->kids[2], expr_type_name(node->kids[1]->type));
    node->type = node->kids[1]->type;
    node->longest =
        node->kids[1]->longest > node->kids[2]->longest ? node->kids[1]->longest : node->kids[2]->longest;
    *ret_cost = 1 + test + (yes > no ? yes : no);
out:
    return e;
}

/* What an operator makes of two types; 0: nothing. */
static enum expr_type result_of(enum expr_op op, enum expr_type a, enum expr_type b)
{
    switch (op) {
    case EXPR_OP_AND:
    case EXPR_OP_OR:
        return a == EXPR_BOOL && b == EXPR_BOOL ? EXPR_BOOL : 0;
    case EXPR_OP_EQ:
    case EXPR_OP_NE:
        return a == b && a != EXPR_MAP && a != EXPR_CIDR ? EXPR_BOOL : 0;
    case EXPR_OP_LT:
    case EXPR_OP_LE:
    case EXPR_OP_GT:
    case EXPR_OP_GE:
        return a == b && a >= EXPR_INT && a <= EXPR_DURATION ? EXPR_BOOL : 0;
    case EXPR_OP_IN:
        return (a == EXPR_STRING && (b == EXPR_STRINGS || b == EXPR_MAP)) || (a == EXPR_INT && b == EXPR_INTS)
                   ? EXPR_BOOL
                   : 0;
    case EXPR_OP_ADD:
        if (a == EXPR_TIME && b == EXPR_DURATION)
            return EXPR_TIME;
        return a == b && (a == EXPR_INT || a == EXPR_STRING || a == EXPR_DURATION) ? a : 0;
    case EXPR_OP_SUB:
        if (a == EXPR_TIME && b == EXPR_TIME)
            return EXPR_DURATION;
        if (a == EXPR_TIME && b == EXPR_DURATION)
            return EXPR_TIME;
        return a == b && (a == EXPR_INT || a == EXPR_DURATION) ? a : 0;
    default:
        return a == EXPR_INT && b == EXPR_INT ? EXPR_INT : 0;
    }
}

static struct err *check_binary(struct expr_check *c, struct expr_node *node, size_t *ret_cost)
{
    struct err *e = NULL;
    size_t left, right;
    TRY(expr_check_node(c, node->kids[0], &left));
    TRY(expr_check_node(c, node->kids[1], &right));
    enum expr_type a = node->kids[0]->type, b = node->kids[1]->type;
    node->type = result_of(node->op, a, b);
    if (!node->type)
        return expr_lex_error(node->at, "%s and %s do not go together here", expr_type_name(a),
                              expr_type_name(b));
    size_t longest = node->op == EXPR_OP_IN || is_list(a) ? node->kids[1]->longest : 0;
    *ret_cost = 1 + left + right + longest + (a == EXPR_STRING ? 4 : 0);
out:
    return e;
}

struct err *expr_check_node(struct expr_check *c, struct expr_node *node, size_t *ret_cost)
{
    *ret_cost = 0;
    switch (node->op) {
    case EXPR_OP_CONST:
        return NULL;
    case EXPR_OP_NAME:
    case EXPR_OP_SELECT:
        return check_name(c, node, ret_cost);
    case EXPR_OP_CALL:
        return check_call(c, node, ret_cost);
    case EXPR_OP_LIST:
        return check_list(c, node, ret_cost);
    case EXPR_OP_INDEX:
        return check_index(c, node, ret_cost);
    case EXPR_OP_NOT:
    case EXPR_OP_NEGATE:
        return check_unary(c, node, ret_cost);
    case EXPR_OP_CHOOSE:
        return check_choose(c, node, ret_cost);
    default:
        return check_binary(c, node, ret_cost);
    }
}
