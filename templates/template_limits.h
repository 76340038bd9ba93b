/* What load made of a template's limits, and of its overrides. */
#ifndef CHANCERY_TEMPLATES_TEMPLATE_LIMITS_H
#define CHANCERY_TEMPLATES_TEMPLATE_LIMITS_H

#include "templates_limits.h"

struct template_override {
    const char *reason; /* NULL: not overridden */
    int64_t until;      /* INT64_MAX: without end */
};

enum { LIMITS_RATES = 3 };
struct template_limits {
    const char *texts[LIMITS_RATES];
    struct templates_limits asked;
};

#endif
