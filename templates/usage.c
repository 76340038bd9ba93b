/*
 * keyUsage and extendedKeyUsage: reading them from a template, and refusing what a key or a role cannot have.
 *
 * Any thread.
 */
#include "usage.h"

#include "source.h"

enum {
    USAGE_CA = CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN,
    USAGE_RSA_ONLY = CERT_KU_KEY_ENCIPHERMENT | CERT_KU_DATA_ENCIPHERMENT,
    USAGE_AGREEMENT_ONLY = CERT_KU_ENCIPHER_ONLY | CERT_KU_DECIPHER_ONLY,
};

unsigned usage_key_mask(const struct template *t, enum cert_key_kind kind)
{
    return t->key_usage.usages | (kind == CERT_KEY_RSA ? t->key_usage.rsa : 0);
}

struct cert_views usage_extended(const struct template *t)
{
    return (struct cert_views){t->ext_key_usage.oids, t->ext_key_usage.n};
}

static struct err *masks(struct load *l)
{
    struct template_key_usage *ku = &l->t->key_usage;
    const char *names[9];
    struct err *e = NULL;
    for (unsigned bit = 0; bit < 9; bit++)
        names[bit] = cert_ext_key_usage_name(bit);
    TRY(load_mask(l, load_node(l, GROUP_KEY_USAGE), "usages", &ku->usage_texts, names, 9, 0, &ku->usages));
    TRY(load_mask(l, load_node(l, GROUP_KEY_USAGE), "rsa", &ku->rsa_texts, names, 9, 0, &ku->rsa));
    TRY(load_mask(l, load_node(l, GROUP_KEY_USAGE), "allow", &ku->allow_texts, names, 9,
                  l->t->constraints.ca ? 0x1ffu : 0x1ffu & ~(unsigned)USAGE_CA, &ku->allow));
    TRY(source_load(l, GROUP_KEY_USAGE, "from", &ku->from, SOURCE_TEMPLATE | SOURCE_ASKED, SOURCE_TEMPLATE));
out:
    return e;
}

/* What fits which key: RFC 3279 2.3.1 and RFC 4055 1.2 for RSA, RFC 8813 3 for EC, RFC 8410 5 for Ed25519. */
static struct err *fits_keys(struct load *l)
{
    const struct template_key_usage *ku = &l->t->key_usage;
    unsigned rsa = 1u << CERT_KEY_RSA, ed = 1u << CERT_KEY_ED25519, keys = l->t->keys.allow;
    if ((ku->usages & USAGE_RSA_ONLY) && (keys & ~rsa))
        return load_error(
            l, GROUP_KEY_USAGE, "usages",
            "keyEncipherment and dataEncipherment are for RSA keys (RFC 8813 3): list them under 'rsa'");
    if ((ku->usages & CERT_KU_KEY_AGREEMENT) && (keys & (rsa | ed)))
        return load_error(
            l, GROUP_KEY_USAGE, "usages",
            "keyAgreement is for EC keys: keys.allow must leave out rsa and ed25519 (RFC 4055 1.2)");
    if (((ku->usages | ku->rsa) & USAGE_AGREEMENT_ONLY) && !(ku->usages & CERT_KU_KEY_AGREEMENT))
        return load_error(
            l, GROUP_KEY_USAGE, "usages",
            "encipherOnly and decipherOnly mean nothing without keyAgreement (RFC 5280 4.2.1.3)");
    if (ku->rsa && !(keys & rsa))
        return load_error(l, GROUP_KEY_USAGE, "rsa", "usages for RSA keys, but keys.allow has no rsa");
    if (ku->rsa & ~(unsigned)USAGE_RSA_ONLY)
        return load_error(l, GROUP_KEY_USAGE, "rsa",
                          "only keyEncipherment and dataEncipherment are RSA's alone");
    return NULL;
}

/* Sources other than the template count only where it says nothing. */
static struct err *left_open(struct load *l, enum group group, const struct template_from *from, bool says,
                             size_t allow_n)
{
    if (source_open(from) && says)
        return load_error(l, group, "usages", "the template comes first: leave 'usages' out, or 'from'");
    if (!source_open(from) && allow_n > 0)
        return load_error(l, group, "allow", "'allow' without request or csr under 'from'");
    return NULL;
}

