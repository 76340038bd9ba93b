/*
 * SEAL_OCSP, OCSP_KEY and NONCE: answers judged and sealed with responder keys that live in the token; those
 * keys made; and the responder's narrow lane, where a ready answer of ours gets a nonce. The vault's loop,
 * but for make_run.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/der.h"
#include "base/log.h"
#include "base/world.h"
#include "floor.h"
#include "keygen.h"
#include "vault_state.h"

/* --- SEAL_OCSP --- */

struct asked {
    struct view issuer, key, tbs;
};

static struct err *read_asked(struct view in, struct asked *ret)
{
    struct err *e = NULL;
    struct view body;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read(&body, DER_UTF8_STRING, &ret->issuer));
    TRY(der_read(&body, DER_OCTET_STRING, &ret->key));
    TRY(der_read(&body, DER_OCTET_STRING, &ret->tbs));
    TRY(der_end(body));
out:
    return vault_peer_malformed(e);
}

static struct vault_seal_want want_of(struct house *house, const struct responder_key *key,
                                      enum hsm_roll_kind kind, struct view tbs, uint8_t hash[SHA256_BYTES])
{
    digest_sha256(tbs, hash);
    return (struct vault_seal_want){
        .house = house,
        .entry = {.key = view_str(key->roll_key), .kind = kind, .tbs_sha256 = view_of(hash, SHA256_BYTES)},
        .token_key = key->token_key,
        .alg = cert_alg_default(key->key.kind),
        .tbs = tbs,
        .lane = SIGNER_NONCE};
}

static struct err *key_here(const struct responder_key *key)
{
    return key->token_key ? NULL : err_new(ERR_TOKEN_AWAY, "the responder key is not in the token");
}

struct err *vault_ocsp_seal(struct vault_call *call)
{
    struct err *e = NULL;
    struct asked asked;
    struct house *house;
    struct house_issuer *issuer;
    uint8_t hash[SHA256_BYTES];
    bool revoked = false;
    TRY(read_asked(call->body, &asked));
    TRY(vault_token_check(call->v));
    TRY(vault_house(call->v, call->generation, &house));
    TRY(vault_issuer(house, asked.issuer, &issuer));
    TRY(floor_held(FLOOR_STATE, vault_state_check(call->v, issuer, HSM_WORKS_OCSP)));
    const struct responder_key *key = responder_find(call->v->responders, asked.key);
    if (!key)
        TRY(err_new(ERR_FLOOR, "not a responder key of this house"));
    TRY(judge_ocsp(issuer, key, asked.tbs, world_now_s(), call->arena, &revoked));
    TRY(key_here(key));
    struct vault_seal_want want = want_of(house, key, HSM_ROLL_OCSP, asked.tbs, hash);
    want.lane = revoked ? SIGNER_REVOKE : SIGNER_BULK;
    TRY(vault_seal_start(call->v, call->peer, call->id, &want));
out:
    return e;
}

/* --- OCSP_KEY --- */

struct vault_making {
    struct vault_making *next; /* in hsm_vault.makings */
    struct hsm_vault *v;
    struct vault_peer *peer;
    uint64_t id;
    char issuer[HOUSE_NAME_MAX + 1], label[RESPONDER_LABEL_MAX];
    int64_t now_s;
    const struct token_key *key;
    struct err *e;
};

static struct err *answer_spki(struct vault_peer *peer, uint64_t id, struct view spki)
{
    struct arena *arena = arena_new(8192);
    struct der_out out;
    struct view body;
    der_out_init(&out, arena, 4096);
    der_put_octets(&out, spki);
    struct err *e = der_out_done(&out, &body);
    if (!e)
        vault_peer_answer(peer, id, body);
    arena_free(arena);
    return e;
}

