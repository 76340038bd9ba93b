/*
 * ResponseData (RFC 6960 4.2.1), both ways: what an OCSP answer says, before it is sealed.
 *
 * The reader takes only what the writer could have made, so that the vault may add a nonce to an answer of
 * its own and seal it again. No state. Any thread.
 */
#include "base/limits.h"
#include "ext_value.h"
#include "ocsp_id.h"

static const uint8_t oid_archive_cutoff[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x06};

/* --- writing --- */

static void put_status(struct der_out *out, const struct cert_ocsp_single *single)
{
    const struct view nothing = {NULL, 0};
    if (single->status != CERT_OCSP_REVOKED) {
        der_put(out, single->status == CERT_OCSP_GOOD ? DER_CONTEXT(0) : DER_CONTEXT(2), nothing);
        return;
    }
    size_t revoked = der_begin(out, DER_CONTEXT_CONS(1));
    der_put_gentime(out, DER_GENERALIZED_TIME, single->revoked_at);
    if (single->reason != CERT_REASON_UNSPECIFIED) {
        size_t reason = der_begin(out, DER_CONTEXT_CONS(0));
        der_put_enum(out, (uint64_t)single->reason);
        der_finish(out, reason);
    }
    der_finish(out, revoked);
}

/* RFC 6960 4.4.4, as the only singleExtension. */
static void put_archive_cutoff(struct der_out *out, int64_t cutoff)
{
    size_t exts = der_begin(out, DER_CONTEXT_CONS(1));
    size_t list = der_begin(out, DER_SEQUENCE);
    size_t one = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, view_of(oid_archive_cutoff, sizeof oid_archive_cutoff));
    size_t value = der_begin(out, DER_OCTET_STRING);
    der_put_gentime(out, DER_GENERALIZED_TIME, cutoff);
    der_finish(out, value);
    der_finish(out, one);
    der_finish(out, list);
    der_finish(out, exts);
}

static void put_single(struct der_out *out, const struct cert_ocsp_single *single)
{
    if (single->der.p) {
        der_put_raw(out, single->der);
        return;
    }
    size_t seq = der_begin(out, DER_SEQUENCE);
    ocsp_id_put(out, &single->id);
    put_status(out, single);
    der_put_gentime(out, DER_GENERALIZED_TIME, single->this_update);
    if (single->has_next_update) {
        size_t next = der_begin(out, DER_CONTEXT_CONS(0));
        der_put_gentime(out, DER_GENERALIZED_TIME, single->next_update);
        der_finish(out, next);
    }
    if (single->has_archive_cutoff)
        put_archive_cutoff(out, single->archive_cutoff);
    der_finish(out, seq);
}

static struct err *put_nonce(struct der_out *out, struct view nonce, struct arena *arena)
{
    struct err *e = NULL;
    struct der_out inner;
    struct cert_ext ext = {.oid = cert_ext_oid(CERT_EXT_OCSP_NONCE)};
    der_out_init(&inner, arena, 256);
    der_put_octets(&inner, nonce);
    TRY(der_out_done(&inner, &ext.value));
    size_t m = der_begin(out, DER_CONTEXT_CONS(1));
    cert_ext_list_put(out, &ext, 1);
    der_finish(out, m);
out:
    return e;
}

static struct err *check_data(const struct cert_ocsp_data *data)
{
    if (data->responder_key_sha1.n != SHA1_BYTES || data->n == 0 || data->n > LIMIT_OCSP_REQUESTS ||
        data->nonce.n > CERT_OCSP_NONCE_MAX_BYTES)
        return err_new(ERR_INTERNAL, "an OCSP answer that cannot be written (RFC 6960 4.2.1)");
    for (size_t i = 0; i < data->n; i++) {
        const struct cert_ocsp_single *s = &data->singles[i];
        bool raw = s->der.p != NULL;
        if (!raw &&
            (s->id.hash == CERT_OCSP_HASH_OTHER || !s->id.serial.n || !cert_crl_reason_name(s->reason)))
            return err_new(ERR_INTERNAL, "an OCSP answer that cannot be written (RFC 6960 4.2.1)");
    }
    return NULL;
}

