/*
 * Reading DER: the element, and the types that are the same everywhere. Times and OIDs stand in their own
 * files. Never reads past the view, never copies (der_read_text aside), takes nothing from the view where it
 * refuses. Any thread.
 */
#include "base/der.h"
#include "der_tag.h"

struct tag_name {
    unsigned tag;
    const char *name;
};

static const struct tag_name tag_names[] = {
    {DER_BOOLEAN, "BOOLEAN"},
    {DER_INTEGER, "INTEGER"},
    {DER_BIT_STRING, "BIT STRING"},
    {DER_OCTET_STRING, "OCTET STRING"},
    {DER_NULL, "NULL"},
    {DER_OID, "OBJECT IDENTIFIER"},
    {DER_ENUMERATED, "ENUMERATED"},
    {DER_UTF8_STRING, "UTF8String"},
    {DER_PRINTABLE_STRING, "PrintableString"},
    {DER_T61_STRING, "TeletexString"},
    {DER_IA5_STRING, "IA5String"},
    {DER_UTC_TIME, "UTCTime"},
    {DER_GENERALIZED_TIME, "GeneralizedTime"},
    {DER_UNIVERSAL_STRING, "UniversalString"},
    {DER_BMP_STRING, "BMPString"},
    {DER_SEQUENCE, "SEQUENCE"},
    {DER_SET, "SET"},
};

struct der_tag_text der_tag_text(unsigned tag)
{
    struct der_tag_text t;
    for (size_t i = 0; i < sizeof tag_names / sizeof *tag_names; i++) {
        if (tag_names[i].tag != tag)
            continue;
        snprintf(t.s, sizeof t.s, "%s", tag_names[i].name);
        return t;
    }
    if ((tag & 0xc0) == 0x80) {
        snprintf(t.s, sizeof t.s, "[%u]", tag & 0x1f);
        return t;
    }
    snprintf(t.s, sizeof t.s, "tag 0x%02x", tag & 0xff);
    return t;
}

/* X.690 8.1.3 and 10.1: definite, minimal, here at most four octets. */
static struct err *read_length(struct view *in, size_t *ret)
{
    struct view octets = {NULL, 0};
    if (in->n == 0)
        return err_new(ERR_BAD_DER, "expected a length, found the end");
    uint8_t first = in->p[0];
    *in = view_of(in->p + 1, in->n - 1); /* not view_from: an empty body still has its place */
    if (first < 0x80) {
        *ret = first;
        return NULL;
    }
    if (first == 0x80)
        return err_new(ERR_BAD_DER, "indefinite length (X.690 10.1)");
    if (first > 0x84)
        return err_new(ERR_BAD_DER, "length of %u octets, more than 4", first & 0x7fu);
    if (!view_take(in, first & 0x7f, &octets))
        return err_new(ERR_BAD_DER, "expected a length of %u octets, found the end", first & 0x7fu);
    size_t length = 0;
    for (size_t i = 0; i < octets.n; i++)
        length = length << 8 | octets.p[i];
    if (octets.p[0] == 0 || length < 0x80)
        return err_new(ERR_BAD_DER, "length is not minimal (X.690 10.1)");
    *ret = length;
    return NULL;
}

int der_peek(struct view in)
{
    return in.n ? in.p[0] : -1;
}

struct err *der_read_any(struct view *in, unsigned *ret_tag, struct view *ret_whole, struct view *ret_body)
{
    struct err *e = NULL;
    struct view rest = *in, body = {NULL, 0};
    size_t length = 0;
    if (rest.n == 0)
        return err_new(ERR_BAD_DER, "expected an element, found the end");
    unsigned tag = rest.p[0];
    if ((tag & 0x1f) == 0x1f)
        return err_new(ERR_BAD_DER, "tag of more than one octet, which nothing here uses");
    if (tag == 0)
        return err_new(ERR_BAD_DER, "end-of-contents, which DER does not have (X.690 10.1)");
    rest = view_of(rest.p + 1, rest.n - 1);
    TRY(read_length(&rest, &length));
    if (!view_take(&rest, length, &body))
        return err_new(ERR_BAD_DER, "%s of %zu octets, only %zu are left", der_tag_text(tag).s, length,
                       rest.n);
    if (ret_tag)
        *ret_tag = tag;
    if (ret_whole)
        *ret_whole = view_of(in->p, in->n - rest.n);
    if (ret_body)
        *ret_body = body;
    *in = rest;
out:
    return e;
}

static struct err *expect(struct view in, unsigned tag)
{
    if (in.n == 0)
        return err_new(ERR_BAD_DER, "expected %s, found the end", der_tag_text(tag).s);
    if (in.p[0] != tag)
        return err_new(ERR_BAD_DER, "expected %s, found %s", der_tag_text(tag).s, der_tag_text(in.p[0]).s);
    return NULL;
}

struct err *der_read(struct view *in, unsigned tag, struct view *ret_body)
{
    struct err *e = expect(*in, tag);
    return e ? e : der_read_any(in, NULL, NULL, ret_body);
}

