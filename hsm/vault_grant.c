/*
 * Wishes for CA certificates that the roster approved: the act makes the key where one is to be made and
 * grants the wish for ten minutes; the seal is over bytes that fit it, judged as in every ceremony. One grant
 * at a time, one seal for each. The vault's loop, but for make_run.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "base/world.h"
#include "hsm_wish.h"
#include "keygen.h"
#include "vault_grant.h"

enum { GRANT_MS = 10 * 60 * 1000, GRANT_BYTES = 1 << 20 };

struct vault_grant {
    struct arena *arena;
    enum hsm_act_kind kind;
    struct hsm_wish wish;
    struct view spki; /* of the key that is to be certified; empty: proof has it */
    int64_t until_ms;
};

void vault_grant_drop(struct hsm_vault *v)
{
    if (!v->grant)
        return;
    arena_free(v->grant->arena);
    free(v->grant);
    v->grant = NULL;
}

static struct vault_grant *grant_new(enum hsm_act_kind kind, const struct hsm_wish *w)
{
    struct vault_grant *g = calloc(1, sizeof *g);
    CHECK(g != NULL);
    g->arena = arena_new(GRANT_BYTES);
    g->kind = kind;
    g->wish = (struct hsm_wish){.name = arena_str(g->arena, view_str(w->name)),
                                .key = arena_str(g->arena, view_str(w->key)),
                                .issuer = arena_str(g->arena, view_str(w->issuer)),
                                .template = arena_str(g->arena, view_str(w->template)),
                                .subject = arena_dup(g->arena, w->subject),
                                .proof = arena_dup(g->arena, w->proof)};
    return g;
}

/* Standing now, or NULL. */
static struct vault_grant *grant_of(struct hsm_vault *v)
{
    if (v->grant && world_mono_ms() > v->grant->until_ms)
        vault_grant_drop(v);
    return v->grant;
}

bool vault_grant_names(struct hsm_vault *v, struct view issuer)
{
    const struct vault_grant *g = grant_of(v);
    return g && view_eq_str(issuer, g->wish.name);
}

/* --- the act --- */

struct making {
    struct hsm_vault *v;
    struct vault_peer *peer;
    uint64_t id, n; /* of the question; of the act in the roll */
    struct vault_grant *grant;
    struct token *token;                  /* in which a key is made */
    struct token *tokens[HSM_TOKENS_MAX]; /* in which one is looked for */
    size_t n_tokens;
    const struct token_key *key;
    struct err *e;
};

static struct err *find_key(struct making *m, const char *label)
{
    struct err *e = NULL;
    for (size_t i = 0; i < m->n_tokens && !m->key; i++) {
        err_free(e);
        e = token_key_find(m->tokens[i], label, (struct view){NULL, 0}, &m->key);
    }
    return e;
}

/* On the worker's thread: a key, where one is to be made. */
static void make_run(void *arg)
{
    struct making *m = arg;
    const struct hsm_wish *w = &m->grant->wish;
    struct keygen_spec spec = {.label = w->name};
    if (!w->key[0]) {
        m->e = find_key(m, w->name);
        return;
    }
    m->e = cert_key_wish_parse(view_str(w->key), &spec.kind, &spec.bits);
    if (!m->e)
        m->e = keygen_pair(m->token, &spec, &m->key);
}

static struct err *granted(struct making *m)
{
    struct err *e = NULL;
    struct hsm_vault *v = m->v;
    struct arena *arena = arena_new(8192);
    struct view body;
    if (v->closing)
        TRY(err_new(ERR_CANCELLED, "the vault is closing"));
    if (m->key)
        m->grant->spki = arena_dup(m->grant->arena, m->key->spki);
    vault_grant_drop(v);
    v->grant = m->grant;
    m->grant = NULL;
    v->grant->until_ms = world_mono_ms() + GRANT_MS;
    TRY(frames_write_sealed(m->n, v->grant->spki, arena, &body));
    vault_peer_answer(m->peer, m->id, body);
out:
    arena_free(arena);
    return e;
}

static void make_done(void *arg)
{
    struct making *m = arg;
    struct hsm_vault *v = m->v;
    struct err *e = m->e ? m->e : granted(m);
    if (e) {
        vault_token_trouble(v, m->token, e);
        vault_peer_refuse(m->peer, m->id, e);
    }
    if (m->grant) {
        arena_free(m->grant->arena);
        free(m->grant);
    }
    vault_peer_release(m->peer);
    free(m);
    vault_release(v);
}

/* Against what stands: a new name is new, a signer is there and issues, a renewal is by the parent. */
static struct err *check_wish(struct hsm_vault *v, const struct vault_act *act, const struct hsm_wish *w)
{
    struct err *e = NULL;
    struct house_issuer *signer = NULL, *own = NULL;
    enum hsm_act_kind kind = act->act.kind;
    bool named = kind == HSM_ACT_CA_CREATE || kind == HSM_ACT_CA_RENEW;
    if (strcmp(act->act.object, named ? w->name : w->issuer) != 0)
        return err_new(ERR_BAD_FIELD, "the act is of '%s', its wish of another", act->act.object);
    if (kind == HSM_ACT_CA_CREATE && house_issuer(v->house, view_str(w->name)))
        return err_new(ERR_WRONG_STATE, "there is an issuer '%s' already", w->name);
    if (kind == HSM_ACT_CA_RENEW)
        TRY(vault_issuer(v->house, view_str(w->name), &own));
    if (own)
        TRY(vault_state_check(v, own, HSM_WORKS_RENEW));
    if (!w->issuer[0] || (named && strcmp(w->issuer, w->name) == 0))
        return NULL;
    TRY(vault_issuer(v->house, view_str(w->issuer), &signer));
    TRY(vault_state_check(v, signer, HSM_WORKS_ISSUE));
    TRY(vault_key_check(v, signer));
out:
    return e;
}

