/* The subject that was asked for, as far as the template takes it. */
#ifndef CHANCERY_TEMPLATES_SHAPE_ASKED_H
#define CHANCERY_TEMPLATES_SHAPE_ASKED_H

#include "shape.h"

struct shape_asked {
    struct cert_name_part *parts;
    const char **from; /* "request" or "csr", for each */
    size_t n;
    const char *source; /* of the subject as a whole */
};

/* What may stand there is kept, under our names of the types; the rest is dropped or refused. */
MUST_USE struct err *shape_asked_subject(const struct shape *s, struct shape_asked *ret);

/* The common name, from whichever source counts, taken or not; NULL: none. */
MUST_USE struct err *shape_asked_cn(const struct shape *s, const char **ret);

#endif
