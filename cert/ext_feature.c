/*
 * What a certificate says about its use at the moment: TLS features (RFC 7633), no revocation information
 * (RFC 9608).
 *
 * Never critical: both RFCs say so. No state. Any thread.
 */
#include "ext_value.h"

static const struct {
    unsigned number;
    const char *text;
} features[] = {{CERT_TLS_STATUS_REQUEST, "status_request"},
                {CERT_TLS_STATUS_REQUEST_V2, "status_request_v2"}};
enum { FEATURES = sizeof features / sizeof *features };

const char *cert_ext_tls_feature_name(unsigned feature)
{
    for (size_t i = 0; i < FEATURES; i++) {
        if (features[i].number == feature)
            return features[i].text;
    }
    return NULL;
}

struct err *cert_ext_tls_feature_parse(struct view name, unsigned *ret)
{
    for (size_t i = 0; i < FEATURES; i++) {
        if (view_eq_str(name, features[i].text)) {
            *ret = features[i].number;
            return NULL;
        }
    }
    return err_new(ERR_BAD_FIELD,
                   "no such TLS feature; there are status_request and status_request_v2 (RFC 7633 3)");
}

/* Ascending, so that a set of features has one form. */
static struct err *check_features(struct cert_tls_features list)
{
    if (!list.n || list.n > CERT_TLS_FEATURES_MAX)
        return ext_value_bad(CERT_EXT_TLS_FEATURE, "needs 1 to 8 features");
    for (size_t i = 0; i < list.n; i++) {
        if (list.v[i] > UINT16_MAX)
            return ext_value_bad(CERT_EXT_TLS_FEATURE, "a feature is the number of a TLS extension");
        if (i && list.v[i - 1] >= list.v[i])
            return ext_value_bad(CERT_EXT_TLS_FEATURE, "features must ascend, none twice");
    }
    return NULL;
}

struct err *cert_ext_write_tls_features(struct cert_tls_features list, struct arena *arena,
                                        struct cert_ext *ret)
{
    struct err *e = NULL;
    struct der_out out;
    TRY(check_features(list));
    ext_value_begin(&out, arena);
    size_t m = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < list.n; i++)
        der_put_uint(&out, list.v[i]);
    der_finish(&out, m);
    TRY(ext_value_done(&out, CERT_EXT_TLS_FEATURE, false, ret));
out:
    return e;
}

struct err *cert_ext_read_tls_features(struct view value, struct cert_tls_features *ret)
{
    struct err *e = NULL;
    struct view seq;
    struct cert_tls_features list = {.n = 0};
    TRY(der_read(&value, DER_SEQUENCE, &seq));
    TRY(der_end(value));
    while (seq.n) {
        uint64_t feature = 0;
        TRY(der_read_uint(&seq, UINT16_MAX, &feature));
        if (list.n == CERT_TLS_FEATURES_MAX)
            return err_new(ERR_TOO_MANY, "more than %d features", CERT_TLS_FEATURES_MAX);
        list.v[list.n++] = (unsigned)feature;
    }
    TRY(check_features(list));
    *ret = list;
out:
    return err_wrap(e, "tlsFeature (RFC 7633 4)");
}

struct err *cert_ext_write_no_rev_avail(struct arena *arena, struct cert_ext *ret)
{
    struct der_out out;
    ext_value_begin(&out, arena);
    der_put_null(&out);
    return ext_value_done(&out, CERT_EXT_NO_REV_AVAIL, false, ret);
}

struct err *cert_ext_read_no_rev_avail(struct view value)
{
    struct err *e = NULL;
    TRY(der_read_null(&value));
    TRY(der_end(value));
out:
    return err_wrap(e, "noRevAvail (RFC 9608 2)");
}
