/* The seal roll's file, read by commands that work without a daemon. */
#ifndef CHANCERY_CLI_ROLL_H
#define CHANCERY_CLI_ROLL_H

#include "base/err.h"
#include "base/view.h"

/* Header and entries without a last one that is cut short. */
struct view roll_whole(struct view file);

/* The file's whole entries, mapped: a roll in use is growing, and a last entry that is cut short is left out.
 * roll_unmap() ends it; accepts one that was never mapped. */
MUST_USE struct err *roll_map(const char *path, struct view *ret);
void roll_unmap(struct view roll);

#endif
