/*
 * Lint: whether an extension reads as what it claims to be, by the one reader that cert has for it.
 *
 * Never keeps what it reads. Any thread.
 */
#include "cert/ext_access.h"
#include "cert/ext_custom.h"
#include "cert/ext_microsoft.h"
#include "cert/ext_policy.h"
#include "lint.h"

union read {
    struct cert_basic basic;
    unsigned mask;
    struct cert_views views;
    struct view view;
    struct cert_aia aia;
    struct cert_policies policies;
    struct cert_policy_constraints policy_constraints;
    int skip;
    struct cert_accesses accesses;
    struct cert_directory directory;
    struct cert_tls_features features;
    struct cert_ms_template ms_template;
    const char *text;
};

static struct err *read_san(struct view value, struct arena *arena)
{
    struct cert_san *sans = NULL;
    const struct cert_san_limits limits = {.allow_other = true};
    size_t n = 0;
    return cert_san_read(value, &limits, arena, &sans, &n);
}

/* RFC 5280 4.2.1 and others: those with a type of their own; what CRLs and answers carry does not belong
 * here. */
struct err *lint_form_read(const struct cert_ext *ext, struct arena *arena)
{
    union read r;
    struct view v = ext->value;
    switch (cert_ext_id_of(ext->oid)) {
    case CERT_EXT_BASIC_CONSTRAINTS:
        return cert_ext_read_basic(v, &r.basic);
    case CERT_EXT_KEY_USAGE:
        return cert_ext_read_key_usage(v, &r.mask);
    case CERT_EXT_EXT_KEY_USAGE:
        return cert_ext_read_eku(v, arena, &r.views);
    case CERT_EXT_SAN:
        return read_san(v, arena);
    case CERT_EXT_SKI:
        return cert_ext_read_ski(v, &r.view);
    case CERT_EXT_AKI:
        return cert_ext_read_aki(v, &r.view);
    case CERT_EXT_AIA:
        return cert_ext_read_aia(v, arena, &r.aia);
    case CERT_EXT_CDP:
        return cert_ext_read_cdp(v, arena, &r.views);
    case CERT_EXT_FRESHEST_CRL:
        return cert_ext_read_freshest(v, arena, &r.views);
    case CERT_EXT_NO_CHECK:
        return cert_ext_read_no_check(v);
    case CERT_EXT_POLICIES:
        return cert_ext_read_policies(v, arena, &r.policies);
    case CERT_EXT_POLICY_CONSTRAINTS:
        return cert_ext_read_policy_constraints(v, &r.policy_constraints);
    case CERT_EXT_INHIBIT_ANY_POLICY:
        return cert_ext_read_inhibit_any(v, &r.skip);
    case CERT_EXT_TLS_FEATURE:
        return cert_ext_read_tls_features(v, &r.features);
    case CERT_EXT_NO_REV_AVAIL:
        return cert_ext_read_no_rev_avail(v);
    case CERT_EXT_SIA:
        return cert_ext_read_sia(v, arena, &r.accesses);
    case CERT_EXT_SUBJECT_DIRECTORY:
        return cert_ext_read_directory(v, arena, &r.directory);
    case CERT_EXT_MS_TEMPLATE_NAME:
        return cert_ext_read_ms_template_name(v, arena, &r.text);
    case CERT_EXT_MS_TEMPLATE:
        return cert_ext_read_ms_template(v, &r.ms_template);
    case CERT_EXT_MS_SECURITY:
        return cert_ext_read_ms_security(v, arena, &r.text);
    case CERT_EXT__COUNT:
        return cert_ext_read_custom(v);
    default:
        return NULL;
    }
}
