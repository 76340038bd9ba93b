/*
 * Floors of certificates: end-entity ones for the front and init, CA ones for init alone. The bytes are read
 * once; the template's own rules are judged last, by the same function the front uses. Never decides who
 * asks. Any thread.
 */
#include "judge.h"

#include "base/limits.h"
#include "floor.h"

/* The house's own templates, known by name to the floors (RFC 6960 4.2.2.2 for the second). */
static const char self_template[] = "self", ocsp_template[] = "ocsp-signing", admin_template[] = "admin";

struct usages {
    struct cert_basic basic;
    bool has_basic;
    unsigned key_usage;
    struct cert_views eku;
    bool no_check;
};

static struct err *read_usages(const struct cert_tbs *tbs, struct arena *arena, struct usages *ret)
{
    struct err *e = NULL;
    *ret = (struct usages){.basic = {.path_len = -1}};
    const struct cert_ext *ext = cert_tbs_ext(tbs, CERT_EXT_BASIC_CONSTRAINTS);
    ret->has_basic = ext != NULL;
    if (ext)
        TRY(cert_ext_read_basic(ext->value, &ret->basic));
    ext = cert_tbs_ext(tbs, CERT_EXT_KEY_USAGE);
    if (ext)
        TRY(cert_ext_read_key_usage(ext->value, &ret->key_usage));
    ext = cert_tbs_ext(tbs, CERT_EXT_EXT_KEY_USAGE);
    if (ext)
        TRY(cert_ext_read_eku(ext->value, arena, &ret->eku));
    ret->no_check = cert_tbs_ext(tbs, CERT_EXT_NO_CHECK) != NULL;
out:
    return e;
}

static struct err *check_dates(const struct cert_tbs *tbs, int64_t now, int64_t most_s, int64_t issuer_end)
{
    struct err *e = NULL;
    if (tbs->not_before < now - JUDGE_BACKDATE_S)
        TRY(floor_breach(FLOOR_CERT_BACKDATED, "notBefore is more than 24 hours before the vault's clock"));
    if (tbs->not_before > now + JUDGE_AHEAD_S)
        TRY(floor_breach(FLOOR_CERT_AHEAD, "notBefore is ahead of the vault's clock"));
    if (tbs->not_after <= now)
        TRY(floor_breach(FLOOR_CERT_OVER, "notAfter is past"));
    if (tbs->not_after - tbs->not_before > most_s)
        TRY(floor_breach(FLOOR_CERT_TOO_LONG, "valid for longer than %lld days, the most for its kind",
                         (long long)(most_s / (24 * 3600))));
    if (tbs->not_after > issuer_end)
        TRY(floor_breach(FLOOR_CERT_OUTLIVES, "notAfter is past the issuer's own"));
out:
    return e;
}

static struct err *check_issuer(const struct house_issuer *issuer, const struct cert_tbs *tbs)
{
    struct err *e = NULL;
    struct view aki;
    const struct cert_ext *ext = cert_tbs_ext(tbs, CERT_EXT_AKI);
    if (!view_eq(tbs->issuer, issuer->facts.subject))
        TRY(floor_breach(FLOOR_CERT_ISSUER, "the issuer's name is not that of %s", issuer->name));
    if (tbs->alg != issuer->facts.alg)
        TRY(floor_breach(FLOOR_CERT_ALG, "the algorithm is not that with which %s signs", issuer->name));
    if (!ext)
        return floor_breach(FLOOR_CERT_AKI_MISSING, "no authority key identifier (RFC 5280 4.2.1.1)");
    TRY(cert_ext_read_aki(ext->value, &aki));
    if (!view_eq(aki, issuer->facts.key_id))
        TRY(floor_breach(FLOOR_CERT_AKI, "the authority key identifier is not that of %s", issuer->name));
out:
    return e;
}

struct err *judge_cert_not_ours(const struct house *house, const struct responder_keys *responders,
                                const struct cert_tbs *tbs, bool responder_is_right)
{
    struct cert_key key;
    uint8_t spki[SHA256_BYTES];
    struct err *e = cert_key_read(tbs->spki, &key); /* the template's judge sees to the curve */
    if (e)
        return e;
    cert_key_sha256(&key, spki);
    for (size_t i = 0; i < house->n_issuers; i++) {
        const struct house_issuer *one = &house->issuers[i];
        if (view_eq(tbs->subject, one->facts.subject))
            TRY(floor_breach(FLOOR_CERT_SUBJECT, "the subject is that of an issuer"));
        if (memcmp(spki, one->spki_sha256, SHA256_BYTES) == 0 || view_eq(key.public, one->key.public))
            TRY(floor_breach(FLOOR_CERT_KEY_ISSUERS, "the key is that of an issuer"));
    }
    if (!responder_is_right && responder_find(responders, view_of(spki, SHA256_BYTES)))
        TRY(floor_breach(FLOOR_CERT_KEY_RESPONDERS, "the key is that of an OCSP responder of this house"));
out:
    return e;
}

/* Which of the house's own templates this peer may use, and that it uses no other. */
static struct err *check_template(const struct judge_cert_case *c, const struct template *t)
{
    struct err *e = NULL;
    bool ocsp = view_eq_str(c->template, ocsp_template), self = view_eq_str(c->template, self_template);
    if (!t)
        return err_new(ERR_TEMPLATE_UNKNOWN, "the vault's generation %u has no such template",
                       c->house->generation);
    if (c->peer == HSM_PEER_INIT && !self && !view_eq_str(c->template, admin_template))
        return err_new(ERR_FLOOR, "a ceremony makes certificates by the templates admin and self only");
    if (c->peer == HSM_PEER_FRONT && templates_internal(t) && !self && !ocsp)
        TRY(floor_breach(FLOOR_CERT_INTERNAL, "an internal template that the front may not use"));
    if (!c->issuer->may_issue && !ocsp)
        TRY(floor_breach(FLOOR_CERT_MAY_ISSUE, "%s issues nothing but its OCSP responder's certificates",
                         c->issuer->name));
out:
    return e;
}