struct err *cert_ocsp_data_write(const struct cert_ocsp_data *data, struct arena *arena, struct view *ret_tbs)
{
    struct err *e = NULL;
    struct der_out out;
    TRY(check_data(data));
    der_out_init(&out, arena, LIMIT_TBS_BYTES);
    size_t m = der_begin(&out, DER_SEQUENCE);
    size_t by_key = der_begin(&out, DER_CONTEXT_CONS(2));
    der_put_octets(&out, data->responder_key_sha1);
    der_finish(&out, by_key);
    der_put_gentime(&out, DER_GENERALIZED_TIME, data->produced_at);
    size_t list = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < data->n; i++)
        put_single(&out, &data->singles[i]);
    der_finish(&out, list);
    if (data->nonce.p)
        TRY(put_nonce(&out, data->nonce, arena));
    der_finish(&out, m);
    TRY(der_out_done(&out, ret_tbs));
out:
    return e;
}

/* --- reading --- */

static struct err *read_revoked(struct view body, struct cert_ocsp_single *single)
{
    struct err *e = NULL;
    struct view reason;
    uint64_t number = 0;
    single->status = CERT_OCSP_REVOKED;
    TRY(der_read_gentime(&body, DER_GENERALIZED_TIME, &single->revoked_at));
    TRY(der_read_optional(&body, DER_CONTEXT_CONS(0), &reason));
    if (reason.p) {
        TRY(der_read_enum(&reason, CERT_REASON_AA_COMPROMISE, &number));
        TRY(der_end(reason));
        if (number == CERT_REASON_UNSPECIFIED || !cert_crl_reason_name((enum cert_reason)number))
            return err_new(ERR_BAD_DER, "a reason that does not exist or is left out (RFC 5280 5.3.1)");
    }
    single->reason = (enum cert_reason)number;
    TRY(der_end(body));
out:
    return e;
}

static struct err *read_status(struct view *in, struct cert_ocsp_single *single)
{
    struct err *e = NULL;
    unsigned tag = 0;
    struct view body;
    TRY(der_read_any(in, &tag, NULL, &body));
    if (tag == DER_CONTEXT_CONS(1))
        return read_revoked(body, single);
    if (tag != DER_CONTEXT(0) && tag != DER_CONTEXT(2))
        return err_new(ERR_BAD_DER, "tag %02x is no CertStatus (RFC 6960 4.2.1)", tag);
    single->status = tag == DER_CONTEXT(0) ? CERT_OCSP_GOOD : CERT_OCSP_UNKNOWN;
    TRY(der_end(body));
out:
    return e;
}

static struct err *read_archive_cutoff(struct view body, struct cert_ocsp_single *single)
{
    struct err *e = NULL;
    struct view list;
    struct cert_ext ext;
    TRY(der_read(&body, DER_SEQUENCE, &list));
    TRY(der_end(body));
    TRY(ext_value_read_one(&list, &ext));
    TRY(der_end(list));
    if (!view_eq(ext.oid, view_of(oid_archive_cutoff, sizeof oid_archive_cutoff)) || ext.critical)
        return err_new(ERR_BAD_EXTENSION,
                       "a single response with an extension other than an archive cutoff (RFC 6960 4.4.4)");
    TRY(der_read_gentime(&ext.value, DER_GENERALIZED_TIME, &single->archive_cutoff));
    TRY(der_end(ext.value));
    single->has_archive_cutoff = true;
out:
    return e;
}