struct err *vault_grant_act(struct vault_call *call, const struct vault_act *act, struct view payload)
{
    struct err *e = NULL;
    struct hsm_vault *v = call->v;
    struct hsm_wish w;
    struct making *m = NULL;
    TRY(hsm_wish_read(payload, act->act.kind, call->arena, &w));
    TRY(vault_token_check(v));
    TRY(check_wish(v, act, &w));
    m = calloc(1, sizeof *m);
    CHECK(m != NULL);
    *m = (struct making){.v = v, .peer = vault_peer_hold(call->peer), .id = call->id};
    m->grant = grant_new(act->act.kind, &w);
    m->token = vault_token_any(v)->token;
    for (size_t i = 0; i < v->n_tokens; i++)
        if (v->tokens[i].state == VAULT_READY)
            m->tokens[m->n_tokens++] = v->tokens[i].token;
    vault_hold(v);
    m->n = vault_act_use(v, act);
    if (w.name[0])
        e = worker_submit(v->asker, make_run, v->loop, make_done, m);
    else
        make_done(m); /* the key is elsewhere */
    if (e) {
        m->e = e;
        make_done(m);
        e = NULL;
    }
out:
    return e;
}

/* --- the seals --- */

static struct err *take_octets(struct view in, struct view *ret)
{
    return vault_peer_malformed(frames_read_octets(in, ret));
}

static struct err *no_grant(void)
{
    return err_new(ERR_FORBIDDEN, "no wish for a CA certificate stands that the roster approved");
}

static struct err *judge(struct vault_call *call, const struct vault_grant *g, struct view tbs,
                         const struct house_issuer *signer, struct judge_cert_found *ret)
{
    struct err *e = NULL;
    const struct hsm_vault *v = call->v;
    const struct judge_ca_case c = {.house = v->house,
                                    .responders = v->responders,
                                    .issuer = signer,
                                    .name = g->wish.name,
                                    .spki = g->spki,
                                    .proof = g->wish.proof,
                                    .renewed = g->kind == HSM_ACT_CA_RENEW,
                                    .template = view_str(g->wish.template),
                                    .tbs = tbs,
                                    .now = world_now_s()};
    TRY(judge_ca(&c, call->arena, ret));
    if (g->wish.subject.n && !view_eq(ret->tbs.subject, g->wish.subject))
        TRY(err_new(ERR_FLOOR, "the subject is not the one that was approved"));
    TRY(lease_check(call->peer->leases, view_str(g->wish.issuer), ret->tbs.serial));
out:
    return e;
}

struct err *vault_grant_seal(struct vault_call *call)
{
    struct err *e = NULL;
    struct hsm_vault *v = call->v;
    struct vault_grant *g = grant_of(v);
    struct house_issuer *signer = NULL;
    const struct token_key *own = NULL;
    struct judge_cert_found found;
    struct view tbs;
    uint8_t hash[SHA256_BYTES];
    TRY(take_octets(call->body, &tbs));
    TRY(vault_seal_room(v, SIGNER_ISSUE));
    if (!g || !g->wish.issuer[0])
        TRY(no_grant());
    bool self = strcmp(g->wish.issuer, g->wish.name) == 0;
    if (self)
        TRY(vault_key_find(v, g->wish.name, &own));
    if (!self)
        TRY(vault_issuer(v->house, view_str(g->wish.issuer), &signer));
    TRY(judge(call, g, tbs, signer, &found));
    digest_sha256(tbs, hash);
    lease_use(call->peer->leases, view_str(g->wish.issuer), found.tbs.serial);
    TRY(vault_seal_start(v, call->peer, call->id,
                         &(struct vault_seal_want){.house = v->house,
                                                   .entry = {.key = view_str(g->wish.issuer),
                                                             .kind = HSM_ROLL_CA,
                                                             .serial = found.tbs.serial,
                                                             .template = view_str(g->wish.template),
                                                             .tbs_sha256 = view_of(hash, SHA256_BYTES)},
                                                   .token_key = signer ? signer->token_key : own,
                                                   .spare = signer ? signer->spare : NULL,
                                                   .alg = found.tbs.alg,
                                                   .tbs = tbs,
                                                   .lane = SIGNER_ISSUE}));
    vault_grant_drop(v);
out:
    return e;
}

struct err *vault_grant_request(struct vault_call *call, struct view name, struct view cri)
{
    struct hsm_vault *v = call->v;
    const struct vault_grant *g = grant_of(v);
    if (!g || g->wish.issuer[0] || !view_eq_str(name, g->wish.name))
        return no_grant();
    return judge_cri(&(struct judge_cri_case){v->house, g->wish.name, g->spki, cri, g->wish.subject},
                     call->arena);
}
