/*
 * Whether a certificate was issued by another: names, key identifiers, CA bit, path length, dates, signature,
 * name constraints (RFC 5280 6.1). Constraints on names are in chain_names.c, policies in chain_policy.c.
 *
 * An extension that is critical and not known here refuses the certificate (RFC 5280 4.2). Never fetches
 * anything. Any thread.
 */
#include "cert/chain.h"

#include "base/limits.h"
#include "chain_policy.h"

enum { CHAIN_MAX = 8 };

struct err *cert_chain_read(struct view cert_der, struct arena *arena, struct cert_chain_cert *ret)
{
    struct err *e = NULL;
    struct cert_chain_cert cert;
    TRY(cert_tbs_open(cert_der, arena, &cert.sealed, &cert.tbs));
    TRY(cert_key_parse(cert.tbs.spki, &cert.key));
    *ret = cert;
out:
    return e;
}

/* What is critical must be understood in full (RFC 5280 4.2). */
static struct err *check_critical_one(const struct cert_ext *ext)
{
    switch (cert_ext_id_of(ext->oid)) {
    case CERT_EXT_BASIC_CONSTRAINTS:
    case CERT_EXT_KEY_USAGE:
    case CERT_EXT_EXT_KEY_USAGE:
    case CERT_EXT_SAN:
    case CERT_EXT_NAME_CONSTRAINTS:   /* read where it is applied */
    case CERT_EXT_POLICY_CONSTRAINTS: /* the same */
    case CERT_EXT_INHIBIT_ANY_POLICY:
        return NULL;
    case CERT_EXT_POLICIES:
        return chain_policy_known(ext->value);
    default:
        return err_new(ERR_POLICY, "a critical extension that is not understood (RFC 5280 4.2)");
    }
}

static struct err *check_critical(const struct cert_tbs *tbs)
{
    struct err *e = NULL;
    for (size_t i = 0; i < tbs->ext_count; i++) {
        if (tbs->exts[i].critical)
            TRY(check_critical_one(&tbs->exts[i]));
    }
out:
    return e;
}

static struct err *check_dates(const struct cert_tbs *tbs, int64_t at)
{
    if (at == INT64_MIN)
        return NULL;
    if (at < tbs->not_before)
        return err_new(ERR_POLICY, "the certificate is not valid yet (RFC 5280 6.1.3 a 2)");
    if (at > tbs->not_after)
        return err_new(ERR_POLICY, "the certificate is no longer valid (RFC 5280 6.1.3 a 2)");
    return NULL;
}

static struct err *check_ca(const struct cert_tbs *parent, unsigned cas_below)
{
    struct err *e = NULL;
    struct cert_basic basic = {.ca = false, .path_len = -1};
    unsigned usage = CERT_KU_KEY_CERT_SIGN;
    const struct cert_ext *ext = cert_tbs_ext(parent, CERT_EXT_BASIC_CONSTRAINTS);
    if (ext)
        TRY(cert_ext_read_basic(ext->value, &basic));
    if (!basic.ca)
        return err_new(ERR_POLICY, "the issuer is no CA (RFC 5280 4.2.1.9, 6.1.4 k)");
    if (basic.path_len >= 0 && cas_below > (unsigned)basic.path_len)
        return err_new(ERR_POLICY,
                       "more CA certificates below the issuer than its pathLenConstraint %d allows "
                       "(RFC 5280 4.2.1.9, 6.1.4 m)",
                       basic.path_len);
    ext = cert_tbs_ext(parent, CERT_EXT_KEY_USAGE);
    if (ext)
        TRY(cert_ext_read_key_usage(ext->value, &usage));
    if (!(usage & CERT_KU_KEY_CERT_SIGN))
        return err_new(ERR_POLICY, "the issuer's key may not sign certificates (RFC 5280 4.2.1.3, 6.1.4 n)");
out:
    return e;
}

