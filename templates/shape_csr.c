/*
 * A CSR's extensions: subjectAltName may be taken, and what the template looks for in a CSR; what says no
 * more than the template does is passed over; all else is refused by name, so that nobody believes to have
 * got what was not given, unless the template drops it.
 *
 * Never takes anything into the certificate. Any thread.
 */
#include "shape.h"
#include "source.h"
#include "usage.h"

static struct err *refuse(const struct shape *s, const struct cert_ext *ext, const char *why)
{
    enum cert_ext_id id = cert_ext_id_of(ext->oid);
    const struct template_from *from = source_of(s->t, ext->oid);
    bool drop = (from ? from : &s->t->custom.from)->other == SOURCE_DROP;
    if (drop && id != CERT_EXT_SAN) /* names have a switch of their own */
        return NULL;
    const char *rule = id < CERT_EXT__COUNT ? cert_ext_rule(id) : "RFC 2986 4.1";
    return err_new(ERR_BAD_EXTENSION, "the CSR asks for %s: %s template '%s' (%s)",
                   cert_ext_label(ext->oid, s->arena), why, s->t->name, rule);
}

static struct err *check_basic(const struct shape *s, const struct cert_ext *ext)
{
    struct err *e = NULL;
    struct cert_basic basic;
    TRY(cert_ext_read_basic(ext->value, &basic));
    if (basic.ca && !s->t->constraints.ca)
        return refuse(s, ext, "CA:TRUE is not given by");
    if (basic.path_len >= 0 && basic.path_len != s->t->constraints.path_len)
        return refuse(s, ext, "this pathLenConstraint is not given by");
out:
    return e;
}

static struct err *check_key_usage(const struct shape *s, const struct cert_ext *ext)
{
    struct err *e = NULL;
    unsigned mask, given = s->t->key_usage.usages | s->t->key_usage.rsa;
    TRY(cert_ext_read_key_usage(ext->value, &mask));
    for (unsigned bit = 0; bit < 9; bit++) {
        if ((mask & ~given) & (1u << bit))
            return refuse(s, ext, arena_printf(s->arena, "%s is not given by", cert_ext_key_usage_name(bit)));
    }
out:
    return e;
}

static bool has_oid(struct cert_views oids, struct view oid)
{
    for (size_t i = 0; i < oids.n; i++) {
        if (view_eq(oids.v[i], oid))
            return true;
    }
    return false;
}

static struct err *check_eku(const struct shape *s, const struct cert_ext *ext)
{
    struct err *e = NULL;
    struct cert_views asked;
    TRY(cert_ext_read_eku(ext->value, s->arena, &asked));
    for (size_t i = 0; i < asked.n; i++) {
        if (!has_oid(usage_extended(s->t), asked.v[i]))
            return refuse(
                s, ext,
                arena_printf(s->arena, "%s is not given by", cert_ext_eku_text(asked.v[i], s->arena)));
    }
out:
    return e;
}

static struct err *check_san(const struct shape *s, const struct cert_ext *ext)
{
    if (s->request->has_sans || (s->t->sans.kinds && s->t->sans.from_csr) || s->t->sans.other == SOURCE_DROP)
        return NULL;
    return refuse(s, ext, "names are not taken from a CSR by");
}

static struct err *check_one(const struct shape *s, const struct cert_ext *ext)
{
    const struct template_from *from = source_of(s->t, ext->oid);
    if (from && (from->mask & SOURCE_CSR))
        return NULL;
    switch (cert_ext_id_of(ext->oid)) {
    case CERT_EXT_SAN:
        return check_san(s, ext);
    case CERT_EXT_SKI:
        return NULL;
    case CERT_EXT_BASIC_CONSTRAINTS:
        return check_basic(s, ext);
    case CERT_EXT_KEY_USAGE:
        return check_key_usage(s, ext);
    case CERT_EXT_EXT_KEY_USAGE:
        return check_eku(s, ext);
    default:
        return refuse(s, ext, "it is not taken by");
    }
}

struct err *shape_csr_check(struct shape *s, struct cert_tbs *tbs)
{
    struct err *e = NULL;
    (void)tbs;
    const struct cert_csr *csr = s->request->csr;
    for (size_t i = 0; csr && i < csr->ext_count; i++)
        TRY(check_one(s, &csr->exts[i]));
out:
    return err_at(e, "/csr");
}
