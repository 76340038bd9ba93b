/*
 * Expressions as a whole: a text is lexed, parsed and checked once; see expr_eval.c for the other half.
 *
 * Any thread.
 */
#include "expr.h"

#include "expr_node.h"

struct err *expr_compile(const char *text, enum expr_type want, unsigned may, struct arena *arena,
                         struct expr *ret)
{
    struct err *e = NULL;
    struct expr_check check = {.arena = arena, .may = may};
    struct expr_node *root = NULL;
    struct view copy = view_str(arena_str(arena, view_str(text)));
    size_t cost = 0;
    if (copy.n == 0 || copy.n > EXPR_TEXT_BYTES)
        return err_new(ERR_BAD_FIELD, "an expression has 1 to %d octets", EXPR_TEXT_BYTES);
    if (!view_is_utf8(copy))
        return err_new(ERR_BAD_FIELD, "an expression is a text in UTF-8");
    TRY(expr_parse_text(copy, arena, &root));
    TRY(expr_check_node(&check, root, &cost));
    if (want && root->type != want)
        return expr_lex_error(0, "the expression gives %s; %s is wanted", expr_type_name(root->type),
                              expr_type_name(want));
    if (cost > EXPR_COST_MAX)
        return expr_lex_error(0, "the expression can cost %zu steps; at most %d", cost, EXPR_COST_MAX);
    *ret = (struct expr){root, root->type, check.uses, cost};
out:
    return e;
}
