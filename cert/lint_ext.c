/*
 * Extensions of a certificate in two readings: raw, one by one, and what the well-known ones mean (more of
 * them in lint_point.c and lint_rule.c).
 *
 * Uses OpenSSL's decoder on purpose (lint.c). Any thread.
 */
#include "lint_ext.h"

#include <openssl/x509v3.h>

bool lint_ext_same_oid(const ASN1_OBJECT *theirs, struct view ours)
{
    return view_eq(view_of(OBJ_get0_data(theirs), OBJ_length(theirs)), ours);
}

bool lint_ext_same_text(const ASN1_STRING *theirs, struct view ours)
{
    return theirs &&
           view_eq(view_of(ASN1_STRING_get0_data(theirs), (size_t)ASN1_STRING_length(theirs)), ours);
}

static struct err *compare_raw(X509_EXTENSION *theirs, const struct cert_ext *ours, struct arena *arena)
{
    const ASN1_OBJECT *object = X509_EXTENSION_get_object(theirs);
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(theirs);
    bool same = view_eq(view_of(OBJ_get0_data(object), OBJ_length(object)), ours->oid) &&
                (X509_EXTENSION_get_critical(theirs) != 0) == ours->critical &&
                view_eq(view_of(value->data, (size_t)value->length), ours->value);
    return same ? NULL : lint_ext_differs(cert_ext_label(ours->oid, arena));
}

static struct err *compare_basic(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    (void)arena;
    struct cert_basic basic;
    TRY(cert_ext_read_basic(ext->value, &basic));
    bool ca = (X509_get_extension_flags(x) & EXFLAG_CA) != 0;
    if (ca != basic.ca || X509_get_pathlen(x) != basic.path_len)
        return lint_ext_differs("basicConstraints");
out:
    return e;
}

/* OpenSSL keeps the octets of the BIT STRING: first octet low, its highest bit first. */
static struct err *compare_key_usage(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    (void)arena;
    unsigned mask = 0;
    uint32_t theirs = X509_get_key_usage(x), ours = 0;
    TRY(cert_ext_read_key_usage(ext->value, &mask));
    for (unsigned bit = 0; bit < 9; bit++) {
        if (mask >> bit & 1)
            ours |= bit < 8 ? 0x80u >> bit : 0x8000u;
    }
    if (ours != theirs)
        return lint_ext_differs("keyUsage");
out:
    return e;
}

static bool same_upn(const GENERAL_NAME *theirs, struct view upn)
{
    ASN1_OBJECT *type = NULL;
    ASN1_TYPE *value = NULL;
    return GENERAL_NAME_get0_otherName(theirs, &type, &value) == 1 && OBJ_obj2nid(type) == NID_ms_upn &&
           value->type == V_ASN1_UTF8STRING &&
           view_eq(view_of(value->value.utf8string->data, (size_t)value->value.utf8string->length), upn);
}

static bool same_other(const GENERAL_NAME *theirs, const struct cert_san *ours)
{
    const uint8_t *p = NULL;
    size_t n = 0;
    switch (ours->kind) {
    case CERT_SAN_UPN:
        return same_upn(theirs, ours->value);
    case CERT_SAN_DIRECTORY:
        return theirs->type == GEN_DIRNAME && X509_NAME_get0_der(theirs->d.directoryName, &p, &n) == 1 &&
               view_eq(view_of(p, n), ours->value);
    case CERT_SAN_RID:
        return theirs->type == GEN_RID &&
               view_eq(view_of(OBJ_get0_data(theirs->d.rid), OBJ_length(theirs->d.rid)), ours->value);
    default:
        return theirs->type == GEN_OTHERNAME; /* compared raw */
    }
}

static bool same_san(const GENERAL_NAME *theirs, const struct cert_san *ours)
{
    static const int types[] = {[CERT_SAN_DNS] = GEN_DNS,
                                [CERT_SAN_IP] = GEN_IPADD,
                                [CERT_SAN_URI] = GEN_URI,
                                [CERT_SAN_EMAIL] = GEN_EMAIL};
    int type = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(theirs, &type);
    if (ours->kind >= CERT_SAN_OTHER)
        return same_other(theirs, ours);
    return type == types[ours->kind] &&
           view_eq_nocase(view_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)),
                          ours->value);
}

