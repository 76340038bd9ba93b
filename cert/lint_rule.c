/*
 * Extensions that bind or describe, in two readings: usages, policies, constraints on policies and names, TLS
 * features, Microsoft's.
 *
 * Uses OpenSSL's decoder on purpose (lint.c). Any thread.
 */
#include <openssl/x509v3.h>

#include "cert/ext_constraints.h"
#include "cert/ext_custom.h"
#include "cert/ext_microsoft.h"
#include "cert/ext_policy.h"
#include "lint_ext.h"

/* -1: not there. */
static bool same_number(const ASN1_INTEGER *theirs, int ours)
{
    return theirs ? ASN1_INTEGER_get(theirs) == ours : ours < 0;
}

struct err *lint_rule_eku(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    struct cert_views ours;
    EXTENDED_KEY_USAGE *theirs = NULL;
    TRY(cert_ext_read_eku(ext->value, arena, &ours));
    theirs = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
    bool same = theirs && (size_t)sk_ASN1_OBJECT_num(theirs) == ours.n;
    for (size_t i = 0; same && i < ours.n; i++)
        same = lint_ext_same_oid(sk_ASN1_OBJECT_value(theirs, (int)i), ours.v[i]);
    if (!same)
        e = lint_ext_differs("extKeyUsage");
out:
    EXTENDED_KEY_USAGE_free(theirs);
    return e;
}

/* --- policies --- */

static bool same_qualifier(const POLICYQUALINFO *theirs, const struct cert_policy_qualifier *ours)
{
    int nid = OBJ_obj2nid(theirs->pqualid);
    if (!ours->notice)
        return nid == NID_id_qt_cps && lint_ext_same_text(theirs->d.cpsuri, ours->text);
    return nid == NID_id_qt_unotice && !theirs->d.usernotice->noticeref &&
           lint_ext_same_text(theirs->d.usernotice->exptext, ours->text);
}

static bool same_policy(const POLICYINFO *theirs, const struct cert_policy *ours)
{
    int n = theirs->qualifiers ? sk_POLICYQUALINFO_num(theirs->qualifiers) : 0;
    bool same = lint_ext_same_oid(theirs->policyid, ours->oid) && (size_t)n == ours->n;
    for (size_t i = 0; same && i < ours->n; i++)
        same = same_qualifier(sk_POLICYQUALINFO_value(theirs->qualifiers, (int)i), &ours->qualifiers[i]);
    return same;
}

struct err *lint_rule_policies(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    struct cert_policies ours;
    CERTIFICATEPOLICIES *theirs = NULL;
    TRY(cert_ext_read_policies(ext->value, arena, &ours));
    theirs = X509_get_ext_d2i(x, NID_certificate_policies, NULL, NULL);
    bool same = theirs && (size_t)sk_POLICYINFO_num(theirs) == ours.n;
    for (size_t i = 0; same && i < ours.n; i++)
        same = same_policy(sk_POLICYINFO_value(theirs, (int)i), &ours.v[i]);
    if (!same)
        e = lint_ext_differs("certificatePolicies");
out:
    CERTIFICATEPOLICIES_free(theirs);
    return e;
}

struct err *lint_rule_policy_constraints(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    struct cert_policy_constraints ours;
    POLICY_CONSTRAINTS *theirs = NULL;
    (void)arena;
    TRY(cert_ext_read_policy_constraints(ext->value, &ours));
    theirs = X509_get_ext_d2i(x, NID_policy_constraints, NULL, NULL);
    if (!theirs || !same_number(theirs->requireExplicitPolicy, ours.require_explicit) ||
        !same_number(theirs->inhibitPolicyMapping, ours.inhibit_mapping))
        e = lint_ext_differs("policyConstraints");
out:
    POLICY_CONSTRAINTS_free(theirs);
    return e;
}

struct err *lint_rule_inhibit_any(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    int ours = -1;
    ASN1_INTEGER *theirs = NULL;
    (void)arena;
    TRY(cert_ext_read_inhibit_any(ext->value, &ours));
    theirs = X509_get_ext_d2i(x, NID_inhibit_any_policy, NULL, NULL);
    if (!theirs || !same_number(theirs, ours))
        e = lint_ext_differs("inhibitAnyPolicy");
out:
    ASN1_INTEGER_free(theirs);
    return e;
}

/* --- name constraints --- */

