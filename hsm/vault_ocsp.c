/*
 * SEAL_OCSP and OCSP_KEY: answers judged and sealed with responder keys that live in the token,
 * or with the issuer's own where that is configured; and those keys made. The vault's loop, but for make_run.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/der.h"
#include "base/log.h"
#include "base/world.h"
#include "discard.h"
#include "floor.h"
#include "keygen.h"
#include "vault_ocsp.h"
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

/* One of the issuer's responder keys, or its own where that is configured, or where it has expired: nothing
 * can be certified under it any more, and what it issued may still be asked about. */
static struct err *find_key(const struct hsm_vault *v, const struct house_issuer *issuer, struct view sha256,
                            struct responder_key *ret)
{
    const struct responder_key *key = responder_find(v->responders, sha256);
    if (key) {
        *ret = *key;
        return NULL;
    }
    if (!view_eq(sha256, view_of(issuer->spki_sha256, SHA256_BYTES)))
        return err_new(ERR_FLOOR, "not a responder key of this house");
    *ret = responder_of_issuer(issuer);
    return issuer->ocsp_by_issuer || issuer->facts.not_after <= world_now_s()
               ? NULL
               : floor_breach(FLOOR_OCSP_BY_ISSUER, "%s does not answer itself by its configuration",
                              issuer->name);
}

struct err *vault_ocsp_seal(struct vault_call *call)
{
    struct err *e = NULL;
    struct hsm_vault *v = call->v;
    struct asked asked;
    struct house *house;
    struct house_issuer *issuer;
    struct responder_key key;
    uint8_t hash[SHA256_BYTES];
    bool revoked = false;
    TRY(read_asked(call->body, &asked));
    TRY(vault_token_check(v));
    TRY(vault_house(v, call->generation, &house));
    TRY(vault_issuer(house, asked.issuer, &issuer));
    TRY(floor_held(FLOOR_STATE, vault_state_check(v, issuer, HSM_WORKS_OCSP)));
    TRY(find_key(v, issuer, asked.key, &key));
    TRY(judge_ocsp(issuer, &key, asked.tbs, world_now_s(), call->arena, &revoked));
    digest_sha256(asked.tbs, hash);
    struct vault_seal_want want = {
        .house = house, .tbs = asked.tbs, .lane = revoked ? SIGNER_REVOKE : SIGNER_BULK};
    TRY(vault_ocsp_want(&key, HSM_ROLL_OCSP, hash, &want));
    TRY(vault_seal_start(v, call->peer, call->id, &want));
    known_add(v->known, hash);
out:
    return e;
}

struct err *vault_ocsp_want(const struct responder_key *key, enum hsm_roll_kind kind,
                            const uint8_t tbs_sha256[SHA256_BYTES], struct vault_seal_want *want)
{
    if (!key->token_key && !key->spare)
        return err_new(ERR_TOKEN_AWAY, "the responder key is not in the token");
    want->entry = (struct hsm_roll_entry){
        .key = view_str(key->roll_key), .kind = kind, .tbs_sha256 = view_of(tbs_sha256, SHA256_BYTES)};
    want->token_key = key->token_key;
    want->spare = key->spare;
    want->alg = key->alg;
    return NULL;
}

/* --- OCSP_KEY --- */

struct vault_making {
    struct vault_making *next; /* in hsm_vault.makings */
    struct hsm_vault *v;
    struct vault_peer *peer;
    uint64_t id;
    char issuer[HOUSE_NAME_MAX + 1], label[RESPONDER_LABEL_MAX];
    int64_t now_s;
    struct token *token;
    const struct token_key *key;
    struct err *e;
};

