/*
 * TBSCertList read in place (RFC 5280 5.1.2): what the vault judges and what look-ups walk.
 *
 * Takes only what crl.c could have written; allocates nothing, so a list may be as large as its mapping. Any
 * thread.
 */
#include "cert/crl.h"

#include "ext_value.h"

struct seen {
    bool number, aki;
};

static struct err *unexpected(void)
{
    return err_new(ERR_BAD_EXTENSION,
                   "an extension of the list that is unknown, repeated or wrongly critical "
                   "(RFC 5280 5.2)");
}

/* Those that only some lists have. */
static struct err *read_ext_of_deltas(const struct cert_ext *ext, struct cert_crl *crl)
{
    enum cert_ext_id id = cert_ext_id_of(ext->oid);
    if (id == CERT_EXT_DELTA_CRL && ext->critical && !crl->is_delta) {
        crl->is_delta = true;
        return cert_ext_read_delta(ext->value, &crl->base);
    }
    if (id == CERT_EXT_FRESHEST_CRL && !ext->critical && !crl->freshest.p)
        return ext_value_read_freshest(ext->value, &crl->freshest);
    return unexpected();
}

static struct err *read_ext(const struct cert_ext *ext, bool any, struct cert_crl *crl, struct seen *seen)
{
    enum cert_ext_id id = cert_ext_id_of(ext->oid);
    if (id == CERT_EXT_CRL_NUMBER && !ext->critical && !seen->number) {
        seen->number = true;
        return cert_ext_read_crl_number(ext->value, &crl->number);
    }
    if (id == CERT_EXT_AKI && !ext->critical && !seen->aki) {
        seen->aki = true;
        return cert_ext_read_aki(ext->value, &crl->aki);
    }
    if (id == CERT_EXT_IDP && ext->critical && !crl->has_idp) {
        crl->has_idp = true;
        return cert_ext_read_idp(ext->value, &crl->idp);
    }
    return any ? read_ext_of_deltas(ext, crl) : unexpected();
}

static struct err *check_delta(const struct cert_crl *crl)
{
    if (crl->is_delta && crl->base >= crl->number)
        return err_new(ERR_BAD_EXTENSION, "a delta list whose base is not below it (RFC 5280 5.2.4)");
    if (crl->is_delta && crl->freshest.p)
        return err_new(ERR_BAD_EXTENSION, "freshestCRL in a delta list (RFC 5280 5.2.6)");
    return NULL;
}

static struct err *read_exts(struct view *in, bool any, struct cert_crl *crl)
{
    struct err *e = NULL;
    struct view body, seq;
    struct cert_ext ext;
    struct seen seen = {false, false};
    TRY(der_read(in, DER_CONTEXT_CONS(0), &body));
    TRY(der_read(&body, DER_SEQUENCE, &seq));
    TRY(der_end(body));
    while (seq.n) {
        TRY(ext_value_read_one(&seq, &ext));
        TRY(read_ext(&ext, any, crl, &seen));
    }
    if (!seen.number || !seen.aki)
        return err_new(ERR_BAD_EXTENSION,
                       "a list needs cRLNumber and authorityKeyIdentifier (RFC 5280 5.2.1, 5.2.3)");
    TRY(check_delta(crl));
out:
    return e;
}

static struct err *read_entries(struct view *in, struct cert_crl *crl)
{
    struct err *e = NULL;
    TRY(der_read_optional(in, DER_SEQUENCE, &crl->entries));
    if (crl->entries.p && !crl->entries.n)
        return err_new(ERR_BAD_DER, "an empty revokedCertificates (RFC 5280 5.1.2.6)");
out:
    return e;
}

static struct err *read_tbs(struct view tbs, bool any, struct cert_crl *ret)
{
    struct err *e = NULL;
    struct view seq;
    struct cert_crl crl = {.number = 0};
    uint64_t version = 0;
    TRY(der_read(&tbs, DER_SEQUENCE, &seq));
    TRY(der_end(tbs));
    TRY(der_read_uint(&seq, 1, &version));
    if (version != 1)
        return err_new(ERR_BAD_DER, "a list of a version other than 2 (RFC 5280 5.1.2.1)");
    TRY(cert_alg_read(&seq, &crl.alg));
    TRY(der_read_whole(&seq, DER_SEQUENCE, &crl.issuer));
    TRY(der_read_time(&seq, &crl.this_update));
    TRY(der_read_time(&seq, &crl.next_update));
    if (crl.next_update <= crl.this_update)
        return err_new(ERR_BAD_DER, "nextUpdate does not lie after thisUpdate (RFC 5280 5.1.2.5)");
    TRY(read_entries(&seq, &crl));
    TRY(read_exts(&seq, any, &crl));
    TRY(der_end(seq));
    *ret = crl;
out:
    return err_wrap(e, "tbsCertList");
}

struct err *cert_crl_read(struct view tbs, struct cert_crl *ret)
{
    return read_tbs(tbs, false, ret);
}

struct err *cert_crl_read_any(struct view tbs, struct cert_crl *ret)
{
    return read_tbs(tbs, true, ret);
}

static struct err *open_list(struct view der, bool any, struct cert_sealed *ret_sealed, struct cert_crl *ret)
{
    struct err *e = NULL;
    struct cert_sealed sealed;
    struct cert_crl crl;
    TRY(cert_seal_open(der, &sealed));
    TRY(read_tbs(sealed.tbs, any, &crl));
    if (crl.alg != sealed.alg)
        return err_new(ERR_BAD_DER, "signature algorithm inside and outside differ (RFC 5280 5.1.1.2)");
    if (ret_sealed)
        *ret_sealed = sealed;
    *ret = crl;
out:
    return e;
}

struct err *cert_crl_open(struct view der, struct cert_sealed *ret_sealed, struct cert_crl *ret)
{
    return open_list(der, false, ret_sealed, ret);
}

struct err *cert_crl_open_any(struct view der, struct cert_sealed *ret_sealed, struct cert_crl *ret)
{
    return open_list(der, true, ret_sealed, ret);
}

struct err *cert_crl_check(const struct cert_crl *crl, size_t *ret_n)
{
    struct err *e = NULL;
    struct view entries = crl->entries, last = {NULL, 0};
    struct cert_crl_entry entry;
    size_t n = 0;
    for (; entries.n; n++) {
        TRY(err_wrap(cert_crl_next(&entries, &entry), "entry %zu", n));
        if (last.p && cert_crl_serial_cmp(last, entry.serial) >= 0)
            return err_new(ERR_BAD_DER, "entry %zu: the serials do not ascend", n);
        if (entry.reason == CERT_REASON_REMOVE_FROM_CRL && !crl->is_delta)
            return err_new(ERR_BAD_EXTENSION, "entry %zu: removeFromCRL in a full list (RFC 5280 5.3.1)", n);
        last = entry.serial;
    }
    *ret_n = n;
out:
    return e;
}

struct err *cert_crl_find(const struct cert_crl *crl, struct view serial, bool *ret_found,
                          struct cert_crl_entry *ret)
{
    struct err *e = NULL;
    struct view entries = crl->entries;
    struct cert_crl_entry entry;
    while (entries.n) {
        TRY(cert_crl_next(&entries, &entry));
        if (!view_eq(entry.serial, serial))
            continue;
        *ret_found = true;
        *ret = entry;
        return NULL;
    }
    *ret_found = false;
out:
    return e;
}
