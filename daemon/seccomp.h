/* A small filter of system calls that no child needs. Private to daemon. */
#ifndef CHANCERY_DAEMON_SECCOMP_H
#define CHANCERY_DAEMON_SECCOMP_H

#include "jail.h"

/* For this process, all its threads to come. Sets seccomp in *ret where it is in force; where the kernel has
 * no filters that is no error. Needs no_new_privs. */
MUST_USE struct err *seccomp_enter(struct jail_state *ret);

#endif
