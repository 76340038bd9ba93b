/*
 * An arena: all that one request makes, freed at once. One thread at a time. Sizes are checked at the gates
 * before anything is put here, so running past the arena's limit is our bug: arena_* never return NULL.
 */
#ifndef CHANCERY_BASE_ARENA_H
#define CHANCERY_BASE_ARENA_H

#include "base/view.h"

struct arena;

/* limit_bytes bounds the sum of what is handed out. */
struct arena *arena_new(size_t limit_bytes);
void arena_free(struct arena *a); /* accepts NULL */

/* Frees all but the first block; every pointer from this arena is dead afterwards. */
void arena_reset(struct arena *a);

/* Zeroed, aligned for any type. n == 0 gives a unique pointer. */
void *arena_alloc(struct arena *a, size_t n);
/* As arena_alloc, but with whatever stood there: for what is written in full at once. */
void *arena_bytes(struct arena *a, size_t n);

/* n elements of size each; overflow is a failed check. */
void *arena_array(struct arena *a, size_t n, size_t size);

struct view arena_dup(struct arena *a, struct view bytes);
char *arena_str(struct arena *a, struct view bytes); /* adds the NUL */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
