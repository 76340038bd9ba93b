/*
 * What a certificate or list points to: key identifiers, cRLDistributionPoints, freshestCRL,
 * issuingDistributionPoint (RFC 5280 4.2.1.1, .2, .13, .15, 5.2.5, 5.2.6). Accesses are in ext_access.c.
 *
 * URIs alone: other forms of name are refused, never skipped. No state. Any thread.
 */
#include "base/limits.h"
#include "ext_value.h"

enum { TAG_URI = 0x86, URIS_MAX = 8, KEY_ID_MAX = 64 };

struct err *ext_value_check_uri(struct view uri)
{
    struct cert_san san = {.kind = CERT_SAN_URI, .value = uri};
    return cert_san_check(&san);
}

struct err *ext_value_put_uri(struct der_out *out, struct view uri)
{
    struct err *e = ext_value_check_uri(uri);
    if (!e)
        der_put(out, TAG_URI, uri);
    return e;
}

struct err *ext_value_read_uri(struct view *in, struct arena *arena, struct cert_views *list)
{
    struct err *e = NULL;
    struct view uri;
    TRY(der_read(in, TAG_URI, &uri));
    TRY(ext_value_check_uri(uri));
    if (list->n == URIS_MAX)
        return err_new(ERR_TOO_MANY, "more than %d URIs", URIS_MAX);
    struct view *grown = arena_array(arena, list->n + 1, sizeof *grown);
    if (list->n)
        memcpy(grown, list->v, list->n * sizeof *grown);
    grown[list->n] = uri;
    *list = (struct cert_views){grown, list->n + 1};
out:
    return e;
}

/* --- key identifiers --- */

static struct err *check_key_id(enum cert_ext_id id, struct view key_id)
{
    if (key_id.n == 0 || key_id.n > KEY_ID_MAX)
        return ext_value_bad(id, "a key identifier has 1 to 64 octets");
    return NULL;
}

struct err *cert_ext_write_ski(struct view key_id, struct arena *arena, struct cert_ext *ret)
{
    struct err *e = NULL;
    struct der_out out;
    TRY(check_key_id(CERT_EXT_SKI, key_id));
    ext_value_begin(&out, arena);
    der_put_octets(&out, key_id);
    TRY(ext_value_done(&out, CERT_EXT_SKI, false, ret));
out:
    return e;
}

struct err *cert_ext_read_ski(struct view value, struct view *ret_key_id)
{
    struct err *e = NULL;
    struct view id;
    TRY(der_read(&value, DER_OCTET_STRING, &id));
    TRY(der_end(value));
    TRY(check_key_id(CERT_EXT_SKI, id));
    *ret_key_id = id;
out:
    return err_wrap(e, "subjectKeyIdentifier (RFC 5280 4.2.1.2)");
}

struct err *cert_ext_write_aki(struct view key_id, struct arena *arena, struct cert_ext *ret)
{
    struct err *e = NULL;
    struct der_out out;
    TRY(check_key_id(CERT_EXT_AKI, key_id));
    ext_value_begin(&out, arena);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put(&out, DER_CONTEXT(0), key_id);
    der_finish(&out, m);
    TRY(ext_value_done(&out, CERT_EXT_AKI, false, ret));
out:
    return e;
}

struct err *cert_ext_read_aki(struct view value, struct view *ret_key_id)
{
    struct err *e = NULL;
    struct view seq, id;
    TRY(der_read(&value, DER_SEQUENCE, &seq));
    TRY(der_end(value));
    TRY(der_read(&seq, DER_CONTEXT(0), &id));
    TRY(der_end(seq)); /* 4.2.1.1: issuer and serial are for cross-certified keys; we write neither */
    TRY(check_key_id(CERT_EXT_AKI, id));
    *ret_key_id = id;
out:
    return err_wrap(e, "authorityKeyIdentifier (RFC 5280 4.2.1.1)");
}

/* --- distribution points --- */

/* DistributionPointName: [0] fullName [0] URI. */
static struct err *put_point_name(struct der_out *out, struct view uri)
{
    struct err *e = NULL;
    size_t name = der_begin(out, DER_CONTEXT_CONS(0));
    size_t full = der_begin(out, DER_CONTEXT_CONS(0));
    TRY(ext_value_put_uri(out, uri));
    der_finish(out, full);
    der_finish(out, name);
out:
    return e;
}

/* CRLDistributionPoints: of cRLDistributionPoints and of freshestCRL. */
static struct err *write_points(enum cert_ext_id id, struct cert_views uris, struct arena *arena,
                                struct cert_ext *ret)
{
    struct err *e = NULL;
    struct der_out out;
    if (!uris.n)
        return ext_value_bad(id, "needs at least one point");
    ext_value_begin(&out, arena);
    size_t m = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < uris.n; i++) {
        size_t point = der_begin(&out, DER_SEQUENCE);
        TRY(put_point_name(&out, uris.v[i]));
        der_finish(&out, point);
    }
    der_finish(&out, m);
    TRY(ext_value_done(&out, id, false, ret));
out:
    return e;
}

struct err *cert_ext_write_cdp(struct cert_views uris, struct arena *arena, struct cert_ext *ret)
{
    return write_points(CERT_EXT_CDP, uris, arena, ret);
}

