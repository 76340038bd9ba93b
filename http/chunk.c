/*
 * Chunked bodies (RFC 9112 section 7.1), octet by octet but for the data. Extensions and trailers are bounded
 * and dropped. A size is hexadecimal digits alone, each line ends in CRLF alone. Pure.
 */
#include "chunk.h"

#include "parse.h"

enum {
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    LINE_START,
    TRAILER,
    TRAILER_LF,
    END_LF,
    ENDED,
    BAD
};
enum { DIGITS_MAX = 8, EXTRA_MAX = 2048 };

static int size_octet(struct chunk *c, uint8_t o)
{
    int digit = o >= '0' && o <= '9'                     ? o - '0'
                : (o | 0x20) >= 'a' && (o | 0x20) <= 'f' ? (o | 0x20) - 'a' + 10
                                                         : -1;
    if (digit >= 0 && c->digits < DIGITS_MAX) {
        c->digits++;
        c->left = c->left << 4 | (uint64_t)digit;
        return SIZE;
    }
    if (digit >= 0 || c->digits == 0)
        return BAD;
    if (o == '\r')
        return SIZE_LF;
    return o == ';' ? EXTENSION : BAD;
}

/* Text of an extension or a trailer: visible, within the bound. */
static int text_octet(struct chunk *c, uint8_t o, int stay, int at_cr)
{
    if (o == '\r')
        return at_cr;
    return (o >= ' ' || o == '\t') && o != 0x7f && ++c->extra <= EXTRA_MAX ? stay : BAD;
}

static int line_start(struct chunk *c, uint8_t o)
{
    if (o == '\r')
        return END_LF;
    return parse_is_token(view_of(&o, 1)) ? text_octet(c, o, TRAILER, BAD) : BAD;
}

static int octet(struct chunk *c, uint8_t o)
{
    switch (c->state) {
    case SIZE:
        return size_octet(c, o);
    case EXTENSION:
        return text_octet(c, o, EXTENSION, SIZE_LF);
    case SIZE_LF:
        return o != '\n' ? BAD : c->left > 0 ? DATA : LINE_START;
    case DATA_CR:
        return o == '\r' ? DATA_LF : BAD;
    case DATA_LF:
        c->digits = 0;
        return o == '\n' ? SIZE : BAD;
    case LINE_START:
        return line_start(c, o);
    case TRAILER:
        return text_octet(c, o, TRAILER, TRAILER_LF);
    case TRAILER_LF:
        return o == '\n' ? LINE_START : BAD;
    case END_LF:
        return o == '\n' ? ENDED : BAD;
    default:
        return BAD;
    }
}

enum chunk_step chunk_next(struct chunk *c, struct view *in, struct view *ret)
{
    while (in->n > 0) {
        if (c->state == DATA) {
            size_t n = c->left < in->n ? (size_t)c->left : in->n;
            view_take(in, n, ret);
            c->left -= n;
            c->state = c->left > 0 ? DATA : DATA_CR;
            return CHUNK_DATA;
        }
        c->state = octet(c, in->p[0]);
        *in = view_of(in->p + 1, in->n - 1);
        if (c->state == ENDED)
            return CHUNK_END;
        if (c->state == BAD)
            return CHUNK_BAD;
    }
    return CHUNK_MORE;
}
