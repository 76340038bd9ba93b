/*
 * PKCS#10 requests (RFC 2986): shape within limits, then the meaning of each part.
 *
 * Every octet of the request is accounted for. The signature is verified only where asked, over the octets as
 * they came. Any thread.
 */
#include "cert/csr.h"

#include "base/limits.h"
#include "cert/pem.h"
#include "cert/seal.h"

static const uint8_t oid_extension_request[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};

/* --- attributes --- */

static struct err *read_extension_request(struct view values, struct arena *arena, struct cert_csr *csr)
{
    struct err *e = NULL;
    if (csr->exts)
        return err_new(ERR_BAD_CSR, "extensionRequest stands there twice (RFC 2985 5.4.2)");
    TRY(cert_ext_list_read(&values, arena, &csr->exts, &csr->ext_count));
    TRY(der_end(values)); /* single-valued */
out:
    return err_wrap(e, "extensionRequest (RFC 2985 5.4.2)");
}

static struct err *read_attribute(struct view *in, struct arena *arena, struct cert_csr *csr)
{
    struct err *e = NULL;
    struct view seq, oid, values, rest;
    TRY(der_read(in, DER_SEQUENCE, &seq));
    TRY(der_read_oid(&seq, &oid));
    TRY(der_read(&seq, DER_SET, &values));
    TRY(der_end(seq));
    if (!values.n)
        return err_new(ERR_BAD_CSR, "an attribute without a value (RFC 2986 4.1)");
    if (view_eq(oid, view_of(oid_extension_request, sizeof oid_extension_request)))
        TRY(read_extension_request(values, arena, csr));
    for (rest = values; rest.n;)
        TRY(der_read_any(&rest, NULL, NULL, NULL));
out:
    return e;
}

/* [0] IMPLICIT SET OF Attribute. Some clients leave it out where it is empty; that is taken. */
static struct err *read_attributes(struct view *in, struct arena *arena, struct cert_csr *csr)
{
    struct err *e = NULL;
    struct view set;
    TRY(der_read_optional(in, DER_CONTEXT_CONS(0), &set));
    for (size_t n = 0; set.n; n++) {
        if (n == LIMIT_EXTENSIONS)
            return err_new(ERR_TOO_MANY, "more than %d attributes in a request", LIMIT_EXTENSIONS);
        TRY(read_attribute(&set, arena, csr));
    }
out:
    return e;
}

static struct err *read_sans(struct arena *arena, struct cert_csr *csr)
{
    const struct cert_ext *san = cert_ext_find(csr->exts, csr->ext_count, CERT_EXT_SAN);
    const struct cert_san_limits limits = {.allow_other = true}; /* the template judges which kinds */
    if (!san)
        return NULL;
    return cert_san_read(san->value, &limits, arena, &csr->sans, &csr->san_count);
}

/* --- the request --- */

static struct err *read_cri(struct arena *arena, struct cert_csr *csr)
{
    struct err *e = NULL;
    struct view in = csr->cri, seq, subject, spki;
    uint64_t version = 0;
    TRY(der_read(&in, DER_SEQUENCE, &seq));
    TRY(der_read_uint(&seq, UINT64_MAX, &version));
    if (version != 0)
        return err_new(ERR_BAD_CSR, "version %llu; only version 0 exists (RFC 2986 4.1)",
                       (unsigned long long)version);
    TRY(der_read_whole(&seq, DER_SEQUENCE, &subject));
    TRY(der_read_whole(&seq, DER_SEQUENCE, &spki));
    TRY(read_attributes(&seq, arena, csr));
    TRY(der_end(seq));
    TRY(err_wrap(cert_name_parse(subject, arena, &csr->subject), "subject"));
    TRY(cert_key_parse(spki, &csr->key));
    TRY(read_sans(arena, csr));
out:
    return e;
}

static struct err *decode_pem(struct view text, struct arena *arena, struct view *ret_der)
{
    struct err *e = NULL;
    struct view label, der, more;
    TRY(cert_pem_next(&text, arena, &label, &der));
    if (!view_eq_str(label, "CERTIFICATE REQUEST") && !view_eq_str(label, "NEW CERTIFICATE REQUEST"))
        return err_new(ERR_BAD_CSR, "the PEM block is no CERTIFICATE REQUEST (RFC 7468 7)");
    TRY(cert_pem_next(&text, arena, &more, ret_der));
    if (more.p)
        return err_new(ERR_BAD_CSR, "more than one PEM block (RFC 7468 7)");
    *ret_der = der;
out:
    return e;
}

/* A PEM block can only be longer than its DER by base64, line ends and text around it. */
static struct err *gate(struct view in, struct arena *arena, struct view *ret_der)
{
    struct err *e = NULL;
    bool pem = der_peek(in) != DER_SEQUENCE;
    size_t max = pem ? 2 * LIMIT_CSR_BYTES : LIMIT_CSR_BYTES;
    if (in.n > max)
        return err_new(ERR_TOO_LARGE, "a request of %zu octets; at most %d are allowed", in.n,
                       LIMIT_CSR_BYTES);
    *ret_der = in;
    if (pem)
        TRY(decode_pem(in, arena, ret_der));
    if (ret_der->n > LIMIT_CSR_BYTES)
        return err_new(ERR_TOO_LARGE, "a request of %zu octets; at most %d are allowed", ret_der->n,
                       LIMIT_CSR_BYTES);
out:
    return e;
}

struct err *cert_csr_parse(struct view pem_or_der, struct arena *arena, struct cert_csr *ret)
{
    struct err *e = NULL;
    struct cert_csr csr = {.san_count = 0};
    struct cert_sealed sealed;
    TRY(gate(pem_or_der, arena, &csr.der));
    TRY(cert_seal_open(csr.der, &sealed));
    csr.cri = sealed.tbs;
    csr.alg = sealed.alg;
    csr.sig = sealed.sig;
    TRY(read_cri(arena, &csr));
    if (!cert_alg_fits(csr.alg, csr.key.kind))
        return err_new(ERR_BAD_SIGNATURE,
                       "certificate request: signature algorithm %s does not fit the key (RFC 2986 4.2)",
                       cert_alg_name(csr.alg));
    *ret = csr;
out:
    return err_wrap(e, "certificate request");
}

struct err *cert_csr_write(struct view subject, struct view spki, struct arena *arena, struct view *ret_cri)
{
    struct der_out out;
    der_out_init(&out, arena, LIMIT_CSR_BYTES);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, 0);
    der_put_raw(&out, subject);
    der_put_raw(&out, spki);
    der_put(&out, DER_CONTEXT_CONS(0), (struct view){NULL, 0});
    der_finish(&out, m);
    return der_out_done(&out, ret_cri);
}

static struct err *possession(struct err *e)
{
    return err_wrap(e, "certificate request: proof of possession (RFC 2986 4.2)");
}

struct err *cert_csr_verify(const struct cert_csr *csr)
{
    return possession(cert_key_verify(&csr->key, csr->alg, csr->cri, csr->sig));
}

struct err *cert_csr_verify_at(struct cert_key_desk *desk, const struct cert_csr *csr)
{
    return possession(cert_key_desk_verify(desk, &csr->key, csr->alg, csr->cri, csr->sig));
}
