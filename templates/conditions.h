/* Conditions and computed values: the expressions of a template at work. */
#ifndef CHANCERY_TEMPLATES_CONDITIONS_H
#define CHANCERY_TEMPLATES_CONDITIONS_H

#include "load.h"
#include "shape.h"

/* What a computed value may look at: there is no certificate yet. */
#define CONDITIONS_ASKED ((unsigned)(EXPR_ASKER | EXPR_CSR | EXPR_REQUEST | EXPR_CLOCK))

/* Compiles one expression at a node of the file; errors name the place there and within the text. type 0:
 * any. */
MUST_USE struct err *conditions_compile(struct load *l, const json_t *at, enum expr_type type, unsigned may,
                                        struct expr *ret);

/* A step of shape: those conditions that the vault cannot judge. */
shape_step conditions_step;

/* What a template computes, over asker, CSR and request. what: "subject.CN", for the refusal. */
MUST_USE struct err *conditions_compute(struct shape *s, const struct expr *x, const char *what,
                                        struct expr_value *ret);

#endif
