/*
 * DER (X.690), and only DER. Reading is a view that shrinks and ends in der_end(); writing has a sticky
 * failure and nested scopes. Tags are one octet (low-tag-number form), which is all that X.509, CRL, OCSP and
 * our own records use; anything else is refused. Lengths: definite, minimal, at most 4 length octets.
 *
 * Every refusal is ERR_BAD_DER naming what was expected and found.
 */
#ifndef CHANCERY_BASE_DER_H
#define CHANCERY_BASE_DER_H

#include "base/arena.h"
#include "base/err.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0a,
    DER_UTF8_STRING = 0x0c,
    DER_PRINTABLE_STRING = 0x13,
    DER_T61_STRING = 0x14,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_UNIVERSAL_STRING = 0x1c,
    DER_BMP_STRING = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};
#define DER_CONTEXT(n)      (0x80u | (n)) /* [n] IMPLICIT, primitive */
#define DER_CONTEXT_CONS(n) (0xa0u | (n)) /* [n] constructed */

/* --- reading --- */

/* The tag of the next element, or -1 where nothing is left. */
int der_peek(struct view in);

/* Takes one element with this tag; *ret_body is its content. */
MUST_USE struct err *der_read(struct view *in, unsigned tag, struct view *ret_body);

/* The same, but *ret_whole includes tag and length. */
MUST_USE struct err *der_read_whole(struct view *in, unsigned tag, struct view *ret_whole);

/* Takes one element of any tag. ret_whole and ret_body may be NULL. */
MUST_USE struct err *der_read_any(struct view *in, unsigned *ret_tag, struct view *ret_whole,
                                  struct view *ret_body);

/* Takes the element where the next tag is this one; else *ret_body is the empty view with p == NULL. */
MUST_USE struct err *der_read_optional(struct view *in, unsigned tag, struct view *ret_body);

/* Refuses what is left over. */
MUST_USE struct err *der_end(struct view in);

MUST_USE struct err *der_read_bool(struct view *in, bool *ret);
MUST_USE struct err *der_read_null(struct view *in);

/* Any INTEGER, minimal; *ret_body is the two's complement content, at least one octet. */
MUST_USE struct err *der_read_integer(struct view *in, struct view *ret_body);

/* A non-negative INTEGER (or, with tag DER_ENUMERATED, ENUMERATED) that fits. */
MUST_USE struct err *der_read_uint(struct view *in, uint64_t max, uint64_t *ret);
MUST_USE struct err *der_read_enum(struct view *in, uint64_t max, uint64_t *ret);

MUST_USE struct err *der_read_oid(struct view *in, struct view *ret_body); /* well-formed arcs checked */

/* *ret_unused: 0..7 unused bits, which must be zero. */
MUST_USE struct err *der_read_bits(struct view *in, struct view *ret_bytes, unsigned *ret_unused);

/* UTCTime through 2049, GeneralizedTime from 2050 and only then, as RFC 5280 4.1.2.5 writes them: seconds, Z.
 * Seconds since 1970. */
MUST_USE struct err *der_read_time(struct view *in, int64_t *ret_s);
/* GeneralizedTime of any year under this tag (DER_GENERALIZED_TIME, or implicit): OCSP, invalidityDate. */
MUST_USE struct err *der_read_gentime(struct view *in, unsigned tag, int64_t *ret_s);

/* A UTF8String, checked to be UTF-8 without NUL, copied as a C string. */
MUST_USE struct err *der_read_text(struct view *in, struct arena *arena, size_t max, const char **ret);

/* --- writing --- */

/* Grows in the arena it is given. After a failure (over `limit` bytes) further writes do nothing and
 * der_out_done says so. */
struct der_out {
    struct arena *arena;
    uint8_t *buf;
    size_t at, cap, limit;
    bool failed;
};

void der_out_init(struct der_out *out, struct arena *arena, size_t limit_bytes);

/* What was written; the view lives in the arena. ERR_TOO_LARGE after a failure. */
MUST_USE struct err *der_out_done(struct der_out *out, struct view *ret);

/* A scope: `size_t m = der_begin(out, DER_SEQUENCE); ... der_finish(out, m);` Scopes nest and must be closed
 * in order. */
size_t der_begin(struct der_out *out, unsigned tag);
void der_finish(struct der_out *out, size_t mark);

void der_put(struct der_out *out, unsigned tag, struct view body); /* tag, length, body */
void der_put_raw(struct der_out *out, struct view der);            /* as it is */
void der_put_bool(struct der_out *out, bool value);
void der_put_null(struct der_out *out);
void der_put_uint(struct der_out *out, uint64_t value);
void der_put_int(struct der_out *out, int64_t value);
void der_put_enum(struct der_out *out, uint64_t value);
/* Unsigned big-endian magnitude, made minimal and positive. */
void der_put_magnitude(struct der_out *out, struct view magnitude);
void der_put_bits(struct der_out *out, struct view bytes, unsigned unused);
void der_put_oid(struct der_out *out, struct view oid_body);
void der_put_octets(struct der_out *out, struct view bytes);
void der_put_text(struct der_out *out, const char *utf8); /* UTF8String */
/* UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 4.1.2.5). A time before 1950 or past 9999 is a
 * failure. */
void der_put_time(struct der_out *out, int64_t s);
/* Always GeneralizedTime (OCSP, RFC 6960 4.2.2.1). */
void der_put_gentime(struct der_out *out, unsigned tag, int64_t s);

/* OID bodies from and to dotted text, for configuration and messages. */
MUST_USE struct err *der_oid_of_text(const char *dotted, struct arena *arena, struct view *ret_body);
const char *der_oid_text(struct view oid_body, struct arena *arena);

#endif
