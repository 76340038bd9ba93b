/* Landlock by its raw system calls: which files this process can open from now on. Private to daemon. */
#ifndef CHANCERY_DAEMON_LANDLOCK_H
#define CHANCERY_DAEMON_LANDLOCK_H

#include "jail.h"

/* 0 where the kernel has none. */
int landlock_abi(void);

/* Restricts this thread and all it starts. Sets landlock, net and scope in *ret; leaves them where the kernel
 * has no Landlock. */
MUST_USE struct err *landlock_enter(const struct jail_path *paths, size_t n, struct jail_state *ret);

#endif
