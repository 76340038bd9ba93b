/*
 * basicConstraints, and the pointers (authorityInfoAccess, cRLDistributionPoints, ocsp-nocheck): what of them
 * may stand together. Their bytes are made and judged in exts.c.
 *
 * Any thread.
 */
#include "judge.h"
#include "source.h"

static struct err *ca_check(struct load *l)
{
    const struct template_constraints *c = &l->t->constraints;
    if (!l->t->head.internal)
        return load_error(l, GROUP_CONSTRAINTS, "ca",
                          "CA certificates are not for requests: 'internal: true' is missing");
    if (!c->present || !c->critical)
        return load_error(l, GROUP_CONSTRAINTS, c->present ? "critical" : "present",
                          "a CA certificate carries basicConstraints, critical (RFC 5280 4.2.1.9)");
    if (!(l->t->key_usage.usage_texts.n > 0) && l->t->key_usage.from.texts.n == 0)
        return load_error(l, GROUP_KEY_USAGE, "usages",
                          "a CA certificate needs key_usage (RFC 5280 4.2.1.3)");
    return NULL;
}

struct err *constraints_load(struct load *l)
{
    const struct template_constraints *c = &l->t->constraints;
    if (c->ca)
        return ca_check(l);
    if (c->path_len >= 0)
        return load_error(l, GROUP_CONSTRAINTS, "path_len", "path_len without 'ca: true' (RFC 5280 4.2.1.9)");
    if (!c->present && load_given(l, GROUP_CONSTRAINTS, "critical"))
        return load_error(l, GROUP_CONSTRAINTS, "critical",
                          "'critical' for an extension that is not present");
    return NULL;
}

struct err *constraints_load_pointers(struct load *l)
{
    struct err *e = NULL;
    struct template_pointers *p = &l->t->pointers;
    TRY(source_load(l, GROUP_POINTERS, "crl_from", &p->crl_from, SOURCE_ASKED | SOURCE_ISSUER,
                    SOURCE_ISSUER));
    if (p->ocsp_nocheck && (p->ocsp || p->crl))
        return load_error(l, GROUP_POINTERS, "ocsp_nocheck",
                          "ocsp_nocheck says not to ask for the status: 'ocsp' and 'crl' must be false");
    if (p->no_rev_avail && (p->ocsp || p->crl || p->freshest_crl.n > 0))
        return load_error(
            l, GROUP_POINTERS, "no_rev_avail",
            "no_rev_avail beside a place to look: 'ocsp', 'crl' and freshest_crl must go (RFC 9608 4)");
    if (p->no_rev_avail && l->t->constraints.ca)
        return load_error(l, GROUP_POINTERS, "no_rev_avail",
                          "no_rev_avail is not for CA certificates (RFC 9608 4)");
out:
    return e;
}

bool templates_is_ca(const struct template *t)
{
    return t->constraints.ca;
}
