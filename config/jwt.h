/* The `jwt` part: from its node to its struct. Private to config. */
#ifndef CHANCERY_CONFIG_JWT_PART_H
#define CHANCERY_CONFIG_JWT_PART_H

#include "config.h"

/* node: NULL where it is left out. Needs to->dir. */
MUST_USE struct err *jwt_fill(const struct conf *conf, const json_t *node, struct arena *arena,
                              struct config *to);

#endif