struct err *cert_ext_write_freshest(struct cert_views uris, struct arena *arena, struct cert_ext *ret)
{
    return write_points(CERT_EXT_FRESHEST_CRL, uris, arena, ret);
}

/* The GeneralNames of one point: no reasons, no cRLIssuer. */
static struct err *read_point(struct view *in, struct view *ret_full)
{
    struct err *e = NULL;
    struct view seq, name, full;
    TRY(der_read(in, DER_SEQUENCE, &seq));
    TRY(der_read(&seq, DER_CONTEXT_CONS(0), &name));
    TRY(der_end(seq));
    TRY(der_read(&name, DER_CONTEXT_CONS(0), &full));
    TRY(der_end(name));
    *ret_full = full;
out:
    return e;
}

static struct err *read_points(enum cert_ext_id id, struct view value, struct arena *arena,
                               struct cert_views *ret)
{
    struct err *e = NULL;
    struct view seq, full;
    struct cert_views list = {NULL, 0};
    TRY(der_read(&value, DER_SEQUENCE, &seq));
    TRY(der_end(value));
    if (!seq.n)
        return ext_value_bad(id, "needs at least one point");
    while (seq.n) {
        TRY(read_point(&seq, &full));
        TRY(ext_value_read_uri(&full, arena, &list));
        TRY(der_end(full));
    }
    *ret = list;
out:
    return err_wrap(e, "%s (%s)", cert_ext_name(id), cert_ext_rule(id));
}

struct err *cert_ext_read_cdp(struct view value, struct arena *arena, struct cert_views *ret)
{
    return read_points(CERT_EXT_CDP, value, arena, ret);
}

struct err *cert_ext_read_freshest(struct view value, struct arena *arena, struct cert_views *ret)
{
    return read_points(CERT_EXT_FRESHEST_CRL, value, arena, ret);
}

struct err *ext_value_read_freshest(struct view value, struct view *ret_uri)
{
    struct err *e = NULL;
    struct view seq, full, uri;
    TRY(der_read(&value, DER_SEQUENCE, &seq));
    TRY(der_end(value));
    TRY(read_point(&seq, &full));
    TRY(der_end(seq));
    TRY(der_read(&full, TAG_URI, &uri));
    TRY(der_end(full));
    TRY(ext_value_check_uri(uri));
    *ret_uri = uri;
out:
    return err_wrap(e, "freshestCRL (RFC 5280 5.2.6)");
}

struct err *cert_ext_write_idp(const struct cert_idp *idp, struct arena *arena, struct cert_ext *ret)
{
    static const uint8_t yes = 0xff;
    struct err *e = NULL;
    struct der_out out;
    if ((!idp->uri.n && !idp->only_user && !idp->only_ca) || (idp->only_user && idp->only_ca))
        return ext_value_bad(CERT_EXT_IDP, "must say something, and at most one kind of certificate");
    ext_value_begin(&out, arena);
    size_t m = der_begin(&out, DER_SEQUENCE);
    if (idp->uri.n)
        TRY(put_point_name(&out, idp->uri));
    if (idp->only_user)
        der_put(&out, DER_CONTEXT(1), view_of(&yes, 1));
    if (idp->only_ca)
        der_put(&out, DER_CONTEXT(2), view_of(&yes, 1));
    der_finish(&out, m);
    TRY(ext_value_done(&out, CERT_EXT_IDP, true, ret));
out:
    return e;
}

static struct err *read_flag(struct view *in, unsigned tag, bool *ret)
{
    struct err *e = NULL;
    struct view body;
    TRY(der_read_optional(in, tag, &body));
    if (body.p && (body.n != 1 || body.p[0] != 0xff))
        return ext_value_bad(CERT_EXT_IDP, "a BOOLEAN other than TRUE (X.690 11.1, 11.5)");
    *ret = body.p != NULL;
out:
    return e;
}

struct err *cert_ext_read_idp(struct view value, struct cert_idp *ret)
{
    struct err *e = NULL;
    struct view seq, name, full;
    struct cert_idp idp = {.uri = {NULL, 0}};
    TRY(der_read(&value, DER_SEQUENCE, &seq));
    TRY(der_end(value));
    TRY(der_read_optional(&seq, DER_CONTEXT_CONS(0), &name));
    if (name.p) {
        TRY(der_read(&name, DER_CONTEXT_CONS(0), &full));
        TRY(der_end(name));
        TRY(der_read(&full, TAG_URI, &idp.uri));
        TRY(der_end(full));
        TRY(ext_value_check_uri(idp.uri));
    }
    TRY(read_flag(&seq, DER_CONTEXT(1), &idp.only_user));
    TRY(read_flag(&seq, DER_CONTEXT(2), &idp.only_ca));
    TRY(der_end(seq));
    if ((!idp.uri.n && !idp.only_user && !idp.only_ca) || (idp.only_user && idp.only_ca))
        return ext_value_bad(CERT_EXT_IDP, "must say something, and at most one kind of certificate");
    *ret = idp;
out:
    return err_wrap(e, "issuingDistributionPoint (RFC 5280 5.2.5)");
}