/* P-256, for its small and quick answers; RSA where the token has no curves. */
static struct err *make(struct vault_making *m)
{
    struct err *e = NULL;
    struct token *t = m->v->t.token;
    struct keygen_spec spec = {.label = m->label, .kind = CERT_KEY_P256};
    bool curves = false;
    TRY(keygen_offers(t, CERT_KEY_P256, &curves));
    if (!curves)
        spec = (struct keygen_spec){.label = m->label, .kind = CERT_KEY_RSA, .bits = 2048};
    TRY(keygen_pair(t, &spec, &m->key));
out:
    return e;
}

static void make_run(void *arg)
{
    struct vault_making *m = arg;
    m->e = make(m);
}

static struct err *made(struct vault_making *m)
{
    struct err *e = m->e;
    m->e = NULL;
    if (e)
        return e;
    if (m->v->closing)
        return err_new(ERR_CANCELLED, "the vault is closing");
    TRY(responder_add(m->v->responders, view_str(m->issuer), m->label, m->now_s, m->key->spki, m->key));
    log_info("responder.made", log_text("issuer", m->issuer), log_text("label", m->label));
    TRY(answer_spki(m->peer, m->id, m->key->spki));
out:
    return e;
}

static void make_done(void *arg)
{
    struct vault_making *m = arg;
    struct hsm_vault *v = m->v;
    for (struct vault_making **at = &v->makings; *at; at = &(*at)->next)
        if (*at == m) {
            *at = m->next;
            break;
        }
    struct err *e = made(m);
    if (e) {
        vault_token_trouble(v, e);
        vault_peer_refuse(m->peer, m->id, e);
    }
    vault_peer_release(m->peer);
    free(m);
    vault_release(v);
}

static struct err *make_key(struct vault_call *call, struct view issuer, int64_t now_s)
{
    struct hsm_vault *v = call->v;
    for (const struct vault_making *other = v->makings; other; other = other->next)
        if (view_eq_str(issuer, other->issuer))
            return err_new(ERR_BUSY, "a responder key of this issuer is being generated");
    struct vault_making *m = calloc(1, sizeof *m);
    CHECK(m != NULL && issuer.n <= HOUSE_NAME_MAX);
    *m = (struct vault_making){.v = v, .id = call->id, .now_s = now_s};
    m->peer = vault_peer_hold(call->peer);
    memcpy(m->issuer, issuer.p, issuer.n);
    responder_label(issuer, now_s, m->label);
    vault_hold(v);
    struct err *e = worker_submit(v->t.worker, make_run, v->loop, make_done, m);
    if (!e) {
        m->next = v->makings;
        v->makings = m;
        return NULL;
    }
    vault_peer_release(m->peer);
    free(m);
    vault_release(v);
    return e;
}

static struct err *read_key_asked(struct view in, struct view *ret_issuer, bool *ret_fresh)
{
    struct err *e = NULL;
    struct view body;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read(&body, DER_UTF8_STRING, ret_issuer));
    TRY(der_read_bool(&body, ret_fresh));
    TRY(der_end(body));
out:
    return vault_peer_malformed(e);
}

struct err *vault_ocsp_key(struct vault_call *call)
{
    struct err *e = NULL;
    struct view name;
    struct house_issuer *issuer;
    bool fresh;
    int64_t now_s = world_now_s();
    TRY(read_key_asked(call->body, &name, &fresh));
    TRY(vault_issuer(call->v->house, name, &issuer));
    TRY(floor_held(FLOOR_STATE, vault_state_check(call->v, issuer, HSM_WORKS_OCSP)));
    TRY(vault_token_check(call->v));
    const struct responder_key *key = responder_newest(call->v->responders, name);
    if (key && key->token_key && !fresh) {
        e = answer_spki(call->peer, call->id, key->key.spki);
        goto out;
    }
    if (key && key->token_key && key->made_s > now_s - RESPONDER_SPACING_S)
        TRY(floor_breach(FLOOR_OCSP_KEY_SPACING, "a responder key of %s was made less than an hour ago",
                         issuer->name));
    TRY(make_key(call, name, now_s));
out:
    return e;
}

