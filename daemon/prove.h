/* Checks that run in a process of their own, so that nothing they read can harm the one that asks. */
#ifndef CHANCERY_DAEMON_PROVE_H
#define CHANCERY_DAEMON_PROVE_H

#include "folders.h"

/* Parses the whole generation (templates, roster, certificates) in a jailed child. fd stays the caller's. */
MUST_USE struct err *prove_generation(int fd, const struct config *c, const struct users *u);

/* `chanceryd --check`: looks at everything, prints a line for each finding on stdout. 0: all is well; 1. */
int prove_all(const char *file);

/* How the processes will be isolated on this machine; ERR_CONFIG where that is less than the configuration
 * accepts.
 */
MUST_USE struct err *prove_isolation(const struct config *c, const struct users *u);

#endif
