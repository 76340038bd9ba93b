/*
 * One DER element of which only the shape is known: what a template gives as raw DER, values of otherName.
 *
 * Every octet is accounted for: lengths, universal types, nesting. What is implicitly tagged is taken as it
 * is. No recursion, no memory. Any thread.
 */
#include "ext_value.h"

enum {
    DEPTH_MAX = 16,
    TAG_CONSTRUCTED = 0x20,
    TAG_CLASS = 0xc0,
    TAG_EXTERNAL = 0x28,
    TAG_EMBEDDED_PDV = 0x2b,
    TAG_CHARACTER_STRING = 0x3d,
};

static struct err *check_text(struct view body)
{
    if (view_is_utf8(body))
        return NULL;
    return err_new(ERR_BAD_DER, "a UTF8String that is not UTF-8 (RFC 3629)");
}

/* A universal type without parts; whole is tag, length and content. */
static struct err *check_primitive(unsigned tag, struct view whole, struct view body)
{
    struct view bytes, number;
    bool truth;
    unsigned unused;
    switch (tag) {
    case DER_BOOLEAN:
        return der_read_bool(&whole, &truth);
    case DER_INTEGER:
        return der_read_integer(&whole, &number);
    case DER_BIT_STRING:
        return der_read_bits(&whole, &bytes, &unused);
    case DER_NULL:
        return der_read_null(&whole);
    case DER_OID:
        return der_read_oid(&whole, &bytes);
    case DER_UTF8_STRING:
        return check_text(body);
    case DER_SEQUENCE & ~TAG_CONSTRUCTED:
    case DER_SET & ~TAG_CONSTRUCTED:
        return err_new(ERR_BAD_DER, "a SEQUENCE or SET that is not constructed (X.690 8.9.1)");
    default:
        return NULL;
    }
}

static bool may_have_parts(unsigned tag)
{
    return (tag & TAG_CLASS) != 0 || tag == DER_SEQUENCE || tag == DER_SET || tag == TAG_EXTERNAL ||
           tag == TAG_EMBEDDED_PDV || tag == TAG_CHARACTER_STRING;
}

static struct err *check_one(unsigned tag, struct view whole, struct view body)
{
    if (!(tag & TAG_CONSTRUCTED))
        return (tag & TAG_CLASS) == 0 ? check_primitive(tag, whole, body) : NULL;
    if (!may_have_parts(tag))
        return err_new(ERR_BAD_DER, "a constructed string (X.690 10.2)");
    return NULL;
}

struct err *ext_value_element(struct view der)
{
    struct err *e = NULL;
    struct view left[DEPTH_MAX]; /* what is not read yet, outermost first */
    struct view whole, body, rest = der;
    size_t depth = 0;
    TRY(der_read_any(&rest, NULL, NULL, NULL));
    TRY(der_end(rest));
    left[0] = der;
    for (;;) {
        unsigned tag = 0;
        while (left[depth].n == 0) {
            if (depth-- == 0)
                return NULL;
        }
        TRY(der_read_any(&left[depth], &tag, &whole, &body));
        TRY(check_one(tag, whole, body));
        if (!(tag & TAG_CONSTRUCTED))
            continue;
        if (++depth == DEPTH_MAX)
            return err_new(ERR_BAD_DER, "DER nested more than %d deep", DEPTH_MAX - 1);
        left[depth] = body;
    }
out:
    return e;
}

struct err *ext_value_oid(struct view oid)
{
    uint8_t whole[2 + 0x7f] = {DER_OID, (uint8_t)oid.n};
    if (oid.n > 0x7f)
        return err_new(ERR_BAD_DER, "an object identifier of %zu octets; at most 127 are allowed", oid.n);
    if (oid.n)
        memcpy(whole + 2, oid.p, oid.n);
    struct view in = view_of(whole, 2 + oid.n), body;
    return der_read_oid(&in, &body);
}