static struct err *check_names(const struct cert_tbs *child, const struct cert_tbs *parent)
{
    struct err *e = NULL;
    struct view aki, ski;
    const struct cert_ext *of_child = cert_tbs_ext(child, CERT_EXT_AKI);
    const struct cert_ext *of_parent = cert_tbs_ext(parent, CERT_EXT_SKI);
    if (!view_eq(child->issuer, parent->subject))
        return err_new(ERR_POLICY,
                       "the issuer's name is not the subject of the certificate above (RFC 5280 6.1.3 a 4)");
    if (!of_child || !of_parent)
        return NULL;
    TRY(cert_ext_read_aki(of_child->value, &aki));
    TRY(cert_ext_read_ski(of_parent->value, &ski));
    if (!view_eq(aki, ski))
        return err_new(ERR_POLICY,
                       "authorityKeyIdentifier is not the issuer's subjectKeyIdentifier (RFC 5280 4.2.1.1)");
out:
    return e;
}

static bool self_issued(const struct cert_tbs *tbs)
{
    return view_eq(tbs->subject, tbs->issuer);
}

static bool is_ca(const struct cert_tbs *tbs)
{
    struct cert_basic basic = {.ca = false};
    const struct cert_ext *ext = cert_tbs_ext(tbs, CERT_EXT_BASIC_CONSTRAINTS);
    struct err *e = ext ? cert_ext_read_basic(ext->value, &basic) : NULL;
    err_free(e);
    return basic.ca;
}

/* Last, so that only what was signed costs it. */
static struct err *check_constraints(const struct cert_tbs *child, const struct cert_tbs *parent)
{
    if (!cert_tbs_ext(parent, CERT_EXT_NAME_CONSTRAINTS))
        return NULL;
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct err *e = cert_chain_names_under(child, parent, arena);
    arena_free(arena);
    return e;
}

static struct err *check_link(const struct cert_chain_cert *child, const struct cert_chain_cert *parent,
                              unsigned cas_below, int64_t at)
{
    struct err *e = NULL;
    TRY(check_names(&child->tbs, &parent->tbs));
    TRY(check_critical(&child->tbs));
    TRY(check_critical(&parent->tbs));
    TRY(check_dates(&child->tbs, at));
    TRY(check_dates(&parent->tbs, at));
    TRY(check_ca(&parent->tbs, cas_below));
    TRY(cert_key_verify(&parent->key, child->sealed.alg, child->sealed.tbs, child->sealed.sig));
out:
    return e;
}

struct err *cert_chain_link(const struct cert_chain_cert *child, const struct cert_chain_cert *parent,
                            unsigned cas_below, int64_t at)
{
    struct err *e = NULL;
    TRY(check_link(child, parent, cas_below, at));
    if (!self_issued(&child->tbs) || !is_ca(&child->tbs))
        TRY(check_constraints(&child->tbs, &parent->tbs));
out:
    return e;
}

/* 6.1.3 b and c: every CA above counts; self-issued certificates between are passed over. */
static struct err *check_all_constraints(const struct cert_chain_cert *certs, size_t n)
{
    struct err *e = NULL;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && self_issued(&certs[i].tbs))
            continue;
        for (size_t above = i + 1; above < n; above++)
            TRY(err_wrap(check_constraints(&certs[i].tbs, &certs[above].tbs), "certificate %zu of the chain",
                         i));
    }
out:
    return e;
}

struct err *cert_chain_verify(const struct view *ders, size_t n, int64_t at, struct arena *arena)
{
    struct err *e = NULL;
    struct cert_chain_cert certs[CHAIN_MAX];
    unsigned cas_below = 0;
    if (n == 0 || n > CHAIN_MAX)
        return err_new(ERR_TOO_MANY, "a chain of %zu certificates; 1 to %d are allowed", n, CHAIN_MAX);
    for (size_t i = 0; i < n; i++)
        TRY(err_wrap(cert_chain_read(ders[i], arena, &certs[i]), "certificate %zu of the chain", i));
    for (size_t i = 0; i < n; i++) {
        const struct cert_chain_cert *parent = &certs[i + 1 < n ? i + 1 : i];
        TRY(err_wrap(check_link(&certs[i], parent, cas_below, at), "certificate %zu of the chain", i));
        cas_below += i > 0 && !self_issued(&certs[i].tbs);
    }
    TRY(check_all_constraints(certs, n));
    TRY(chain_policy_check(certs, n));
out:
    return e;
}
