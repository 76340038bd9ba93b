/* An expression between its stages: tokens, the tree that the parser makes and the checker settles. */
#ifndef CHANCERY_TEMPLATES_EXPR_NODE_H
#define CHANCERY_TEMPLATES_EXPR_NODE_H

#include "expr.h"

enum { EXPR_ARGS_MAX = 3, EXPR_LIST_MAX = 100 };

/* --- expr_lex.c --- */

enum expr_token_kind { EXPR_TOKEN_END, EXPR_TOKEN_NAME, EXPR_TOKEN_INT, EXPR_TOKEN_STRING, EXPR_TOKEN_MARK };

struct expr_token {
    enum expr_token_kind kind;
    size_t at;        /* offset in the text */
    struct view text; /* of a name, of a mark ("&&"); of a string what it stands for, in the arena */
    int64_t n;
};

struct expr_lexer {
    struct view text;
    size_t at;
    struct arena *arena;
};
MUST_USE struct err *expr_lex_next(struct expr_lexer *l, struct expr_token *ret);
/* ERR_BAD_FIELD "character N: ...". */
MUST_USE struct err *expr_lex_error(size_t at, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- the tree --- */

enum expr_op {
    EXPR_OP_CONST,
    EXPR_OP_NAME,   /* name; settled: EXPR_OP_VAR or EXPR_OP_LOCAL, index */
    EXPR_OP_SELECT, /* kid.name; settled: EXPR_OP_VAR, or EXPR_OP_KEY of a mapping */
    EXPR_OP_CALL,   /* name; the receiver, if any, is the first kid; settled: index is the function's row */
    EXPR_OP_VAR,
    EXPR_OP_LOCAL,
    EXPR_OP_KEY,
    EXPR_OP_HAS, /* mapping.name */
    EXPR_OP_INDEX,
    EXPR_OP_LIST,
    EXPR_OP_NOT,
    EXPR_OP_NEGATE,
    EXPR_OP_AND,
    EXPR_OP_OR,
    EXPR_OP_CHOOSE, /* ? : */
    EXPR_OP_EQ,
    EXPR_OP_NE,
    EXPR_OP_LT,
    EXPR_OP_LE,
    EXPR_OP_GT,
    EXPR_OP_GE,
    EXPR_OP_IN,
    EXPR_OP_ADD,
    EXPR_OP_SUB,
    EXPR_OP_MUL,
    EXPR_OP_DIV,
    EXPR_OP_MOD,
    EXPR_OP_ALL, /* list, body; name and index: the variable */
    EXPR_OP_EXISTS,
};

struct expr_node {
    enum expr_op op;
    enum expr_type type;
    size_t at;
    struct view name;
    struct expr_value value; /* of a constant */
    struct expr_node **kids;
    size_t n;
    size_t index;
    size_t longest; /* how many elements it can have */
    bool method;    /* a call with a receiver */
};

/* --- expr_parse.c --- */
MUST_USE struct err *expr_parse_text(struct view text, struct arena *arena, struct expr_node **ret);

/* --- expr_check.c: settles names and types; adds up cost and sources --- */
struct expr_check {
    struct arena *arena;
    unsigned may, uses;
    struct view locals[EXPR_LOCALS];
    enum expr_type local_types[EXPR_LOCALS];
    size_t locals_n;
};
MUST_USE struct err *expr_check_node(struct expr_check *c, struct expr_node *node, size_t *ret_cost);

/* --- expr_fn.c: the functions --- */
struct expr_run {
    const struct expr_facts *facts;
    struct arena *arena;
    struct expr_value locals[EXPR_LOCALS];
    size_t steps, bytes; /* left */
};
static inline struct err *expr_run_say(struct expr_value *ret, int64_t n)
{
    ret->n = n;
    return NULL;
}
/* Takes n octets of what one evaluation may make. */
MUST_USE struct err *expr_run_take(struct expr_run *run, size_t n, void *ret);

typedef struct err *expr_fn(struct expr_run *run, const struct expr_value *args, struct expr_value *ret);
struct expr_fn_row {
    const char *name;
    expr_fn *call;
    bool method, probe;
    enum expr_type result;
    size_t n, cost;
    const char *doc;
    enum expr_type args[EXPR_ARGS_MAX];
};
#define EXPR_VAR(...)
#define EXPR_FN(func, ...) expr_fn func;
#include "expr.def"
#undef EXPR_VAR
#undef EXPR_FN
extern const struct expr_fn_row expr_fn_rows[];
size_t expr_fn_rows_count(void);

#endif
