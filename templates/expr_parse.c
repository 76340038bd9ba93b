/*
 * Expressions, second stage: tokens to a tree, by CEL's precedence. Descends recursively, to a depth that is
 * bounded.
 *
 * Knows no names and no types: expr_check.c settles them. Any thread.
 */
#include "expr_node.h"

struct parser {
    struct expr_lexer lexer;
    struct expr_token token; /* the next one */
    struct arena *arena;
    size_t nodes, depth;
};

static struct err *advance(struct parser *p)
{
    return expr_lex_next(&p->lexer, &p->token);
}

static bool is_mark(const struct parser *p, const char *mark)
{
    return p->token.kind == EXPR_TOKEN_MARK && view_eq_str(p->token.text, mark);
}

static bool is_name(const struct parser *p, const char *name)
{
    return p->token.kind == EXPR_TOKEN_NAME && view_eq_str(p->token.text, name);
}

static struct err *expect(struct parser *p, const char *mark)
{
    return is_mark(p, mark) ? advance(p) : expr_lex_error(p->token.at, "'%s' is missing here", mark);
}

static struct err *node_new(struct parser *p, enum expr_op op, size_t at, size_t kids, struct expr_node **ret)
{
    if (++p->nodes > EXPR_NODES_MAX)
        return expr_lex_error(at, "an expression of more than %d parts", EXPR_NODES_MAX);
    struct expr_node *node = ARENA_NEW(p->arena, struct expr_node);
    *node = (struct expr_node){.op = op, .at = at};
    node->kids = arena_array(p->arena, kids, sizeof(node->kids[0]));
    *ret = node;
    return NULL;
}

static struct err *parse_choice(struct parser *p, struct expr_node **ret);

/* What stands between brackets, separated by commas, up to `end`. */
static struct err *parse_list(struct parser *p, const char *end, size_t max, struct expr_node *to)
{
    struct err *e = NULL;
    struct expr_node *all[EXPR_LIST_MAX];
    size_t n = 0;
    while (!is_mark(p, end)) {
        if (n > 0)
            TRY(expect(p, ","));
        if (n == max)
            return expr_lex_error(p->token.at, "more than %zu of them", max);
        TRY(parse_choice(p, &all[n++]));
    }
    TRY(advance(p));
    to->kids = arena_array(p->arena, n + to->n, sizeof(to->kids[0]));
    memcpy(to->kids + to->n, all, n * sizeof(all[0]));
    to->n += n;
out:
    return e;
}

static struct err *parse_constant(struct parser *p, enum expr_type type, struct expr_value value,
                                  struct expr_node **ret)
{
    struct err *e = NULL;
    TRY(node_new(p, EXPR_OP_CONST, p->token.at, 0, ret));
    (*ret)->type = type;
    (*ret)->value = value;
    TRY(advance(p));
out:
    return e;
}

static struct err *parse_name(struct parser *p, struct expr_node **ret)
{
    struct err *e = NULL;
    struct expr_token name = p->token;
    if (is_name(p, "true") || is_name(p, "false"))
        return parse_constant(p, EXPR_BOOL, (struct expr_value){.n = is_name(p, "true")}, ret);
    TRY(advance(p));
    bool call = is_mark(p, "(");
    TRY(node_new(p, call ? EXPR_OP_CALL : EXPR_OP_NAME, name.at, 0, ret));
    (*ret)->name = name.text;
    if (call) {
        TRY(advance(p));
        TRY(parse_list(p, ")", EXPR_ARGS_MAX, *ret));
    }
out:
    return e;
}

static struct err *parse_primary(struct parser *p, struct expr_node **ret)
{
    struct err *e = NULL;
    struct expr_token t = p->token;
    if (t.kind == EXPR_TOKEN_NAME)
        return parse_name(p, ret);
    if (t.kind == EXPR_TOKEN_INT)
        return parse_constant(p, EXPR_INT, (struct expr_value){.n = t.n}, ret);
    if (t.kind == EXPR_TOKEN_STRING)
        return parse_constant(p, EXPR_STRING, (struct expr_value){.s = t.text}, ret);
    if (is_mark(p, "[")) {
        TRY(advance(p));
        TRY(node_new(p, EXPR_OP_LIST, t.at, 0, ret));
        return parse_list(p, "]", EXPR_LIST_MAX, *ret);
    }
    if (!is_mark(p, "("))
        return expr_lex_error(t.at, t.kind == EXPR_TOKEN_END ? "the expression ends too early"
                                                             : "a value is missing here");
    TRY(advance(p));
    TRY(parse_choice(p, ret));
    TRY(expect(p, ")"));
out:
    return e;
}

/* Behind a dot: an attribute, or a method with its arguments. */
static struct err *parse_dot(struct parser *p, struct expr_node *receiver, struct expr_node **ret)
{
    struct err *e = NULL;
    struct expr_token name = p->token;
    if (name.kind != EXPR_TOKEN_NAME)
        return expr_lex_error(name.at, "a name is missing behind the dot");
    TRY(advance(p));
    bool call = is_mark(p, "(");
    TRY(node_new(p, call ? EXPR_OP_CALL : EXPR_OP_SELECT, name.at, 1, ret));
    (*ret)->name = name.text;
    (*ret)->method = call;
    (*ret)->n = 1;
    if (call) {
        TRY(advance(p));
        TRY(parse_list(p, ")", EXPR_ARGS_MAX - 1, *ret));
    }
    (*ret)->kids[0] = receiver;
out:
    return e;
}

