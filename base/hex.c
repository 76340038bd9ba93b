/*
 * Hexadecimal and base64, both ways, strict: lower case, no white space, padding exactly as the form says, no
 * bits that a decoder would drop (RFC 4648 3.5). Never reads past its view. Any thread.
 */
#include "base/hex.h"
#include "base/check.h"

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void hex_put(char *to, struct view bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        *to++ = hex_digits[bytes.p[i] >> 4];
        *to++ = hex_digits[bytes.p[i] & 15];
    }
    *to = '\0';
}

char *hex_of(struct arena *arena, struct view bytes)
{
    CHECK(bytes.n < SIZE_MAX / 2);
    char *to = arena_alloc(arena, 2 * bytes.n + 1);
    hex_put(to, bytes);
    return to;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct err *hex_parse(struct arena *arena, struct view text, struct view *ret_bytes)
{
    if (text.n % 2)
        return err_new(ERR_BAD_FIELD, "hexadecimal of odd length %zu", text.n);
    for (size_t i = 0; i < text.n; i++)
        if (hex_value(text.p[i]) < 0)
            return err_new(ERR_BAD_FIELD, "not a lower-case hexadecimal digit at offset %zu", i);
    uint8_t *to = arena_alloc(arena, text.n / 2);
    for (size_t i = 0; i < text.n / 2; i++)
        to[i] = (uint8_t)(hex_value(text.p[2 * i]) << 4 | hex_value(text.p[2 * i + 1]));
    *ret_bytes = view_of(to, text.n / 2);
    return NULL;
}

static char *encode(struct arena *arena, struct view in, const char *digits, bool pad)
{
    CHECK(in.n < SIZE_MAX / 2);
    char *to = arena_bytes(arena, (in.n + 2) / 3 * 4 + 1);
    size_t at = 0;
    for (size_t i = 0; i < in.n; i += 3) {
        size_t left = in.n - i;
        uint32_t bits = (uint32_t)in.p[i] << 16;
        bits |= left > 1 ? (uint32_t)in.p[i + 1] << 8 : 0;
        bits |= left > 2 ? in.p[i + 2] : 0;
        to[at++] = digits[bits >> 18];
        to[at++] = digits[bits >> 12 & 63];
        if (left > 1 || pad)
            to[at++] = left > 1 ? digits[bits >> 6 & 63] : '=';
        if (left > 2 || pad)
            to[at++] = left > 2 ? digits[bits & 63] : '=';
    }
    to[at] = '\0';
    return to;
}

char *base64_of(struct arena *arena, struct view bytes)
{
    return encode(arena, bytes, base64_digits, true);
}

char *base64url_of(struct arena *arena, struct view bytes)
{
    return encode(arena, bytes, base64url_digits, false);
}

static int base64_value(uint8_t c, const char *digits)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (uint8_t)digits[62])
        return 62;
    return c == (uint8_t)digits[63] ? 63 : -1;
}

/* text: without padding. */
static struct err *decode(struct arena *arena, struct view text, const char *digits, struct view *ret)
{
    if (text.n % 4 == 1)
        return err_new(ERR_BAD_FIELD, "base64 of impossible length %zu", text.n);
    size_t n = text.n / 4 * 3 + (text.n % 4 ? text.n % 4 - 1 : 0);
    uint8_t *to = arena_alloc(arena, n);
    uint32_t bits = 0;
    unsigned have = 0;
    size_t at = 0;
    for (size_t i = 0; i < text.n; i++) {
        int v = base64_value(text.p[i], digits);
        if (v < 0)
            return err_new(ERR_BAD_FIELD, "not a base64 digit at offset %zu", i);
        bits = (bits << 6 | (uint32_t)v) & 0xffffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            to[at++] = (uint8_t)(bits >> have);
        }
    }
    /* RFC 4648 3.5: two texts must not decode to the same bytes. */
    if (bits & ((1u << have) - 1))
        return err_new(ERR_BAD_FIELD, "base64 with non-zero bits after its end (RFC 4648 3.5)");
    *ret = view_of(to, n);
    return NULL;
}

struct err *base64_parse(struct arena *arena, struct view text, struct view *ret_bytes)
{
    if (text.n % 4)
        return err_new(ERR_BAD_FIELD, "base64 of length %zu, not a multiple of 4 (RFC 4648 4)", text.n);
    size_t pad = 0;
    while (pad < 2 && pad < text.n && text.p[text.n - 1 - pad] == '=')
        pad++;
    return decode(arena, view_of(text.p, text.n - pad), base64_digits, ret_bytes);
}

struct err *base64url_parse(struct arena *arena, struct view text, struct view *ret_bytes)
{
    return decode(arena, text, base64url_digits, ret_bytes);
}
