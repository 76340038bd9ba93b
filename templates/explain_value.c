/*
 * The elements of a certificate in words: names as templates and grants write them, times as RFC 3339, usages
 * by name. An extension whose value does not read as what it claims to be is shown as it is, in hexadecimal.
 *
 * Any thread.
 */
#include "explain_value.h"

#include "base/hex.h"
#include "base/when.h"
#include "cert/ext_access.h"
#include "cert/ext_constraints.h"
#include "cert/ext_custom.h"
#include "cert/ext_microsoft.h"
#include "cert/ext_policy.h"
#include "exts.h"

enum { FIELDS_AROUND = 8 }; /* elements that are neither of the subject nor extensions */

static const char *add(const char *text, const char *more, struct arena *arena)
{
    return text[0] ? arena_printf(arena, "%s %s", text, more) : more;
}

static struct err *usage_text(struct view value, struct arena *arena, const char **ret)
{
    unsigned mask = 0;
    struct err *e = cert_ext_read_key_usage(value, &mask);
    for (unsigned bit = 0; bit < 9; bit++) {
        if (mask & (1u << bit))
            *ret = add(*ret, cert_ext_key_usage_name(bit), arena);
    }
    return e;
}

static struct err *eku_text(struct view value, struct arena *arena, const char **ret)
{
    struct cert_views oids = {NULL, 0};
    struct err *e = cert_ext_read_eku(value, arena, &oids);
    for (size_t i = 0; i < oids.n; i++)
        *ret = add(*ret, cert_ext_eku_text(oids.v[i], arena), arena);
    return e;
}

static struct err *basic_text(struct view value, struct arena *arena, const char **ret)
{
    struct cert_basic basic = {.path_len = -1};
    struct err *e = cert_ext_read_basic(value, &basic);
    *ret = basic.ca ? "CA:TRUE" : "CA:FALSE";
    if (basic.path_len >= 0)
        *ret = arena_printf(arena, "%s pathLen:%d", *ret, basic.path_len);
    return e;
}

static struct err *san_text(struct view value, struct arena *arena, const char **ret)
{
    const struct cert_san_limits limits = {.allow_other = true};
    struct cert_san *sans = NULL;
    size_t n = 0;
    struct err *e = cert_san_read(value, &limits, arena, &sans, &n);
    for (size_t i = 0; i < n; i++)
        *ret = add(*ret, cert_san_text(&sans[i], arena), arena);
    return e;
}

static struct err *ski_text(struct view value, struct arena *arena, const char **ret)
{
    struct view id = {NULL, 0};
    struct err *e = cert_ext_read_ski(value, &id);
    *ret = hex_of(arena, id);
    return e;
}

static struct err *aki_text(struct view value, struct arena *arena, const char **ret)
{
    struct view id = {NULL, 0};
    struct err *e = cert_ext_read_aki(value, &id);
    *ret = hex_of(arena, id);
    return e;
}

static const char *uris_text(const char *before, struct cert_views uris, struct arena *arena)
{
    const char *text = "";
    for (size_t i = 0; i < uris.n; i++)
        text = add(text, arena_printf(arena, "%s%s", before, arena_str(arena, uris.v[i])), arena);
    return text;
}

static struct err *aia_text(struct view value, struct arena *arena, const char **ret)
{
    struct cert_aia aia = {{NULL, 0}, {NULL, 0}};
    struct err *e = cert_ext_read_aia(value, arena, &aia);
    *ret = uris_text("ocsp:", aia.ocsp, arena);
    if (aia.ca_issuers.n > 0)
        *ret = add(*ret, uris_text("caIssuers:", aia.ca_issuers, arena), arena);
    return e;
}

static struct err *cdp_text(struct view value, struct arena *arena, const char **ret)
{
    struct cert_views uris = {NULL, 0};
    struct err *e = cert_ext_read_cdp(value, arena, &uris);
    *ret = uris_text("", uris, arena);
    return e;
}

static struct err *freshest_text(struct view value, struct arena *arena, const char **ret)
{
    struct cert_views uris = {NULL, 0};
    struct err *e = cert_ext_read_freshest(value, arena, &uris);
    *ret = uris_text("", uris, arena);
    return e;
}

static struct err *policies_text(struct view value, struct arena *arena, const char **ret)
{
    struct cert_policies policies = {NULL, 0};
    struct err *e = cert_ext_read_policies(value, arena, &policies);
    for (size_t i = 0; i < policies.n; i++)
        *ret = add(*ret, der_oid_text(policies.v[i].oid, arena), arena);
    return e;
}

static struct err *constraints_text(struct view value, struct arena *arena, const char **ret)
{
    struct cert_constraints c = {{NULL, 0}, {NULL, 0}};
    struct err *e = cert_ext_read_constraints(value, arena, &c);
    for (size_t i = 0; i < c.permitted.n; i++)
        *ret = add(*ret, cert_ext_subtree_text(&c.permitted.v[i], arena), arena);
    for (size_t i = 0; i < c.excluded.n; i++)
        *ret =
            add(*ret, arena_printf(arena, "not:%s", cert_ext_subtree_text(&c.excluded.v[i], arena)), arena);
    return e;
}

static struct err *features_text(struct view value, struct arena *arena, const char **ret)
{
    struct cert_tls_features f = {.n = 0};
    struct err *e = cert_ext_read_tls_features(value, &f);
    for (size_t i = 0; i < f.n; i++) {
        const char *name = cert_ext_tls_feature_name(f.v[i]);
        *ret = add(*ret, name ? name : arena_printf(arena, "%u", f.v[i]), arena);
    }
    return e;
}

