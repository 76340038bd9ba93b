/*
 * Microsoft's extensions: template name, template information, security identifier (MS-WCCE 2.2.2.7.7).
 *
 * Never looks into a directory: what a name or SID stands for is not known here. No state. Any thread.
 */
#include "cert/ext_microsoft.h"

#include "ext_value.h"
#include "name_string.h"

enum { NAME_MAX_CHARS = 255, SID_MAX_BYTES = 184, SUB_AUTHORITIES_MAX = 15 };

static const uint8_t oid_sid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x19, 0x02, 0x01};

/* --- template name: BMPString --- */

static struct err *bad_name(void)
{
    return ext_value_bad(CERT_EXT_MS_TEMPLATE_NAME,
                         "a name has 1 to 255 characters of the Basic Multilingual Plane, none of control");
}

static bool bmp_ok(uint32_t c)
{
    return c <= 0xffff && (c < 0xd800 || c > 0xdfff) && !name_string_hides(c);
}

struct err *cert_ext_write_ms_template_name(const char *name, struct arena *arena, struct cert_ext *ret)
{
    struct der_out out;
    struct view text = view_str(name);
    uint8_t bmp[2 * NAME_MAX_CHARS];
    size_t n = 0;
    while (text.n) {
        uint32_t c = 0;
        size_t octets = view_utf8_next(text, &c);
        if (!octets || !bmp_ok(c) || n == sizeof bmp)
            return bad_name();
        bmp[n++] = (uint8_t)(c >> 8);
        bmp[n++] = (uint8_t)c;
        text = view_from(text, octets);
    }
    if (!n)
        return bad_name();
    ext_value_begin(&out, arena);
    der_put(&out, DER_BMP_STRING, view_of(bmp, n));
    return ext_value_done(&out, CERT_EXT_MS_TEMPLATE_NAME, false, ret);
}

/* Of the Basic Multilingual Plane: at most three octets. */
static char *put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    if (c >= 0x800)
        *to++ = (char)(0xe0 | c >> 12);
    *to++ = (char)(c >= 0x800 ? 0x80 | (c >> 6 & 0x3f) : 0xc0 | c >> 6);
    *to++ = (char)(0x80 | (c & 0x3f));
    return to;
}

struct err *cert_ext_read_ms_template_name(struct view value, struct arena *arena, const char **ret)
{
    struct err *e = NULL;
    struct view bmp;
    TRY(der_read(&value, DER_BMP_STRING, &bmp));
    TRY(der_end(value));
    if (!bmp.n || bmp.n % 2 || bmp.n > 2 * (size_t)NAME_MAX_CHARS)
        return bad_name();
    char *text = arena_alloc(arena, bmp.n / 2 * 3 + 1), *at = text;
    for (size_t i = 0; i < bmp.n; i += 2) {
        uint32_t c = (uint32_t)bmp.p[i] << 8 | bmp.p[i + 1];
        if (!bmp_ok(c))
            return bad_name();
        at = put_utf8(at, c);
    }
    *ret = text;
out:
    return err_wrap(e, "msCertificateTemplateName (MS-WCCE 2.2.2.7.7.1)");
}

/* --- template information --- */

static struct err *check_version(const struct cert_ms_template *t)
{
    if (t->major > UINT32_MAX || t->minor > UINT32_MAX)
        return ext_value_bad(CERT_EXT_MS_TEMPLATE, "a version has 32 bits");
    if (t->major < 0 && t->minor >= 0)
        return ext_value_bad(CERT_EXT_MS_TEMPLATE, "a minor version without a major one");
    return NULL;
}

struct err *cert_ext_write_ms_template(const struct cert_ms_template *t, struct arena *arena,
                                       struct cert_ext *ret)
{
    struct err *e = NULL;
    struct der_out out;
    TRY(check_version(t));
    TRY(ext_value_oid(t->oid));
    ext_value_begin(&out, arena);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_oid(&out, t->oid);
    if (t->major >= 0)
        der_put_uint(&out, (uint64_t)t->major);
    if (t->minor >= 0)
        der_put_uint(&out, (uint64_t)t->minor);
    der_finish(&out, m);
    TRY(ext_value_done(&out, CERT_EXT_MS_TEMPLATE, false, ret));
out:
    return e;
}