struct err *der_read_whole(struct view *in, unsigned tag, struct view *ret_whole)
{
    struct err *e = expect(*in, tag);
    return e ? e : der_read_any(in, NULL, ret_whole, NULL);
}

struct err *der_read_optional(struct view *in, unsigned tag, struct view *ret_body)
{
    if (der_peek(*in) == (int)tag)
        return der_read_any(in, NULL, NULL, ret_body);
    *ret_body = (struct view){NULL, 0};
    return NULL;
}

struct err *der_end(struct view in)
{
    if (in.n == 0)
        return NULL;
    return err_new(ERR_BAD_DER, "expected the end, found %s and %zu octets", der_tag_text(in.p[0]).s, in.n);
}

struct err *der_read_bool(struct view *in, bool *ret)
{
    struct err *e = NULL;
    struct view rest = *in, body;
    TRY(der_read(&rest, DER_BOOLEAN, &body));
    if (body.n != 1 || (body.p[0] != 0 && body.p[0] != 0xff))
        return err_new(ERR_BAD_DER, "BOOLEAN is neither 00 nor FF (X.690 11.1)");
    *ret = body.p[0] != 0;
    *in = rest;
out:
    return e;
}

struct err *der_read_null(struct view *in)
{
    struct err *e = NULL;
    struct view rest = *in, body;
    TRY(der_read(&rest, DER_NULL, &body));
    if (body.n != 0)
        return err_new(ERR_BAD_DER, "NULL with content (X.690 8.8.2)");
    *in = rest;
out:
    return e;
}

/* X.690 8.3.2: the first nine bits are not all the same. */
static struct err *read_minimal(struct view *in, unsigned tag, struct view *ret_body)
{
    struct err *e = NULL;
    struct view rest = *in, body;
    TRY(der_read(&rest, tag, &body));
    if (body.n == 0)
        return err_new(ERR_BAD_DER, "%s without content (X.690 8.3.1)", der_tag_text(tag).s);
    if (body.n > 1 && ((body.p[0] == 0 && body.p[1] < 0x80) || (body.p[0] == 0xff && body.p[1] >= 0x80)))
        return err_new(ERR_BAD_DER, "%s is not minimal (X.690 8.3.2)", der_tag_text(tag).s);
    *ret_body = body;
    *in = rest;
out:
    return e;
}

struct err *der_read_integer(struct view *in, struct view *ret_body)
{
    return read_minimal(in, DER_INTEGER, ret_body);
}

static struct err *read_number(struct view *in, unsigned tag, uint64_t max, uint64_t *ret)
{
    struct err *e = NULL;
    struct view rest = *in, body;
    uint64_t value = 0;
    TRY(read_minimal(&rest, tag, &body));
    if (body.p[0] >= 0x80)
        return err_new(ERR_BAD_DER, "%s is negative", der_tag_text(tag).s);
    if (body.n > 9 || (body.n == 9 && body.p[0] != 0))
        return err_new(ERR_BAD_DER, "%s of %zu octets is over %llu", der_tag_text(tag).s, body.n,
                       (unsigned long long)max);
    for (size_t i = 0; i < body.n; i++)
        value = value << 8 | body.p[i];
    if (value > max)
        return err_new(ERR_BAD_DER, "%s %llu is over %llu", der_tag_text(tag).s, (unsigned long long)value,
                       (unsigned long long)max);
    *ret = value;
    *in = rest;
out:
    return e;
}

struct err *der_read_uint(struct view *in, uint64_t max, uint64_t *ret)
{
    return read_number(in, DER_INTEGER, max, ret);
}

struct err *der_read_enum(struct view *in, uint64_t max, uint64_t *ret)
{
    return read_number(in, DER_ENUMERATED, max, ret);
}

struct err *der_read_bits(struct view *in, struct view *ret_bytes, unsigned *ret_unused)
{
    struct err *e = NULL;
    struct view rest = *in, body;
    TRY(der_read(&rest, DER_BIT_STRING, &body));
    if (body.n == 0 || body.p[0] > 7 || (body.n == 1 && body.p[0] != 0))
        return err_new(ERR_BAD_DER, "BIT STRING with a wrong count of unused bits (X.690 8.6.2)");
    unsigned unused = body.p[0];
    if (body.p[body.n - 1] & ((1u << unused) - 1) && body.n > 1)
        return err_new(ERR_BAD_DER, "BIT STRING whose unused bits are not zero (X.690 11.2.1)");
    *ret_bytes = view_of(body.p + 1, body.n - 1);
    *ret_unused = unused;
    *in = rest;
out:
    return e;
}

struct err *der_read_text(struct view *in, struct arena *arena, size_t max, const char **ret)
{
    struct err *e = NULL;
    struct view rest = *in, body;
    TRY(der_read(&rest, DER_UTF8_STRING, &body));
    if (body.n > max)
        return err_new(ERR_BAD_DER, "UTF8String of %zu octets, more than %zu", body.n, max);
    if (view_find(body, 0) < body.n || !view_is_utf8(body))
        return err_new(ERR_BAD_DER, "UTF8String is not UTF-8 without NUL (RFC 3629)");
    *ret = arena_str(arena, body);
    *in = rest;
out:
    return e;
}
