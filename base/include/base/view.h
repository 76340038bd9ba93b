/* A view: borrowed bytes. It owns nothing; whoever made the bytes says how long they live. */
#ifndef CHANCERY_BASE_VIEW_H
#define CHANCERY_BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct view {
    const uint8_t *p;
    size_t n;
};

/* The bytes of a C string, without its NUL. NULL gives the empty view. */
static inline struct view view_str(const char *s)
{
    return (struct view){(const uint8_t *)s, s ? strlen(s) : 0};
}

static inline struct view view_of(const void *p, size_t n)
{
    return (struct view){p, n};
}

static inline bool view_eq(struct view a, struct view b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool view_eq_str(struct view a, const char *s)
{
    return view_eq(a, view_str(s));
}

static inline bool view_starts(struct view a, struct view prefix)
{
    return a.n >= prefix.n && view_eq(view_of(a.p, prefix.n), prefix);
}

static inline bool view_ends(struct view a, struct view suffix)
{
    return a.n >= suffix.n && view_eq(view_of(a.p + (a.n - suffix.n), suffix.n), suffix);
}

/* The part from offset to the end; empty where offset is past it. */
static inline struct view view_from(struct view a, size_t offset)
{
    return offset >= a.n ? (struct view){NULL, 0} : (struct view){a.p + offset, a.n - offset};
}

/* Takes n bytes off the front of *in into *ret. False, and nothing taken, where there are fewer. */
static inline bool view_take(struct view *in, size_t n, struct view *ret)
{
    if (in->n < n)
        return false;
    *ret = view_of(in->p, n);
    if (n > 0) /* the empty view may have no address to add to */
        *in = view_of(in->p + n, in->n - n);
    return true;
}

/* ASCII letters compared without case; all other octets exactly. */
bool view_eq_nocase(struct view a, struct view b);

/* Lexicographic, shorter first: <0, 0, >0. */
int view_cmp(struct view a, struct view b);

/* Offset of the first octet c, or a.n. */
size_t view_find(struct view a, uint8_t c);

/* The octets of the first character and its code point; 0 where a is empty or does not begin with well-formed
 * UTF-8 (RFC 3629). */
size_t view_utf8_next(struct view a, uint32_t *ret);
bool view_is_utf8(struct view a);

#endif
