/* The byte queue of buf.h. An empty one holds no memory, so that idle connections cost none. One thread. */
#include "buf.h"

#include <stdlib.h>

#include "base/check.h"

enum { FIRST_BYTES = 2048 };

void buf_reserve(struct buf *b, size_t n)
{
    if (b->n + n <= b->cap)
        return;
    if (b->at > 0) {
        memmove(b->p, b->p + b->at, b->n - b->at);
        b->n -= b->at;
        b->at = 0;
    }
    if (b->n + n <= b->cap)
        return;
    size_t cap = b->cap ? b->cap * 2 : FIRST_BYTES;
    if (cap < b->n + n)
        cap = b->n + n;
    uint8_t *p = realloc(b->p, cap);
    CHECK(p);
    b->p = p;
    b->cap = cap;
}

void buf_put(struct buf *b, struct view bytes)
{
    if (bytes.n == 0)
        return;
    buf_reserve(b, bytes.n);
    memcpy(b->p + b->n, bytes.p, bytes.n);
    b->n += bytes.n;
}

void buf_puts(struct buf *b, const char *text)
{
    buf_put(b, view_str(text));
}

void buf_put_number(struct buf *b, uint64_t n)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    buf_put(b, view_of(digits + at, sizeof(digits) - at));
}

void buf_took(struct buf *b, size_t n)
{
    b->at += n;
    CHECK(b->at <= b->n);
    if (b->at == b->n)
        buf_free(b);
}

void buf_free(struct buf *b)
{
    free(b->p);
    *b = (struct buf){NULL, 0, 0, 0};
}
