/*
 * OCSPResponse (RFC 6960 4.2.1): the outer form, together and apart, and the unsigned answers for errors.
 *
 * Signs nothing and verifies nothing. No state. Any thread.
 */
#include "cert/ocsp.h"

#include "base/der.h"
#include "base/limits.h"

enum { CERTS_MAX = 8, ANSWER_MAX_BYTES = 4 * LIMIT_TBS_BYTES };

static const uint8_t oid_basic[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};

struct view cert_ocsp_error(enum cert_ocsp_status status)
{
    static const uint8_t answers[][5] = {
        [CERT_OCSP_MALFORMED_REQUEST] = {0x30, 0x03, 0x0a, 0x01, 0x01},
        [CERT_OCSP_INTERNAL_ERROR] = {0x30, 0x03, 0x0a, 0x01, 0x02},
        [CERT_OCSP_TRY_LATER] = {0x30, 0x03, 0x0a, 0x01, 0x03},
        [CERT_OCSP_SIG_REQUIRED] = {0x30, 0x03, 0x0a, 0x01, 0x05},
        [CERT_OCSP_UNAUTHORIZED] = {0x30, 0x03, 0x0a, 0x01, 0x06},
    };
    return view_of(answers[status], sizeof answers[status]);
}

static void put_basic(struct der_out *out, struct view tbs, enum cert_alg alg, struct view sig,
                      const struct view *certs, size_t cert_count)
{
    size_t basic = der_begin(out, DER_SEQUENCE);
    der_put_raw(out, tbs);
    der_put_raw(out, cert_alg_der(alg));
    der_put_bits(out, sig, 0);
    if (cert_count) {
        size_t explicit = der_begin(out, DER_CONTEXT_CONS(0));
        size_t list = der_begin(out, DER_SEQUENCE);
        for (size_t i = 0; i < cert_count; i++)
            der_put_raw(out, certs[i]);
        der_finish(out, list);
        der_finish(out, explicit);
    }
    der_finish(out, basic);
}

struct err *cert_ocsp_seal(struct view tbs, enum cert_alg alg, struct view sig, const struct view *certs,
                           size_t cert_count, struct arena *arena, struct view *ret_der)
{
    struct der_out out;
    der_out_init(&out, arena, ANSWER_MAX_BYTES);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_enum(&out, CERT_OCSP_SUCCESSFUL);
    size_t explicit = der_begin(&out, DER_CONTEXT_CONS(0));
    size_t bytes = der_begin(&out, DER_SEQUENCE);
    der_put_oid(&out, view_of(oid_basic, sizeof oid_basic));
    size_t octets = der_begin(&out, DER_OCTET_STRING);
    put_basic(&out, tbs, alg, sig, certs, cert_count);
    der_finish(&out, octets);
    der_finish(&out, bytes);
    der_finish(&out, explicit);
    der_finish(&out, m);
    return der_out_done(&out, ret_der);
}

static struct err *read_certs(struct view *in, struct arena *arena, struct cert_ocsp_answer *answer)
{
    struct err *e = NULL;
    struct view body, list;
    TRY(der_read_optional(in, DER_CONTEXT_CONS(0), &body));
    if (!body.p)
        return NULL;
    TRY(der_read(&body, DER_SEQUENCE, &list));
    TRY(der_end(body));
    struct view *certs = arena_array(arena, CERTS_MAX, sizeof *certs);
    while (list.n) {
        if (answer->cert_count == CERTS_MAX)
            return err_new(ERR_TOO_MANY, "an answer with more than %d certificates", CERTS_MAX);
        TRY(der_read_whole(&list, DER_SEQUENCE, &certs[answer->cert_count++]));
    }
    answer->certs = certs;
out:
    return e;
}

static struct err *read_basic(struct view octets, struct arena *arena, struct cert_ocsp_answer *answer)
{
    struct err *e = NULL;
    struct view seq;
    unsigned unused = 0;
    TRY(der_read(&octets, DER_SEQUENCE, &seq));
    TRY(der_end(octets));
    TRY(der_read_whole(&seq, DER_SEQUENCE, &answer->sealed.tbs));
    TRY(cert_alg_read(&seq, &answer->sealed.alg));
    TRY(der_read_bits(&seq, &answer->sealed.sig, &unused));
    if (unused)
        return err_new(ERR_BAD_SIGNATURE, "a signature with unused bits (RFC 6960 4.2.1)");
    TRY(read_certs(&seq, arena, answer));
    TRY(der_end(seq));
    TRY(cert_ocsp_data_read(answer->sealed.tbs, arena, &answer->data));
out:
    return e;
}

static struct err *read_bytes(struct view *in, struct arena *arena, struct cert_ocsp_answer *answer)
{
    struct err *e = NULL;
    struct view body, seq, oid, octets;
    TRY(der_read(in, DER_CONTEXT_CONS(0), &body));
    TRY(der_read(&body, DER_SEQUENCE, &seq));
    TRY(der_end(body));
    TRY(der_read_oid(&seq, &oid));
    if (!view_eq(oid, view_of(oid_basic, sizeof oid_basic)))
        return err_new(ERR_BAD_DER, "an answer that is not of the basic kind (RFC 6960 4.2.1)");
    TRY(der_read(&seq, DER_OCTET_STRING, &octets));
    TRY(der_end(seq));
    TRY(read_basic(octets, arena, answer));
out:
    return e;
}

struct err *cert_ocsp_open(struct view der, struct arena *arena, struct cert_ocsp_answer *ret)
{
    struct err *e = NULL;
    struct view seq;
    struct cert_ocsp_answer answer = {.cert_count = 0};
    uint64_t status = 0;
    if (der.n > ANSWER_MAX_BYTES)
        return err_new(ERR_TOO_LARGE, "an OCSP answer of %zu octets", der.n);
    TRY(der_read(&der, DER_SEQUENCE, &seq));
    TRY(der_end(der));
    TRY(der_read_enum(&seq, CERT_OCSP_UNAUTHORIZED, &status));
    answer.status = (enum cert_ocsp_status)status;
    if (status == CERT_OCSP_SUCCESSFUL)
        TRY(read_bytes(&seq, arena, &answer));
    TRY(der_end(seq));
    *ret = answer;
out:
    return err_wrap(e, "OCSPResponse");
}
