/*
 * KEY_GENERATE, SEAL_CA and ADOPT, for init and ceremonies alone: keys made in the token, roots and
 * subordinates judged, rolled and signed as everything else is. What was sealed the vault adopts as an
 * issuer, so that the next step of the ceremony can use it. Runs in a child of `chancery init` that serves
 * nobody else: token calls may block its loop.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/der.h"
#include "base/log.h"
#include "base/world.h"
#include "keygen.h"
#include "vault.h"

struct key_asked {
    struct view label;
    struct keygen_spec spec;
    bool reuse;
};

static struct err *read_key_asked(struct vault_call *call, struct key_asked *ret)
{
    struct err *e = NULL;
    struct view in = call->body, body, kind;
    enum cert_alg alg;
    TRY(vault_peer_malformed(der_read(&in, DER_SEQUENCE, &body)));
    TRY(vault_peer_malformed(der_end(in)));
    TRY(vault_peer_malformed(der_read(&body, DER_UTF8_STRING, &ret->label)));
    TRY(vault_peer_malformed(der_read(&body, DER_UTF8_STRING, &kind)));
    TRY(vault_peer_malformed(der_read_bool(&body, &ret->reuse)));
    TRY(vault_peer_malformed(der_end(body)));
    if (!house_name_ok(ret->label))
        TRY(err_new(ERR_BAD_FIELD, "a key's label is an issuer's name: 1 to 63 of a-z, 0-9 and '-'"));
    ret->spec.label = arena_str(call->arena, ret->label);
    TRY(cert_key_wish_parse(kind, &ret->spec.kind, &ret->spec.bits));
    TRY(house_alg(call->v->house, ret->spec.label, ret->spec.kind, &alg)); /* before a key is made for it */
out:
    return e;
}

/* The key of that label where it may be taken up again; NULL in *ret where there is none. */
static struct err *find_made(struct token *t, const struct key_asked *asked, const struct token_key **ret)
{
    const struct token_key *key = NULL;
    struct err *e = token_key_find(t, asked->spec.label, (struct view){NULL, 0}, &key);
    if (e && err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        return NULL;
    }
    if (e)
        return e;
    if (!asked->reuse)
        return err_new(ERR_WRONG_STATE, "a key labelled %s is in the token already", asked->spec.label);
    if (key->kind != asked->spec.kind || (asked->spec.bits && key->bits != asked->spec.bits))
        return err_new(ERR_WRONG_STATE, "the key labelled %s in the token is of another kind",
                       asked->spec.label);
    *ret = key;
    return NULL;
}

struct err *vault_ceremony_key(struct vault_call *call)
{
    struct err *e = NULL;
    struct key_asked asked;
    const struct token_key *key = NULL;
    TRY(read_key_asked(call, &asked));
    TRY(vault_token_check(call->v));
    TRY(find_made(call->v->tokens[0].token, &asked, &key));
    if (!key) {
        TRY(keygen_pair(call->v->tokens[0].token, &asked.spec, &key));
        log_info("ceremony.key", log_text("label", asked.spec.label));
    }
    TRY(vault_peer_answer_octets(call->peer, call->id, key->spki));
out:
    return e;
}

struct err *vault_ceremony_find(struct vault_call *call)
{
    struct err *e = NULL;
    struct view in = call->body, body, label;
    const struct token_key *key;
    TRY(vault_peer_malformed(der_read(&in, DER_SEQUENCE, &body)));
    TRY(vault_peer_malformed(der_end(in)));
    TRY(vault_peer_malformed(der_read(&body, DER_UTF8_STRING, &label)));
    TRY(vault_peer_malformed(der_end(body)));
    TRY(vault_token_check(call->v));
    TRY(vault_key_find(call->v, arena_str(call->arena, label), &key));
    TRY(vault_peer_answer_octets(call->peer, call->id, key->spki));
out:
    return e;
}

/* --- SEAL_CA --- */

struct ca_asked {
    struct view issuer, name, template, tbs;
};

static struct err *read_ca_asked(struct view in, struct ca_asked *ret)
{
    struct err *e = NULL;
    struct view body;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read(&body, DER_UTF8_STRING, &ret->issuer));
    TRY(der_read(&body, DER_UTF8_STRING, &ret->name));
    TRY(der_read(&body, DER_UTF8_STRING, &ret->template));
    TRY(der_read(&body, DER_OCTET_STRING, &ret->tbs));
    TRY(der_end(body));
