/* The elements of a certificate in words, each with the origin that shape has noted for it. */
#ifndef CHANCERY_TEMPLATES_EXPLAIN_VALUE_H
#define CHANCERY_TEMPLATES_EXPLAIN_VALUE_H

#include "shape.h"
#include "templates_explain.h"

void explain_fields(const struct shape *s, const struct cert_tbs *tbs, const struct templates_shown **ret,
                    size_t *ret_n);

/* The value of one extension: words where we know them, else the DER in our text form. */
const char *explain_value_ext(const struct cert_ext *ext, struct arena *arena);

#endif
