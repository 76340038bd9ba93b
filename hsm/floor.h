/*
 * The rows of floors.def, and how a check refuses in the name of its row. In chanceryd floor_breach() is
 * err_new() and floor_held() gives back what it took; a test's world may switch a row off, and what it would
 * refuse goes through. Pure but for that. Any thread.
 */
#ifndef CHANCERY_HSM_FLOOR_H
#define CHANCERY_HSM_FLOOR_H

#include "base/err.h"

enum floor {
#define FLOOR(id, name, error, what) FLOOR_##id,
#include "floors.def"
#undef FLOOR
    FLOOR__COUNT
};

struct floor_row {
    const char *name; /* "cert.ca" */
    enum err_code code;
    const char *what;
};
const struct floor_row *floor_row(enum floor floor);

/* The refusal: the row's error with this detail. NULL where a test has switched the row off. */
MUST_USE struct err *floor_breach(enum floor floor, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same of an error that something else made: takes e, gives it back or lets it go. NULL stays NULL. */
MUST_USE struct err *floor_held(enum floor floor, struct err *e);

#endif
