/* A byte queue: filled at its end, emptied at its front. Private to http. */
#ifndef CHANCERY_HTTP_BUF_H
#define CHANCERY_HTTP_BUF_H

#include "base/view.h"

struct buf {
    uint8_t *p;
    size_t at, n, cap; /* p[at..n) waits */
};

static inline size_t buf_left(const struct buf *b)
{
    return b->n - b->at;
}

static inline struct view buf_view(const struct buf *b)
{
    return b->p ? view_of(b->p + b->at, b->n - b->at) : view_of(NULL, 0);
}

/* Room for n more at p + b->n; moves what waits to the front before it grows. */
void buf_reserve(struct buf *b, size_t n);
void buf_put(struct buf *b, struct view bytes);
void buf_puts(struct buf *b, const char *text);
void buf_put_number(struct buf *b, uint64_t n);
/* The first n octets are done with; an empty buffer gives its memory back. */
void buf_took(struct buf *b, size_t n);
void buf_free(struct buf *b);

#endif
