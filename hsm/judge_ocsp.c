/*
 * Floors of OCSP answers: the right responder key for the issuer, dates by our own clock, a bounded life; and
 * the nonce lane, where a ready answer of ours is sealed again without any change of status. Never makes a
 * status. Any thread.
 */
#include "judge.h"

#include "base/check.h"
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

/* --- the nonce lane --- */

/* All that a ready answer must still be; its dates were judged when it was made. */
static struct err *check_ready(const struct judge_nonce_case *c, const struct responder_key *key,
                               const struct cert_ocsp_answer *answer)
{
    struct err *e = NULL;
    const struct cert_ocsp_data *data = &answer->data;
    TRY(check_key(c->issuer, key, data->responder_key_sha1));
    if (data->nonce.p)
        TRY(floor_breach(FLOOR_NONCE_TWICE, "the answer carries a nonce already"));
    for (size_t i = 0; i < data->n; i++) {
        const struct cert_ocsp_single *one = &data->singles[i];
        if (!cert_ocsp_fits(&c->issuer->ocsp, &one->id))
            TRY(floor_breach(FLOOR_NONCE_CERT_ID, "a certID is not of %s (RFC 6960 4.1.1)", c->issuer->name));
        if (one->this_update > c->now + JUDGE_AHEAD_S || !one->has_next_update || one->next_update <= c->now)
            TRY(floor_breach(FLOOR_NONCE_VALID, "the answer is not valid now"));
    }
out:
    return e;
}

/* The signature of the key it names, unless it is known to be there. */
static struct err *check_ours(const struct judge_nonce_case *c, const struct responder_key *key,
                              const struct cert_sealed *sealed)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(sealed->tbs, hash);
    if (known_has(c->known, hash))
        return NULL;
    struct err *e = cert_key_verify(&key->key, sealed->alg, sealed->tbs, sealed->sig);
    if (!e)
        known_add(c->known, hash);
    return floor_held(FLOOR_NONCE_SIGNATURE, e);
}

static struct err *find_key(const struct judge_nonce_case *c, const struct cert_ocsp_answer *answer,
                            struct responder_key *ret)
{
    struct view said = answer->data.responder_key_sha1;
    const struct responder_key *key = responder_find_sha1(c->responders, said);
    bool own = !key && (c->issuer->ocsp_by_issuer || c->issuer->facts.not_after <= c->now) &&
               view_eq(said, view_of(c->issuer->ocsp.key_sha1, SHA1_BYTES));
    if (key)
        *ret = *key;
    if (own)
        *ret = responder_of_issuer(c->issuer);
    if ((!key && !own) || answer->sealed.alg != ret->alg)
        return err_new(ERR_FLOOR, "not an answer by a responder key of this house");
    return NULL;
}

/* Joins what one answer says to the others; the youngest's key will sign. */
static struct err *join(const struct judge_nonce_case *c, struct view der, struct arena *arena,
                        struct cert_ocsp_data *all, struct cert_ocsp_single *singles,
                        struct judge_nonce_found *found)
{
    struct err *e = NULL;
    struct cert_ocsp_answer ready;
    struct responder_key key;
    TRY(cert_ocsp_open(der, arena, &ready));
    if (ready.status != CERT_OCSP_SUCCESSFUL)
        TRY(err_new(ERR_FLOOR, "not a successful answer"));
    TRY(find_key(c, &ready, &key));
    TRY(check_ready(c, &key, &ready));
    TRY(check_ours(c, &key, &ready.sealed));
    if (all->n + ready.data.n > LIMIT_OCSP_REQUESTS)
        TRY(err_new(ERR_TOO_MANY, "an answer about more than %d certificates", LIMIT_OCSP_REQUESTS));
    for (size_t i = 0; i < ready.data.n; i++)
        singles[all->n++] = ready.data.singles[i];
    if (all->produced_at > ready.data.produced_at)
        return NULL;
    all->produced_at = ready.data.produced_at;
    found->key = key;
    found->certs = ready.certs;
    found->cert_count = ready.cert_count;
out:
    return e;
}

struct err *judge_nonce(const struct judge_nonce_case *c, struct arena *arena, struct judge_nonce_found *ret)
{
    struct err *e = NULL;
    struct judge_nonce_found found;
    struct cert_ocsp_single singles[LIMIT_OCSP_REQUESTS];
    struct cert_ocsp_data all = {.singles = singles, .produced_at = INT64_MIN};
    CHECK(c->n > 0);
    for (size_t i = 0; i < c->n; i++)
        TRY(join(c, c->answers[i], arena, &all, singles, &found));
    all.responder_key_sha1 = view_of(found.key.spki_sha1, SHA1_BYTES);
    all.produced_at = c->now;
    all.nonce = c->nonce.n ? c->nonce : (struct view){NULL, 0};
    TRY(cert_ocsp_data_write(&all, arena, &found.tbs));
    *ret = found;
out:
    return e;
}
