/* Keeps the generation that has come into force, for a person to go back to. The warden's thread. */
#ifndef CHANCERY_DAEMON_KEEP_H
#define CHANCERY_DAEMON_KEEP_H

#include "config.h"

/* What cannot be kept is logged: nothing else depends on it. */
void keep_generation(const struct config *c, int generation_fd);

#endif
