/* What load made of a template's limits, of its overrides, and of who must approve. */
#ifndef CHANCERY_TEMPLATES_TEMPLATE_LIMITS_H
#define CHANCERY_TEMPLATES_TEMPLATE_LIMITS_H

#include "templates.h"

struct template_override {
    const char *reason; /* NULL: not overridden */
    int64_t until;      /* INT64_MAX: without end */
};

enum { LIMITS_RATES = 3 };
struct template_approval {
    struct templates_approval asked;
};

struct template_limits {
    const char *texts[LIMITS_RATES];
    struct templates_limits asked;
};

#endif
