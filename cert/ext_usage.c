/*
 * What a key may be used for: basicConstraints, keyUsage, extKeyUsage (RFC 5280 4.2.1.9, .3, .12).
 *
 * Reads only DER as the writers here make it. No state. Any thread.
 */
#include "base/limits.h"
#include "ext_value.h"

static const char *const key_usages[] = {
    "digitalSignature", "contentCommitment", "keyEncipherment", "dataEncipherment", "keyAgreement",
    "keyCertSign",      "cRLSign",           "encipherOnly",    "decipherOnly",
};
enum { KEY_USAGES = sizeof key_usages / sizeof *key_usages };

static const struct {
    const char *text;
    struct view oid;
} ekus[] = {
#define EKU(text, oid) {text, {(const uint8_t *)(oid), sizeof(oid) - 1}},
#include "cert/eku.def"
#undef EKU
};
enum { EKUS = sizeof ekus / sizeof *ekus };

/* --- basicConstraints --- */

struct err *cert_ext_write_basic(struct cert_basic basic, bool critical, struct arena *arena,
                                 struct cert_ext *ret)
{
    struct der_out out;
    if (!basic.ca && basic.path_len >= 0)
        return ext_value_bad(CERT_EXT_BASIC_CONSTRAINTS, "pathLenConstraint without cA");
    ext_value_begin(&out, arena);
    size_t m = der_begin(&out, DER_SEQUENCE);
    if (basic.ca)
        der_put_bool(&out, true);
    if (basic.path_len >= 0)
        der_put_uint(&out, (uint64_t)basic.path_len);
    der_finish(&out, m);
    return ext_value_done(&out, CERT_EXT_BASIC_CONSTRAINTS, critical, ret);
}

struct err *cert_ext_read_basic(struct view value, struct cert_basic *ret)
{
    struct err *e = NULL;
    struct view seq;
    struct cert_basic basic = {.ca = false, .path_len = -1};
    uint64_t path_len = 0;
    TRY(der_read(&value, DER_SEQUENCE, &seq));
    TRY(der_end(value));
    if (der_peek(seq) == DER_BOOLEAN) {
        TRY(der_read_bool(&seq, &basic.ca));
        if (!basic.ca)
            return ext_value_bad(CERT_EXT_BASIC_CONSTRAINTS, "cA FALSE written out (X.690 11.5)");
    }
    if (seq.n && !basic.ca)
        return ext_value_bad(CERT_EXT_BASIC_CONSTRAINTS, "pathLenConstraint without cA");
    if (seq.n) {
        TRY(der_read_uint(&seq, 255, &path_len));
        basic.path_len = (int)path_len;
    }
    TRY(der_end(seq));
    *ret = basic;
out:
    return err_wrap(e, "basicConstraints (RFC 5280 4.2.1.9)");
}

/* --- keyUsage: a BIT STRING whose first bit is the highest of its first octet --- */

