/*
 * SEAL_CSR and SEAL_OTHER: the two ways in which this token takes part in a hierarchy that is not all its
 * own. A request goes out for a key that is here; a CA certificate goes out for a key that is elsewhere. Both
 * are judged on the final bytes and rolled like every seal. The vault's loop.
 */
#include "base/der.h"
#include "base/world.h"
#include "vault_grant.h"

/* --- SEAL_CSR --- */

static struct err *read_request(struct view in, struct view *ret_name, struct view *ret_cri)
{
    struct err *e = NULL;
    struct view body;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read(&body, DER_UTF8_STRING, ret_name));
    TRY(der_read(&body, DER_OCTET_STRING, ret_cri));
    TRY(der_end(body));
out:
    return vault_peer_malformed(e);
}

struct err *vault_request_seal(struct vault_call *call)
{
    struct err *e = NULL;
    struct hsm_vault *v = call->v;
    struct view name, cri;
    const struct token_key *key;
    uint8_t hash[SHA256_BYTES];
    TRY(read_request(call->body, &name, &cri));
    TRY(vault_seal_room(v, SIGNER_ISSUE));
    if (!house_name_ok(name))
        TRY(err_new(ERR_BAD_FIELD, "an issuer's name is 1 to 63 of a-z, 0-9 and '-'"));
    if (call->peer->kind != HSM_PEER_INIT)
        TRY(vault_grant_request(call, name, cri));
    TRY(vault_key_find(v, arena_str(call->arena, name), &key));
    const struct judge_cri_case c = {.house = v->house, .name = key->label, .spki = key->spki, .cri = cri};
    TRY(judge_cri(&c, call->arena));
    digest_sha256(cri, hash);
    TRY(vault_seal_start(
        v, call->peer, call->id,
        &(struct vault_seal_want){
            .house = v->house,
            .entry = {.key = name, .kind = HSM_ROLL_CSR, .tbs_sha256 = view_of(hash, SHA256_BYTES)},
            .token_key = key,
            .alg = cert_alg_default(key->kind),
            .tbs = cri,
            .lane = SIGNER_ISSUE}));
out:
    return e;
}

/* --- SEAL_OTHER --- */

struct other_asked {
    struct view issuer, template, tbs, proof;
};

static struct err *read_other(struct view in, struct other_asked *ret)
{
    struct err *e = NULL;
    struct view body;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read(&body, DER_UTF8_STRING, &ret->issuer));
    TRY(der_read(&body, DER_UTF8_STRING, &ret->template));
    TRY(der_read(&body, DER_OCTET_STRING, &ret->tbs));
    TRY(der_read(&body, DER_OCTET_STRING, &ret->proof));
    TRY(der_end(body));
out:
    return vault_peer_malformed(e);
}

static struct err *judge_other(struct vault_call *call, const struct other_asked *asked,
                               const struct house_issuer *issuer, struct judge_cert_found *ret)
{
    const struct hsm_vault *v = call->v;
    if (asked->proof.n == 0)
        return err_new(ERR_FLOOR, "a CA certificate for a key from elsewhere needs its proof of possession");
    const struct judge_ca_case c = {.house = v->house,
                                    .responders = v->responders,
                                    .issuer = issuer,
                                    .name = "",
                                    .proof = asked->proof,
                                    .template = asked->template,
                                    .tbs = asked->tbs,
                                    .now = world_now_s()};
    struct err *e = judge_ca(&c, call->arena, ret);
    return e ? e : lease_check(call->peer->leases, asked->issuer, ret->tbs.serial);
}

struct err *vault_other_seal(struct vault_call *call)
{
    struct err *e = NULL;
    struct hsm_vault *v = call->v;
    struct other_asked asked;
    struct house_issuer *issuer;
    struct judge_cert_found found;
    uint8_t hash[SHA256_BYTES];
    TRY(read_other(call->body, &asked));
    TRY(vault_seal_room(v, SIGNER_ISSUE));
    TRY(vault_issuer(v->house, asked.issuer, &issuer));
    TRY(judge_other(call, &asked, issuer, &found));
    TRY(vault_key_check(v, issuer));
    digest_sha256(asked.tbs, hash);
    lease_use(call->peer->leases, asked.issuer, found.tbs.serial);
    TRY(vault_seal_start(v, call->peer, call->id,
                         &(struct vault_seal_want){.house = v->house,
                                                   .entry = {.key = asked.issuer,
                                                             .kind = HSM_ROLL_CA,
                                                             .serial = found.tbs.serial,
                                                             .template = asked.template,
                                                             .tbs_sha256 = view_of(hash, SHA256_BYTES)},
                                                   .token_key = issuer->token_key,
                                                   .spare = issuer->spare,
                                                   .alg = found.tbs.alg,
                                                   .tbs = asked.tbs,
                                                   .lane = SIGNER_ISSUE}));
out:
    return e;
}