/* P-256, for its small and quick answers; RSA where the token has no curves. */
static struct err *make(struct vault_making *m)
{
    struct err *e = NULL;
    struct token *t = m->token;
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

/* --- the one that it takes the place of --- */

struct leaving {
    struct hsm_vault *v;
    char label[RESPONDER_LABEL_MAX];
    uint8_t id[SHA1_BYTES];
    struct err *e;
};

static void leave_run(void *arg)
{
    struct leaving *l = arg;
    l->e = discard_key(vault_token_first(l->v), l->label, view_of(l->id, sizeof l->id));
}

static void leave_done(void *arg)
{
    struct leaving *l = arg;
    if (l->e)
        log_warn("responder.stays", log_text("label", l->label), log_err(l->e));
    err_free(l->e);
    vault_release(l->v);
    free(l);
}

/* Once the list without it is durable: seven newer ones stand, and it signed nothing since the first of
 * them. */
static void leave(struct leaving *l)
{
    vault_hold(l->v);
    struct err *e = worker_submit(l->v->asker, leave_run, l->v->loop, leave_done, l);
    if (!e)
        return;
    l->e = e;
    leave_done(l);
}

static struct leaving *leaving_of(const struct vault_making *m)
{
    const struct responder_key *key = responder_outgoing(m->v->responders, view_str(m->issuer));
    struct leaving *l = key ? calloc(1, sizeof *l) : NULL;
    CHECK(!key || l);
    if (!l)
        return NULL;
    l->v = m->v;
    snprintf(l->label, sizeof l->label, "%s", key->label);
    memcpy(l->id, key->spki_sha1, sizeof l->id);
    return l;
}

/* --- the new one --- */

static struct err *made(struct vault_making *m)
{
    struct err *e = m->e;
    struct leaving *leaving = NULL;
    m->e = NULL;
    if (e)
        return e;
    if (m->v->closing)
        return err_new(ERR_CANCELLED, "the vault is closing");
    leaving = leaving_of(m);
    TRY(responder_add(m->v->responders, view_str(m->issuer), m->label, m->now_s, m->key->spki, m->key));
    if (leaving)
        leave(leaving);
    leaving = NULL;
    log_info("responder.made", log_text("issuer", m->issuer), log_text("label", m->label));
    TRY(vault_peer_answer_octets(m->peer, m->id, m->key->spki));
out:
    free(leaving);
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
        vault_token_trouble(v, m->token, e);
        vault_peer_refuse(m->peer, m->id, e);
    }
    vault_peer_release(m->peer);
    free(m);
    vault_release(v);
}

/* In the token that signs for the issuer now. */
static struct err *make_key(struct vault_call *call, const struct house_issuer *of, int64_t now_s)
{
    struct view issuer = view_str(of->name);
    const struct token_key *signer = vault_key_usable(call->v, of->token_key, of->spare);
    struct hsm_vault *v = call->v;
    for (const struct vault_making *other = v->makings; other; other = other->next)
        if (view_eq_str(issuer, other->issuer))
            return err_new(ERR_BUSY, "a responder key of this issuer is being generated");
    struct vault_making *m = calloc(1, sizeof *m);
    CHECK(m != NULL && issuer.n <= HOUSE_NAME_MAX);
    *m = (struct vault_making){.v = v, .id = call->id, .now_s = now_s};
    m->token = signer ? signer->token : vault_token_any(v)->token;
    m->peer = vault_peer_hold(call->peer);
    memcpy(m->issuer, issuer.p, issuer.n);
    responder_label(issuer, now_s, m->label);
    vault_hold(v);
    struct err *e = worker_submit(v->asker, make_run, v->loop, make_done, m);
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
    bool usable = key && vault_key_usable(call->v, key->token_key, key->spare);
    if (usable && !fresh) {
        e = vault_peer_answer_octets(call->peer, call->id, key->key.spki);
        goto out;
    }
    if (usable && key->made_s > now_s - RESPONDER_SPACING_S)
        TRY(floor_breach(FLOOR_OCSP_KEY_SPACING, "a responder key of %s was made less than an hour ago",
                         issuer->name));
    TRY(make_key(call, issuer, now_s));
out:
    return e;
}
