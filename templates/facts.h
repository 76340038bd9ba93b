/* What the expressions of a template look at, gathered from a request or a certificate. */
#ifndef CHANCERY_TEMPLATES_FACTS_H
#define CHANCERY_TEMPLATES_FACTS_H

#include "expr.h"
#include "shape.h"

/* Asker, CSR, request and clock; made once for each shaping. */
const struct expr_facts *facts_asked(struct shape *s);

/* Certificate and clock, from what a judge has read; the others are empty unless ret holds them already. */
void facts_cert(const struct judged *j, struct expr_facts *ret);

#endif
