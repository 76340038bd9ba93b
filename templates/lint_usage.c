/*
 * Lint: rules about what a key may be used for (keyUsage, extendedKeyUsage, and the kind of key).
 *
 * A pure function of the certificate. Any thread.
 */
#include "lint.h"

enum {
    ENCIPHER = CERT_KU_KEY_ENCIPHERMENT | CERT_KU_DATA_ENCIPHERMENT,
    SIGN = CERT_KU_DIGITAL_SIGNATURE | CERT_KU_CONTENT_COMMITMENT,
};

const char *lint_cert_sign(const struct linted *l)
{
    return !l->basic.ca && (l->usage & CERT_KU_KEY_CERT_SIGN) ? "keyCertSign without CA:TRUE" : NULL;
}

const char *lint_ca_usage(const struct linted *l)
{
    bool signs = l->usage & (CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN);
    return l->basic.ca && !signs ? "a CA certificate without keyCertSign and cRLSign" : NULL;
}

const char *lint_usage_critical(const struct linted *l)
{
    return l->has_usage && !cert_tbs_ext(l->tbs, CERT_EXT_KEY_USAGE)->critical ? "keyUsage is not critical"
                                                                               : NULL;
}

const char *lint_usage_only(const struct linted *l)
{
    bool only = l->usage & (CERT_KU_ENCIPHER_ONLY | CERT_KU_DECIPHER_ONLY);
    return only && !(l->usage & CERT_KU_KEY_AGREEMENT) ? "encipherOnly or decipherOnly without keyAgreement"
                                                       : NULL;
}

const char *lint_usage_ec(const struct linted *l)
{
    bool ec = l->key.kind == CERT_KEY_P256 || l->key.kind == CERT_KEY_P384 || l->key.kind == CERT_KEY_P521;
    return ec && (l->usage & ENCIPHER) ? "keyEncipherment or dataEncipherment with an EC key" : NULL;
}

const char *lint_usage_rsa(const struct linted *l)
{
    return l->key.kind == CERT_KEY_RSA && (l->usage & CERT_KU_KEY_AGREEMENT) ? "keyAgreement with an RSA key"
                                                                             : NULL;
}

const char *lint_usage_ed(const struct linted *l)
{
    return l->key.kind == CERT_KEY_ED25519 && (l->usage & (ENCIPHER | CERT_KU_KEY_AGREEMENT))
               ? "keyEncipherment, dataEncipherment or keyAgreement with an Ed25519 key"
               : NULL;
}

/* RFC 5280 4.2.1.12 names for each use the key usages that may be consistent with it: one of them must be
 * there.
 */
static const struct {
    const char *eku;
    unsigned any_of;
} needs[] = {
    {"serverAuth", CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_ENCIPHERMENT | CERT_KU_KEY_AGREEMENT},
    {"clientAuth", CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_AGREEMENT},
    {"codeSigning", CERT_KU_DIGITAL_SIGNATURE},
    {"emailProtection", SIGN | CERT_KU_KEY_ENCIPHERMENT | CERT_KU_KEY_AGREEMENT},
    {"timeStamping", SIGN},
    {"OCSPSigning", SIGN},
};

const char *lint_eku_usage(const struct linted *l)
{
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]) && l->has_usage && !l->basic.ca; i++) {
        if (cert_ext_eku_has(l->eku, needs[i].eku) && !(l->usage & needs[i].any_of))
            return arena_printf(l->arena, "%s without a key usage that it needs", needs[i].eku);
    }
    return NULL;
}

static bool eku_critical(const struct linted *l)
{
    const struct cert_ext *eku = cert_tbs_ext(l->tbs, CERT_EXT_EXT_KEY_USAGE);
    return eku && eku->critical;
}

const char *lint_eku_any(const struct linted *l)
{
    return eku_critical(l) && cert_ext_eku_has(l->eku, "anyExtendedKeyUsage")
               ? "anyExtendedKeyUsage in a critical extension"
               : NULL;
}

const char *lint_eku_stamping(const struct linted *l)
{
    if (!cert_ext_eku_has(l->eku, "timeStamping") || l->basic.ca)
        return NULL;
    return l->eku.n > 1 || !eku_critical(l) ? "timeStamping must stand alone and be critical" : NULL;
}

const char *lint_eku_ocsp(const struct linted *l)
{
    bool says = cert_tbs_ext(l->tbs, CERT_EXT_NO_CHECK) || cert_tbs_ext(l->tbs, CERT_EXT_CDP) ||
                cert_tbs_ext(l->tbs, CERT_EXT_AIA);
    return cert_ext_eku_has(l->eku, "OCSPSigning") && !says ? "nothing says how its own status is learned"
                                                            : NULL;
}

const char *lint_tls_eku(const struct linted *l)
{
    for (size_t i = 0; i < l->eku.n; i++) {
        if (!cert_ext_eku_is(l->eku.v[i], "serverAuth") && !cert_ext_eku_is(l->eku.v[i], "clientAuth"))
            return arena_printf(l->arena, "%s beside serverAuth", cert_ext_eku_text(l->eku.v[i], l->arena));
    }
    return NULL;
}
