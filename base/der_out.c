/*
 * Writing DER: a buffer that grows in an arena, scopes whose length is filled in at their end, one sticky
 * failure. Never writes a form that der.c would refuse. One thread at a time, as its arena.
 */
#include "base/check.h"
#include "base/der.h"

enum { FIRST_CAP = 512, HEADER_MAX = 6 };

void der_out_init(struct der_out *out, struct arena *arena, size_t limit_bytes)
{
    CHECK(limit_bytes < UINT32_MAX);
    *out = (struct der_out){.arena = arena, .limit = limit_bytes};
}

struct err *der_out_done(struct der_out *out, struct view *ret)
{
    if (out->failed)
        return err_new(ERR_TOO_LARGE,
                       "what is to be written is over %zu octets, or a time that DER cannot say", out->limit);
    *ret = view_of(out->buf, out->at);
    return NULL;
}

/* Room for n more octets; false and sticky where that is over the limit. */
static bool reserve(struct der_out *out, size_t n)
{
    if (out->failed || n > out->limit - out->at) {
        out->failed = true;
        return false;
    }
    if (n <= out->cap - out->at)
        return true;
    size_t cap = out->cap ? out->cap : FIRST_CAP;
    while (cap < out->at + n)
        cap *= 2;
    cap = cap < out->limit ? cap : out->limit;
    uint8_t *bigger = arena_bytes(out->arena, cap);
    if (out->at)
        memcpy(bigger, out->buf, out->at);
    out->buf = bigger;
    out->cap = cap;
    return true;
}

/* Tag and length; their count. */
static size_t header_of(uint8_t to[HEADER_MAX], unsigned tag, size_t length)
{
    size_t octets = 0;
    CHECK(tag > 0 && tag <= 0xff && (tag & 0x1f) != 0x1f && length <= UINT32_MAX);
    to[0] = (uint8_t)tag;
    if (length < 0x80) {
        to[1] = (uint8_t)length;
        return 2;
    }
    for (size_t v = length; v; v >>= 8)
        octets++;
    to[1] = (uint8_t)(0x80 | octets);
    for (size_t i = 0; i < octets; i++)
        to[2 + i] = (uint8_t)(length >> 8 * (octets - 1 - i));
    return 2 + octets;
}

size_t der_begin(struct der_out *out, unsigned tag)
{
    uint8_t header[HEADER_MAX];
    size_t n = header_of(header, tag, 0);
    der_put_raw(out, view_of(header, n));
    return out->at;
}

void der_finish(struct der_out *out, size_t mark)
{
    uint8_t header[HEADER_MAX];
    if (out->failed)
        return;
    CHECK(mark >= 2 && mark <= out->at && out->buf[mark - 1] == 0);
    size_t length = out->at - mark;
    size_t n = header_of(header, out->buf[mark - 2], length);
    if (!reserve(out, n - 2))
        return;
    memmove(out->buf + mark + (n - 2), out->buf + mark, length);
    memcpy(out->buf + mark - 2, header, n);
    out->at += n - 2;
}

void der_put_raw(struct der_out *out, struct view der)
{
    if (!reserve(out, der.n) || der.n == 0)
        return;
    memcpy(out->buf + out->at, der.p, der.n);
    out->at += der.n;
}

void der_put(struct der_out *out, unsigned tag, struct view body)
{
    uint8_t header[HEADER_MAX];
    if (body.n > out->limit) {
        out->failed = true;
        return;
    }
    der_put_raw(out, view_of(header, header_of(header, tag, body.n)));
    der_put_raw(out, body);
}

void der_put_bool(struct der_out *out, bool value)
{
    uint8_t octet = value ? 0xff : 0;
    der_put(out, DER_BOOLEAN, view_of(&octet, 1));
}

void der_put_null(struct der_out *out)
{
    der_put(out, DER_NULL, view_of(NULL, 0));
}

static void put_positive(struct der_out *out, unsigned tag, struct view magnitude)
{
    static const uint8_t zero = 0;
    while (magnitude.n > 0 && magnitude.p[0] == 0)
        magnitude = view_from(magnitude, 1);
    bool pad = magnitude.n == 0 || magnitude.p[0] >= 0x80;
    uint8_t header[HEADER_MAX];
    if (magnitude.n >= out->limit) {
        out->failed = true;
        return;
    }
    der_put_raw(out, view_of(header, header_of(header, tag, magnitude.n + (pad ? 1 : 0))));
    if (pad)
        der_put_raw(out, view_of(&zero, 1));
    der_put_raw(out, magnitude);
}

static void put_number(struct der_out *out, unsigned tag, uint64_t value)
{
    uint8_t octets[8];
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)(value >> 8 * (sizeof octets - 1 - i));
    put_positive(out, tag, view_of(octets, sizeof octets));
}

void der_put_uint(struct der_out *out, uint64_t value)
{
    put_number(out, DER_INTEGER, value);
}

void der_put_enum(struct der_out *out, uint64_t value)
{
    put_number(out, DER_ENUMERATED, value);
}

void der_put_int(struct der_out *out, int64_t value)
{
    uint8_t octets[8];
    size_t from = 0;
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)((uint64_t)value >> 8 * (sizeof octets - 1 - i));
    uint8_t sign = value < 0 ? 0xff : 0;
    while (from < 7 && octets[from] == sign && (octets[from + 1] & 0x80) == (sign & 0x80))
        from++;
    der_put(out, DER_INTEGER, view_of(octets + from, sizeof octets - from));
}

void der_put_magnitude(struct der_out *out, struct view magnitude)
{
    put_positive(out, DER_INTEGER, magnitude);
}

void der_put_bits(struct der_out *out, struct view bytes, unsigned unused)
{
    uint8_t header[HEADER_MAX];
    uint8_t count = (uint8_t)unused;
    CHECK(unused < 8 && (bytes.n > 0 || unused == 0));
    CHECK(bytes.n == 0 || (bytes.p[bytes.n - 1] & ((1u << unused) - 1)) == 0);
    if (bytes.n >= out->limit) {
        out->failed = true;
        return;
    }
    der_put_raw(out, view_of(header, header_of(header, DER_BIT_STRING, bytes.n + 1)));
    der_put_raw(out, view_of(&count, 1));
    der_put_raw(out, bytes);
}

void der_put_oid(struct der_out *out, struct view oid_body)
{
    CHECK(oid_body.n > 0);
    der_put(out, DER_OID, oid_body);
}

void der_put_octets(struct der_out *out, struct view bytes)
{
    der_put(out, DER_OCTET_STRING, bytes);
}

void der_put_text(struct der_out *out, const char *utf8)
{
    der_put(out, DER_UTF8_STRING, view_str(utf8));
}
