/* Whole files, through the world (world.h): read with a bound, written so that a reader sees the old or the
 * new. */
#ifndef CHANCERY_BASE_FILE_H
#define CHANCERY_BASE_FILE_H

#include "base/arena.h"
#include "base/err.h"

/* ERR_TOO_LARGE over max, ERR_NOT_FOUND where there is none, else ERR_IO. The text names the path: for
 * operators only. */
MUST_USE struct err *file_read(const char *path, size_t max, struct arena *arena, struct view *ret);
/* The same from a descriptor, from its start. */
MUST_USE struct err *file_read_fd(int fd, size_t max, struct arena *arena, struct view *ret);

/* Temporary beside it, fsync, rename, fsync of the folder. mode as for open(2). */
MUST_USE struct err *file_write(const char *path, struct view bytes, unsigned mode);

/* A sealed memfd (F_SEAL_WRITE, GROW, SHRINK, SEAL) holding these bytes; the caller closes it. */
MUST_USE struct err *file_sealed(const char *name, struct view bytes, int *ret_fd);
/* Refuses a descriptor that is not sealed. */
MUST_USE struct err *file_check_sealed(int fd);

/* mkdir -p of the last component only; fine where it is there. */
MUST_USE struct err *file_mkdir(const char *path, unsigned mode);
/* An exclusive lock (flock) on path, made 0600 where missing; held until *ret_fd is closed. ERR_WRONG_STATE
 * where held elsewhere. */
MUST_USE struct err *file_lock(const char *path, int *ret_fd);

#endif
