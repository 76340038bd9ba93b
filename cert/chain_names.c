/*
 * Whether the names of a certificate keep to an issuer's nameConstraints (RFC 5280 4.2.1.10, 6.1.3 b and c).
 *
 * What cannot be compared is refused: a URI without a host, a name that does not parse. `*` is never let in
 * by what lies below it and always kept out by what it stands for. Any thread.
 */
#include "cert/chain.h"

#include "chain_match.h"
#include "name_string.h"

enum { NAMES_MAX = 1000 };

static bool has_kind(const struct cert_subtrees *list, enum cert_san_kind kind)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->v[i].kind == kind)
            return true;
    }
    return false;
}

static bool constrains(const struct cert_constraints *c, enum cert_san_kind kind)
{
    return has_kind(&c->permitted, kind) || has_kind(&c->excluded, kind);
}

/* --- one name --- */

static bool any_matches(const struct cert_subtrees *list, const struct chain_named *name, bool excluded)
{
    for (size_t i = 0; i < list->n; i++) {
        if (chain_match(&list->v[i], name, excluded))
            return true;
    }
    return false;
}

static struct err *check_one(const struct cert_san *san, const struct cert_constraints *c,
                             struct arena *arena)
{
    struct err *e = NULL;
    struct chain_rdns parts = {.n = 0};
    struct chain_named name = {.san = san, .parts = &parts};
    if (!constrains(c, san->kind))
        return NULL;
    if (san->kind == CERT_SAN_URI)
        name.host = chain_match_uri_host(san->value);
    if (san->kind == CERT_SAN_URI && !name.host.n)
        return err_new(ERR_POLICY,
                       "%s has no host that the issuer's nameConstraints could be held against "
                       "(RFC 5280 4.2.1.10)",
                       cert_san_text(san, arena));
    if (san->kind == CERT_SAN_DIRECTORY)
        TRY(name_read(san->value, parts.attrs, &parts.n));
    if (any_matches(&c->excluded, &name, true))
        return err_new(ERR_POLICY, "%s is excluded by the issuer's nameConstraints (RFC 5280 6.1.3 c)",
                       cert_san_text(san, arena));
    if (has_kind(&c->permitted, san->kind) && !any_matches(&c->permitted, &name, false))
        return err_new(ERR_POLICY,
                       "%s lies outside what the issuer's nameConstraints permit (RFC 5280 6.1.3 b)",
                       cert_san_text(san, arena));
out:
    return e;
}

/* --- the subject --- */

static bool is_type(const struct cert_attr *attr, const char *type)
{
    return view_eq(attr->oid, cert_name_oid_of(type));
}

/* 4.2.1.10: a mail address in the subject counts as one. */
static struct err *check_subject_email(const struct cert_attr *attr, const struct cert_constraints *c,
                                       struct arena *arena)
{
    struct err *e = NULL;
    struct cert_san san = {.kind = CERT_SAN_EMAIL, .value = attr->value};
    if (!is_type(attr, "emailAddress") || !constrains(c, CERT_SAN_EMAIL))
        return NULL;
    TRY(err_wrap(cert_san_check(&san), "emailAddress"));
    TRY(check_one(&san, c, arena));
out:
    return e;
}

/* Old clients take a commonName for a host where there is no dNSName. */
static struct err *check_subject_host(const struct cert_attr *attr, const struct cert_constraints *c,
                                      struct arena *arena)
{
    struct cert_san san = {.kind = CERT_SAN_DNS, .value = attr->value};
    if (!is_type(attr, "CN") || view_find(attr->value, '.') == attr->value.n)
        return NULL;
    struct err *e = cert_san_check(&san);
    bool host = !e;
    err_free(e);
    return host ? check_one(&san, c, arena) : NULL;
}

static bool has_dns(const struct cert_chain_names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        if (names->sans[i].kind == CERT_SAN_DNS)
            return true;
    }
    return false;
}

static struct err *check_subject(const struct cert_chain_names *names, const struct cert_constraints *c,
                                 struct arena *arena)
{
    struct err *e = NULL;
    struct chain_rdns parts = {.n = 0};
    struct cert_san subject = {.kind = CERT_SAN_DIRECTORY, .value = names->subject};
    bool hosts = !names->ca && constrains(c, CERT_SAN_DNS) && !has_dns(names);
    if (!hosts && !constrains(c, CERT_SAN_DIRECTORY) && !constrains(c, CERT_SAN_EMAIL))
        return NULL;
    TRY(name_read(names->subject, parts.attrs, &parts.n));
    if (parts.n)
        TRY(check_one(&subject, c, arena));
    for (size_t i = 0; i < parts.n; i++) {
        TRY(check_subject_email(&parts.attrs[i], c, arena));
        if (hosts)
            TRY(check_subject_host(&parts.attrs[i], c, arena));
    }
out:
    return e;
}

struct err *cert_chain_names_check(const struct cert_chain_names *names, const struct cert_constraints *c,
                                   struct arena *arena)
{
    struct err *e = NULL;
    TRY(err_at(check_subject(names, c, arena), "/subject"));
    for (size_t i = 0; i < names->n; i++)
        TRY(err_at(check_one(&names->sans[i], c, arena), "/sans/%zu", i));
out:
    return e;
}

/* --- certificates --- */

struct err *cert_chain_names_of(const struct cert_tbs *tbs, struct arena *arena, struct cert_chain_names *ret)
{
    struct err *e = NULL;
    static const struct cert_san_limits limits = {.max = NAMES_MAX, .allow_other = true};
    struct cert_chain_names names = {.subject = tbs->subject};
    struct cert_basic basic = {.ca = false};
    struct cert_san *sans = NULL;
    const struct cert_ext *san = cert_tbs_ext(tbs, CERT_EXT_SAN);
    const struct cert_ext *constraints = cert_tbs_ext(tbs, CERT_EXT_BASIC_CONSTRAINTS);
    if (san)
        TRY(cert_san_read(san->value, &limits, arena, &sans, &names.n));
    if (constraints)
        TRY(cert_ext_read_basic(constraints->value, &basic));
    names.sans = sans;
    names.ca = basic.ca;
    *ret = names;
out:
    return e;
}

struct err *cert_chain_names_under(const struct cert_tbs *child, const struct cert_tbs *issuer,
                                   struct arena *arena)
{
    struct err *e = NULL;
    struct cert_constraints constraints;
    struct cert_chain_names names;
    const struct cert_ext *ext = cert_tbs_ext(issuer, CERT_EXT_NAME_CONSTRAINTS);
    if (!ext)
        return NULL;
    TRY(cert_ext_read_constraints(ext->value, arena, &constraints));
    TRY(cert_chain_names_of(child, arena, &names));
    TRY(cert_chain_names_check(&names, &constraints, arena));
out:
    return e;
}