static struct err *read_single(struct view *in, struct cert_ocsp_single *single)
{
    struct err *e = NULL;
    struct view seq, next, exts;
    struct view before = *in;
    TRY(der_read(in, DER_SEQUENCE, &seq));
    single->der = view_of(before.p, before.n - in->n);
    TRY(ocsp_id_read(&seq, &single->id));
    if (single->id.hash == CERT_OCSP_HASH_OTHER)
        return err_new(ERR_BAD_DER, "a CertID with a hash that we do not use (RFC 6960 4.1.1)");
    TRY(read_status(&seq, single));
    TRY(der_read_gentime(&seq, DER_GENERALIZED_TIME, &single->this_update));
    TRY(der_read_optional(&seq, DER_CONTEXT_CONS(0), &next));
    single->has_next_update = next.p != NULL;
    if (next.p) {
        TRY(der_read_gentime(&next, DER_GENERALIZED_TIME, &single->next_update));
        TRY(der_end(next));
    }
    TRY(der_read_optional(&seq, DER_CONTEXT_CONS(1), &exts));
    if (exts.p)
        TRY(read_archive_cutoff(exts, single));
    TRY(der_end(seq));
out:
    return e;
}

static struct err *read_list(struct view list, struct arena *arena, struct cert_ocsp_data *data)
{
    struct err *e = NULL;
    if (!list.n)
        return err_new(ERR_BAD_DER, "an answer about no certificate (RFC 6960 4.2.1)");
    size_t n = 0;
    for (struct view rest = list; rest.n; n++) {
        if (n == LIMIT_OCSP_REQUESTS)
            return err_new(ERR_TOO_MANY, "an answer about more than %d certificates", LIMIT_OCSP_REQUESTS);
        TRY(der_read_any(&rest, NULL, NULL, NULL));
    }
    struct cert_ocsp_single *singles = arena_array(arena, n, sizeof *singles);
    for (size_t i = 0; i < n; i++)
        TRY(read_single(&list, &singles[i]));
    data->singles = singles;
    data->n = n;
out:
    return e;
}

static struct err *read_exts(struct view body, struct cert_ocsp_data *data)
{
    struct err *e = NULL;
    struct view seq;
    struct cert_ext ext;
    TRY(der_read(&body, DER_SEQUENCE, &seq));
    TRY(der_end(body));
    TRY(ext_value_read_one(&seq, &ext));
    TRY(der_end(seq));
    if (cert_ext_id_of(ext.oid) != CERT_EXT_OCSP_NONCE || ext.critical)
        return err_new(ERR_BAD_EXTENSION, "an answer with an extension other than a nonce (RFC 6960 4.4)");
    TRY(ocsp_id_read_nonce(ext.value, &data->nonce));
out:
    return e;
}

struct err *cert_ocsp_data_read(struct view tbs, struct arena *arena, struct cert_ocsp_data *ret)
{
    struct err *e = NULL;
    struct view seq, by_key, list, exts;
    struct cert_ocsp_data data = {.nonce = {NULL, 0}};
    TRY(der_read(&tbs, DER_SEQUENCE, &seq));
    TRY(der_end(tbs));
    TRY(der_read(&seq, DER_CONTEXT_CONS(2), &by_key));
    TRY(der_read(&by_key, DER_OCTET_STRING, &data.responder_key_sha1));
    TRY(der_end(by_key));
    if (data.responder_key_sha1.n != SHA1_BYTES)
        return err_new(ERR_BAD_DER, "OCSP answer: a key hash of the wrong length (RFC 6960 4.2.1)");
    TRY(der_read_gentime(&seq, DER_GENERALIZED_TIME, &data.produced_at));
    TRY(der_read(&seq, DER_SEQUENCE, &list));
    TRY(read_list(list, arena, &data));
    TRY(der_read_optional(&seq, DER_CONTEXT_CONS(1), &exts));
    if (exts.p)
        TRY(read_exts(exts, &data));
    TRY(der_end(seq));
    *ret = data;
out:
    return err_wrap(e, "OCSP answer");
}
