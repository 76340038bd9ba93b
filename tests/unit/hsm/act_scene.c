/* See act_scene.h. */
#include "act_scene.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/world.h"
#include "roster.h"
#include "token_scene.h"

static struct {
    EVP_PKEY *key;
    uint8_t der[600];
    size_t n;
} people[ACT_PEOPLE];

static const struct {
    const char *name, *role;
    enum cert_alg alg;
} rows[ACT_PEOPLE] = {
    [MARIA] = {"maria", "admin", CERT_ALG_ECDSA_SHA256},  [MARIA2] = {"maria", "admin", CERT_ALG_RSA_SHA256},
    [NILS] = {"nils", "admin", CERT_ALG_ED25519},         [OLGA] = {"olga", "admin", CERT_ALG_ECDSA_SHA384},
    [PAUL] = {"paul", "operator", CERT_ALG_ECDSA_SHA256}, [QUINN] = {"quinn", "admin", CERT_ALG_ECDSA_SHA256},
    [RITA] = {"rita", "", CERT_ALG_ECDSA_SHA256},
};

static EVP_PKEY *make(enum cert_alg alg)
{
    if (alg == CERT_ALG_RSA_SHA256)
        return EVP_RSA_gen(2048);
    if (alg == CERT_ALG_ED25519)
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    return EVP_EC_gen(alg == CERT_ALG_ECDSA_SHA384 ? "P-384" : "P-256");
}

static EVP_PKEY *key_of(enum act_person who)
{
    for (size_t i = 0; !people[ACT_PEOPLE - 1].key && i < ACT_PEOPLE; i++) {
        unsigned char *at = people[i].der;
        people[i].key = make(rows[i].alg);
        assert_non_null(people[i].key);
        people[i].n = (size_t)i2d_PUBKEY(people[i].key, &at);
        assert_true(people[i].n <= sizeof people[i].der);
    }
    return people[who].key;
}

struct view act_scene_spki(enum act_person who)
{
    (void)key_of(who);
    return view_of(people[who].der, people[who].n);
}

const char *act_scene_entries(struct arena *arena)
{
    const char *text = "";
    for (enum act_person i = MARIA; i < RITA; i++) {
        uint8_t hash[SHA256_BYTES];
        digest_sha256(act_scene_spki(i), hash);
        text = arena_printf(arena, "%s  - {name: %s, role: %s, spki_sha256: \"%s\"%s}\n", text, rows[i].name,
                            rows[i].role, hex_of(arena, view_of(hash, sizeof hash)),
                            i == QUINN ? ", revoked: true" : "");
    }
    return text;
}

struct hsm_roster *act_scene_roster(struct arena *arena)
{
    struct hsm_roster *r = NULL;
    const char *text =
        arena_printf(arena, "quorum: 2\napprovals: {thaw: 2, ca-state: 1, accept-loss: 0}\nroster:\n%s",
                     act_scene_entries(arena));
    good(hsm_roster_parse("roster.yaml", view_str(text), &r));
    return r;
}

struct hsm_act act_scene_act(enum hsm_act_kind kind, const char *object, struct view vault,
                             enum act_person who, struct arena *arena)
{
    uint8_t *id = arena_alloc(arena, HSM_ACT_ID_BYTES), *hash = arena_alloc(arena, SHA256_BYTES);
    int64_t now = world_now_s();
    world_random(id, HSM_ACT_ID_BYTES);
    digest_sha256(act_scene_spki(who), hash);
    return (struct hsm_act){.kind = kind,
                            .id = view_of(id, HSM_ACT_ID_BYTES),
                            .vault = vault,
                            .asker = view_of(hash, SHA256_BYTES),
                            .object = object,
                            .made = now,
                            .expires = now + 3600,
                            .reason = "because"};
}

struct view act_scene_write(const struct hsm_act *act, struct arena *arena)
{
    struct view der;
    good(hsm_act_write(act, arena, &der));
    return der;
}

struct hsm_act_signature act_scene_sign(enum act_person who, enum hsm_act_verb verb, struct view act,
                                        struct arena *arena)
{
    size_t n = 1024;
    uint8_t *sig = arena_alloc(arena, n);
    struct view text = hsm_act_statement(verb, act, arena);
    const char *digest = cert_alg_digest(rows[who].alg);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, key_of(who), NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, sig, &n, text.p, text.n), 1);
    EVP_MD_CTX_free(ctx);
    return (struct hsm_act_signature){
        .alg = rows[who].alg, .spki = act_scene_spki(who), .signature = view_of(sig, n)};
}

struct hsm_act_approved act_scene_approved(struct view act, enum act_person who, const enum act_person *by,
                                           struct arena *arena)
{
    struct hsm_act_approved a = {.act = act, .request = act_scene_sign(who, HSM_ACT_REQUEST, act, arena)};
    while (by[a.n] != ACT_PEOPLE) {
        a.approvals[a.n] = act_scene_sign(by[a.n], HSM_ACT_APPROVE, act, arena);
        a.n++;
    }
    return a;
}

struct view act_scene_approved_der(struct view act, enum act_person who, const enum act_person *by,
                                   struct arena *arena)
{
    struct view der;
    struct hsm_act_approved a = act_scene_approved(act, who, by, arena);
    good(hsm_act_approved_write(&a, arena, &der));
    return der;
}
