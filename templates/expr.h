/*
 * Expressions: conditions and computed values of a template, in a part of CEL (Common Expression Language).
 * Compiled once, at load, where types, names and cost are checked; evaluated over facts about asker, CSR,
 * request and certificate. Total: every evaluation ends, within a cost that is known at load.
 *
 * Texts are UTF-8; lists hold texts or integers; mappings lead from text to text. There are no variables of
 * one's own but those of `all` and `exists`, no floating point, no regular expressions.
 *
 * Pure; any thread. A compiled expression does not change.
 */
#ifndef CHANCERY_TEMPLATES_EXPR_H
#define CHANCERY_TEMPLATES_EXPR_H

#include "base/arena.h"
#include "base/err.h"

enum {
    EXPR_TEXT_BYTES = 1000,   /* of one expression */
    EXPR_NODES_MAX = 300,     /* in one expression */
    EXPR_DEPTH_MAX = 24,      /* of nesting */
    EXPR_COST_MAX = 100000,   /* steps of one evaluation */
    EXPR_BYTES_MAX = 16384,   /* of what one evaluation makes */
    EXPR_STRING_BYTES = 4096, /* of one text */
    EXPR_LOCALS = 2,          /* how deep all and exists may stand in each other */
};

enum expr_type {
    EXPR_BOOL = 1,
    EXPR_INT,
    EXPR_STRING,
    EXPR_TIME,
    EXPR_DURATION,
    EXPR_CIDR,
    EXPR_STRINGS,
    EXPR_INTS,
    EXPR_MAP,
    EXPR_TYPES
};
const char *expr_type_name(enum expr_type type); /* "bool", "list(string)", ... */

struct expr_value {
    int64_t n;     /* BOOL, INT, TIME, DURATION */
    struct view s; /* STRING, CIDR */
    /* STRINGS, INTS: the elements; MAP: key and value in turn, n_list of both together */
    const struct expr_value *list;
    size_t n_list;
};

/* What an expression looks at: bits. */
enum expr_source {
    EXPR_ASKER = 1u,
    EXPR_CSR = 2u,
    EXPR_REQUEST = 4u,
    EXPR_CERT = 8u,
    EXPR_CLOCK = 16u,
    EXPR_CLAIMS = 32u,
};

enum expr_var {
#define EXPR_VAR(id, name, type, source, longest, doc) EXPR_VAR_##id,
#define EXPR_FN(...)
#include "expr.def"
#undef EXPR_VAR
#undef EXPR_FN
    EXPR_VARS
};

struct expr_facts {
    struct expr_value v[EXPR_VARS];
};

struct expr_node;

struct expr {
    const struct expr_node *root;
    enum expr_type type;
    unsigned uses; /* enum expr_source */
    size_t cost;   /* at most so many steps */
};

/* ERR_BAD_FIELD "character 12: ..." for what is malformed, of the wrong type or too dear. want: EXPR_BOOL,
 * ...; 0: any. may: which sources it may look at. The text is copied. */
MUST_USE struct err *expr_compile(const char *text, enum expr_type want, unsigned may, struct arena *arena,
                                  struct expr *ret);

/* ERR_POLICY where there is no value: an attribute that is not there, a division by zero, a text that is no
 * number. */
MUST_USE struct err *expr_eval(const struct expr *x, const struct expr_facts *facts, struct arena *arena,
                               struct expr_value *ret);

/* For documentation: i from 0 until false. */
bool expr_var_at(size_t i, const char **ret_name, enum expr_type *ret_type, const char **ret_doc);
/* "string.startsWith(string) -> bool"; the doc may be "". */
bool expr_fn_at(size_t i, struct arena *arena, const char **ret_text, const char **ret_doc);

#endif
