/*
 * The form of evidence, and of a certificate to be as it is shown to those who approve it: written, and read
 * back only in the one form it is written in. Judges nothing (vault_proof.c). Any thread.
 */
#include "proof.h"

#include "base/check.h"
#include "cert/ext.h"
#include "hsm_act.h"

static const char wanted_name[] = "chancery-wanted";
enum { ASKER_MAX = 200, TEXT_MAX = 100 };

/* --- forms --- */

/* Which list will say whether it is revoked is not known yet: the partition of the day has it. */
static bool is_own_list(const struct cert_ext *ext, const struct templates_issuer *issuer,
                        struct arena *arena)
{
    struct cert_views uris;
    uint64_t partition;
    if (cert_ext_id_of(ext->oid) != CERT_EXT_CDP)
        return false;
    struct err *e = cert_ext_read_cdp(ext->value, arena, &uris);
    bool own = !e && uris.n == 1 && templates_partition_of(issuer, uris.v[0], arena, &partition);
    err_free(e);
    return own;
}

struct err *hsm_form_write(const struct cert_tbs *tbs, const struct templates_issuer *issuer, int64_t life_s,
                           struct arena *arena, struct view *ret)
{
    struct der_out out;
    struct cert_ext *exts = arena_array(arena, tbs->ext_count, sizeof *exts);
    size_t n = 0;
    for (size_t i = 0; i < tbs->ext_count; i++)
        if (!is_own_list(&tbs->exts[i], issuer, arena))
            exts[n++] = tbs->exts[i];
    der_out_init(&out, arena, HSM_WANTED_MAX_BYTES);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, (uint64_t)life_s);
    der_put_raw(&out, tbs->subject);
    der_put_raw(&out, tbs->spki);
    cert_ext_list_put(&out, exts, n);
    der_finish(&out, m);
    return der_out_done(&out, ret);
}

struct err *hsm_form_read(struct view der, struct arena *arena, struct hsm_form *ret)
{
    struct err *e = NULL;
    struct view body;
    struct cert_ext *exts;
    uint64_t life;
    TRY(der_read(&der, DER_SEQUENCE, &body));
    TRY(der_end(der));
    TRY(der_read_uint(&body, INT64_MAX, &life));
    TRY(der_read_whole(&body, DER_SEQUENCE, &ret->subject));
    TRY(der_read_whole(&body, DER_SEQUENCE, &ret->spki));
    TRY(cert_ext_list_read(&body, arena, &exts, &ret->exts_n));
    TRY(der_end(body));
    ret->exts = exts;
    ret->life_s = (int64_t)life;
out:
    return e;
}

/* --- what is wanted --- */

struct err *hsm_wanted_write(const struct hsm_wanted *w, struct arena *arena, struct view *ret)
{
    struct der_out out;
    der_out_init(&out, arena, HSM_WANTED_MAX_BYTES);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, wanted_name);
    der_put_text(&out, w->issuer);
    der_put_text(&out, w->template);
    der_put_text(&out, w->asker);
    der_put_uint(&out, w->needed);
    der_put_octets(&out, w->form);
    der_put_octets(&out, w->request);
    der_finish(&out, m);
    return der_out_done(&out, ret);
}

struct err *hsm_wanted_read(struct view der, struct arena *arena, struct hsm_wanted *ret)
{
    struct err *e = NULL;
    struct view body, name;
    uint64_t needed;
    TRY(der_read(&der, DER_SEQUENCE, &body));
    TRY(der_end(der));
    TRY(der_read(&body, DER_UTF8_STRING, &name));
    if (!view_eq_str(name, wanted_name))
        TRY(err_new(ERR_BAD_DER, "this is no %s", wanted_name));
    TRY(der_read_text(&body, arena, TEXT_MAX, &ret->issuer));
    TRY(der_read_text(&body, arena, TEXT_MAX, &ret->template));
    TRY(der_read_text(&body, arena, ASKER_MAX, &ret->asker));
    TRY(der_read_uint(&body, HSM_ACT_SIGNATURES_MAX, &needed));
    TRY(der_read(&body, DER_OCTET_STRING, &ret->form));
    TRY(der_read(&body, DER_OCTET_STRING, &ret->request));
    TRY(der_end(body));
    ret->needed = (unsigned)needed;
out:
    return e;
}

unsigned hsm_proof_needed(const struct hsm_roster *roster, const struct templates_approval *approval)
{
    unsigned n =
        approval->needed > 0 ? (unsigned)approval->needed : hsm_roster_needed(roster, HSM_ACT_CERTIFICATE);
    return n > 0 ? n : 1;
}

/* --- evidence --- */

void proof_put(struct der_out *out, const struct hsm_proof *proofs, size_t n)
{
    CHECK(n <= HSM_PROOFS_MAX);
    size_t list = der_begin(out, DER_SEQUENCE);
    for (size_t i = 0; i < n; i++) {
        size_t m = der_begin(out, DER_SEQUENCE);
        der_put_enum(out, proofs[i].kind);
        der_put_octets(out, proofs[i].what);
        der_put_octets(out, proofs[i].over);
        der_finish(out, m);
    }
    der_finish(out, list);
}

struct err *proof_read(struct view *in, struct hsm_proof ret[HSM_PROOFS_MAX], size_t *ret_n)
{
    struct err *e = NULL;
    struct view list, body;
    uint64_t kind;
    *ret_n = 0;
    TRY(der_read(in, DER_SEQUENCE, &list));
    while (list.n > 0) {
        if (*ret_n == HSM_PROOFS_MAX)
            TRY(err_new(ERR_TOO_MANY, "more than %d pieces of evidence", HSM_PROOFS_MAX));
        struct hsm_proof *p = &ret[(*ret_n)++];
        TRY(der_read(&list, DER_SEQUENCE, &body));
        TRY(der_read_enum(&body, UINT8_MAX, &kind));
        TRY(der_read(&body, DER_OCTET_STRING, &p->what));
        TRY(der_read(&body, DER_OCTET_STRING, &p->over));
        TRY(der_end(body));
        p->kind = (enum hsm_proof_kind)kind;
    }
out:
    return e;
}
