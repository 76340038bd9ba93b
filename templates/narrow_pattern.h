/* Whether all that one pattern covers another covers too. */
#ifndef CHANCERY_TEMPLATES_NARROW_PATTERN_H
#define CHANCERY_TEMPLATES_NARROW_PATTERN_H

#include "pattern.h"

/* False where it cannot be told. */
bool narrow_pattern_lies_within(struct view narrow, struct view wide);

#endif
