/*
 * Extensions that were asked for: the template's own come first, then the request's, then the CSR's, then
 * what the issuer's configuration says; each only where the template looks at that source.
 *
 * Which values are within bounds is the rules' affair. Any thread.
 */
#include "base/limits.h"
#include "shape.h"
#include "source.h"

static const struct cert_ext *by_oid(const struct cert_ext *exts, size_t n, struct view oid)
{
    for (size_t i = 0; i < n; i++) {
        if (view_eq(exts[i].oid, oid))
            return &exts[i];
    }
    return NULL;
}

static struct err *refuse(const struct shape *s, size_t i, const char *why)
{
    const struct cert_ext *ext = &s->request->exts[i];
    return err_at(err_new(ERR_BAD_EXTENSION, "%s: %s template '%s'", cert_ext_label(ext->oid, s->arena), why,
                          s->t->name),
                  "/extensions/%zu", i);
}

struct err *shape_given_check(struct shape *s, struct cert_tbs *tbs)
{
    (void)tbs;
    const struct templates_request *r = s->request;
    if (r->exts_n > LIMIT_EXTENSIONS)
        return err_at(err_new(ERR_TOO_MANY, "%zu extensions; at most %d", r->exts_n, LIMIT_EXTENSIONS),
                      "/extensions");
    for (size_t i = 0; i < r->exts_n; i++) {
        const struct template_from *from = source_of(s->t, r->exts[i].oid);
        if (by_oid(r->exts, i, r->exts[i].oid))
            return refuse(s, i, "asked for twice (RFC 5280 4.2);");
        if (!from)
            return refuse(s, i, "it follows from key, names and issuer under");
        if (!(from->mask & SOURCE_REQUEST) && from->other == SOURCE_REFUSE)
            return refuse(s, i, "it is not taken from a request by");
    }
    return NULL;
}

/* What an asker has given for this OID, from the first source that counts. */
static const struct cert_ext *asked(const struct shape *s, struct view oid, const char **ret_source)
{
    const struct templates_request *r = s->request;
    const struct template_from *from = source_of(s->t, oid);
    const struct cert_ext *found = NULL;
    if (from && (from->mask & SOURCE_REQUEST))
        found = by_oid(r->exts, r->exts_n, oid);
    *ret_source = found ? "request" : "csr";
    if (!found && from && (from->mask & SOURCE_CSR) && r->csr)
        found = by_oid(r->csr->exts, r->csr->ext_count, oid);
    return found;
}

static struct err *add(struct shape *s, const struct cert_ext *list, size_t list_n, struct cert_ext *exts,
                       size_t *n)
{
    for (size_t i = 0; i < list_n; i++) {
        const char *source = "";
        const struct cert_ext *ext = asked(s, list[i].oid, &source);
        if (!ext || by_oid(exts, *n, ext->oid))
            continue;
        if (*n == LIMIT_EXTENSIONS)
            return err_new(ERR_TOO_MANY, "more than %d extensions", LIMIT_EXTENSIONS);
        exts[(*n)++] = *ext;
        shape_origin(s, cert_ext_label(ext->oid, s->arena), source, "");
    }
    return NULL;
}

const char *shape_given_instead(struct shape *s, struct cert_ext *ext)
{
    const char *source = "";
    const struct template_from *from = source_of(s->t, ext->oid);
    const struct cert_ext *found = from && (from->mask & SOURCE_ISSUER) ? asked(s, ext->oid, &source) : NULL;
    if (!found)
        return NULL;
    *ext = *found;
    return source;
}

struct err *shape_given(struct shape *s, struct cert_ext *exts, size_t *n)
{
    struct err *e = NULL;
    const struct templates_request *r = s->request;
    TRY(add(s, r->exts, r->exts_n, exts, n));
    if (r->csr)
        TRY(add(s, r->csr->exts, r->csr->ext_count, exts, n));
out:
    return e;
}
