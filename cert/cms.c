/*
 * The degenerate SignedData (RFC 5652 5.1) in which certificates travel. Certificates are put as they are, in
 * the order given: a SET OF in BER, which RFC 5652 allows and clients read. Any thread.
 */
#include "cert/cms.h"

#include "base/der.h"
#include "base/limits.h"

enum { CMS_BYTES = 1024 * 1024 };

static const uint8_t oid_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
static const uint8_t oid_signed_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};

static void put_empty_set(struct der_out *out)
{
    der_finish(out, der_begin(out, DER_SET));
}

static void put_signed_data(struct der_out *out, const struct view *ders, size_t n)
{
    size_t whole = der_begin(out, DER_SEQUENCE);
    der_put_uint(out, 1);
    put_empty_set(out); /* digestAlgorithms */
    size_t content = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, view_of(oid_data, sizeof oid_data));
    der_finish(out, content);
    size_t certificates = der_begin(out, DER_CONTEXT_CONS(0));
    for (size_t i = 0; i < n; i++)
        der_put_raw(out, ders[i]);
    der_finish(out, certificates);
    put_empty_set(out); /* signerInfos */
    der_finish(out, whole);
}

struct err *cert_cms_certs_only(const struct view *ders, size_t n, struct arena *arena, struct view *ret_der)
{
    struct der_out out;
    der_out_init(&out, arena, CMS_BYTES);
    size_t info = der_begin(&out, DER_SEQUENCE);
    der_put_oid(&out, view_of(oid_signed_data, sizeof oid_signed_data));
    size_t tagged = der_begin(&out, DER_CONTEXT_CONS(0));
    put_signed_data(&out, ders, n);
    der_finish(&out, tagged);
    der_finish(&out, info);
    return der_out_done(&out, ret_der);
}