static struct err *sia_text(struct view value, struct arena *arena, const char **ret)
{
    struct cert_accesses all = {NULL, 0};
    struct err *e = cert_ext_read_sia(value, arena, &all);
    for (size_t i = 0; i < all.n; i++)
        *ret = add(*ret,
                   arena_printf(arena, "%s:%s", cert_ext_access_text(all.v[i].method, arena),
                                arena_str(arena, all.v[i].uri)),
                   arena);
    return e;
}

static struct err *ms_name_text(struct view value, struct arena *arena, const char **ret)
{
    return cert_ext_read_ms_template_name(value, arena, ret);
}

static struct err *ms_security_text(struct view value, struct arena *arena, const char **ret)
{
    return cert_ext_read_ms_security(value, arena, ret);
}

typedef struct err *to_text(struct view value, struct arena *arena, const char **ret);
static to_text *const texts[CERT_EXT__COUNT] = {
    [CERT_EXT_KEY_USAGE] = usage_text,
    [CERT_EXT_EXT_KEY_USAGE] = eku_text,
    [CERT_EXT_BASIC_CONSTRAINTS] = basic_text,
    [CERT_EXT_SAN] = san_text,
    [CERT_EXT_SKI] = ski_text,
    [CERT_EXT_AKI] = aki_text,
    [CERT_EXT_AIA] = aia_text,
    [CERT_EXT_CDP] = cdp_text,
    [CERT_EXT_FRESHEST_CRL] = freshest_text,
    [CERT_EXT_POLICIES] = policies_text,
    [CERT_EXT_NAME_CONSTRAINTS] = constraints_text,
    [CERT_EXT_TLS_FEATURE] = features_text,
    [CERT_EXT_SIA] = sia_text,
    [CERT_EXT_MS_TEMPLATE_NAME] = ms_name_text,
    [CERT_EXT_MS_SECURITY] = ms_security_text,
};

const char *explain_value_ext(const struct cert_ext *ext, struct arena *arena)
{
    enum cert_ext_id id = cert_ext_id_of(ext->oid);
    const char *text = "";
    to_text *to = id < CERT_EXT__COUNT ? texts[id] : NULL;
    struct err *e = to ? to(ext->value, arena, &text) : NULL;
    if (!to && !(e = cert_ext_read_custom(ext->value)))
        text = cert_ext_der_text(ext->value, arena);
    if (e)
        text = arena_printf(arena, "der:%s", hex_of(arena, ext->value));
    err_free(e);
    return ext->critical ? add("critical", text, arena) : text;
}

struct fields {
    const struct shape *s;
    struct templates_shown *all;
    size_t n;
};

const char *templates_ext_text(const struct cert_ext *ext, struct arena *arena)
{
    return explain_value_ext(ext, arena);
}

static const struct templates_origin *origin_of(const struct shape *s, const char *field)
{
    for (size_t i = 0; field && i < s->origins_n; i++) {
        if (strcmp(s->origins[i].field, field) == 0)
            return &s->origins[i];
    }
    return NULL;
}

static void show(struct fields *f, const char *field, const char *also, const char *value)
{
    const struct templates_origin *o = origin_of(f->s, field);
    if (!o)
        o = origin_of(f->s, also);
    f->all[f->n++] = (struct templates_shown){field, value, o ? o->source : "", o ? o->note : ""};
}

static void show_subject(struct fields *f)
{
    const struct shape *s = f->s;
    for (size_t i = 0; i < s->subject.n; i++) {
        const struct cert_attr *attr = &s->subject.attrs[i];
        const char *type = cert_name_type_of(attr->oid);
        type = type ? type : der_oid_text(attr->oid, s->arena);
        show(f, arena_printf(s->arena, "subject.%s", type), NULL, arena_str(s->arena, attr->value));
    }
}

void explain_fields(const struct shape *s, const struct cert_tbs *tbs, const struct templates_shown **ret,
                    size_t *ret_n)
{
    struct arena *a = s->arena;
    struct fields f = {s, arena_array(a, FIELDS_AROUND + s->subject.n + tbs->ext_count, sizeof(f.all[0])), 0};
    show(&f, "serial", NULL, hex_of(a, tbs->serial));
    show(&f, "algorithm", NULL, cert_alg_name(tbs->alg));
    struct cert_name issuer;
    struct err *e = cert_name_parse(tbs->issuer, a, &issuer);
    show(&f, "issuer", NULL, e ? "" : cert_name_text(&issuer, a));
    err_free(e);
    show(&f, "validity.not_before", NULL, when_text(a, tbs->not_before));
    show(&f, "validity.not_after", NULL, when_text(a, tbs->not_after));
    show_subject(&f);
    show(&f, "key", NULL, cert_key_text(&s->key, a));
    for (size_t i = 0; i < tbs->ext_count; i++) {
        enum cert_ext_id id = cert_ext_id_of(tbs->exts[i].oid);
        const char *label = cert_ext_label(tbs->exts[i].oid, a);
        bool known = id < CERT_EXT__COUNT && exts_has_fields(id);
        show(&f, known ? exts_field(id) : label, label, explain_value_ext(&tbs->exts[i], a));
    }
    *ret = f.all;
    *ret_n = f.n;
}