static struct err *compare_san(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    struct cert_san *sans = NULL;
    const struct cert_san_limits limits = {.max = SIZE_MAX, .allow_other = true};
    size_t n = 0;
    GENERAL_NAMES *names = NULL;
    TRY(cert_san_read(ext->value, &limits, arena, &sans, &n));
    names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    bool same = names && (size_t)sk_GENERAL_NAME_num(names) == n;
    for (size_t i = 0; same && i < n; i++)
        same = same_san(sk_GENERAL_NAME_value(names, (int)i), &sans[i]);
    if (!same)
        e = lint_ext_differs("subjectAltName");
out:
    GENERAL_NAMES_free(names);
    return e;
}

static struct err *compare_ski(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    struct view id;
    (void)arena;
    TRY(cert_ext_read_ski(ext->value, &id));
    if (!lint_ext_same_text(X509_get0_subject_key_id(x), id))
        return lint_ext_differs("subjectKeyIdentifier");
out:
    return e;
}

static struct err *compare_aki(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    struct view id;
    (void)arena;
    TRY(cert_ext_read_aki(ext->value, &id));
    if (!lint_ext_same_text(X509_get0_authority_key_id(x), id))
        return lint_ext_differs("authorityKeyIdentifier");
out:
    return e;
}

/* Those without a row are compared raw alone. */
static lint_ext_meaning *const meanings[CERT_EXT__COUNT + 1] = {
    [CERT_EXT_BASIC_CONSTRAINTS] = compare_basic,
    [CERT_EXT_KEY_USAGE] = compare_key_usage,
    [CERT_EXT_EXT_KEY_USAGE] = lint_rule_eku,
    [CERT_EXT_SAN] = compare_san,
    [CERT_EXT_SKI] = compare_ski,
    [CERT_EXT_AKI] = compare_aki,
    [CERT_EXT_AIA] = lint_point_aia,
    [CERT_EXT_SIA] = lint_point_sia,
    [CERT_EXT_CDP] = lint_point_cdp,
    [CERT_EXT_FRESHEST_CRL] = lint_point_freshest,
    [CERT_EXT_POLICIES] = lint_rule_policies,
    [CERT_EXT_POLICY_CONSTRAINTS] = lint_rule_policy_constraints,
    [CERT_EXT_INHIBIT_ANY_POLICY] = lint_rule_inhibit_any,
    [CERT_EXT_NAME_CONSTRAINTS] = lint_rule_constraints,
    [CERT_EXT_TLS_FEATURE] = lint_rule_tls_features,
    [CERT_EXT_NO_CHECK] = lint_rule_element,
    [CERT_EXT_NO_REV_AVAIL] = lint_rule_element,
    [CERT_EXT_SUBJECT_DIRECTORY] = lint_rule_element,
    [CERT_EXT_MS_TEMPLATE_NAME] = lint_rule_template_name,
    [CERT_EXT_MS_TEMPLATE] = lint_rule_element,
    [CERT_EXT_MS_SECURITY] = lint_rule_element,
};

struct err *lint_ext_compare(X509 *x, const struct cert_tbs *tbs, struct arena *arena)
{
    struct err *e = NULL;
    if ((size_t)X509_get_ext_count(x) != tbs->ext_count)
        return lint_ext_differs("number of extensions");
    for (size_t i = 0; i < tbs->ext_count; i++) {
        TRY(compare_raw(X509_get_ext(x, (int)i), &tbs->exts[i], arena));
        lint_ext_meaning *meaning = meanings[cert_ext_id_of(tbs->exts[i].oid)];
        if (meaning)
            TRY(meaning(x, &tbs->exts[i], arena));
    }
    if (X509_get_extension_flags(x) & EXFLAG_INVALID)
        return lint_ext_differs("OpenSSL takes an extension for invalid");
out:
    return e;
}
