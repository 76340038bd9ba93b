/*
 * Which of RFC 5280's revocation reasons may be given for an end entity's certificate. Pure; any thread.
 */
#include "ca_revoke.h"

static bool may_be_given(enum cert_reason reason)
{
    switch (reason) {
    case CERT_REASON_CA_COMPROMISE:   /* for a CA's certificate: revoked at its parent */
    case CERT_REASON_AA_COMPROMISE:   /* attribute authorities: not ours */
    case CERT_REASON_REMOVE_FROM_CRL: /* no reason but a mark in delta CRLs */
        return false;
    default:
        return true;
    }
}

struct err *ca_reason_parse(const char *text, enum cert_reason *ret)
{
    enum cert_reason reason;
    struct err *e = cert_crl_reason_parse(view_str(text), &reason);
    if (!e && may_be_given(reason)) {
        *ret = reason;
        return NULL;
    }
    err_free(e);
    return err_new(
        ERR_BAD_FIELD,
        "'%.40s' is no revocation reason of RFC 5280 5.3.1 for an end entity's certificate: unspecified, "
        "keyCompromise, affiliationChanged, superseded, cessationOfOperation, certificateHold or "
        "privilegeWithdrawn",
        text);
}