static struct err *check_usages(const struct usages *u, bool ocsp)
{
    struct err *e = NULL;
    if (u->basic.ca || u->basic.path_len >= 0)
        TRY(floor_breach(FLOOR_CERT_CA,
                         "CA:TRUE or a path length in an end-entity certificate (RFC 5280 4.2.1.9)"));
    if (u->key_usage & (CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN))
        TRY(floor_breach(FLOOR_CERT_SIGNS,
                         "keyCertSign or cRLSign in an end-entity certificate (RFC 5280 4.2.1.3)"));
    if (cert_ext_eku_has(u->eku, "anyExtendedKeyUsage"))
        TRY(floor_breach(FLOOR_CERT_ANY_USAGE, "anyExtendedKeyUsage: usages are named one by one"));
    if (ocsp != cert_ext_eku_has(u->eku, "OCSPSigning") || (ocsp && u->eku.n != 1))
        TRY(floor_breach(FLOOR_CERT_OCSP_SIGNING,
                         "OCSPSigning stands alone, in responders' certificates only (RFC 6960 4.2.2.2)"));
    if (u->no_check && !ocsp)
        TRY(floor_breach(
            FLOOR_CERT_NO_CHECK,
            "id-pkix-ocsp-nocheck in a certificate that is no responder's (RFC 6960 4.2.2.2.1)"));
out:
    return e;
}

/* The SPKI of an ocsp-signing certificate is a responder key of this very issuer. */
static struct err *check_responder(const struct judge_cert_case *c, const struct cert_tbs *tbs)
{
    uint8_t spki[SHA256_BYTES];
    digest_sha256(tbs->spki, spki);
    const struct responder_key *key = responder_find(c->responders, view_of(spki, SHA256_BYTES));
    if (!key || !view_eq_str(view_str(key->issuer), c->issuer->name))
        return floor_breach(FLOOR_CERT_RESPONDER_KEY,
                            "OCSPSigning for a key that is no responder key of %s in the token",
                            c->issuer->name);
    return NULL;
}

static bool own_name(const struct house *house, const struct cert_san *san)
{
    for (size_t i = 0; i < house->n_self_names; i++)
        if (cert_san_eq(&house->self_names[i], san))
            return true;
    return false;
}

static struct err *check_self_names(const struct house *house, const struct cert_tbs *tbs,
                                    struct arena *arena)
{
    struct err *e = NULL;
    struct cert_san *sans;
    size_t n;
    const struct cert_ext *ext = cert_tbs_ext(tbs, CERT_EXT_SAN);
    if (!ext)
        return floor_breach(FLOOR_CERT_SELF_NAMELESS, "the daemon's own certificate without subjectAltName");
    TRY(cert_san_read(ext->value, NULL, arena, &sans, &n));
    for (size_t i = 0; i < n; i++)
        if (!own_name(house, &sans[i]))
            TRY(floor_breach(FLOOR_CERT_SELF_NAMES, "%s is not one of the daemon's own names",
                             cert_san_text(&sans[i], arena)));
out:
    return e;
}

static struct err *read_tbs(struct view der, struct arena *arena, struct cert_tbs *ret)
{
    if (der.n > LIMIT_TBS_BYTES)
        return err_new(ERR_TOO_LARGE, "a tbs of more than %d octets", LIMIT_TBS_BYTES);
    struct err *e = cert_tbs_read(der, arena, ret);
    if (!e && ret->serial.n != SERIAL_BYTES)
        e = floor_breach(FLOOR_CERT_SERIAL, "the serial is not of %d octets", SERIAL_BYTES);
    return e;
}

/* What is told of an issuer that is over is told by responders that outlive it. */
static struct templates_issuer facts_of(const struct judge_cert_case *c, bool ocsp)
{
    struct templates_issuer facts = c->issuer->facts;
    if (ocsp && c->now > facts.not_after)
        facts.not_after = INT64_MAX;
    return facts;
}

struct err *judge_cert(const struct judge_cert_case *c, struct arena *arena, struct judge_cert_found *ret)
{
    struct err *e = NULL;
    struct judge_cert_found found = {.template = templates_find(c->house->templates, c->template)};
    struct usages usages;
    bool ocsp = view_eq_str(c->template, ocsp_template);
    const struct templates_issuer facts = facts_of(c, ocsp);
    TRY(check_template(c, found.template));
    TRY(read_tbs(c->tbs, arena, &found.tbs));
    TRY(check_issuer(c->issuer, &found.tbs));
    TRY(check_dates(&found.tbs, c->now, ocsp ? JUDGE_OCSP_SIGNING_S : JUDGE_LEAF_S, facts.not_after));
    TRY(read_usages(&found.tbs, arena, &usages));
    TRY(check_usages(&usages, ocsp));
    TRY(judge_cert_not_ours(c->house, c->responders, &found.tbs, ocsp));
    if (ocsp)
        TRY(check_responder(c, &found.tbs));
    if (view_eq_str(c->template, self_template))
        TRY(check_self_names(c->house, &found.tbs, arena));
    TRY(templates_judge(found.template, &facts, &found.tbs, c->now, arena));
    *ret = found;
out:
    return e;
}
