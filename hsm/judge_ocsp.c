/*
 * Floors of OCSP answers: the right responder key for the issuer, dates by our own clock, a bounded life; and
 * the nonce lane, where a ready answer of ours is sealed again without any change of status. Never makes a
 * status. Any thread.
 */
#include "judge.h"

#include "floor.h"

static struct err *check_single(const struct house_issuer *issuer, const struct cert_ocsp_single *one,
                                int64_t now)
{
    struct err *e = NULL;
    if (!cert_ocsp_fits(&issuer->ocsp, &one->id))
        TRY(floor_breach(FLOOR_OCSP_CERT_ID, "a certID is not of %s (RFC 6960 4.1.1)", issuer->name));
    if (one->this_update > now + JUDGE_AHEAD_S || one->this_update < now - JUDGE_STATUS_BACK_S)
        TRY(floor_breach(FLOOR_OCSP_THIS_UPDATE,
                         "thisUpdate is not now by the vault's clock (RFC 6960 4.2.2.1)"));
    if (!one->has_next_update || one->next_update <= now)
        TRY(floor_breach(FLOOR_OCSP_NEXT_UPDATE, "nextUpdate is missing or past (RFC 5019 2.2.4)"));
    if (one->next_update - one->this_update > JUDGE_OCSP_S)
        TRY(floor_breach(FLOOR_OCSP_TOO_LONG, "nextUpdate is more than %d days away",
                         JUDGE_OCSP_S / (24 * 3600)));
    if (one->status == CERT_OCSP_REVOKED && one->revoked_at > now + JUDGE_AHEAD_S)
        TRY(floor_breach(FLOOR_OCSP_REVOKED_AHEAD, "revoked ahead of the vault's clock"));
out:
    return e;
}

static struct err *check_key(const struct house_issuer *issuer, const struct responder_key *key,
                             struct view said)
{
    struct err *e = NULL;
    if (!view_eq_str(view_str(key->issuer), issuer->name))
        TRY(floor_breach(FLOOR_OCSP_KEY_ISSUER, "the responder key is not one of %s", issuer->name));
    if (!view_eq(said, view_of(key->spki_sha1, SHA1_BYTES)))
        TRY(floor_breach(FLOOR_OCSP_RESPONDER_ID,
                         "responderID is not of the key that is to sign (RFC 6960 4.2.2.3)"));
out:
    return e;
}

struct err *judge_ocsp(const struct house_issuer *issuer, const struct responder_key *key, struct view tbs,
                       int64_t now, struct arena *arena, bool *ret_revoked)
{
    struct err *e = NULL;
    struct cert_ocsp_data data;
    bool revoked = false;
    TRY(cert_ocsp_data_read(tbs, arena, &data));
    TRY(check_key(issuer, key, data.responder_key_sha1));
    if (data.produced_at > now + JUDGE_AHEAD_S || data.produced_at < now - JUDGE_STATUS_BACK_S)
        TRY(floor_breach(FLOOR_OCSP_PRODUCED_AT,
                         "producedAt is not now by the vault's clock (RFC 6960 4.2.2.1)"));
    if (data.nonce.p)
        TRY(floor_breach(FLOOR_OCSP_NONCE, "a nonce in a ready answer"));
    for (size_t i = 0; i < data.n; i++) {
        TRY(check_single(issuer, &data.singles[i], now));
        revoked |= data.singles[i].status == CERT_OCSP_REVOKED;
    }
    *ret_revoked = revoked;
out:
    return e;
}

/* All that a ready answer must still be; its dates were judged when it was made. */
static struct err *check_ready(const struct house_issuer *issuer, const struct responder_key *key,
                               const struct cert_ocsp_answer *answer, int64_t now)
{
    struct err *e = NULL;
    const struct cert_ocsp_data *data = &answer->data;
    TRY(check_key(issuer, key, data->responder_key_sha1));
    if (data->nonce.p)
        TRY(floor_breach(FLOOR_NONCE_TWICE, "the answer carries a nonce already"));
    for (size_t i = 0; i < data->n; i++) {
        const struct cert_ocsp_single *one = &data->singles[i];
        if (!cert_ocsp_fits(&issuer->ocsp, &one->id))
            TRY(floor_breach(FLOOR_NONCE_CERT_ID, "a certID is not of %s (RFC 6960 4.1.1)", issuer->name));
        if (one->this_update > now + JUDGE_AHEAD_S || !one->has_next_update || one->next_update <= now)
            TRY(floor_breach(FLOOR_NONCE_VALID, "the answer is not valid now"));
    }
    TRY(floor_held(FLOOR_NONCE_SIGNATURE,
                   cert_key_verify(&key->key, answer->sealed.alg, answer->sealed.tbs, answer->sealed.sig)));
out:
    return e;
}

struct err *judge_nonce(const struct house_issuer *issuer, const struct responder_keys *responders,
                        struct view answer, struct view nonce, int64_t now, struct arena *arena,
                        struct judge_nonce_found *ret)
{
    struct err *e = NULL;
    struct cert_ocsp_answer ready;
    TRY(cert_ocsp_open(answer, arena, &ready));
    if (ready.status != CERT_OCSP_SUCCESSFUL)
        TRY(err_new(ERR_FLOOR, "not a successful answer"));
    const struct responder_key *key = responder_find_sha1(responders, ready.data.responder_key_sha1);
    if (!key || ready.sealed.alg != cert_alg_default(key->key.kind))
        TRY(err_new(ERR_FLOOR, "not an answer by a responder key of this house"));
    TRY(check_ready(issuer, key, &ready, now));
    struct cert_ocsp_data data = ready.data;
    data.produced_at = now;
    data.nonce = nonce;
    TRY(cert_ocsp_data_write(&data, arena, &ret->tbs));
    ret->key = key;
    ret->certs = ready.certs;
    ret->cert_count = ready.cert_count;
out:
    return e;
}
