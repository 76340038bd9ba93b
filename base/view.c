/*
 * The parts of a view that are too long for the header: comparing, finding, UTF-8.
 * Never reads past a view, never allocates. Any thread.
 */
#include "base/view.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool view_eq_nocase(struct view a, struct view b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

int view_cmp(struct view a, struct view b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    if (c != 0)
        return c;
    return (a.n > b.n) - (a.n < b.n);
}

size_t view_find(struct view a, uint8_t c)
{
    const uint8_t *at = a.n ? memchr(a.p, c, a.n) : NULL;
    return at ? (size_t)(at - a.p) : a.n;
}

/* The length that this first octet announces, and its payload bits; 0 where it cannot begin a character. */
static size_t utf8_lead(uint8_t c, uint32_t *ret_bits)
{
    if (c < 0x80) {
        *ret_bits = c;
        return 1;
    }
    if (c >= 0xc2 && c <= 0xdf) {
        *ret_bits = c & 0x1fu;
        return 2;
    }
    if (c >= 0xe0 && c <= 0xef) {
        *ret_bits = c & 0x0fu;
        return 3;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        *ret_bits = c & 0x07u;
        return 4;
    }
    return 0;
}

size_t view_utf8_next(struct view a, uint32_t *ret)
{
    uint32_t code = 0;
    size_t n = a.n ? utf8_lead(a.p[0], &code) : 0;
    if (n == 0 || n > a.n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((a.p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (a.p[i] & 0x3fu);
    }
    /* RFC 3629 section 3: no overlong forms, no surrogates, nothing past U+10FFFF. */
    if ((n == 3 && code < 0x800) || (n == 4 && code < 0x10000) || code > 0x10ffff)
        return 0;
    if (code >= 0xd800 && code <= 0xdfff)
        return 0;
    *ret = code;
    return n;
}

bool view_is_utf8(struct view a)
{
    uint32_t code;
    while (a.n > 0) {
        size_t n = view_utf8_next(a, &code);
        if (n == 0)
            return false;
        a = view_from(a, n);
    }
    return true;
}
