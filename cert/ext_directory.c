/*
 * subjectDirectoryAttributes (RFC 5280 4.2.1.8): attributes whose values are elements of any type.
 *
 * Each value is checked to be one well-formed element; what it means is not judged. No state. Any thread.
 */
#include "cert/ext_custom.h"

#include <stdlib.h>

#include "ext_value.h"

static const struct {
    const char *text;
    struct view oid;
} names[] = {
#define DIRECTORY(text, oid) {text, {(const uint8_t *)(oid), sizeof(oid) - 1}},
#include "cert/directory.def"
#undef DIRECTORY
};
enum { NAMES = sizeof names / sizeof *names };

struct err *cert_ext_directory_parse(const char *text, struct arena *arena, struct view *ret_oid)
{
    for (size_t i = 0; i < NAMES; i++) {
        if (strcmp(text, names[i].text) == 0) {
            *ret_oid = names[i].oid;
            return NULL;
        }
    }
    struct err *e = der_oid_of_text(text, arena, ret_oid);
    if (!e)
        return NULL;
    err_free(e);
    return err_new(ERR_BAD_FIELD,
                   "no such directory attribute; use dateOfBirth, placeOfBirth, gender, "
                   "countryOfCitizenship, countryOfResidence or a dotted OID (RFC 3739 3.2.2)");
}

const char *cert_ext_directory_text(struct view oid, struct arena *arena)
{
    for (size_t i = 0; i < NAMES; i++) {
        if (view_eq(oid, names[i].oid))
            return names[i].text;
    }
    return der_oid_text(oid, arena);
}

static struct err *bad(const char *why)
{
    return ext_value_bad(CERT_EXT_SUBJECT_DIRECTORY, why);
}

static bool has(struct cert_directory attrs, struct view oid)
{
    for (size_t i = 0; i < attrs.n; i++) {
        if (view_eq(attrs.v[i].oid, oid))
            return true;
    }
    return false;
}

/* --- writing --- */

static int by_octets(const void *a, const void *b)
{
    const struct view *x = a, *y = b;
    return view_cmp(*x, *y);
}

/* X.690 11.6: a SET OF ascends. */
static struct err *put_values(struct der_out *out, struct cert_views values)
{
    struct err *e = NULL;
    struct view sorted[CERT_DIRECTORY_VALUES_MAX];
    if (!values.n || values.n > CERT_DIRECTORY_VALUES_MAX)
        return bad("an attribute has 1 to 8 values");
    memcpy(sorted, values.v, values.n * sizeof *sorted);
    qsort(sorted, values.n, sizeof *sorted, by_octets);
    size_t set = der_begin(out, DER_SET);
    for (size_t i = 0; i < values.n; i++) {
        TRY(ext_value_element(sorted[i]));
        if (i && view_eq(sorted[i - 1], sorted[i]))
            return bad("the same value twice");
        der_put_raw(out, sorted[i]);
    }
    der_finish(out, set);
out:
    return e;
}

struct err *cert_ext_write_directory(struct cert_directory attrs, struct arena *arena, struct cert_ext *ret)
{
    struct err *e = NULL;
    struct der_out out;
    if (!attrs.n || attrs.n > CERT_DIRECTORY_MAX)
        return bad("needs 1 to 16 attributes");
    ext_value_begin(&out, arena);
    size_t m = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < attrs.n; i++) {
        if (has((struct cert_directory){attrs.v, i}, attrs.v[i].oid))
            return bad("the same attribute twice");
        size_t attr = der_begin(&out, DER_SEQUENCE);
        der_put_oid(&out, attrs.v[i].oid);
        TRY(put_values(&out, attrs.v[i].values));
        der_finish(&out, attr);
    }
    der_finish(&out, m);
    TRY(ext_value_done(&out, CERT_EXT_SUBJECT_DIRECTORY, false, ret));
out:
    return e;
}

/* --- reading --- */

static struct err *read_values(struct view set, struct arena *arena, struct cert_views *ret)
{
    struct err *e = NULL;
    struct view *values = arena_array(arena, CERT_DIRECTORY_VALUES_MAX, sizeof *values);
    size_t n = 0;
    if (!set.n)
        return bad("an attribute has 1 to 8 values");
    for (; set.n; n++) {
        if (n == CERT_DIRECTORY_VALUES_MAX)
            return err_new(ERR_TOO_MANY, "more than %d values of an attribute", CERT_DIRECTORY_VALUES_MAX);
        TRY(der_read_any(&set, NULL, &values[n], NULL));
        TRY(ext_value_element(values[n]));
        if (n && view_cmp(values[n - 1], values[n]) >= 0)
            return bad("a SET OF out of order (X.690 11.6)");
    }
    *ret = (struct cert_views){values, n};
out:
    return e;
}

static struct err *read_attr(struct view *in, struct arena *arena, struct cert_directory_attr *ret)
{
    struct err *e = NULL;
    struct view seq, set;
    TRY(der_read(in, DER_SEQUENCE, &seq));
    TRY(der_read_oid(&seq, &ret->oid));
    TRY(der_read(&seq, DER_SET, &set));
    TRY(der_end(seq));
    TRY(read_values(set, arena, &ret->values));
out:
    return e;
}

struct err *cert_ext_read_directory(struct view value, struct arena *arena, struct cert_directory *ret)
{
    struct err *e = NULL;
    struct view seq;
    TRY(der_read(&value, DER_SEQUENCE, &seq));
    TRY(der_end(value));
    if (!seq.n)
        return bad("needs 1 to 16 attributes");
    struct cert_directory_attr *list = arena_array(arena, CERT_DIRECTORY_MAX, sizeof *list);
    struct cert_directory attrs = {list, 0};
    while (seq.n) {
        if (attrs.n == CERT_DIRECTORY_MAX)
            return err_new(ERR_TOO_MANY, "more than %d attributes", CERT_DIRECTORY_MAX);
        TRY(read_attr(&seq, arena, &list[attrs.n]));
        if (has(attrs, list[attrs.n].oid))
            return bad("the same attribute twice");
        attrs.n++;
    }
    *ret = attrs;
out:
    return err_wrap(e, "subjectDirectoryAttributes (RFC 5280 4.2.1.8)");
}
