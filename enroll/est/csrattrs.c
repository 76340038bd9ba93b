/*
 * GET csrattrs (RFC 7030 4.5, RFC 8951 3.2): what a template wants of a CSR: the kinds of key, as attributes
 * that a client can make one by, and the digests that go with them. On the front's loop.
 */
#include "base/der.h"
#include "est.h"

enum { ATTRS_BYTES = 4096 };

static const char id_ec_public_key[] = "1.2.840.10045.2.1";
static const char rsa_encryption[] = "1.2.840.113549.1.1.1";

static const struct {
    const char *allow;
    const char *type;  /* of the attribute */
    const char *curve; /* its value; NULL: none */
    const char *sign;  /* a signature algorithm that fits the key */
} keys[] = {
    {"p256", id_ec_public_key, "1.2.840.10045.3.1.7", "1.2.840.10045.4.3.2"},
    {"p384", id_ec_public_key, "1.3.132.0.34", "1.2.840.10045.4.3.3"},
    {"p521", id_ec_public_key, "1.3.132.0.35", "1.2.840.10045.4.3.4"},
    {"rsa", rsa_encryption, NULL, "1.2.840.113549.1.1.11"},
    {"ed25519", NULL, NULL, "1.3.101.112"},
};
enum { KEYS = sizeof keys / sizeof keys[0] };

static void put_oid(struct der_out *out, const char *dotted)
{
    struct view oid = {NULL, 0};
    struct err *e = der_oid_of_text(dotted, out->arena, &oid);
    out->failed = out->failed || e;
    err_free(e);
    der_put_oid(out, oid);
}

/* SEQUENCE { type, SET { value } }: a curve, or the least length of an RSA key. */
static void put_attribute(struct der_out *out, size_t key, uint64_t rsa_bits)
{
    size_t whole = der_begin(out, DER_SEQUENCE);
    put_oid(out, keys[key].type);
    size_t values = der_begin(out, DER_SET);
    if (keys[key].curve)
        put_oid(out, keys[key].curve);
    else
        der_put_uint(out, rsa_bits);
    der_finish(out, values);
    der_finish(out, whole);
}

static bool is_allowed(const json_t *allow, const char *kind)
{
    size_t i;
    json_t *one;
    json_array_foreach(allow, i, one)
    {
        if (strcmp(json_string_value(one), kind) == 0)
            return true;
    }
    return json_array_size(allow) == 0;
}

static struct err *attrs_of(const struct template *t, struct arena *arena, struct view *ret)
{
    json_t *tree = templates_to_json(t), *group = json_object_get(tree, "keys");
    uint64_t rsa_bits = (uint64_t)json_integer_value(json_object_get(group, "rsa_min"));
    struct der_out out;

    der_out_init(&out, arena, ATTRS_BYTES);
    size_t whole = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < KEYS; i++) {
        if (!is_allowed(json_object_get(group, "allow"), keys[i].allow))
            continue;
        if (keys[i].type)
            put_attribute(&out, i, rsa_bits);
        put_oid(&out, keys[i].sign);
    }
    der_finish(&out, whole);
    json_decref(tree);
    return der_out_done(&out, ret);
}

void csrattrs_get(struct http_request *r)
{
    struct err *e = NULL;
    const struct enroll *en = r->app;
    const char *label = est_label(r), *name = label ? label : EST_TEMPLATE;
    const struct template *t = templates_find(ca_setup_get(en->setup.ca)->templates, view_str(name));
    struct view attrs;

    if (!t || templates_internal(t))
        TRY(err_new(ERR_TEMPLATE_UNKNOWN, "no template '%.100s'", name));
    TRY(attrs_of(t, r->arena, &attrs));
    est_reply(r, "application/csrattrs", attrs);
out:
    if (e)
        est_refuse(r, NULL, e);
}
