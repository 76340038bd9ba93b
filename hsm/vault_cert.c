/*
 * LEASE, JUDGE_CERT, SEAL_CERT and SEAL_PROVED: serials given out, certificates judged and sent on their way
 * to a signature. A serial is used up before its certificate is rolled, so a second one under it cannot be.
 * The vault's loop.
 */
#include "base/der.h"
#include "base/world.h"
#include "floor.h"
#include "vault_grant.h"
#include "vault_proof.h"

struct err *vault_cert_lease(struct vault_call *call)
{
    struct err *e = NULL;
    struct view in = call->body, body, issuer, answer;
    struct house_issuer *known;
    uint64_t count;
    uint8_t serials[LEASE_MAX_AT_ONCE][SERIAL_BYTES];
    TRY(vault_peer_malformed(der_read(&in, DER_SEQUENCE, &body)));
    TRY(vault_peer_malformed(der_end(in)));
    TRY(vault_peer_malformed(der_read(&body, DER_UTF8_STRING, &issuer)));
    TRY(vault_peer_malformed(der_read_uint(&body, LEASE_MAX_AT_ONCE, &count)));
    TRY(vault_peer_malformed(der_end(body)));
    /* A ceremony leases for issuers that are still to be made. */
    if (call->peer->kind != HSM_PEER_INIT && !vault_grant_names(call->v, issuer))
        TRY(vault_issuer(call->v->house, issuer, &known));
    else if (!house_name_ok(issuer))
        TRY(err_new(ERR_ISSUER_UNKNOWN, "an issuer's name is 1 to 63 of a-z, 0-9 and '-'"));
    TRY(lease_grant(call->peer->leases, issuer, (size_t)count, serials));
    struct der_out out;
    der_out_init(&out, call->arena, 8192);
    size_t m = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < count; i++)
        der_put_octets(&out, view_of(serials[i], SERIAL_BYTES));
    der_finish(&out, m);
    TRY(der_out_done(&out, &answer));
    vault_peer_answer(call->peer, call->id, answer);
out:
    return e;
}

struct asked {
    struct view issuer, template, tbs;
    struct vault_evidence evidence;
};

static struct err *read_asked(struct view in, bool proved, struct asked *ret)
{
    struct err *e = NULL;
    struct view body;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read(&body, DER_UTF8_STRING, &ret->issuer));
    TRY(der_read(&body, DER_UTF8_STRING, &ret->template));
    TRY(der_read(&body, DER_OCTET_STRING, &ret->tbs));
    ret->evidence.n = 0;
    if (proved)
        TRY(proof_read(&body, ret->evidence.proofs, &ret->evidence.n));
    TRY(der_end(body));
out:
    return vault_peer_malformed(e);
}

static struct err *judge(struct vault_call *call, struct house *house, struct house_issuer *issuer,
                         const struct asked *asked, struct judge_cert_found *ret)
{
    struct err *e = NULL;
    struct hsm_vault *v = call->v;
    struct judge_cert_case c = {.house = house,
                                .responders = v->responders,
                                .issuer = issuer,
                                .peer = call->peer->kind,
                                .template = asked->template,
                                .tbs = asked->tbs,
                                .now = world_now_s()};
    TRY(judge_cert(&c, call->arena, ret));
    TRY(floor_held(
        FLOOR_STATE,
        vault_state_check(v, issuer, templates_internal(ret->template) ? HSM_WORKS_OCSP : HSM_WORKS_ISSUE)));
    TRY(floor_held(FLOOR_LEASE, lease_check(call->peer->leases, asked->issuer, ret->tbs.serial)));
    TRY(floor_held(FLOOR_FREEZE,
                   vault_freeze_check(v, asked->issuer, asked->template, templates_internal(ret->template))));
    TRY(floor_held(FLOOR_CEILING, ceiling_check(v->ceilings, asked->issuer, asked->template,
                                                templates_ceiling_per_hour(ret->template), c.now)));
out:
    return e;
}

static struct err *seal(struct vault_call *call, bool proved)
{
    struct err *e = NULL;
    struct asked asked;
    struct vault_proved found_proof;
    struct house *house;
    struct house_issuer *issuer;
    struct judge_cert_found found;
    uint8_t hash[SHA256_BYTES];
    TRY(read_asked(call->body, proved, &asked));
    TRY(vault_seal_room(call->v, SIGNER_ISSUE));
    TRY(vault_house(call->v, call->generation, &house));
    TRY(vault_issuer(house, asked.issuer, &issuer));
    TRY(judge(call, house, issuer, &asked, &found));
    TRY(vault_proof_judge(call, &asked.evidence, issuer, &found, &found_proof));
    TRY(vault_key_check(call->v, issuer));
    digest_sha256(asked.tbs, hash);
    struct vault_seal_want want = {.house = house,
                                   .entry = {.key = view_str(issuer->name),
                                             .kind = HSM_ROLL_CERT,
                                             .serial = found.tbs.serial,
                                             .template = asked.template,
                                             .tbs_sha256 = view_of(hash, SHA256_BYTES)},
                                   .token_key = issuer->token_key,
                                   .spare = issuer->spare,
                                   .alg = found.tbs.alg,
                                   .tbs = asked.tbs,
                                   .lane = SIGNER_ISSUE};
    lease_use(call->peer->leases, asked.issuer, found.tbs.serial);
    ceiling_note(call->v->ceilings, asked.issuer, asked.template, world_now_s());
    vault_proof_use(call->v, &found_proof);
    TRY(vault_seal_start(call->v, call->peer, call->id, &want));
out:
    return e;
}

struct err *vault_cert_seal(struct vault_call *call)
{
    return seal(call, false);
}

struct err *vault_cert_seal_proved(struct vault_call *call)
{
    return seal(call, true);
}

/* Answers with what a ceiling has left; a refusal is an answer too, and no seal refused. */
struct err *vault_cert_judge(struct vault_call *call)
{
    struct err *e = NULL, *no;
    struct asked asked;
    struct house *house;
    struct house_issuer *issuer;
    struct judge_cert_found found;
    struct der_out out;
    struct view answer;
    TRY(read_asked(call->body, false, &asked));
    TRY(vault_house(call->v, call->generation, &house));
    TRY(vault_issuer(house, asked.issuer, &issuer));
    no = judge(call, house, issuer, &asked, &found);
    if (no) {
        vault_peer_refuse(call->peer, call->id, no);
        return NULL;
    }
    int64_t sealed = ceiling_count(call->v->ceilings, asked.issuer, asked.template, world_now_s());
    der_out_init(&out, call->arena, 64);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, (uint64_t)templates_ceiling_per_hour(found.template));
    der_put_uint(&out, (uint64_t)sealed);
    der_finish(&out, m);
    TRY(der_out_done(&out, &answer));
    vault_peer_answer(call->peer, call->id, answer);
out:
    return e;
}
