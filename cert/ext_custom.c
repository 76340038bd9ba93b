/*
 * Extensions by OID, and the small typed form in which one DER element is written as text.
 *
 * Never guesses a type: a text without a known "type:" is refused. No state. Any thread.
 */
#include "cert/ext_custom.h"

#include "base/hex.h"
#include "base/limits.h"
#include "base/when.h"
#include "ext_value.h"
#include "name_string.h"

struct err *cert_ext_write_custom(struct view oid, bool critical, struct view der, struct cert_ext *ret)
{
    struct err *e = NULL;
    TRY(ext_value_oid(oid));
    if (der.n > LIMIT_TBS_BYTES)
        return err_new(ERR_TOO_LARGE, "an extension of %zu octets; at most %d are allowed", der.n,
                       LIMIT_TBS_BYTES);
    TRY(ext_value_element(der));
    *ret = (struct cert_ext){.oid = oid, .critical = critical, .value = der};
out:
    return err_wrap(e, "an extension's value must be one DER element (RFC 5280 4.2)");
}

struct err *cert_ext_read_custom(struct view value)
{
    return err_wrap(ext_value_element(value), "an extension's value must be one DER element (RFC 5280 4.2)");
}

/* --- text to DER --- */

typedef struct err *put_form(struct der_out *out, unsigned tag, const char *text, struct arena *arena);

static struct err *bad(const char *why)
{
    return err_new(ERR_BAD_FIELD, "%s", why);
}

/* Empty is well formed here, other than in a name. */
static struct err *put_string(struct der_out *out, unsigned tag, const char *text, struct arena *arena)
{
    (void)arena;
    struct err *e = *text ? name_string_check(tag, view_str(text), NULL) : NULL;
    if (e) {
        err_free(e);
        return bad("a text with a character that its type does not have, or a control character");
    }
    der_put(out, tag, view_str(text));
    return NULL;
}

static struct err *put_integer(struct der_out *out, unsigned tag, const char *text, struct arena *arena)
{
    (void)tag;
    bool negative = *text == '-';
    const char *p = text + negative;
    int64_t value = 0;
    if (!*p || (*p == '0' && (p[1] || negative)))
        return bad("an integer in decimal, without leading zeros");
    for (; *p; p++) {
        int digit = *p - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, (int64_t)10, &value) ||
            __builtin_sub_overflow(value, (int64_t)digit, &value))
            return bad("an integer in decimal, of at most 64 bits");
    }
    if (!negative && value == INT64_MIN)
        return bad("an integer in decimal, of at most 64 bits");
    (void)arena;
    der_put_int(out, negative ? value : -value);
    return NULL;
}

static struct err *put_boolean(struct der_out *out, unsigned tag, const char *text, struct arena *arena)
{
    (void)tag;
    (void)arena;
    bool yes = strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "false") != 0)
        return bad("a boolean is true or false");
    der_put_bool(out, yes);
    return NULL;
}

static struct err *put_oid(struct der_out *out, unsigned tag, const char *text, struct arena *arena)
{
    struct err *e = NULL;
    struct view oid;
    (void)tag;
    TRY(der_oid_of_text(text, arena, &oid));
    der_put_oid(out, oid);
out:
    return e;
}

static struct err *put_octets(struct der_out *out, unsigned tag, const char *text, struct arena *arena)
{
    struct err *e = NULL;
    struct view octets;
    TRY(hex_parse(arena, view_str(text), &octets));
    der_put(out, tag, octets);
out:
    return e;
}

static struct err *put_time(struct der_out *out, unsigned tag, const char *text, struct arena *arena)
{
    struct err *e = NULL;
    int64_t s = 0;
    (void)arena;
    TRY(when_parse(view_str(text), &s));
    der_put_gentime(out, tag, s);
out:
    return e;
}

static struct err *put_der(struct der_out *out, unsigned tag, const char *text, struct arena *arena)
{
    struct err *e = NULL;
    struct view der;
    (void)tag;
    TRY(hex_parse(arena, view_str(text), &der));
    TRY(ext_value_element(der));
    der_put_raw(out, der);
out:
    return e;
}

