/*
 * Extensions that are asked for beside a CSR: from JSON to what goes into a certificate.
 *
 * Only reads them: which are taken, and within which bounds, is the template's affair (shape_given.c,
 * given.c). Any thread.
 */
#include "base/limits.h"
#include "cert/ext_custom.h"
#include "cert/ext_policy.h"
#include "load.h"
#include "policies.h"

struct asking {
    const struct conf *conf;
    const json_t *value;
    bool critical;
    struct arena *arena;
};

/* A list of texts, at most `max`. */
static struct err *texts(const struct asking *a, size_t max, struct view *to, size_t *ret_n)
{
    size_t n = json_array_size(a->value);
    if (n == 0 || n > max)
        return conf_error(a->conf, a->value, "a list of 1 to %zu texts", max);
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(a->value, i);
        if (!json_is_string(one))
            return conf_error(a->conf, one, "not a text");
        to[i] = arena_dup(a->arena, view_of(json_string_value(one), json_string_length(one)));
    }
    *ret_n = n;
    return NULL;
}

enum { USES_MAX = 50, POINTS_MAX = 8, KEY_USAGES = 9 };

static struct err *ask_key_usage(const struct asking *a, struct cert_ext *ret)
{
    struct err *e = NULL;
    struct view names[KEY_USAGES];
    size_t n = 0;
    unsigned mask = 0, bit;
    TRY(texts(a, KEY_USAGES, names, &n));
    for (size_t i = 0; i < n; i++) {
        TRY(load_at(a->conf, json_array_get(a->value, i), cert_ext_key_usage_parse(names[i], &bit)));
        mask |= bit;
    }
    TRY(cert_ext_write_key_usage(mask, a->critical, a->arena, ret));
out:
    return e;
}

static struct err *ask_eku(const struct asking *a, struct cert_ext *ret)
{
    struct err *e = NULL;
    struct view names[USES_MAX], oids[USES_MAX];
    size_t n = 0;
    TRY(texts(a, USES_MAX, names, &n));
    for (size_t i = 0; i < n; i++)
        TRY(load_at(a->conf, json_array_get(a->value, i),
                    cert_ext_eku_parse(arena_str(a->arena, names[i]), a->arena, &oids[i])));
    TRY(load_at(a->conf, a->value,
                cert_ext_write_eku((struct cert_views){oids, n}, a->critical, a->arena, ret)));
out:
    return e;
}

static struct err *ask_features(const struct asking *a, struct cert_ext *ret)
{
    struct err *e = NULL;
    struct view names[CERT_TLS_FEATURES_MAX];
    struct cert_tls_features all = {.n = 0};
    TRY(texts(a, CERT_TLS_FEATURES_MAX, names, &all.n));
    for (size_t i = 0; i < all.n; i++)
        TRY(load_at(a->conf, json_array_get(a->value, i), cert_ext_tls_feature_parse(names[i], &all.v[i])));
    TRY(load_at(a->conf, a->value, cert_ext_write_tls_features(all, a->arena, ret)));
out:
    return e;
}

static struct err *ask_points(const struct asking *a, struct cert_ext *ret)
{
    struct err *e = NULL;
    struct view uris[POINTS_MAX];
    size_t n = 0;
    TRY(texts(a, POINTS_MAX, uris, &n));
    TRY(load_at(a->conf, a->value, cert_ext_write_cdp((struct cert_views){uris, n}, a->arena, ret)));
out:
    return e;
}

static struct err *ask_policies(const struct asking *a, struct cert_ext *ret)
{
    struct err *e = NULL;
    struct cert_policies all;
    TRY(policies_read(a->conf, a->value, a->arena, &all));
    TRY(load_at(a->conf, a->value, cert_ext_write_policies(all, a->critical, a->arena, ret)));
out:
    return e;
}