out:
    return vault_peer_malformed(e);
}

/* An issuer from then on: its certificate is at hand, its key in the token. A root issues nothing but CAs. */
static struct err *house_take(struct hsm_vault *v, const char *name, struct view der, enum cert_alg alg,
                              bool root, const struct token_key *key, struct arena *arena)
{
    struct hsm_issuer_setup setup = {.name = name,
                                     .key_uri = arena_printf(arena, "pkcs11:object=%s", name),
                                     .certificate = der,
                                     .alg = alg,
                                     .may_issue = !root};
    struct err *e = house_adopt(v->house, &setup);
    if (e)
        return e;
    struct house_issuer *issuer = house_issuer(v->house, view_str(name));
    issuer->token_key = key;
    issuer->reason[0] = '\0';
    return NULL;
}

/* What the new issuer will be, once its certificate is signed. */
struct adoption {
    struct arena *arena;
    struct hsm_vault *v;
    const char *name;
    enum cert_alg signer_alg, own_alg;
    bool root;
    const struct token_key *key;
};

static void adoption_forget(void *arg)
{
    struct adoption *a = arg;
    vault_release(a->v);
    arena_free(a->arena);
}

/* A signature that is durable in the roll is shown whatever becomes of the adoption: init can name the issuer
 * anew. */
static void adopt(struct adoption *a, struct view tbs, struct view signature)
{
    struct view der;
    struct err *e = cert_seal(tbs, a->signer_alg, signature, a->arena, &der);
    if (!e)
        e = house_take(a->v, a->name, der, a->own_alg, a->root, a->key, a->arena);
    if (!e)
        return;
    log_error("ceremony.adopt", log_text("name", a->name), log_err(e));
    err_free(e);
}

static struct err *adoption_finish(void *arg, const struct vault_sealed *sealed, struct arena *arena,
                                   struct view *ret)
{
    adopt(arg, sealed->tbs, sealed->signature);
    return frames_write_sealed(sealed->n, sealed->signature, arena, ret);
}

static struct adoption *adoption_new(struct hsm_vault *v, struct view name, const struct token_key *key,
                                     enum cert_alg signer_alg, enum cert_alg own_alg, bool root)
{
    struct arena *arena = arena_new(1 << 20);
    struct adoption *a = ARENA_NEW(arena, struct adoption);
    vault_hold(v);
    *a = (struct adoption){.arena = arena,
                           .v = v,
                           .name = arena_str(arena, name),
                           .signer_alg = signer_alg,
                           .own_alg = own_alg,
                           .root = root,
                           .key = key};
    return a;
}

/* The signer: a known issuer, or the key itself where both names are one. */
static struct err *find_signer(struct hsm_vault *v, const struct ca_asked *asked, struct house_issuer **ret)
{
    *ret = NULL;
    if (!house_name_ok(asked->name) || !house_name_ok(asked->issuer))
        return err_new(ERR_BAD_FIELD, "an issuer's name is 1 to 63 of a-z, 0-9 and '-'");
    if (house_issuer(v->house, asked->name))
        return err_new(ERR_WRONG_STATE, "there is an issuer of this name already");
    if (view_eq(asked->issuer, asked->name))
        return NULL;
    return vault_issuer(v->house, asked->issuer, ret);
}

static struct err *judge(struct vault_call *call, const struct ca_asked *asked,
                         const struct house_issuer *signer, const struct token_key *key,
                         struct judge_cert_found *ret)
{
    struct hsm_vault *v = call->v;
    struct judge_ca_case c = {.house = v->house,
                              .responders = v->responders,
                              .issuer = signer,
                              .name = key->label,
                              .spki = key->spki,
                              .template = asked->template,
                              .tbs = asked->tbs,
                              .now = world_now_s()};
    struct err *e = judge_ca(&c, call->arena, ret);
    return e ? e : lease_check(call->peer->leases, asked->issuer, ret->tbs.serial);
}

