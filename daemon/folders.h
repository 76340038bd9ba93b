/* The folders of the running house, and the files whose owner and mode matter. */
#ifndef CHANCERY_DAEMON_FOLDERS_H
#define CHANCERY_DAEMON_FOLDERS_H

#include "users.h"

/* Makes what is missing, with owner and mode. */
MUST_USE struct err *folders_make(const struct config *c, const struct users *u);

/* Looks at owner and mode of folders, PIN file, token folders; calls fn for each, made right or not. Changes
 * nothing. False where anything was wrong. */
typedef void folders_finding(void *arg, bool wrong, const char *what);
bool folders_check(const struct config *c, const struct users *u, folders_finding *fn, void *arg);

#endif