static const struct {
    const char *name;
    unsigned tag; /* 0: any */
    put_form *put;
} forms[] = {
    {"utf8", DER_UTF8_STRING, put_string},
    {"ia5", DER_IA5_STRING, put_string},
    {"printable", DER_PRINTABLE_STRING, put_string},
    {"integer", DER_INTEGER, put_integer},
    {"boolean", DER_BOOLEAN, put_boolean},
    {"oid", DER_OID, put_oid},
    {"octets", DER_OCTET_STRING, put_octets},
    {"time", DER_GENERALIZED_TIME, put_time},
    {"der", 0, put_der},
};
enum { FORMS = sizeof forms / sizeof *forms };

struct err *cert_ext_der_of_text(const char *text, struct arena *arena, struct view *ret_der)
{
    struct err *e = NULL;
    struct der_out out;
    size_t n = strcspn(text, ":");
    der_out_init(&out, arena, LIMIT_TBS_BYTES);
    if (strcmp(text, "null") == 0) {
        der_put_null(&out);
        return der_out_done(&out, ret_der);
    }
    for (size_t i = 0; text[n] && i < FORMS; i++) {
        if (!view_eq_str(view_of(text, n), forms[i].name))
            continue;
        TRY(err_wrap(forms[i].put(&out, forms[i].tag, text + n + 1, arena), "%s", forms[i].name));
        return der_out_done(&out, ret_der);
    }
    return bad("a value is written utf8:, ia5:, printable:, integer:, boolean:, oid:, octets:, time: or der: "
               "and what it is, or null");
out:
    return e;
}

/* --- DER to text --- */

static const char *integer_text(struct view body, struct arena *arena)
{
    uint64_t value = body.p[0] & 0x80 ? UINT64_MAX : 0;
    if (body.n > 8)
        return NULL;
    for (size_t i = 0; i < body.n; i++)
        value = value << 8 | body.p[i];
    return arena_printf(arena, "integer:%lld", (long long)value);
}

static const char *time_text(struct view der, struct arena *arena)
{
    int64_t s = 0;
    struct err *e = der_read_gentime(&der, DER_GENERALIZED_TIME, &s);
    bool ok = !e;
    err_free(e);
    return ok ? arena_printf(arena, "time:%s", when_text(arena, s)) : NULL;
}

/* What the form might be; whether it is, is tried by the caller. */
static const char *guess(unsigned tag, struct view der, struct view body, struct arena *arena)
{
    switch (tag) {
    case DER_NULL:
        return "null";
    case DER_BOOLEAN:
        return body.p[0] ? "boolean:true" : "boolean:false";
    case DER_INTEGER:
        return integer_text(body, arena);
    case DER_OID:
        return arena_printf(arena, "oid:%s", der_oid_text(body, arena));
    case DER_OCTET_STRING:
        return arena_printf(arena, "octets:%s", hex_of(arena, body));
    case DER_UTF8_STRING:
        return arena_printf(arena, "utf8:%s", arena_str(arena, body));
    case DER_IA5_STRING:
        return arena_printf(arena, "ia5:%s", arena_str(arena, body));
    case DER_PRINTABLE_STRING:
        return arena_printf(arena, "printable:%s", arena_str(arena, body));
    case DER_GENERALIZED_TIME:
        return time_text(der, arena);
    default:
        return NULL;
    }
}

const char *cert_ext_der_text(struct view der, struct arena *arena)
{
    const char *text = NULL;
    struct view in = der, body, again = {NULL, 0};
    unsigned tag = 0;
    struct err *e = ext_value_element(der);
    if (!e)
        e = der_read_any(&in, &tag, NULL, &body);
    if (!e)
        text = guess(tag, der, body, arena);
    if (text)
        e = cert_ext_der_of_text(text, arena, &again);
    bool same = !e && text && view_eq(again, der);
    err_free(e);
    return same ? text : arena_printf(arena, "der:%s", hex_of(arena, der));
}