static struct err *read_version(struct view *in, int64_t *ret)
{
    struct err *e = NULL;
    uint64_t version = 0;
    *ret = -1;
    if (!in->n)
        return NULL;
    TRY(der_read_uint(in, UINT32_MAX, &version));
    *ret = (int64_t)version;
out:
    return e;
}

struct err *cert_ext_read_ms_template(struct view value, struct cert_ms_template *ret)
{
    struct err *e = NULL;
    struct view seq;
    struct cert_ms_template t;
    TRY(der_read(&value, DER_SEQUENCE, &seq));
    TRY(der_end(value));
    TRY(der_read_oid(&seq, &t.oid));
    TRY(read_version(&seq, &t.major));
    TRY(read_version(&seq, &t.minor));
    TRY(der_end(seq));
    *ret = t;
out:
    return err_wrap(e, "msCertificateTemplate (MS-WCCE 2.2.2.7.7.2)");
}

/* --- security identifier --- */

/* A decimal number without leading zeros off the front, and the hyphen before it. */
static bool take_number(struct view *in, uint64_t max)
{
    uint64_t value = 0;
    size_t n = 1;
    if (!in->n || in->p[0] != '-')
        return false;
    for (; n < in->n && in->p[n] >= '0' && in->p[n] <= '9'; n++) {
        value = value * 10 + (uint64_t)(in->p[n] - '0');
        if (value > max)
            return false;
    }
    if (n == 1 || (n > 2 && in->p[1] == '0'))
        return false;
    *in = view_from(*in, n);
    return true;
}

/* S-1-AUTHORITY-SUB...; an authority of 2^32 and more would be in hexadecimal, and none is. */
static struct err *check_sid(struct view sid)
{
    struct view rest = view_from(sid, 3);
    size_t subs = 0;
    bool ok = sid.n <= SID_MAX_BYTES && view_starts(sid, view_str("S-1")) && take_number(&rest, UINT32_MAX);
    for (; ok && rest.n; subs++)
        ok = take_number(&rest, UINT32_MAX);
    if (ok && subs && subs <= SUB_AUTHORITIES_MAX)
        return NULL;
    return ext_value_bad(CERT_EXT_MS_SECURITY, "a SID is written S-1-5-21-... in decimals, MS-DTYP 2.4.2.1");
}

struct err *cert_ext_write_ms_security(const char *sid, struct arena *arena, struct cert_ext *ret)
{
    struct err *e = NULL;
    struct der_out out;
    TRY(check_sid(view_str(sid)));
    ext_value_begin(&out, arena);
    size_t names = der_begin(&out, DER_SEQUENCE);
    size_t other = der_begin(&out, DER_CONTEXT_CONS(0));
    der_put_oid(&out, view_of(oid_sid, sizeof oid_sid));
    size_t value = der_begin(&out, DER_CONTEXT_CONS(0));
    der_put_octets(&out, view_str(sid));
    der_finish(&out, value);
    der_finish(&out, other);
    der_finish(&out, names);
    TRY(ext_value_done(&out, CERT_EXT_MS_SECURITY, false, ret));
out:
    return e;
}

struct err *cert_ext_read_ms_security(struct view value, struct arena *arena, const char **ret_sid)
{
    struct err *e = NULL;
    struct view names, other, oid, inner, sid;
    TRY(der_read(&value, DER_SEQUENCE, &names));
    TRY(der_end(value));
    TRY(der_read(&names, DER_CONTEXT_CONS(0), &other));
    TRY(der_end(names));
    TRY(der_read_oid(&other, &oid));
    if (!view_eq(oid, view_of(oid_sid, sizeof oid_sid)))
        return ext_value_bad(CERT_EXT_MS_SECURITY, "an otherName that is no SID");
    TRY(der_read(&other, DER_CONTEXT_CONS(0), &inner));
    TRY(der_end(other));
    TRY(der_read(&inner, DER_OCTET_STRING, &sid));
    TRY(der_end(inner));
    TRY(check_sid(sid));
    *ret_sid = arena_str(arena, sid);
out:
    return err_wrap(e, "msNtdsSecurity (MS-WCCE 2.2.2.7.7.4)");
}
