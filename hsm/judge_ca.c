/*
 * Floors of CA certificates, which only a ceremony asks for: the key is in the token or has shown itself, the
 * signer above allows it, the subject is no other issuer's, and the template (root, sub-ca, cross-ca) agrees.
 * Any thread.
 */
#include "judge.h"

#include "base/limits.h"

static struct err *check_basic(const struct house_issuer *issuer, const struct cert_tbs *tbs)
{
    struct err *e = NULL;
    struct cert_basic basic;
    unsigned usage;
    const struct cert_ext *ext = cert_tbs_ext(tbs, CERT_EXT_BASIC_CONSTRAINTS);
    if (!ext || !ext->critical)
        return err_new(ERR_FLOOR, "a CA certificate needs critical basicConstraints (RFC 5280 4.2.1.9)");
    TRY(cert_ext_read_basic(ext->value, &basic));
    if (!basic.ca)
        TRY(err_new(ERR_FLOOR, "CA:FALSE in a CA certificate"));
    if (issuer && issuer->path_len == 0)
        TRY(err_new(ERR_FLOOR, "the path length of %s allows no CA below it (RFC 5280 4.2.1.9)",
                    issuer->name));
    if (issuer && issuer->path_len > 0 && (basic.path_len < 0 || basic.path_len >= issuer->path_len))
        TRY(err_new(ERR_FLOOR, "the path length is not below that of %s", issuer->name));
    ext = cert_tbs_ext(tbs, CERT_EXT_KEY_USAGE);
    if (!ext)
        TRY(err_new(ERR_FLOOR, "a CA certificate needs keyUsage (RFC 5280 4.2.1.3)"));
    TRY(cert_ext_read_key_usage(ext->value, &usage));
    if (usage & ~(unsigned)(CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN | CERT_KU_DIGITAL_SIGNATURE))
        TRY(err_new(ERR_FLOOR, "a CA's key signs certificates and lists, and nothing else"));
    if (cert_tbs_ext(tbs, CERT_EXT_EXT_KEY_USAGE) || cert_tbs_ext(tbs, CERT_EXT_NO_CHECK))
        TRY(err_new(ERR_FLOOR, "extended key usage or id-pkix-ocsp-nocheck in a CA certificate"));
out:
    return e;
}

static struct err *check_self_signed(const struct judge_ca_case *c, const struct cert_tbs *tbs)
{
    struct cert_key key;
    struct err *e = cert_key_parse(c->spki, &key);
    if (e)
        return e;
    if (!view_eq(tbs->issuer, tbs->subject))
        return err_new(ERR_FLOOR, "issuer and subject of a self-signed certificate differ");
    if (!cert_alg_fits(tbs->alg, key.kind))
        return err_new(ERR_FLOOR, "the algorithm does not fit the key");
    return NULL;
}

static struct err *check_signed(const struct house_issuer *issuer, const struct cert_tbs *tbs)
{
    struct err *e = NULL;
    struct view aki;
    const struct cert_ext *ext = cert_tbs_ext(tbs, CERT_EXT_AKI);
    if (!view_eq(tbs->issuer, issuer->facts.subject))
        return err_new(ERR_FLOOR, "the issuer's name is not that of %s", issuer->name);
    if (tbs->alg != issuer->facts.alg)
        return err_new(ERR_FLOOR, "the algorithm is not that with which %s signs", issuer->name);
    if (!ext)
        return err_new(ERR_FLOOR, "no authority key identifier (RFC 5280 4.2.1.1)");
    TRY(cert_ext_read_aki(ext->value, &aki));
    if (!view_eq(aki, issuer->facts.key_id))
        TRY(err_new(ERR_FLOOR, "the authority key identifier is not that of %s", issuer->name));
    if (tbs->not_after > issuer->facts.not_after)
        TRY(err_new(ERR_FLOOR, "notAfter is past the issuer's own"));
out:
    return e;
}

static struct err *check_dates(const struct cert_tbs *tbs, int64_t now)
{
    if (tbs->not_before < now - JUDGE_BACKDATE_S || tbs->not_before > now + JUDGE_AHEAD_S)
        return err_new(ERR_FLOOR, "notBefore is not now by the vault's clock");
    if (tbs->not_after <= now || tbs->not_after - tbs->not_before > JUDGE_CA_S)
        return err_new(ERR_FLOOR, "notAfter is past, or further away than forty years");
    return NULL;
}