struct err *cert_ext_write_key_usage(unsigned mask, bool critical, struct arena *arena, struct cert_ext *ret)
{
    struct der_out out;
    uint8_t octets[2] = {0, 0};
    unsigned last = 0;
    if (!mask || mask >> KEY_USAGES)
        return ext_value_bad(CERT_EXT_KEY_USAGE, "needs at least one usage, and none that does not exist");
    for (unsigned bit = 0; bit < KEY_USAGES; bit++) {
        if (!(mask >> bit & 1))
            continue;
        octets[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        last = bit;
    }
    ext_value_begin(&out, arena);
    der_put_bits(&out, view_of(octets, last / 8 + 1),
                 7 - last % 8); /* X.690 11.2.2: no zero bits at the end */
    return ext_value_done(&out, CERT_EXT_KEY_USAGE, critical, ret);
}

struct err *cert_ext_read_key_usage(struct view value, unsigned *ret_mask)
{
    struct err *e = NULL;
    struct view octets;
    unsigned unused = 0, mask = 0;
    TRY(der_read_bits(&value, &octets, &unused));
    TRY(der_end(value));
    if (octets.n == 0 || octets.n > 2 || !(octets.p[octets.n - 1] >> unused & 1))
        return ext_value_bad(CERT_EXT_KEY_USAGE,
                             "needs a bit, and none beyond the last one set (X.690 11.2.2)");
    for (unsigned bit = 0; bit < octets.n * 8; bit++) {
        if (octets.p[bit / 8] >> (7 - bit % 8) & 1)
            mask |= 1u << bit;
    }
    if (mask >> KEY_USAGES)
        return ext_value_bad(CERT_EXT_KEY_USAGE, "a usage that does not exist");
    *ret_mask = mask;
out:
    return err_wrap(e, "keyUsage (RFC 5280 4.2.1.3)");
}

const char *cert_ext_key_usage_name(unsigned bit)
{
    return bit < KEY_USAGES ? key_usages[bit] : NULL;
}

struct err *cert_ext_key_usage_parse(struct view name, unsigned *ret_mask)
{
    for (unsigned bit = 0; bit < KEY_USAGES; bit++) {
        if (view_eq_str(name, key_usages[bit])) {
            *ret_mask = 1u << bit;
            return NULL;
        }
    }
    return err_new(ERR_BAD_FIELD,
                   "no such key usage; they are written digitalSignature, keyEncipherment, ... "
                   "(RFC 5280 4.2.1.3)");
}

/* --- extKeyUsage --- */

static bool contains(struct cert_views views, struct view oid)
{
    for (size_t i = 0; i < views.n; i++) {
        if (view_eq(views.v[i], oid))
            return true;
    }
    return false;
}

struct err *cert_ext_write_eku(struct cert_views oids, bool critical, struct arena *arena,
                               struct cert_ext *ret)
{
    struct der_out out;
    if (!oids.n)
        return ext_value_bad(CERT_EXT_EXT_KEY_USAGE, "needs at least one usage");
    ext_value_begin(&out, arena);
    size_t m = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < oids.n; i++)
        der_put_oid(&out, oids.v[i]);
    der_finish(&out, m);
    return ext_value_done(&out, CERT_EXT_EXT_KEY_USAGE, critical, ret);
}

struct err *cert_ext_read_eku(struct view value, struct arena *arena, struct cert_views *ret)
{
    struct err *e = NULL;
    struct view seq;
    TRY(der_read(&value, DER_SEQUENCE, &seq));
    TRY(der_end(value));
    if (!seq.n)
        return ext_value_bad(CERT_EXT_EXT_KEY_USAGE, "needs at least one usage");
    struct view *oids = arena_array(arena, LIMIT_EXTENSIONS, sizeof *oids);
    struct cert_views list = {.v = oids, .n = 0};
    while (seq.n) {
        if (list.n == LIMIT_EXTENSIONS)
            return err_new(ERR_TOO_MANY, "more than %d usages in extKeyUsage", LIMIT_EXTENSIONS);
        TRY(der_read_oid(&seq, &oids[list.n]));
        if (contains(list, oids[list.n]))
            return ext_value_bad(CERT_EXT_EXT_KEY_USAGE, "the same usage twice");
        list.n++;
    }
    *ret = list;
out:
    return err_wrap(e, "extKeyUsage (RFC 5280 4.2.1.12)");
}

struct err *cert_ext_eku_parse(const char *text, struct arena *arena, struct view *ret_oid)
{
    for (size_t i = 0; i < EKUS; i++) {
        if (strcmp(text, ekus[i].text) == 0) {
            *ret_oid = ekus[i].oid;
            return NULL;
        }
    }
    struct err *e = der_oid_of_text(text, arena, ret_oid);
    if (!e)
        return NULL;
    err_free(e);
    return err_new(ERR_BAD_FIELD,
                   "no such extended key usage; use serverAuth, clientAuth, ... or a dotted OID "
                   "(RFC 5280 4.2.1.12)");
}

const char *cert_ext_eku_text(struct view oid, struct arena *arena)
{
    for (size_t i = 0; i < EKUS; i++) {
        if (view_eq(oid, ekus[i].oid))
            return ekus[i].text;
    }
    return der_oid_text(oid, arena);
}

bool cert_ext_eku_is(struct view oid, const char *name)
{
    for (size_t i = 0; i < EKUS; i++) {
        if (view_eq(oid, ekus[i].oid))
            return strcmp(name, ekus[i].text) == 0;
    }
    return false;
}

bool cert_ext_eku_has(struct cert_views oids, const char *name)
{
    for (size_t i = 0; i < oids.n; i++) {
        if (cert_ext_eku_is(oids.v[i], name))
            return true;
    }
    return false;
}
