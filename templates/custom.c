/*
 * Extensions by OID that no group knows: fixed ones, given as DER or in a small typed form, and those a
 * request may bring along.
 *
 * What such an extension means nobody here knows; only its form (one DER element) is looked at. Any thread.
 */
#include "base/check.h"
#include "base/hex.h"
#include "base/limits.h"
#include "exts.h"
#include "judge.h"
#include "source.h"

enum { VALUE_BYTES = 8192 };

static struct err *write_oid(const char *text, struct arena *arena, struct der_out *out)
{
    struct view oid;
    struct err *e = der_oid_of_text(text, arena, &oid);
    if (!e)
        der_put_oid(out, oid);
    return e;
}

static struct err *write_hex(const char *text, struct arena *arena, struct der_out *out, bool octets)
{
    struct err *e = NULL;
    struct view bytes, rest, body;
    TRY(hex_parse(arena, view_str(text), &bytes));
    if (octets) {
        der_put_octets(out, bytes);
        return NULL;
    }
    rest = bytes;
    TRY(der_read_any(&rest, NULL, NULL, &body));
    TRY(der_end(rest));
    der_put_raw(out, bytes);
out:
    return e;
}

static bool is_ascii(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text >= 0x80)
            return false;
    }
    return true;
}

/* One typed form: false where the key is none, or its value is of another type. */
static bool write_form(const char *key, const json_t *v, struct arena *arena, struct der_out *out,
                       struct err **ret)
{
    const char *text = json_string_value(v);
    if (strcmp(key, "integer") == 0 && json_is_integer(v))
        der_put_int(out, json_integer_value(v));
    else if (strcmp(key, "boolean") == 0 && json_is_boolean(v))
        der_put_bool(out, json_is_true(v));
    else if (strcmp(key, "null") == 0 && json_is_true(v))
        der_put_null(out);
    else if (strcmp(key, "utf8") == 0 && text)
        der_put_text(out, text);
    else if (strcmp(key, "ia5") == 0 && text && is_ascii(text))
        der_put(out, DER_IA5_STRING, view_str(text));
    else if (strcmp(key, "object") == 0 && text)
        *ret = write_oid(text, arena, out);
    else if (strcmp(key, "octets") == 0 && text)
        *ret = write_hex(text, arena, out, true);
    else if (strcmp(key, "der") == 0 && text)
        *ret = write_hex(text, arena, out, false);
    else
        return false;
    return true;
}

/* An error of another room, said again with file and line. */
static struct err *placed(const struct load *l, const json_t *at, struct err *e)
{
    struct err *said = e ? conf_error(l->conf, at, "%s", err_detail(e)) : NULL;
    err_free(e);
    return said;
}

static struct err *load_value(struct load *l, const json_t *node, struct cert_ext *ret)
{
    struct err *e = NULL;
    struct der_out out;
    const char *key;
    json_t *v;
    unsigned forms = 0;
    der_out_init(&out, l->arena, VALUE_BYTES);
    json_object_foreach((json_t *)node, key, v)
    {
        if (strcmp(key, "oid") == 0 || strcmp(key, "critical") == 0)
            continue;
        struct err *bad = NULL;
        if (!write_form(key, v, l->arena, &out, &bad))
            return conf_error(l->conf, v,
                              "'%s' is no form of a value: der and octets (hex), utf8, ia5, object, integer, "
                              "boolean, null: true",
                              key);
        TRY(placed(l, v, bad));
        forms++;
    }
    if (forms != 1)
        return conf_error(l->conf, node, "an extension has one value: give der, utf8, ... once");
    TRY(placed(l, node, der_out_done(&out, &ret->value)));
out:
    return e;
}

static struct err *load_oid(struct load *l, const json_t *at, const char *text, struct view *ret)
{
    struct err *e = NULL;
    if (!text)
        return conf_error(l->conf, at, "an OID in dotted form is missing; quote it");
    TRY(placed(l, at, der_oid_of_text(text, l->arena, ret)));
    if (cert_ext_id_of(*ret) < CERT_EXT__COUNT)
        return conf_error(l->conf, at, "%s has fields of its own", cert_ext_label(*ret, l->arena));
out:
    return e;
}