struct err *vault_ceremony_seal(struct vault_call *call)
{
    struct err *e = NULL;
    struct hsm_vault *v = call->v;
    struct ca_asked asked;
    struct house_issuer *signer;
    struct judge_cert_found found;
    const struct token_key *key;
    enum cert_alg own_alg;
    uint8_t hash[SHA256_BYTES];
    TRY(read_ca_asked(call->body, &asked));
    TRY(vault_seal_room(v, SIGNER_ISSUE));
    TRY(find_signer(v, &asked, &signer));
    TRY(vault_key_find(v, arena_str(call->arena, asked.name), &key));
    TRY(house_alg(v->house, key->label, key->kind, &own_alg));
    TRY(judge(call, &asked, signer, key, &found));
    if (signer && !signer->token_key)
        TRY(err_new(ERR_TOKEN_AWAY, "the key of %s is not available: %s", signer->name, signer->reason));
    digest_sha256(asked.tbs, hash);
    struct vault_seal_want want = {.house = v->house,
                                   .entry = {.key = asked.issuer,
                                             .kind = HSM_ROLL_CA,
                                             .serial = found.tbs.serial,
                                             .template = asked.template,
                                             .tbs_sha256 = view_of(hash, SHA256_BYTES)},
                                   .token_key = signer ? signer->token_key : key,
                                   .alg = found.tbs.alg,
                                   .tbs = asked.tbs,
                                   .lane = SIGNER_ISSUE,
                                   .finish = adoption_finish,
                                   .forget = adoption_forget};
    lease_use(call->peer->leases, asked.issuer, found.tbs.serial);
    want.arg =
        adoption_new(v, asked.name, key, found.tbs.alg, signer ? own_alg : found.tbs.alg, signer == NULL);
    e = vault_seal_start(v, call->peer, call->id, &want);
    if (e)
        adoption_forget(want.arg);
out:
    return e;
}

/* --- ADOPT --- */

static struct err *read_adopted(struct view in, struct view *ret_name, struct view *ret_certificate)
{
    struct err *e = NULL;
    struct view body;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read(&body, DER_UTF8_STRING, ret_name));
    TRY(der_read(&body, DER_OCTET_STRING, ret_certificate));
    TRY(der_end(body));
out:
    return vault_peer_malformed(e);
}

struct err *vault_ceremony_adopt(struct vault_call *call)
{
    struct err *e = NULL;
    struct hsm_vault *v = call->v;
    struct view name, der;
    struct cert_tbs tbs;
    enum cert_alg alg;
    const struct token_key *key;
    TRY(read_adopted(call->body, &name, &der));
    TRY(vault_token_check(v));
    if (!house_name_ok(name))
        TRY(err_new(ERR_BAD_FIELD, "an issuer's name is 1 to 63 of a-z, 0-9 and '-'"));
    const char *label = arena_str(call->arena, name);
    TRY(vault_key_find(v, label, &key));
    TRY(cert_tbs_open(der, call->arena, NULL, &tbs));
    if (!view_eq(tbs.spki, key->spki))
        TRY(err_new(ERR_BAD_KEY, "the certificate is not for the key labelled %s in the token", label));
    TRY(house_alg(v->house, label, key->kind, &alg));
    TRY(house_take(v, label, der, alg, view_eq(tbs.subject, tbs.issuer), key, call->arena));
    TRY(vault_peer_answer_octets(call->peer, call->id, key->spki));
out:
    return e;
}

/* --- the child --- */

static void stop_loop(void *arg)
{
    loop_stop(arg);
}

struct err *hsm_vault_run_init(const struct hsm_vault_setup *setup, const struct hsm_vault_config *config,
                               struct templates **templates, int fd)
{
    struct err *e = NULL;
    struct loop *l = NULL;
    struct hsm_vault *v = NULL;
    TRY(loop_new(&l));
    TRY(hsm_vault_open(l, setup, config, templates, &v));
    /* Nobody asks this vault for its state: its trouble is the child's error. */
    e = vault_token_check(v);
    if (e) {
        enum err_code code = err_code(e);
        err_free(e);
        TRY(err_new(code, "%s", v->tokens[0].detail));
    }
    v->stop_with_init = l;
    hsm_vault_attach(v, HSM_PEER_INIT, fd);
    fd = -1;
    loop_run(l);
out:
    hsm_vault_free(v);
    if (l) { /* what was posted while closing */
        loop_post(l, stop_loop, l);
        loop_run(l);
    }
    loop_free(l);
    if (fd >= 0)
        close(fd);
    return e;
}
