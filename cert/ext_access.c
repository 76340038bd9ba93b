/*
 * authorityInfoAccess and subjectInfoAccess (RFC 5280 4.2.2.1, 4.2.2.2), and the names of access methods.
 *
 * Locations are URIs alone: other forms of name are refused, never skipped. No state. Any thread.
 */
#include "cert/ext_access.h"

#include "ext_value.h"

static const struct {
    const char *text;
    struct view oid;
} methods[] = {
#define ACCESS(text, oid) {text, {(const uint8_t *)(oid), sizeof(oid) - 1}},
#include "cert/access.def"
#undef ACCESS
};
enum { METHODS = sizeof methods / sizeof *methods };
enum { METHOD_OCSP, METHOD_CA_ISSUERS }; /* rows of access.def */

struct err *cert_ext_access_parse(const char *text, struct arena *arena, struct view *ret_oid)
{
    for (size_t i = 0; i < METHODS; i++) {
        if (strcmp(text, methods[i].text) == 0) {
            *ret_oid = methods[i].oid;
            return NULL;
        }
    }
    struct err *e = der_oid_of_text(text, arena, ret_oid);
    if (!e)
        return NULL;
    err_free(e);
    return err_new(ERR_BAD_FIELD, "no such access method; use ocsp, caIssuers, timeStamping, caRepository, "
                                  "... or a dotted OID (RFC 5280 4.2.2.2)");
}

const char *cert_ext_access_text(struct view oid, struct arena *arena)
{
    for (size_t i = 0; i < METHODS; i++) {
        if (view_eq(oid, methods[i].oid))
            return methods[i].text;
    }
    return der_oid_text(oid, arena);
}

static struct err *put_access(struct der_out *out, struct view method, struct view uri)
{
    struct err *e = NULL;
    size_t m = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, method);
    TRY(ext_value_put_uri(out, uri));
    der_finish(out, m);
out:
    return e;
}

/* --- authorityInfoAccess --- */

struct err *cert_ext_write_aia(const struct cert_aia *aia, struct arena *arena, struct cert_ext *ret)
{
    struct err *e = NULL;
    struct der_out out;
    if (!aia->ocsp.n && !aia->ca_issuers.n)
        return ext_value_bad(CERT_EXT_AIA, "needs at least one access");
    ext_value_begin(&out, arena);
    size_t m = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < aia->ocsp.n; i++)
        TRY(put_access(&out, methods[METHOD_OCSP].oid, aia->ocsp.v[i]));
    for (size_t i = 0; i < aia->ca_issuers.n; i++)
        TRY(put_access(&out, methods[METHOD_CA_ISSUERS].oid, aia->ca_issuers.v[i]));
    der_finish(&out, m);
    TRY(ext_value_done(&out, CERT_EXT_AIA, false, ret));
out:
    return e;
}

static struct err *read_aia_one(struct view *in, struct arena *arena, struct cert_aia *aia)
{
    struct err *e = NULL;
    struct view seq, method;
    TRY(der_read(in, DER_SEQUENCE, &seq));
    TRY(der_read_oid(&seq, &method));
    bool ocsp = view_eq(method, methods[METHOD_OCSP].oid);
    if (!ocsp && !view_eq(method, methods[METHOD_CA_ISSUERS].oid))
        return ext_value_bad(CERT_EXT_AIA, "an access method other than ocsp and caIssuers");
    TRY(ext_value_read_uri(&seq, arena, ocsp ? &aia->ocsp : &aia->ca_issuers));
    TRY(der_end(seq));
out:
    return e;
}

struct err *cert_ext_read_aia(struct view value, struct arena *arena, struct cert_aia *ret)
{
    struct err *e = NULL;
    struct view seq;
    struct cert_aia aia = {{NULL, 0}, {NULL, 0}};
    TRY(der_read(&value, DER_SEQUENCE, &seq));
    TRY(der_end(value));
    if (!seq.n)
        return ext_value_bad(CERT_EXT_AIA, "needs at least one access");
    while (seq.n)
        TRY(read_aia_one(&seq, arena, &aia));
    *ret = aia;
out:
    return err_wrap(e, "authorityInfoAccess (RFC 5280 4.2.2.1)");
}

/* --- subjectInfoAccess --- */

struct err *cert_ext_write_sia(struct cert_accesses accesses, struct arena *arena, struct cert_ext *ret)
{
    struct err *e = NULL;
    struct der_out out;
    if (!accesses.n || accesses.n > CERT_ACCESSES_MAX)
        return ext_value_bad(CERT_EXT_SIA, "needs 1 to 16 accesses");
    ext_value_begin(&out, arena);
    size_t m = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < accesses.n; i++)
        TRY(put_access(&out, accesses.v[i].method, accesses.v[i].uri));
    der_finish(&out, m);
    TRY(ext_value_done(&out, CERT_EXT_SIA, false, ret));
out:
    return e;
}

static struct err *read_sia_one(struct view *in, struct arena *arena, struct cert_access *ret)
{
    struct err *e = NULL;
    struct view seq;
    struct cert_views uri = {NULL, 0};
    TRY(der_read(in, DER_SEQUENCE, &seq));
    TRY(der_read_oid(&seq, &ret->method));
    TRY(ext_value_read_uri(&seq, arena, &uri));
    TRY(der_end(seq));
    ret->uri = uri.v[0];
out:
    return e;
}

struct err *cert_ext_read_sia(struct view value, struct arena *arena, struct cert_accesses *ret)
{
    struct err *e = NULL;
    struct view seq;
    size_t n = 0;
    TRY(der_read(&value, DER_SEQUENCE, &seq));
    TRY(der_end(value));
    if (!seq.n)
        return ext_value_bad(CERT_EXT_SIA, "needs 1 to 16 accesses");
    struct cert_access *list = arena_array(arena, CERT_ACCESSES_MAX, sizeof *list);
    while (seq.n) {
        if (n == CERT_ACCESSES_MAX)
            return err_new(ERR_TOO_MANY, "more than %d accesses", CERT_ACCESSES_MAX);
        TRY(read_sia_one(&seq, arena, &list[n++]));
    }
    *ret = (struct cert_accesses){list, n};
out:
    return err_wrap(e, "subjectInfoAccess (RFC 5280 4.2.2.2)");
}
