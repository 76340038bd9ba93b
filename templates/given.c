/*
 * Bounds on what was asked for: extensions whose value a template lets a request or a CSR give. Judged on the
 * bytes, where nobody can tell any more who gave them.
 *
 * Any thread.
 */
#include "exts.h"
#include "judge.h"
#include "source.h"

/* The extension, where the template leaves its value to the asker. */
static const struct cert_ext *given(const struct judged *j, enum cert_ext_id id)
{
    const struct cert_ext *have = cert_tbs_ext(j->tbs, id);
    return have && exts_leaves_open(j, id) ? have : NULL;
}

struct err *given_rule_key_usage(const struct judged *j)
{
    struct err *e = NULL;
    const struct cert_ext *have = given(j, CERT_EXT_KEY_USAGE);
    unsigned mask = 0;
    if (!have)
        return NULL;
    TRY(cert_ext_read_key_usage(have->value, &mask));
    for (unsigned bit = 0; bit < 9; bit++) {
        if (mask & ~j->t->key_usage.allow & (1u << bit))
            return err_at(err_new(ERR_POLICY, "%s may not be asked for (RFC 5280 4.2.1.3)",
                                  cert_ext_key_usage_name(bit)),
                          "/csr");
    }
out:
    return e;
}

static bool eku_allowed(const struct template *t, struct view oid)
{
    const struct template_ext_key_usage *eku = &t->ext_key_usage;
    if (cert_ext_eku_is(oid, "anyExtendedKeyUsage"))
        return false;
    if (cert_ext_eku_is(oid, "OCSPSigning") && !t->head.internal)
        return false;
    for (size_t i = 0; i < eku->allow_n; i++) {
        if (view_eq(eku->allow[i], oid))
            return true;
    }
    return eku->allow_n == 0;
}

struct err *given_rule_eku(const struct judged *j)
{
    struct err *e = NULL;
    const struct cert_ext *have = given(j, CERT_EXT_EXT_KEY_USAGE);
    struct cert_views oids;
    if (!have)
        return NULL;
    TRY(cert_ext_read_eku(have->value, j->arena, &oids));
    for (size_t i = 0; i < oids.n; i++) {
        if (!eku_allowed(j->t, oids.v[i]))
            return err_at(err_new(ERR_POLICY, "%s may not be asked for (RFC 5280 4.2.1.12)",
                                  cert_ext_eku_text(oids.v[i], j->arena)),
                          "/csr");
    }
out:
    return e;
}

struct err *given_rule_cdp(const struct judged *j)
{
    const struct cert_ext *have = given(j, CERT_EXT_CDP);
    struct cert_views uris;
    struct err *e = have ? cert_ext_read_cdp(have->value, j->arena, &uris) : NULL;
    if (!e)
        return NULL;
    struct err *said = err_at(err_new(ERR_POLICY, "%s", err_detail(e)), "/csr");
    err_free(e);
    return said;
}
