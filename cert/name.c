/*
 * Distinguished names: DER in, DER out. Text forms are in name_text.c.
 *
 * Never normalises: what was read is compared and copied octet by octet. No state. Any thread.
 */
#include "cert/name.h"

#include "base/der.h"
#include "base/limits.h"
#include "name_string.h"

static const struct name_row rows[] = {
#define NAME_ATTR(text, oid, tag, max, exact)                                                                \
    {text, {(const uint8_t *)(oid), sizeof(oid) - 1}, tag, max, exact},
#include "cert/name.def"
#undef NAME_ATTR
};
enum { ROWS = sizeof rows / sizeof *rows };

static const struct name_row *row_of_oid(struct view oid)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (view_eq(oid, rows[i].oid))
            return &rows[i];
    }
    return NULL;
}

static const struct name_row *row_of_text(const char *text)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (view_eq_nocase(view_str(text), view_str(rows[i].text)))
            return &rows[i];
    }
    return NULL;
}

const char *cert_name_type_of(struct view oid)
{
    const struct name_row *row = row_of_oid(oid);
    return row ? row->text : NULL;
}

struct view cert_name_oid_of(const char *short_name)
{
    const struct name_row *row = row_of_text(short_name);
    return row ? row->oid : (struct view){NULL, 0};
}

/* --- reading --- */

static struct err *read_attr(struct view *in, struct cert_attr *ret)
{
    struct err *e = NULL;
    struct view seq;
    TRY(der_read(in, DER_SEQUENCE, &seq));
    TRY(der_read_oid(&seq, &ret->oid));
    TRY(der_read_any(&seq, &ret->tag, NULL, &ret->value));
    TRY(der_end(seq));
    if (ret->value.n > LIMIT_RDN_VALUE_BYTES)
        return err_new(ERR_TOO_LARGE, "an attribute of %zu octets; at most %d are allowed", ret->value.n,
                       LIMIT_RDN_VALUE_BYTES);
    TRY(name_string_check(ret->tag, ret->value, NULL));
out:
    return e;
}

/* One SET: at least one attribute, ascending as DER sorts a SET OF (X.690 11.6). */
static struct err *read_rdn(struct view *in, struct cert_attr *attrs, size_t *n, size_t rdn)
{
    struct err *e = NULL;
    struct view set, whole, last = {NULL, 0};
    TRY(der_read(in, DER_SET, &set));
    if (!set.n)
        return err_new(ERR_BAD_NAME, "an empty RelativeDistinguishedName (RFC 5280 4.1.2.4)");
    while (set.n) {
        if (*n == LIMIT_RDNS)
            return err_new(ERR_TOO_MANY, "more than %d attributes in a name", LIMIT_RDNS);
        struct view before = set;
        TRY(read_attr(&set, &attrs[*n]));
        whole = view_of(before.p, before.n - set.n);
        if (last.p && view_cmp(last, whole) >= 0)
            return err_new(ERR_BAD_DER, "a SET OF out of order (X.690 11.6)");
        last = whole;
        attrs[(*n)++].rdn = rdn;
    }
out:
    return e;
}

struct err *name_read(struct view der, struct cert_attr attrs[LIMIT_RDNS], size_t *ret_n)
{
    struct err *e = NULL;
    struct view in = der, seq;
    size_t n = 0;

    if (der.n > LIMIT_NAME_BYTES)
        return err_new(ERR_TOO_LARGE, "a name of %zu octets; at most %d are allowed", der.n,
                       LIMIT_NAME_BYTES);
    TRY(der_read(&in, DER_SEQUENCE, &seq));
    TRY(der_end(in));
    for (size_t rdn = 0; seq.n; rdn++)
        TRY(read_rdn(&seq, attrs, &n, rdn));
    *ret_n = n;
out:
    return e;
}

struct err *cert_name_parse(struct view der, struct arena *arena, struct cert_name *ret)
{
    struct err *e = NULL;
    size_t n = 0;
    struct cert_attr *attrs = arena_array(arena, LIMIT_RDNS, sizeof *attrs);
    TRY(name_read(der, attrs, &n));
    *ret = (struct cert_name){.der = der, .n = n, .attrs = attrs};
out:
    return e;
}

/* --- writing --- */

static struct err *check_bounds(const struct name_row *row, struct view value, size_t chars)
{
    if (row->exact && chars != row->exact)
        return err_new(ERR_BAD_NAME, "%s must have exactly %u characters (RFC 5280 appendix A)", row->text,
                       row->exact);
    if (chars > row->max)
        return err_new(ERR_BAD_NAME, "%s has %zu characters; at most %u are allowed (RFC 5280 appendix A)",
                       row->text, chars, row->max);
    if (value.n > LIMIT_RDN_VALUE_BYTES)
        return err_new(ERR_TOO_LARGE, "%s has %zu octets; at most %d are allowed", row->text, value.n,
                       LIMIT_RDN_VALUE_BYTES);
    return NULL;
}

/* A type outside the table is a UTF8String. */
static struct err *find_row(const char *type, struct arena *arena, struct name_row *ret)
{
    const struct name_row *row = row_of_text(type);
    if (row) {
        *ret = *row;
        return NULL;
    }
    struct name_row other = {type, {NULL, 0}, DER_UTF8_STRING, LIMIT_RDN_VALUE_BYTES, 0};
    struct err *e = der_oid_of_text(type, arena, &other.oid);
    if (e) {
        err_free(e);
        return err_new(ERR_BAD_NAME,
                       "no such attribute type in a name; use CN, O, OU, C, ... or a dotted OID "
                       "(RFC 4514 3)");
    }
    row = row_of_oid(other.oid);
    *ret = row ? *row : other;
    return NULL;
}

static struct err *put_part(struct der_out *out, const struct cert_name_part *part, struct arena *arena)
{
    struct err *e = NULL;
    struct name_row row = {.text = NULL};
    struct view value = view_str(part->value);
    size_t chars = 0;
    TRY(find_row(part->type, arena, &row));
    TRY(name_string_check(row.tag, value, &chars));
    TRY(check_bounds(&row, value, chars));
    size_t set = der_begin(out, DER_SET);
    size_t seq = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, row.oid);
    der_put(out, row.tag, value);
    der_finish(out, seq);
    der_finish(out, set);
out:
    return e;
}

struct err *cert_name_write(const struct cert_name_part *parts, size_t n, struct arena *arena,
                            struct view *ret_der)
{
    struct err *e = NULL;
    struct der_out out;
    if (n > LIMIT_RDNS)
        return err_new(ERR_TOO_MANY, "more than %d attributes in a name", LIMIT_RDNS);
    der_out_init(&out, arena, LIMIT_NAME_BYTES);
    size_t m = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < n; i++)
        TRY(err_at(put_part(&out, &parts[i], arena), "/%zu", i));
    der_finish(&out, m);
    TRY(der_out_done(&out, ret_der));
out:
    return e;
}

/* --- looking --- */

const struct cert_attr *cert_name_find(const struct cert_name *name, const char *type)
{
    struct view oid = cert_name_oid_of(type);
    for (size_t i = 0; oid.n && i < name->n; i++) {
        if (view_eq(name->attrs[i].oid, oid))
            return &name->attrs[i];
    }
    return NULL;
}

const char *cert_name_value(const struct cert_name *name, const char *type, struct arena *arena)
{
    const struct cert_attr *attr = cert_name_find(name, type);
    return attr ? arena_str(arena, attr->value) : NULL;
}
