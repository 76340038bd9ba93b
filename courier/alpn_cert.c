/*
 * What RFC 8737 3 asks of the certificate: self-signed, exactly one name and that the one being checked, and
 * the digest of the key authorization in a critical acmeIdentifier. Read by OpenSSL; any thread.
 */
#include "alpn_cert.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/digest.h"

/* The final OID alone; drafts before the RFC had another. */
static const char acme_identifier[] = "1.3.6.1.5.5.7.1.31";

static bool name_is(const GENERAL_NAME *name, const struct courier_check *check)
{
    struct in6_addr wanted;
    if (name->type == GEN_DNS && !check->ip) {
        const ASN1_STRING *s = name->d.dNSName;
        return view_eq_nocase(view_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)),
                              view_str(check->identifier));
    }
    if (name->type != GEN_IPADD || !check->ip || !net_address(check->identifier, &wanted))
        return false;
    bool v4 = IN6_IS_ADDR_V4MAPPED(&wanted);
    const ASN1_STRING *s = name->d.iPAddress;
    return view_eq(view_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)),
                   v4 ? view_of(wanted.s6_addr + 12, 4) : view_of(&wanted, sizeof wanted));
}

static const char *names_fault(X509 *cert, const struct courier_check *check)
{
    int times = 0; /* -1: none; -2: more than once */
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, &times, NULL);
    const char *fault = NULL;
    if (!names)
        fault = times == -2 ? "has subjectAltName more than once" : "has no subjectAltName";
    else if (sk_GENERAL_NAME_num(names) != 1)
        fault = "has more than one name (RFC 8737 3)";
    else if (!name_is(sk_GENERAL_NAME_value(names, 0), check))
        fault = "is for another name";
    GENERAL_NAMES_free(names);
    return fault;
}

static const char *digest_fault(X509 *cert, const struct courier_check *check)
{
    /* OCTET STRING of 32 octets, as DER within the extension's own OCTET STRING. */
    uint8_t wanted[2 + SHA256_BYTES] = {V_ASN1_OCTET_STRING, SHA256_BYTES};
    ASN1_OBJECT *oid = OBJ_txt2obj(acme_identifier, 1);
    int at = oid ? X509_get_ext_by_OBJ(cert, oid, -1) : -1;
    bool again = at >= 0 && X509_get_ext_by_OBJ(cert, oid, at) >= 0;
    ASN1_OBJECT_free(oid);
    if (at < 0)
        return "has no acmeIdentifier extension (RFC 8737 3)";
    X509_EXTENSION *ext = X509_get_ext(cert, at);
    const ASN1_STRING *value = X509_EXTENSION_get_data(ext);
    if (again)
        return "has acmeIdentifier more than once";
    if (!X509_EXTENSION_get_critical(ext))
        return "has an acmeIdentifier that is not critical (RFC 8737 3)";
    digest_sha256(view_str(check->key_authorization), wanted + 2);
    if (!view_eq(view_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)),
                 view_of(wanted, sizeof wanted)))
        return "has the digest of another key authorization";
    return NULL;
}

const char *alpn_cert_fault(X509 *cert, const struct courier_check *check)
{
    const char *fault = names_fault(cert, check);
    if (!fault)
        fault = digest_fault(cert, check);
    if (!fault && X509_self_signed(cert, 1) != 1)
        fault = "is not signed by its own key (RFC 8737 3)";
    ERR_clear_error();
    return fault;
}
