/*
 * Generations that were in force, kept by the warden in a folder of its own (run/generations), so that a
 * person can go back to one. Nothing that talks to the world can write there. Blocking I/O; one writer, any
 * reader.
 */
#ifndef CHANCERY_CONFIG_KEPT_H
#define CHANCERY_CONFIG_KEPT_H

#include "base/generation.h"

enum { CONFIG_KEPT_MAX = 32, CONFIG_KEPT_ID = 12 };

struct config_kept {
    int64_t at;     /* when it came into force, seconds */
    const char *id; /* first digits of the SHA-256 over its files, whatever its number */
    const char *path;
};

/* Keeps it, unless the newest one has the same files; the oldest beyond CONFIG_KEPT_MAX go. */
MUST_USE struct err *config_kept_add(const char *run, const struct generation *g, int64_t now_s,
                                     struct arena *arena);
/* The newest first; none where nothing was kept yet. */
MUST_USE struct err *config_kept_list(const char *run, struct arena *arena, const struct config_kept **ret,
                                      size_t *ret_n);
MUST_USE struct err *config_kept_read(const struct config_kept *kept, struct arena *arena,
                                      struct generation *ret);

#endif
