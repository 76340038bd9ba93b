/*
 * The table of extensions, the list of them in DER, and the small single-valued ones.
 *
 * Never reads an extension twice in one list; unknown ones are kept raw for the caller to judge. Any thread.
 */
#include "cert/ext.h"

#include "base/limits.h"
#include "ext_value.h"

static const struct {
    const char *text;
    struct view oid;
    const char *rule;
} rows[CERT_EXT__COUNT] = {
#define EXT(name, text, oid, rule)                                                                           \
    [CERT_EXT_##name] = {text, {(const uint8_t *)(oid), sizeof(oid) - 1}, rule},
#include "cert/ext.def"
#undef EXT
};

/* Most differ in their last octet alone: looked at first, since a list has an extension for each entry. */
static bool is_oid(struct view a, struct view b)
{
    return a.n == b.n && a.n > 0 && a.p[a.n - 1] == b.p[b.n - 1] && view_eq(a, b);
}

enum cert_ext_id cert_ext_id_of(struct view oid)
{
    int i = 0;
    while (i < CERT_EXT__COUNT && !is_oid(oid, rows[i].oid))
        i++;
    return (enum cert_ext_id)i;
}

struct view cert_ext_oid(enum cert_ext_id id)
{
    return rows[id].oid;
}

const char *cert_ext_name(enum cert_ext_id id)
{
    return rows[id].text;
}

const char *cert_ext_rule(enum cert_ext_id id)
{
    return rows[id].rule;
}

const char *cert_ext_label(struct view oid, struct arena *arena)
{
    enum cert_ext_id id = cert_ext_id_of(oid);
    return id == CERT_EXT__COUNT ? der_oid_text(oid, arena) : rows[id].text;
}

const struct cert_ext *cert_ext_find(const struct cert_ext *exts, size_t n, enum cert_ext_id id)
{
    for (size_t i = 0; i < n; i++) {
        if (view_eq(exts[i].oid, rows[id].oid))
            return &exts[i];
    }
    return NULL;
}

/* --- the list --- */

struct err *ext_value_read_one(struct view *in, struct cert_ext *ret)
{
    struct err *e = NULL;
    struct view seq;
    TRY(der_read(in, DER_SEQUENCE, &seq));
    TRY(der_read_oid(&seq, &ret->oid));
    ret->critical = false;
    if (der_peek(seq) == DER_BOOLEAN) {
        TRY(der_read_bool(&seq, &ret->critical));
        if (!ret->critical)
            return err_new(ERR_BAD_DER, "an extension with critical FALSE written out (X.690 11.5)");
    }
    TRY(der_read(&seq, DER_OCTET_STRING, &ret->value));
    TRY(der_end(seq));
out:
    return e;
}

static bool seen(const struct cert_ext *exts, size_t n, struct view oid)
{
    for (size_t i = 0; i < n; i++) {
        if (view_eq(exts[i].oid, oid))
            return true;
    }
    return false;
}

struct err *cert_ext_list_read(struct view *in, struct arena *arena, struct cert_ext **ret, size_t *ret_n)
{
    struct err *e = NULL;
    struct view seq;
    size_t n = 0;
    TRY(der_read(in, DER_SEQUENCE, &seq));
    if (!seq.n)
        return err_new(ERR_BAD_EXTENSION, "an empty list of extensions (RFC 5280 4.1)");
    struct cert_ext *exts = arena_array(arena, LIMIT_EXTENSIONS, sizeof *exts);
    while (seq.n) {
        if (n == LIMIT_EXTENSIONS)
            return err_new(ERR_TOO_MANY, "more than %d extensions", LIMIT_EXTENSIONS);
        TRY(ext_value_read_one(&seq, &exts[n]));
        if (seen(exts, n, exts[n].oid))
            return err_new(ERR_BAD_EXTENSION, "the extension %s stands there twice (RFC 5280 4.2)",
                           cert_ext_label(exts[n].oid, arena));
        n++;
    }
    *ret = exts;
    *ret_n = n;
out:
    return e;
}

void cert_ext_list_put(struct der_out *out, const struct cert_ext *exts, size_t n)
{
    size_t list = der_begin(out, DER_SEQUENCE);
    for (size_t i = 0; i < n; i++) {
        size_t one = der_begin(out, DER_SEQUENCE);
        der_put_oid(out, exts[i].oid);
        if (exts[i].critical)
            der_put_bool(out, true);
        der_put_octets(out, exts[i].value);
        der_finish(out, one);
    }
    der_finish(out, list);
}

void ext_value_begin(struct der_out *out, struct arena *arena)
{
    der_out_init(out, arena, LIMIT_TBS_BYTES);
}

struct err *ext_value_done(struct der_out *out, enum cert_ext_id id, bool critical, struct cert_ext *ret)
{
    struct err *e = NULL;
    struct view value;
    TRY(der_out_done(out, &value));
    *ret = (struct cert_ext){.oid = rows[id].oid, .critical = critical, .value = value};
out:
    return err_wrap(e, "%s", rows[id].text);
}

struct err *ext_value_bad(enum cert_ext_id id, const char *why)
{
    return err_new(ERR_BAD_EXTENSION, "%s: %s (%s)", rows[id].text, why, rows[id].rule);
}

/* --- the small ones --- */

struct err *cert_ext_write_san(const struct cert_san *sans, size_t n, bool critical, struct arena *arena,
                               struct cert_ext *ret)
{
    struct err *e = NULL;
    struct view value;
    TRY(cert_san_write(sans, n, arena, &value));
    *ret = (struct cert_ext){.oid = rows[CERT_EXT_SAN].oid, .critical = critical, .value = value};
out:
    return e;
}

struct err *cert_ext_write_no_check(struct arena *arena, struct cert_ext *ret)
{
    struct der_out out;
    ext_value_begin(&out, arena);
    der_put_null(&out);
    return ext_value_done(&out, CERT_EXT_NO_CHECK, false, ret);
}

struct err *cert_ext_read_no_check(struct view value)
{
    struct err *e = NULL;
    TRY(der_read_null(&value));
    TRY(der_end(value));
out:
    return err_wrap(e, "ocspNoCheck (RFC 6960 4.2.2.2.1)");
}

static struct err *write_number(enum cert_ext_id id, bool critical, uint64_t number, struct arena *arena,
                                struct cert_ext *ret)
{
    struct der_out out;
    ext_value_begin(&out, arena);
    der_put_uint(&out, number);
    return ext_value_done(&out, id, critical, ret);
}

static struct err *read_number(enum cert_ext_id id, struct view value, uint64_t *ret)
{
    struct err *e = NULL;
    uint64_t number = 0;
    TRY(der_read_uint(&value, UINT64_MAX, &number));
    TRY(der_end(value));
    *ret = number;
out:
    return err_wrap(e, "%s (%s)", rows[id].text, rows[id].rule);
}

struct err *cert_ext_write_crl_number(uint64_t number, struct arena *arena, struct cert_ext *ret)
{
    return write_number(CERT_EXT_CRL_NUMBER, false, number, arena, ret);
}

struct err *cert_ext_read_crl_number(struct view value, uint64_t *ret)
{
    return read_number(CERT_EXT_CRL_NUMBER, value, ret);
}

struct err *cert_ext_write_delta(uint64_t base_number, struct arena *arena, struct cert_ext *ret)
{
    return write_number(CERT_EXT_DELTA_CRL, true, base_number, arena, ret);
}

struct err *cert_ext_read_delta(struct view value, uint64_t *ret_base_number)
{
    return read_number(CERT_EXT_DELTA_CRL, value, ret_base_number);
}

struct err *cert_ext_read_invalidity(struct view value, int64_t *ret_s)
{
    struct err *e = NULL;
    TRY(der_read_gentime(&value, DER_GENERALIZED_TIME, ret_s));
    TRY(der_end(value));
out:
    return err_wrap(e, "invalidityDate (RFC 5280 5.3.2)");
}