static struct err *load_one(struct load *l, const json_t *node)
{
    struct err *e = NULL;
    struct template_custom *c = &l->t->custom;
    struct cert_ext *ext = &c->values[c->n];
    const json_t *oid = json_object_get(node, "oid"), *critical = json_object_get(node, "critical");
    if (!json_is_object(node))
        return conf_error(l->conf, node, "a custom extension is a mapping, like {oid: 1.2.3, utf8: text}");
    TRY(load_oid(l, oid ? oid : node, json_string_value(oid), &ext->oid));
    if (critical && !json_is_boolean(critical))
        return conf_error(l->conf, critical, "'critical' is true or false");
    ext->critical = json_is_true(critical);
    for (size_t i = 0; i < c->n; i++) {
        if (view_eq(c->values[i].oid, ext->oid))
            return conf_error(l->conf, oid, "the same OID twice (RFC 5280 4.2)");
    }
    TRY(load_value(l, node, ext));
    c->n++;
out:
    return e;
}

static struct err *load_allow(struct load *l)
{
    struct err *e = NULL;
    struct template_custom *c = &l->t->custom;
    const json_t *list = json_object_get(load_node(l, GROUP_CUSTOM), "allow");
    c->allow = arena_array(l->arena, c->allow_texts.n, sizeof(c->allow[0]));
    for (; c->allow_n < c->allow_texts.n; c->allow_n++)
        TRY(load_oid(l, json_array_get(list, c->allow_n), c->allow_texts.items[c->allow_n],
                     &c->allow[c->allow_n]));
    if (c->allow_n > 0 && !source_open(&c->from))
        return load_error(l, GROUP_CUSTOM, "allow", "'allow' without request or csr under 'from'");
out:
    return e;
}

struct err *custom_load(struct load *l)
{
    struct err *e = NULL;
    struct template_custom *c = &l->t->custom;
    const json_t *list = c->values_tree;
    TRY(source_load(l, GROUP_CUSTOM, "from", &c->from, SOURCE_TEMPLATE | SOURCE_ASKED, SOURCE_TEMPLATE));
    if (list && (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > CUSTOM_MAX))
        return conf_error(l->conf, list, "'values' is a list of 1 to %d extensions", CUSTOM_MAX);
    c->values = arena_array(l->arena, json_array_size(list), sizeof(c->values[0]));
    for (size_t i = 0; i < json_array_size(list); i++)
        TRY(load_one(l, json_array_get(list, i)));
    TRY(load_allow(l));
out:
    return e;
}

json_t *custom_values_json(const struct template *t)
{
    struct arena *arena = arena_new(64 * 1024);
    json_t *list = json_array();
    for (size_t i = 0; i < t->custom.n; i++) {
        const struct cert_ext *ext = &t->custom.values[i];
        arena_reset(arena);
        json_array_append_new(list, json_pack("{s:s, s:b, s:s}", "oid", der_oid_text(ext->oid, arena),
                                              "critical", ext->critical, "der", hex_of(arena, ext->value)));
    }
    arena_free(arena);
    return list;
}

static const struct cert_ext *by_oid(const struct cert_ext *exts, size_t n, struct view oid)
{
    for (size_t i = 0; i < n; i++) {
        if (view_eq(exts[i].oid, oid))
            return &exts[i];
    }
    return NULL;
}

struct err *custom_rule_values(const struct judged *j)
{
    for (size_t i = 0; i < j->t->custom.n; i++) {
        const struct cert_ext *want = &j->t->custom.values[i];
        const struct cert_ext *have = by_oid(j->tbs->exts, j->tbs->ext_count, want->oid);
        if (have && have->critical == want->critical && view_eq(have->value, want->value))
            continue;
        return err_new(ERR_POLICY, "the extension %s is %s", cert_ext_label(want->oid, j->arena),
                       have ? "not what the template gives" : "missing");
    }
    return NULL;
}

static bool allowed(const struct template_custom *c, struct view oid)
{
    for (size_t i = 0; i < c->allow_n; i++) {
        if (view_eq(c->allow[i], oid))
            return true;
    }
    return c->allow_n == 0;
}

struct err *custom_rule_allow(const struct judged *j)
{
    const struct template_custom *c = &j->t->custom;
    for (size_t i = 0; i < j->tbs->ext_count && source_open(&c->from); i++) {
        struct view oid = j->tbs->exts[i].oid;
        if (cert_ext_id_of(oid) < CERT_EXT__COUNT || by_oid(c->values, c->n, oid) || allowed(c, oid))
            continue;
        return err_new(ERR_POLICY, "the extension %s may not be asked for", cert_ext_label(oid, j->arena));
    }
    return NULL;
}
