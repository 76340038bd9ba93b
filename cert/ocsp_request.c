/*
 * OCSP requests (RFC 6960 4.1.1) by hand: which certificates are asked for, and the nonce.
 *
 * Every octet is accounted for, but a signature of the asker is passed over. Never allocates outside the
 * request's arena. Any thread.
 */
#include "base/limits.h"
#include "ext_value.h"
#include "ocsp_id.h"

static struct err *bad(const char *why)
{
    return err_new(ERR_BAD_REQUEST, "OCSP request: %s", why);
}

/* Nonce ::= OCTET STRING of 1 to 128 octets inside extnValue (RFC 9654 2.1). */
struct err *ocsp_id_read_nonce(struct view value, struct view *ret)
{
    struct err *e = NULL;
    struct view nonce;
    TRY(der_read(&value, DER_OCTET_STRING, &nonce));
    TRY(der_end(value));
    if (nonce.n == 0 || nonce.n > CERT_OCSP_NONCE_MAX_BYTES)
        return bad("a nonce has 1 to 128 octets (RFC 9654 2.1)");
    *ret = nonce;
out:
    return e;
}

/* nonce may be NULL: then none is looked for. */
static struct err *read_exts(struct view body, struct view *nonce)
{
    struct err *e = NULL;
    struct view seq;
    struct cert_ext ext;
    TRY(der_read(&body, DER_SEQUENCE, &seq));
    TRY(der_end(body));
    while (seq.n) {
        TRY(ext_value_read_one(&seq, &ext));
        bool is_nonce = nonce && cert_ext_id_of(ext.oid) == CERT_EXT_OCSP_NONCE;
        if (is_nonce && nonce->p)
            return bad("two nonces (RFC 9654 2.1)");
        if (is_nonce)
            TRY(ocsp_id_read_nonce(ext.value, nonce));
        if (!is_nonce && ext.critical)
            return bad("an unknown critical extension (RFC 6960 4.4)");
    }
out:
    return e;
}

static struct err *read_one(struct view *in, struct cert_ocsp_id *ret)
{
    struct err *e = NULL;
    struct view seq, exts;
    TRY(der_read(in, DER_SEQUENCE, &seq));
    TRY(ocsp_id_read(&seq, ret));
    TRY(der_read_optional(&seq, DER_CONTEXT_CONS(0), &exts));
    if (exts.p)
        TRY(read_exts(exts, NULL));
    TRY(der_end(seq));
out:
    return e;
}

static struct err *read_list(struct view list, struct arena *arena, struct cert_ocsp_request *ret)
{
    struct err *e = NULL;
    size_t n = 0;
    for (struct view rest = list; rest.n; n++) {
        TRY(der_read_any(&rest, NULL, NULL, NULL));
        if (n == LIMIT_OCSP_REQUESTS)
            return err_new(ERR_TOO_MANY, "OCSP request: more than %d certificates in one request",
                           LIMIT_OCSP_REQUESTS);
    }
    if (!n)
        return bad("asks for no certificate (RFC 6960 4.1.1)");
    struct cert_ocsp_id *ids = arena_array(arena, n, sizeof *ids);
    for (size_t i = 0; i < n; i++)
        TRY(read_one(&list, &ids[i]));
    ret->ids = ids;
    ret->n = n;
out:
    return e;
}

static struct err *read_tbs(struct view tbs, struct arena *arena, struct cert_ocsp_request *ret)
{
    struct err *e = NULL;
    struct view version, name, list, exts;
    uint64_t number = 0;
    TRY(der_read_optional(&tbs, DER_CONTEXT_CONS(0), &version));
    if (version.p) {
        TRY(der_read_uint(&version, UINT64_MAX, &number));
        TRY(der_end(version));
    }
    if (number != 0)
        return bad("of a version other than 1 (RFC 6960 4.1.1)");
    TRY(der_read_optional(&tbs, DER_CONTEXT_CONS(1), &name)); /* requestorName: not looked at */
    TRY(der_read(&tbs, DER_SEQUENCE, &list));
    TRY(read_list(list, arena, ret));
    TRY(der_read_optional(&tbs, DER_CONTEXT_CONS(2), &exts));
    if (exts.p)
        TRY(read_exts(exts, &ret->nonce));
    TRY(der_end(tbs));
out:
    return e;
}

struct err *cert_ocsp_request_parse(struct view der, struct arena *arena, struct cert_ocsp_request *ret)
{
    struct err *e = NULL;
    struct view seq, tbs, signature;
    struct cert_ocsp_request request = {.nonce = {NULL, 0}};
    if (der.n > LIMIT_OCSP_REQUEST_BYTES)
        return err_new(ERR_TOO_LARGE, "OCSP request: %zu octets; at most %d are allowed", der.n,
                       LIMIT_OCSP_REQUEST_BYTES);
    TRY(der_read(&der, DER_SEQUENCE, &seq));
    TRY(der_end(der));
    TRY(der_read(&seq, DER_SEQUENCE, &tbs));
    TRY(read_tbs(tbs, arena, &request));
    TRY(der_read_optional(&seq, DER_CONTEXT_CONS(0), &signature)); /* RFC 6960 4.1.2: ours to ignore */
    TRY(der_end(seq));
    *ret = request;
out:
    return e && err_code(e) == ERR_BAD_DER ? err_wrap(e, "OCSP request") : e;
}
