/*
 * The table of floors, and the refusals made in a row's name. Judges nothing itself, remembers nothing. Any
 * thread.
 */
#include "floor.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "base/world.h"

enum { TEXT_MAX = 1024 };

static const struct floor_row rows[FLOOR__COUNT] = {
#define FLOOR(id, name, error, what) [FLOOR_##id] = {name, ERR_##error, what},
#include "floors.def"
#undef FLOOR
};

const struct floor_row *floor_row(enum floor floor)
{
    CHECK((unsigned)floor < FLOOR__COUNT);
    return &rows[floor];
}

struct err *floor_breach(enum floor floor, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list args;
    const struct floor_row *row = floor_row(floor);
    if (world_check_off(row->name))
        return NULL;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return err_new(row->code, "%s", text);
}

struct err *floor_held(enum floor floor, struct err *e)
{
    if (!e || !world_check_off(floor_row(floor)->name))
        return e;
    err_free(e);
    return NULL;
}
