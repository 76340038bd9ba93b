/*
 * Extensions that point somewhere, in two readings: accesses, distribution points, freshest lists.
 *
 * Uses OpenSSL's decoder on purpose (lint.c). Any thread.
 */
#include <openssl/x509v3.h>

#include "cert/ext_access.h"
#include "lint_ext.h"

static bool same_uri(const GENERAL_NAME *theirs, struct view ours)
{
    int type = 0;
    const ASN1_STRING *uri = GENERAL_NAME_get0_value(theirs, &type);
    return type == GEN_URI &&
           view_eq(view_of(ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri)), ours);
}

/* URIs of one method, in their order. */
static bool same_method(const AUTHORITY_INFO_ACCESS *theirs, int nid, struct cert_views ours)
{
    size_t seen = 0;
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(theirs); i++) {
        const ACCESS_DESCRIPTION *access = sk_ACCESS_DESCRIPTION_value(theirs, i);
        if (OBJ_obj2nid(access->method) != nid)
            continue;
        if (seen == ours.n || !same_uri(access->location, ours.v[seen]))
            return false;
        seen++;
    }
    return seen == ours.n;
}

struct err *lint_point_aia(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    struct cert_aia aia;
    AUTHORITY_INFO_ACCESS *theirs = NULL;
    TRY(cert_ext_read_aia(ext->value, arena, &aia));
    theirs = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
    if (!theirs || (size_t)sk_ACCESS_DESCRIPTION_num(theirs) != aia.ocsp.n + aia.ca_issuers.n ||
        !same_method(theirs, NID_ad_OCSP, aia.ocsp) ||
        !same_method(theirs, NID_ad_ca_issuers, aia.ca_issuers))
        e = lint_ext_differs("authorityInfoAccess");
out:
    AUTHORITY_INFO_ACCESS_free(theirs);
    return e;
}

struct err *lint_point_sia(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    struct cert_accesses ours;
    AUTHORITY_INFO_ACCESS *theirs = NULL;
    TRY(cert_ext_read_sia(ext->value, arena, &ours));
    theirs = X509_get_ext_d2i(x, NID_sinfo_access, NULL, NULL);
    bool same = theirs && (size_t)sk_ACCESS_DESCRIPTION_num(theirs) == ours.n;
    for (size_t i = 0; same && i < ours.n; i++) {
        const ACCESS_DESCRIPTION *access = sk_ACCESS_DESCRIPTION_value(theirs, (int)i);
        same =
            lint_ext_same_oid(access->method, ours.v[i].method) && same_uri(access->location, ours.v[i].uri);
    }
    if (!same)
        e = lint_ext_differs("subjectInfoAccess");
out:
    AUTHORITY_INFO_ACCESS_free(theirs);
    return e;
}

static bool same_point(const DIST_POINT *theirs, struct view uri)
{
    const DIST_POINT_NAME *name = theirs->distpoint;
    return name && name->type == 0 && !theirs->reasons && !theirs->CRLissuer &&
           sk_GENERAL_NAME_num(name->name.fullname) == 1 &&
           same_uri(sk_GENERAL_NAME_value(name->name.fullname, 0), uri);
}

static struct err *compare_points(X509 *x, int nid, struct cert_views ours, const char *field)
{
    CRL_DIST_POINTS *theirs = X509_get_ext_d2i(x, nid, NULL, NULL);
    bool same = theirs && (size_t)sk_DIST_POINT_num(theirs) == ours.n;
    for (size_t i = 0; same && i < ours.n; i++)
        same = same_point(sk_DIST_POINT_value(theirs, (int)i), ours.v[i]);
    CRL_DIST_POINTS_free(theirs);
    return same ? NULL : lint_ext_differs(field);
}

struct err *lint_point_cdp(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    struct cert_views uris;
    TRY(cert_ext_read_cdp(ext->value, arena, &uris));
    TRY(compare_points(x, NID_crl_distribution_points, uris, "cRLDistributionPoints"));
out:
    return e;
}

struct err *lint_point_freshest(X509 *x, const struct cert_ext *ext, struct arena *arena)
{
    struct err *e = NULL;
    struct cert_views uris;
    TRY(cert_ext_read_freshest(ext->value, arena, &uris));
    TRY(compare_points(x, NID_freshest_crl, uris, "freshestCRL"));
out:
    return e;
}
