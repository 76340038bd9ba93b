/*
 * TBSCertificate, both ways (RFC 5280 4.1.2).
 *
 * The reader is the gate in front of the vault's judge: it takes only what the writer could have made. Never
 * judges names, key or extensions' values. No state. Any thread.
 */
#include "cert/tbs.h"

#include "base/limits.h"
#include "crl_entry.h"

struct err *cert_tbs_write(const struct cert_tbs *tbs, struct arena *arena, struct view *ret_der)
{
    struct der_out out;
    if (!crl_entry_serial_ok(tbs->serial))
        return err_new(ERR_INTERNAL, "a serial that is not positive and minimal (RFC 5280 4.1.2.2)");
    der_out_init(&out, arena, LIMIT_TBS_BYTES);
    size_t m = der_begin(&out, DER_SEQUENCE);
    size_t version = der_begin(&out, DER_CONTEXT_CONS(0));
    der_put_uint(&out, 2);
    der_finish(&out, version);
    der_put(&out, DER_INTEGER, tbs->serial);
    der_put_raw(&out, cert_alg_der(tbs->alg));
    der_put_raw(&out, tbs->issuer);
    size_t validity = der_begin(&out, DER_SEQUENCE);
    der_put_time(&out, tbs->not_before);
    der_put_time(&out, tbs->not_after);
    der_finish(&out, validity);
    der_put_raw(&out, tbs->subject);
    der_put_raw(&out, tbs->spki);
    if (tbs->ext_count) {
        size_t exts = der_begin(&out, DER_CONTEXT_CONS(3));
        cert_ext_list_put(&out, tbs->exts, tbs->ext_count);
        der_finish(&out, exts);
    }
    der_finish(&out, m);
    return err_wrap(der_out_done(&out, ret_der), "tbsCertificate");
}

static struct err *read_version(struct view *in)
{
    struct err *e = NULL;
    struct view version;
    uint64_t number = 0;
    TRY(der_read_optional(in, DER_CONTEXT_CONS(0), &version));
    if (version.p) {
        TRY(der_read_uint(&version, 2, &number));
        TRY(der_end(version));
    }
    if (number != 2)
        return err_new(ERR_BAD_DER, "a certificate of a version other than 3 (RFC 5280 4.1.2.1)");
out:
    return e;
}

static struct err *read_validity(struct view *in, struct cert_tbs *tbs)
{
    struct err *e = NULL;
    struct view seq;
    TRY(der_read(in, DER_SEQUENCE, &seq));
    TRY(der_read_time(&seq, &tbs->not_before));
    TRY(der_read_time(&seq, &tbs->not_after));
    TRY(der_end(seq));
    if (tbs->not_after < tbs->not_before)
        return err_new(ERR_BAD_DER, "notAfter lies before notBefore (RFC 5280 4.1.2.5)");
out:
    return e;
}

static struct err *read_exts(struct view *in, struct arena *arena, struct cert_tbs *tbs)
{
    struct err *e = NULL;
    struct view body;
    struct cert_ext *exts = NULL;
    int tag = der_peek(*in);
    if (tag == DER_CONTEXT(1) || tag == DER_CONTEXT(2))
        return err_new(ERR_BAD_DER, "unique identifiers are refused (RFC 5280 4.1.2.8)");
    TRY(der_read_optional(in, DER_CONTEXT_CONS(3), &body));
    if (body.p) {
        TRY(cert_ext_list_read(&body, arena, &exts, &tbs->ext_count));
        TRY(der_end(body));
    }
    tbs->exts = exts;
out:
    return e;
}

struct err *cert_tbs_read(struct view der, struct arena *arena, struct cert_tbs *ret)
{
    struct err *e = NULL;
    struct view seq;
    struct cert_tbs tbs = {.ext_count = 0};
    if (der.n > LIMIT_TBS_BYTES)
        return err_new(ERR_TOO_LARGE, "a tbsCertificate of %zu octets; at most %d are allowed", der.n,
                       LIMIT_TBS_BYTES);
    TRY(der_read(&der, DER_SEQUENCE, &seq));
    TRY(der_end(der));
    TRY(read_version(&seq));
    TRY(der_read_integer(&seq, &tbs.serial));
    if (!crl_entry_serial_ok(tbs.serial))
        return err_new(ERR_BAD_DER,
                       "a serial that is not positive or longer than %d octets (RFC 5280 4.1.2.2)",
                       SERIAL_MAX_BYTES);
    TRY(cert_alg_read(&seq, &tbs.alg));
    TRY(der_read_whole(&seq, DER_SEQUENCE, &tbs.issuer));
    TRY(read_validity(&seq, &tbs));
    TRY(der_read_whole(&seq, DER_SEQUENCE, &tbs.subject));
    TRY(der_read_whole(&seq, DER_SEQUENCE, &tbs.spki));
    TRY(read_exts(&seq, arena, &tbs));
    TRY(der_end(seq));
    *ret = tbs;
out:
    return err_wrap(e, "tbsCertificate");
}

struct err *cert_tbs_open(struct view cert_der, struct arena *arena, struct cert_sealed *ret_sealed,
                          struct cert_tbs *ret)
{
    struct err *e = NULL;
    struct cert_sealed sealed;
    struct cert_tbs tbs;
    TRY(cert_seal_open(cert_der, &sealed));
    TRY(cert_tbs_read(sealed.tbs, arena, &tbs));
    if (tbs.alg != sealed.alg)
        return err_new(ERR_BAD_DER, "signature algorithm inside and outside differ (RFC 5280 4.1.1.2)");
    if (ret_sealed)
        *ret_sealed = sealed;
    *ret = tbs;
out:
    return e;
}

const struct cert_ext *cert_tbs_ext(const struct cert_tbs *tbs, enum cert_ext_id id)
{
    return cert_ext_find(tbs->exts, tbs->ext_count, id);
}
