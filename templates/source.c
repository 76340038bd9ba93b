/*
 * Where a field's value may come from. The order in which sources count is always the same: template,
 * request, CSR, issuer; a template only says which of them are looked at.
 *
 * Never takes a value itself. Any thread.
 */
#include "source.h"

static const char *const names[] = {"template", "request", "csr", "issuer"};
enum { SOURCES = sizeof(names) / sizeof(names[0]) };
_Static_assert(1u << (SOURCES - 1) == SOURCE_ISSUER, "names in the order of enum source");

const char *source_name(enum source source)
{
    size_t i = 0;
    while (i < SOURCES - 1 && (1u << i) != (unsigned)source)
        i++;
    return names[i];
}

struct err *source_load(struct load *l, enum group group, const char *key, struct template_from *from,
                        unsigned may, unsigned fallback)
{
    struct err *e = NULL;
    TRY(load_mask(l, load_node(l, group), key, &from->texts, names, SOURCES, fallback, &from->mask));
    for (unsigned i = 0; i < SOURCES; i++) {
        if (from->mask & ~may & (1u << i))
            return load_error(l, group, key, "'%s' cannot say this", names[i]);
    }
out:
    return e;
}

bool source_open(const struct template_from *from)
{
    return from && (from->mask & SOURCE_ASKED);
}

const struct template_from *source_of(const struct template *t, struct view oid)
{
    switch (cert_ext_id_of(oid)) {
    case CERT_EXT_KEY_USAGE:
        return &t->key_usage.from;
    case CERT_EXT_EXT_KEY_USAGE:
        return &t->ext_key_usage.from;
    case CERT_EXT_BASIC_CONSTRAINTS:
        return &t->constraints.from;
    case CERT_EXT_CDP:
        return &t->pointers.crl_from;
    case CERT_EXT_POLICIES:
    case CERT_EXT_NAME_CONSTRAINTS:
    case CERT_EXT_POLICY_CONSTRAINTS:
    case CERT_EXT_INHIBIT_ANY_POLICY:
    case CERT_EXT_TLS_FEATURE:
    case CERT_EXT_SIA:
    case CERT_EXT_SUBJECT_DIRECTORY:
    case CERT_EXT_MS_TEMPLATE_NAME:
    case CERT_EXT_MS_TEMPLATE:
    case CERT_EXT_MS_SECURITY:
    case CERT_EXT__COUNT:
        return &t->custom.from;
    default:
        return NULL;
    }
}
