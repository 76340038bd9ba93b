/*
 * The public half of a key as SubjectPublicKeyInfo, from the attributes of its public object; no OpenSSL
 * encoder. Also the curves we know, as CKA_EC_PARAMS writes them. Whoever calls holds the module.
 */
#include "base/arena.h"
#include "base/der.h"
#include "token_state.h"

/* One public object under scrutiny. */
struct object {
    struct module *m;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE handle;
    struct arena *arena;
};

/* Each as PKCS#11 writes it: the OID of a named curve; Ed25519 also by its name as PrintableString (v3.0,
 * 2.3.10), which older modules want and newer ones take. */
static const struct {
    enum cert_key_kind kind;
    uint8_t n, der[14];
} curves[] = {
    {CERT_KEY_P256, 10, {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}},
    {CERT_KEY_P384, 7, {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22}},
    {CERT_KEY_P521, 7, {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23}},
    {CERT_KEY_ED25519, 5, {0x06, 0x03, 0x2b, 0x65, 0x70}},
    {CERT_KEY_ED25519, 14, {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'}},
};
enum { CURVES = sizeof curves / sizeof curves[0] };

struct view token_spki_curve(enum cert_key_kind kind, unsigned nth)
{
    for (size_t i = 0; i < CURVES; i++)
        if (curves[i].kind == kind && nth-- == 0)
            return view_of(curves[i].der, curves[i].n);
    return (struct view){NULL, 0};
}

static CK_RV bytes_of(const struct object *o, CK_ATTRIBUTE_TYPE type, struct view *ret)
{
    return token_attr_bytes(o->m, o->session, o->handle, type, o->arena, ret);
}

static CK_ULONG ulong_of(struct view v)
{
    CK_ULONG n = CK_UNAVAILABLE_INFORMATION;

    if (v.n == sizeof n)
        memcpy(&n, v.p, sizeof n);
    return n;
}

/* CKA_EC_PARAMS, whole DER. */
static struct err *curve_of(struct view params, enum cert_key_kind *ret)
{
    for (size_t i = 0; i < CURVES; i++)
        if (view_eq(params, view_of(curves[i].der, curves[i].n))) {
            *ret = curves[i].kind;
            return NULL;
        }
    return err_new(ERR_CONFIG, "the key's curve is none of P-256, P-384, P-521, Ed25519");
}

/* CKA_EC_POINT is the point within an OCTET STRING (PKCS#11 v2.40 mechanisms, 2.3.3); some modules leave that
 * off. */
static struct view point_of(struct view v)
{
    struct view in = v, point;
    struct err *e = der_read(&in, DER_OCTET_STRING, &point);

    if (!e && in.n == 0)
        return point;
    err_free(e);
    return v;
}

static struct err *spki_ec(const struct object *o, struct view *ret)
{
    struct err *e = NULL;
    struct view params, point;
    enum cert_key_kind kind;
    CK_RV rv = bytes_of(o, CKA_EC_PARAMS, &params);

    if (rv == CKR_OK)
        rv = bytes_of(o, CKA_EC_POINT, &point);
    if (rv != CKR_OK)
        return module_err(ERR_CONFIG, "C_GetAttributeValue", rv, "the public key's point cannot be read");
    TRY(curve_of(params, &kind));
    TRY(cert_key_write(kind, point_of(point), o->arena, ret));
out:
    return e;
}

static struct view magnitude(struct view v)
{
    while (v.n > 1 && v.p[0] == 0)
        v = view_from(v, 1);
    return v;
}

static struct err *spki_rsa(const struct object *o, struct view *ret)
{
    struct view modulus, exponent;
    CK_RV rv = bytes_of(o, CKA_MODULUS, &modulus);

    if (rv == CKR_OK)
        rv = bytes_of(o, CKA_PUBLIC_EXPONENT, &exponent);
    if (rv != CKR_OK)
        return module_err(ERR_CONFIG, "C_GetAttributeValue", rv, "the public key's modulus cannot be read");
    return cert_key_write_rsa(magnitude(modulus), magnitude(exponent), o->arena, ret);
}

struct err *token_spki_read(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE public,
                            struct arena *arena, struct view *ret)
{
    struct object o = {m, session, public, arena};
    struct view type = {NULL, 0};

    (void)bytes_of(&o, CKA_KEY_TYPE, &type);
    if (ulong_of(type) == CKK_EC || ulong_of(type) == CKK_EC_EDWARDS)
        return spki_ec(&o, ret);
    if (ulong_of(type) == CKK_RSA)
        return spki_rsa(&o, ret);
    return err_new(ERR_CONFIG, "the key is neither RSA, EC nor Edwards (CKA_KEY_TYPE 0x%lx)", ulong_of(type));
}