/* A root's template is judged with the root as its own issuer. */
static struct templates_issuer issuer_facts(const struct judge_ca_case *c, const struct cert_tbs *tbs,
                                            const struct cert_key *key, uint8_t key_id[SHA1_BYTES])
{
    if (c->issuer)
        return c->issuer->facts;
    cert_key_sha1(key, key_id);
    return (struct templates_issuer){.name = c->name,
                                     .subject = tbs->subject,
                                     .key_id = view_of(key_id, SHA1_BYTES),
                                     .alg = tbs->alg,
                                     .not_before = tbs->not_before,
                                     .not_after = INT64_MAX,
                                     .base_url = c->house->base_url};
}

/* The key that the certificate is for: in the token under this name, or elsewhere and proven. */
static struct err *check_key(const struct judge_ca_case *c, const struct cert_tbs *tbs, struct arena *arena,
                             bool *ret_crossed)
{
    struct err *e = NULL;
    struct judge_proof_found proof;
    *ret_crossed = false;
    if (c->proof.n == 0 && !view_eq(tbs->spki, c->spki))
        return err_new(ERR_FLOOR, "the key is not the one labelled %s in the token", c->name);
    if (c->proof.n == 0)
        return NULL;
    TRY(judge_proof(c->proof, arena, &proof));
    if (!view_eq(tbs->spki, proof.spki))
        TRY(err_new(ERR_FLOOR, "the key is not the one that the request or certificate was signed with"));
    *ret_crossed = proof.subject.n > 0;
    if (*ret_crossed && !view_eq(tbs->subject, proof.subject))
        TRY(err_new(ERR_FLOOR, "a cross-certificate keeps the subject of the certificate it stands beside"));
out:
    return e;
}

/* A cross-certificate may be for an issuer of this house: then subject and key are both that one's. */
static struct err *check_crossed(const struct house *house, const struct cert_tbs *tbs)
{
    uint8_t spki[SHA256_BYTES];
    digest_sha256(tbs->spki, spki);
    for (size_t i = 0; i < house->n_issuers; i++) {
        const struct house_issuer *one = &house->issuers[i];
        bool name = view_eq(tbs->subject, one->facts.subject);
        bool key = memcmp(spki, one->spki_sha256, SHA256_BYTES) == 0;
        if (name != key)
            return err_new(ERR_FLOOR, "the subject of %s with another key, or its key under another name",
                           one->name);
    }
    return NULL;
}

/* An issuer's own key under its own name, once more. */
static struct err *check_renewed(const struct judge_ca_case *c, const struct cert_tbs *tbs)
{
    const struct house_issuer *own = house_issuer(c->house, view_str(c->name));
    if (!own || !view_eq(tbs->subject, own->facts.subject) || !view_eq(tbs->spki, own->key.spki))
        return err_new(ERR_FLOOR, "a renewal keeps subject and key of the issuer");
    return NULL;
}

static struct err *check_whose(const struct judge_ca_case *c, const struct cert_tbs *tbs, bool crossed)
{
    if (c->renewed)
        return check_renewed(c, tbs);
    return crossed ? check_crossed(c->house, tbs) : judge_cert_not_ours(c->house, c->responders, tbs, false);
}

struct err *judge_ca(const struct judge_ca_case *c, struct arena *arena, struct judge_cert_found *ret)
{
    struct err *e = NULL;
    bool crossed;
    struct judge_cert_found found = {.template = templates_find(c->house->templates, c->template)};
    const struct cert_tbs *tbs = &found.tbs;
    struct cert_key key;
    uint8_t key_id[SHA1_BYTES];
    if (!found.template || !templates_is_ca(found.template))
        return err_new(ERR_FLOOR, "not a template for CA certificates");
    if (c->tbs.n > LIMIT_TBS_BYTES)
        return err_new(ERR_TOO_LARGE, "a tbs of more than %d octets", LIMIT_TBS_BYTES);
    TRY(cert_tbs_read(c->tbs, arena, &found.tbs));
    if (tbs->serial.n != SERIAL_BYTES)
        TRY(err_new(ERR_FLOOR, "the serial is not of %d octets", SERIAL_BYTES));
    TRY(check_key(c, tbs, arena, &crossed));
    TRY(cert_key_parse(tbs->spki, &key));
    TRY(check_dates(tbs, c->now));
    TRY(check_basic(c->issuer, tbs));
    TRY(c->issuer ? check_signed(c->issuer, tbs) : check_self_signed(c, tbs));
    TRY(check_whose(c, tbs, crossed));
    struct templates_issuer facts = issuer_facts(c, tbs, &key, key_id);
    TRY(templates_judge(found.template, &facts, tbs, c->now, arena));
    *ret = found;
out:
    return e;
}