static struct err *parse_index(struct parser *p, struct expr_node *of, struct expr_node **ret)
{
    struct err *e = NULL;
    TRY(node_new(p, EXPR_OP_INDEX, of->at, 2, ret));
    (*ret)->n = 2;
    (*ret)->kids[0] = of;
    TRY(parse_choice(p, &(*ret)->kids[1]));
    TRY(expect(p, "]"));
out:
    return e;
}

static struct err *parse_member(struct parser *p, struct expr_node **ret)
{
    struct err *e = NULL;
    struct expr_node *node = NULL;
    TRY(parse_primary(p, &node));
    while (is_mark(p, ".") || is_mark(p, "[")) {
        bool dot = is_mark(p, ".");
        TRY(advance(p));
        TRY(dot ? parse_dot(p, node, &node) : parse_index(p, node, &node));
    }
    *ret = node;
out:
    return e;
}

static struct err *parse_unary(struct parser *p, struct expr_node **ret)
{
    struct err *e = NULL;
    bool not = is_mark(p, "!");
    size_t at = p->token.at;
    if (!not &&!is_mark(p, "-"))
        return parse_member(p, ret);
    if (++p->depth > EXPR_DEPTH_MAX)
        return expr_lex_error(at, "an expression nested deeper than %d", EXPR_DEPTH_MAX);
    TRY(advance(p));
    TRY(node_new(p, not ? EXPR_OP_NOT : EXPR_OP_NEGATE, at, 1, ret));
    (*ret)->n = 1;
    TRY(parse_unary(p, &(*ret)->kids[0]));
    p->depth--;
out:
    return e;
}

/* Binary operators, the loosest first; `in` is a word. */
static const struct level {
    struct {
        const char *mark;
        enum expr_op op;
    } ops[7];
} levels[] = {
    {{{"||", EXPR_OP_OR}}},
    {{{"&&", EXPR_OP_AND}}},
    {{{"==", EXPR_OP_EQ},
      {"!=", EXPR_OP_NE},
      {"<=", EXPR_OP_LE},
      {">=", EXPR_OP_GE},
      {"<", EXPR_OP_LT},
      {">", EXPR_OP_GT},
      {"in", EXPR_OP_IN}}},
    {{{"+", EXPR_OP_ADD}, {"-", EXPR_OP_SUB}}},
    {{{"*", EXPR_OP_MUL}, {"/", EXPR_OP_DIV}, {"%", EXPR_OP_MOD}}},
};
enum { LEVELS = sizeof(levels) / sizeof(levels[0]) };

static bool op_here(const struct parser *p, const struct level *level, enum expr_op *ret)
{
    for (size_t i = 0; i < 7 && level->ops[i].mark; i++) {
        if (!is_mark(p, level->ops[i].mark) && !(level->ops[i].op == EXPR_OP_IN && is_name(p, "in")))
            continue;
        *ret = level->ops[i].op;
        return true;
    }
    return false;
}

static struct err *parse_level(struct parser *p, size_t level, struct expr_node **ret)
{
    struct err *e = NULL;
    struct expr_node *left = NULL, *node;
    enum expr_op op;
    if (level == LEVELS)
        return parse_unary(p, ret);
    TRY(parse_level(p, level + 1, &left));
    while (op_here(p, &levels[level], &op)) {
        TRY(node_new(p, op, p->token.at, 2, &node));
        TRY(advance(p));
        node->n = 2;
        node->kids[0] = left;
        TRY(parse_level(p, level + 1, &node->kids[1]));
        left = node;
    }
    *ret = left;
out:
    return e;
}

static struct err *parse_choice(struct parser *p, struct expr_node **ret)
{
    struct err *e = NULL;
    struct expr_node *test = NULL;
    if (++p->depth > EXPR_DEPTH_MAX)
        return expr_lex_error(p->token.at, "an expression nested deeper than %d", EXPR_DEPTH_MAX);
    TRY(parse_level(p, 0, &test));
    *ret = test;
    if (is_mark(p, "?")) {
        TRY(node_new(p, EXPR_OP_CHOOSE, p->token.at, 3, ret));
        TRY(advance(p));
        (*ret)->n = 3;
        (*ret)->kids[0] = test;
        TRY(parse_choice(p, &(*ret)->kids[1]));
        TRY(expect(p, ":"));
        TRY(parse_choice(p, &(*ret)->kids[2]));
    }
    p->depth--;
out:
    return e;
}

struct err *expr_parse_text(struct view text, struct arena *arena, struct expr_node **ret)
{
    struct err *e = NULL;
    struct parser p = {.lexer = {.text = text, .arena = arena}, .arena = arena};
    TRY(advance(&p));
    TRY(parse_choice(&p, ret));
    if (p.token.kind != EXPR_TOKEN_END)
        return expr_lex_error(p.token.at, "the expression should end here");
out:
    return e;
}