static const struct {
    enum cert_ext_id id;
    bool critical; /* unless the asker says otherwise */
    struct err *(*ask)(const struct asking *a, struct cert_ext *ret);
} rows[] = {
    {CERT_EXT_KEY_USAGE, true, ask_key_usage},   {CERT_EXT_EXT_KEY_USAGE, false, ask_eku},
    {CERT_EXT_TLS_FEATURE, false, ask_features}, {CERT_EXT_CDP, false, ask_points},
    {CERT_EXT_POLICIES, false, ask_policies},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static struct err *ask_text(const struct asking *a, struct view oid, struct cert_ext *ret)
{
    struct err *e = NULL;
    struct view der;
    if (!json_is_string(a->value))
        return conf_error(a->conf, a->value,
                          "the value of this extension is a text like 'utf8:TEXT' or 'der:HEX'");
    TRY(load_at(a->conf, a->value, cert_ext_der_of_text(json_string_value(a->value), a->arena, &der)));
    TRY(load_at(a->conf, a->value, cert_ext_write_custom(oid, a->critical, der, ret)));
out:
    return e;
}

/* A name of cert/ext.def, or a dotted OID. */
static struct err *oid_of(const struct conf *c, const json_t *at, struct arena *arena, struct view *ret)
{
    const char *text = json_string_value(at);
    for (enum cert_ext_id id = 0; text && id < CERT_EXT__COUNT; id++) {
        if (strcmp(text, cert_ext_name(id)) != 0)
            continue;
        *ret = cert_ext_oid(id);
        return NULL;
    }
    if (!text)
        return conf_error(c, at, "the OID of an extension is a text: 1.2.3, or a name like keyUsage");
    return load_at(c, at, der_oid_of_text(text, arena, ret));
}

static struct err *members(const struct conf *c, const json_t *node)
{
    const char *key;
    json_t *v;
    if (!json_is_object(node))
        return conf_error(c, node, "an extension is an object of oid, critical and value");
    json_object_foreach((json_t *)node, key, v)
    {
        if (strcmp(key, "oid") != 0 && strcmp(key, "critical") != 0 && strcmp(key, "value") != 0)
            return conf_error(c, v, "unknown member '%s'; there are oid, critical, value", key);
    }
    if (!json_object_get(node, "oid") || !json_object_get(node, "value"))
        return conf_error(c, node, "an extension needs oid and value");
    return NULL;
}

static struct err *ask_one(const struct conf *c, const json_t *node, struct arena *arena,
                           struct cert_ext *ret)
{
    struct err *e = NULL;
    struct view oid;
    size_t row = 0;
    TRY(members(c, node));
    const json_t *critical = json_object_get(node, "critical"), *at = json_object_get(node, "oid");
    struct asking a = {c, json_object_get(node, "value"), json_is_true(critical), arena};
    if (critical && !json_is_boolean(critical))
        return conf_error(c, critical, "'critical' is true or false");
    TRY(oid_of(c, at, arena, &oid));
    if (cert_ext_id_of(oid) == CERT_EXT_SAN)
        return conf_error(c, at, "names are asked for under 'sans'");
    while (row < ROWS && rows[row].id != cert_ext_id_of(oid))
        row++;
    a.critical = critical || row == ROWS ? a.critical : rows[row].critical;
    if (row == ROWS || json_is_string(a.value))
        return ask_text(&a, oid, ret);
    TRY(rows[row].ask(&a, ret));
    ret->critical = a.critical;
out:
    return e;
}

struct err *templates_asked_read(const struct conf *c, const json_t *list, struct arena *arena,
                                 const struct cert_ext **ret, size_t *ret_n)
{
    struct err *e = NULL;
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n > LIMIT_EXTENSIONS)
        return conf_error(c, list, "extensions are a list of at most %d", LIMIT_EXTENSIONS);
    struct cert_ext *exts = arena_array(arena, n, sizeof(exts[0]));
    for (size_t i = 0; i < n; i++)
        TRY(ask_one(c, json_array_get(list, i), arena, &exts[i]));
    *ret = exts;
    *ret_n = n;
out:
    return e;
}