static bool same_subtree(const GENERAL_SUBTREE *theirs, const struct cert_subtree *ours)
{
    static const int types[] = {[CERT_SAN_DNS] = GEN_DNS,
                                [CERT_SAN_IP] = GEN_IPADD,
                                [CERT_SAN_URI] = GEN_URI,
                                [CERT_SAN_EMAIL] = GEN_EMAIL};
    int type = 0;
    const void *value = GENERAL_NAME_get0_value(theirs->base, &type);
    if (theirs->minimum || theirs->maximum)
        return false;
    if (ours->kind == CERT_SAN_DIRECTORY) {
        const uint8_t *p = NULL;
        size_t n = 0;
        return type == GEN_DIRNAME && X509_NAME_get0_der(value, &p, &n) == 1 &&
               view_eq(view_of(p, n), ours->value);
    }
    return type == types[ours->kind] && lint_ext_same_text(value, ours->value);
}

static bool same_subtrees(const STACK_OF(GENERAL_SUBTREE) * theirs, struct cert_subtrees ours)
{
    size_t n = theirs ? (size_t)sk_GENERAL_SUBTREE_num(theirs) : 0;
    bool same = n == ours.n;
    for (size_t i = 0; same && i < n; i++)
        same = same_subtree(sk_GENERAL_SUBTREE_value(theirs, (int)i), &ours.v[i]);
    return same;
}

struct err *lint_rule_constraints(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    struct cert_constraints ours;
    NAME_CONSTRAINTS *theirs = NULL;
    TRY(cert_ext_read_constraints(ext->value, arena, &ours));
    theirs = X509_get_ext_d2i(x, NID_name_constraints, NULL, NULL);
    if (!theirs || !same_subtrees(theirs->permittedSubtrees, ours.permitted) ||
        !same_subtrees(theirs->excludedSubtrees, ours.excluded))
        e = lint_ext_differs("nameConstraints");
out:
    NAME_CONSTRAINTS_free(theirs);
    return e;
}

/* --- features, and what OpenSSL has no type for --- */

struct err *lint_rule_tls_features(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    struct cert_tls_features ours;
    TLS_FEATURE *theirs = NULL;
    (void)arena;
    TRY(cert_ext_read_tls_features(ext->value, &ours));
    theirs = X509_get_ext_d2i(x, NID_tlsfeature, NULL, NULL);
    bool same = theirs && (size_t)sk_ASN1_INTEGER_num(theirs) == ours.n;
    for (size_t i = 0; same && i < ours.n; i++)
        same = same_number(sk_ASN1_INTEGER_value(theirs, (int)i), (int)ours.v[i]);
    if (!same)
        e = lint_ext_differs("tlsFeature");
out:
    TLS_FEATURE_free(theirs);
    return e;
}

struct err *lint_rule_template_name(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    const char *ours = NULL;
    const uint8_t *p = ext->value.p;
    uint8_t *utf8 = NULL;
    ASN1_BMPSTRING *theirs = NULL;
    (void)x; /* OpenSSL knows the string, not the extension */
    TRY(cert_ext_read_ms_template_name(ext->value, arena, &ours));
    theirs = d2i_ASN1_BMPSTRING(NULL, &p, (long)ext->value.n);
    int n = theirs ? ASN1_STRING_to_UTF8(&utf8, theirs) : -1;
    if (n < 0 || !view_eq_str(view_of(utf8, (size_t)n), ours))
        e = lint_ext_differs("msCertificateTemplateName");
out:
    OPENSSL_free(utf8);
    ASN1_BMPSTRING_free(theirs);
    return e;
}

static struct err *read_ours(const struct cert_ext *ext, struct arena *arena)
{
    struct cert_directory directory;
    struct cert_ms_template t;
    const char *sid = NULL;
    switch (cert_ext_id_of(ext->oid)) {
    case CERT_EXT_NO_REV_AVAIL:
        return cert_ext_read_no_rev_avail(ext->value);
    case CERT_EXT_NO_CHECK:
        return cert_ext_read_no_check(ext->value);
    case CERT_EXT_SUBJECT_DIRECTORY:
        return cert_ext_read_directory(ext->value, arena, &directory);
    case CERT_EXT_MS_TEMPLATE:
        return cert_ext_read_ms_template(ext->value, &t);
    default:
        return cert_ext_read_ms_security(ext->value, arena, &sid);
    }
}

struct err *lint_rule_element(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    const uint8_t *p = ext->value.p;
    (void)x;
    TRY(read_ours(ext, arena));
    TRY(cert_ext_read_custom(ext->value));
    ASN1_TYPE *theirs = d2i_ASN1_TYPE(NULL, &p, (long)ext->value.n);
    if (!theirs || p != ext->value.p + ext->value.n)
        e = lint_ext_differs(cert_ext_label(ext->oid, arena));
    ASN1_TYPE_free(theirs);
out:
    return e;
}
