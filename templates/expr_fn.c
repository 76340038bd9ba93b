/*
 * The functions of expressions as a table, out of expr.def; they themselves are in expr_text.c, expr_net.c
 * and expr_moment.c.
 *
 * Any thread.
 */
#include "expr_node.h"

const struct expr_fn_row expr_fn_rows[] = {
#define EXPR_VAR(...)
#define EXPR_FN(func, name, method, probe, result, n, cost, doc, ...)                                        \
    {name, func, method, probe, result, n, cost, doc, {__VA_ARGS__}},
#include "expr.def"
#undef EXPR_FN
#undef EXPR_VAR
};

size_t expr_fn_rows_count(void)
{
    return sizeof(expr_fn_rows) / sizeof(expr_fn_rows[0]);
}

bool expr_fn_at(size_t i, struct arena *arena, const char **ret_text, const char **ret_doc)
{
    if (i >= expr_fn_rows_count())
        return false;
    const struct expr_fn_row *row = &expr_fn_rows[i];
    const char *text = row->method ? arena_printf(arena, "%s.%s(", expr_type_name(row->args[0]), row->name)
                                   : arena_printf(arena, "%s(", row->name);
    for (size_t k = row->method; k < row->n; k++)
        text = arena_printf(arena, "%s%s%s", text, k > (size_t)row->method ? ", " : "",
                            expr_type_name(row->args[k]));
    *ret_text = arena_printf(arena, "%s) -> %s", text, expr_type_name(row->result));
    *ret_doc = row->doc;
    return true;
}
