/* Forking and re-executing this very program with descriptors at fixed numbers. */
#ifndef CHANCERY_DAEMON_REEXEC_H
#define CHANCERY_DAEMON_REEXEC_H

#include <sys/types.h>

#include "base/err.h"

enum { REEXEC_FIRST_FD = 3, REEXEC_FDS_MAX = 64 };

/* The child has fds[i] as descriptor 3 + i, stderr, /dev/null as stdin, and nothing else. argv ends in NULL.
 */
MUST_USE struct err *reexec(const int *fds, size_t n, const char *const argv[], pid_t *ret);

/* Closes every descriptor from `first` on. */
void reexec_close_from(unsigned first);

#endif
