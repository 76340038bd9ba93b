/*
 * Arenas: a chain of blocks handed out front to back and freed at once. Under AddressSanitizer what was not
 * handed out is poisoned, with a gap after each piece, so that reading past a piece is seen.
 * Never hands out more than its limit, never returns NULL. One thread at a time.
 */
#include "base/arena.h"
#include "base/check.h"

#include <sanitizer/asan_interface.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { GAP_BYTES = 16 };
#else
enum { GAP_BYTES = 0 };
#endif

enum {
    FIRST_BLOCK_BYTES = 4096,
    BLOCK_MAX_BYTES = 256 * 1024,
    PRINTF_BYTES = 256,
    ALIGN = alignof(max_align_t)
};

struct block {
    struct block *next;
    size_t cap, used;
    alignas(max_align_t) uint8_t bytes[];
};

struct arena {
    size_t limit, handed;
    struct block *first;   /* survives a reset */
    struct block *current; /* the block pieces come from; all after the first are a list behind it */
};

static struct block *block_new(size_t cap)
{
    struct block *b = malloc(sizeof *b + cap);
    CHECK(b != NULL);
    b->next = NULL;
    b->cap = cap;
    b->used = 0;
    ASAN_POISON_MEMORY_REGION(b->bytes, cap);
    return b;
}

static void block_free(struct block *b)
{
    ASAN_UNPOISON_MEMORY_REGION(b->bytes, b->cap);
    free(b);
}

struct arena *arena_new(size_t limit_bytes)
{
    struct arena *a = calloc(1, sizeof *a);
    CHECK(a != NULL);
    a->limit = limit_bytes;
    a->first = a->current = block_new(FIRST_BLOCK_BYTES);
    return a;
}

static void free_rest(struct arena *a)
{
    struct block *b = a->first->next;
    while (b) {
        struct block *next = b->next;
        block_free(b);
        b = next;
    }
    a->first->next = NULL;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    free_rest(a);
    block_free(a->first);
    free(a);
}

void arena_reset(struct arena *a)
{
    free_rest(a);
    ASAN_POISON_MEMORY_REGION(a->first->bytes, a->first->cap);
    a->first->used = 0;
    a->current = a->first;
    a->handed = 0;
}

/* A block with room for need; a big piece gets its own and leaves the current one in use. */
static struct block *block_for(struct arena *a, size_t need)
{
    if (a->current->cap - a->current->used >= need)
        return a->current;
    size_t cap = a->current->cap * 2 < BLOCK_MAX_BYTES ? a->current->cap * 2 : BLOCK_MAX_BYTES;
    bool own = need > cap / 2;
    struct block *b = block_new(own ? need : cap);
    b->next = a->first->next;
    a->first->next = b;
    if (!own)
        a->current = b;
    return b;
}

void *arena_bytes(struct arena *a, size_t n)
{
    CHECK(n <= a->limit - a->handed);
    CHECK(n <= SIZE_MAX / 2);
    size_t need = ((n ? n : 1) + GAP_BYTES + ALIGN - 1) / ALIGN * ALIGN;
    struct block *b = block_for(a, need);
    uint8_t *piece = b->bytes + b->used;
    b->used += need;
    a->handed += n;
    ASAN_UNPOISON_MEMORY_REGION(piece, n);
    return piece;
}

void *arena_alloc(struct arena *a, size_t n)
{
    return memset(arena_bytes(a, n), 0, n);
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    size_t total;
    CHECK(!__builtin_mul_overflow(n, size, &total));
    return arena_alloc(a, total);
}

struct view arena_dup(struct arena *a, struct view bytes)
{
    uint8_t *to = arena_bytes(a, bytes.n);
    if (bytes.n)
        memcpy(to, bytes.p, bytes.n);
    return view_of(to, bytes.n);
}

char *arena_str(struct arena *a, struct view bytes)
{
    CHECK(bytes.n < SIZE_MAX);
    char *to = arena_bytes(a, bytes.n + 1);
    if (bytes.n)
        memcpy(to, bytes.p, bytes.n);
    to[bytes.n] = '\0';
    return to;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    char most[PRINTF_BYTES]; /* nearly all fit, and are made once */
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(most, sizeof most, fmt, args);
    va_end(args);
    CHECK(n >= 0);
    if ((size_t)n < sizeof most)
        return arena_str(a, view_of(most, (size_t)n));
    char *to = arena_bytes(a, (size_t)n + 1);
    va_start(args, fmt);
    vsnprintf(to, (size_t)n + 1, fmt, args);
    va_end(args);
    return to;
}
