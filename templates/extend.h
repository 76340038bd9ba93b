/* Templates that extend others: what a file takes over, and that it only narrows. */
#ifndef CHANCERY_TEMPLATES_EXTEND_H
#define CHANCERY_TEMPLATES_EXTEND_H

#include "load.h"

enum { EXTEND_DEPTH_MAX = 4 };

/* The name under `extends`; NULL: none. */
const char *extend_name(const struct conf *c);

/* Fills what the file leaves out from the files of its parent and of those above it. */
MUST_USE struct err *extend_fill(struct load *l, const struct template *parent);

/* narrow.c: ERR_CONFIG at the first field that says more than the parent does. */
MUST_USE struct err *narrow_check(struct load *l, const struct template *parent);

#endif