/* --- NONCE --- */

struct nonced {
    struct arena *arena;
    enum cert_alg alg;
    struct view *certs;
    size_t cert_count;
};

static void nonced_forget(void *arg)
{
    struct nonced *n = arg;
    arena_free(n->arena); /* holds n too */
}

static struct err *nonced_finish(void *arg, const struct vault_sealed *sealed, struct arena *arena,
                                 struct view *ret)
{
    const struct nonced *n = arg;
    struct err *e = NULL;
    struct view response;
    struct der_out out;
    TRY(cert_ocsp_seal(sealed->tbs, n->alg, sealed->signature, n->certs, n->cert_count, arena, &response));
    der_out_init(&out, arena, FRAME_BODY_MAX);
    der_put_octets(&out, response);
    TRY(der_out_done(&out, ret));
out:
    return e;
}

static struct nonced *nonced_new(const struct judge_nonce_found *found, enum cert_alg alg)
{
    struct arena *arena = arena_new(256 * 1024);
    struct nonced *n = ARENA_NEW(arena, struct nonced);
    *n = (struct nonced){.arena = arena, .alg = alg, .cert_count = found->cert_count};
    n->certs = arena_array(arena, found->cert_count, sizeof *n->certs);
    for (size_t i = 0; i < found->cert_count; i++)
        n->certs[i] = arena_dup(arena, found->certs[i]);
    return n;
}

/* The lane's share, checked before anything is parsed or verified. */
static struct err *nonce_share(struct hsm_vault *v)
{
    int64_t second = world_mono_ms() / 1000;
    if (second != v->nonce_second) {
        v->nonce_second = second;
        v->nonce_count = 0;
    }
    if (++v->nonce_count > VAULT_NONCES_PER_S)
        return err_new(ERR_BUSY, "more than %d nonces in a second", VAULT_NONCES_PER_S);
    return vault_seal_room(v, SIGNER_NONCE);
}

static struct err *read_nonce_asked(struct view in, struct view *ret_issuer, struct view *ret_answer,
                                    struct view *ret_nonce)
{
    struct err *e = NULL;
    struct view body;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read(&body, DER_UTF8_STRING, ret_issuer));
    TRY(der_read(&body, DER_OCTET_STRING, ret_answer));
    TRY(der_read(&body, DER_OCTET_STRING, ret_nonce));
    TRY(der_end(body));
    if (ret_nonce->n == 0 || ret_nonce->n > CERT_OCSP_NONCE_MAX_BYTES)
        e = err_new(ERR_BAD_REQUEST, "a nonce of %zu octets (RFC 9654 2.1)", ret_nonce->n);
out:
    return vault_peer_malformed(e);
}

struct err *vault_ocsp_nonce(struct vault_call *call)
{
    struct err *e = NULL;
    struct hsm_vault *v = call->v;
    struct view name, answer, nonce;
    struct house_issuer *issuer;
    struct judge_nonce_found found;
    struct nonced *nonced = NULL;
    uint8_t hash[SHA256_BYTES];
    TRY(read_nonce_asked(call->body, &name, &answer, &nonce));
    TRY(nonce_share(v));
    TRY(vault_issuer(v->house, name, &issuer));
    TRY(floor_held(FLOOR_STATE, vault_state_check(v, issuer, HSM_WORKS_OCSP)));
    TRY(judge_nonce(issuer, v->responders, answer, nonce, world_now_s(), call->arena, &found));
    TRY(key_here(found.key));
    struct vault_seal_want want = want_of(v->house, found.key, HSM_ROLL_NONCE, found.tbs, hash);
    nonced = nonced_new(&found, want.alg);
    want.finish = nonced_finish;
    want.forget = nonced_forget;
    want.arg = nonced;
    TRY(vault_seal_start(v, call->peer, call->id, &want));
    nonced = NULL;
out:
    if (nonced)
        nonced_forget(nonced);
    return e;
}
