/* Trees of a template's file that are kept to be shown, and what load made of the one with conditions. */
#ifndef CHANCERY_TEMPLATES_TEMPLATE_TREE_H
#define CHANCERY_TEMPLATES_TEMPLATE_TREE_H

#include <jansson.h>

#include "expr.h"

enum { CONDITIONS_MAX = 32, COMPUTED_SANS_MAX = 10 };

/* node during load only; text: the same as JSON, NULL: left out */
struct template_tree {
    const json_t *node;
    const char *text;
};

struct template_condition {
    struct expr that;
    const char *otherwise; /* what the asker is told */
};

struct template_conditions {
    struct template_tree tree;
    struct template_condition *v;
    size_t n;
};

#endif