struct err *usage_load_key(struct load *l)
{
    struct err *e = NULL;
    const struct template_key_usage *ku = &l->t->key_usage;
    TRY(masks(l));
    if (!l->t->nodes[GROUP_KEY_USAGE])
        return NULL;
    TRY(left_open(l, GROUP_KEY_USAGE, &ku->from, ku->usages || ku->rsa, ku->allow_texts.n));
    if (!l->t->constraints.ca && (ku->allow & USAGE_CA))
        return load_error(l, GROUP_KEY_USAGE, "allow",
                          "keyCertSign and cRLSign are for CA certificates (RFC 5280 4.2.1.3)");
    if (source_open(&ku->from))
        return NULL;
    if (!ku->usages)
        return load_error(l, GROUP_KEY_USAGE, "usages",
                          "key_usage without usages; leave the group out for no extension");
    if (!l->t->constraints.ca && (ku->usages & USAGE_CA))
        return load_error(l, GROUP_KEY_USAGE, "usages",
                          "keyCertSign and cRLSign are for CA certificates (RFC 5280 4.2.1.3)");
    if (l->t->constraints.ca && !(ku->usages & CERT_KU_KEY_CERT_SIGN))
        return load_error(l, GROUP_KEY_USAGE, "usages",
                          "a CA certificate needs keyCertSign (RFC 5280 4.2.1.9)");
    TRY(fits_keys(l));
out:
    return e;
}

static struct err *extended_oid(struct load *l, const json_t *at, const char *text, struct view *ret)
{
    struct view oid;
    struct err *e = cert_ext_eku_parse(text, l->arena, &oid);
    if (e) {
        err_free(e);
        return conf_error(l->conf, at, "'%s' is neither a known extended key usage nor a dotted OID", text);
    }
    if (cert_ext_eku_is(oid, "anyExtendedKeyUsage"))
        return conf_error(l->conf, at, "anyExtendedKeyUsage allows everything: name the uses");
    if (cert_ext_eku_is(oid, "OCSPSigning") && !l->t->head.internal)
        return conf_error(l->conf, at,
                          "OCSPSigning is not for requests: 'internal: true' is missing (RFC 6960 4.2.2.2)");
    *ret = oid;
    return NULL;
}

static struct err *extended_one(struct load *l, const json_t *at, const char *text)
{
    struct template_ext_key_usage *eku = &l->t->ext_key_usage;
    struct view oid;
    struct err *e = extended_oid(l, at, text, &oid);
    for (size_t i = 0; !e && i < eku->n; i++) {
        if (view_eq(eku->oids[i], oid))
            return conf_error(l->conf, at, "'%s' names this twice", "usages");
    }
    if (!e)
        eku->oids[eku->n++] = oid;
    return e;
}

static struct err *extended_allow(struct load *l)
{
    struct err *e = NULL;
    struct template_ext_key_usage *eku = &l->t->ext_key_usage;
    const json_t *list = json_object_get(load_node(l, GROUP_EXT_KEY_USAGE), "allow");
    eku->allow = arena_array(l->arena, eku->allow_texts.n, sizeof(eku->allow[0]));
    for (; eku->allow_n < eku->allow_texts.n; eku->allow_n++)
        TRY(extended_oid(l, json_array_get(list, eku->allow_n), eku->allow_texts.items[eku->allow_n],
                         &eku->allow[eku->allow_n]));
out:
    return e;
}

struct err *usage_load_extended(struct load *l)
{
    struct err *e = NULL;
    struct template_ext_key_usage *eku = &l->t->ext_key_usage;
    const json_t *list = json_object_get(load_node(l, GROUP_EXT_KEY_USAGE), "usages");
    TRY(source_load(l, GROUP_EXT_KEY_USAGE, "from", &eku->from, SOURCE_TEMPLATE | SOURCE_ASKED,
                    SOURCE_TEMPLATE));
    TRY(left_open(l, GROUP_EXT_KEY_USAGE, &eku->from, eku->usage_texts.n > 0, eku->allow_texts.n));
    TRY(extended_allow(l));
    eku->oids = arena_array(l->arena, eku->usage_texts.n, sizeof(eku->oids[0]));
    for (size_t i = 0; i < eku->usage_texts.n; i++)
        TRY(extended_one(l, json_array_get(list, i), eku->usage_texts.items[i]));
    if (source_open(&eku->from))
        return NULL;
    bool meant = json_object_get(l->t->head.overrides_tree, "any-purpose") != NULL;
    if (eku->n == 0 && !l->t->constraints.ca && !meant)
        return load_error(l, GROUP_EXT_KEY_USAGE, "usages",
                          "extended_key_usage.usages is missing: without it a certificate is good for "
                          "anything; if this is meant: "
                          "overrides: {any-purpose: REASON}");
    if (eku->n == 0 && l->t->nodes[GROUP_EXT_KEY_USAGE] && !load_given(l, GROUP_EXT_KEY_USAGE, "other"))
        return load_error(l, GROUP_EXT_KEY_USAGE, "usages",
                          "extended_key_usage without usages; leave the group out");
    if (l->t->pointers.ocsp_nocheck && !cert_ext_eku_has(usage_extended(l->t), "OCSPSigning"))
        return load_error(l, GROUP_POINTERS, "ocsp_nocheck",
                          "ocsp_nocheck is for OCSPSigning (RFC 6960 4.2.2.2.1)");
out:
    return e;
}
