/*
 * An owned front that claims approvals: too few, another's, an old one's, one person's twice, for another
 * act. What it would have done is a thaw: of an asker that nobody is, so that nothing else changes.
 */
#include <stdio.h>

#include "act_scene.h"
#include "base/world.h"
#include "hsm_freeze.h"
#include "hsm_wish.h"
#include "owned.h"

#define OBJECT "asker:token:0000000000000000"

struct claim {
    enum act_person asker, signs; /* named in the act; signed the request */
    enum act_person by[4];        /* ended by ACT_PEOPLE */
    enum { RIGHT, EXPIRED, LONG, ELSEWHERE, REPLAYED, PAYLOAD, DENIED, OTHER_ACT } what;
};

/* FREEZE, as any front may. */
static void freeze(struct owned *o, enum hsm_freeze_what what, const char *name)
{
    struct der_out out;
    struct view body;
    der_out_init(&out, o->s->arena, 1024);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_enum(&out, what);
    der_put_text(&out, name);
    der_put_text(&out, "roster:a");
    der_put_text(&out, "a test");
    der_finish(&out, m);
    good(der_out_done(&out, &body));
    good(vault_scene_ask(o->s, o->front, FRAMES_FREEZE, body, -1, NULL));
}

struct roll_of {
    struct owned *o;
    struct view id;
};

static void read_roll_id(void *arg)
{
    struct roll_of *r = arg;
    r->id = arena_dup(r->o->s->arena, view_of(roll_file_id(r->o->s->v->roll), ROLL_ID_BYTES));
}

struct view owned_vault_id(struct owned *o)
{
    struct roll_of r = {.o = o};
    vault_scene_run(o->s, read_roll_id, &r);
    return r.id;
}

static struct view act_body(struct owned *o, struct view approved, struct view payload)
{
    const struct view parts[] = {approved, payload};
    return owned_body(o, (const char *const[]){NULL}, parts, 2);
}

static struct view written(struct owned *o, const struct claim *c)
{
    static const uint8_t elsewhere[HSM_ACT_ID_BYTES] = {1};
    struct hsm_act act = act_scene_act(HSM_ACT_THAW, OBJECT, owned_vault_id(o), c->asker, o->s->arena);
    if (c->what == EXPIRED) {
        act.made -= 7200;
        act.expires = world_now_s() - 1;
    }
    if (c->what == LONG)
        act.expires = world_now_s() + HSM_ACT_LIFE_S + 600;
    if (c->what == ELSEWHERE)
        act.vault = view_of(elsewhere, sizeof elsewhere);
    return act_scene_write(&act, o->s->arena);
}

static void aim(struct owned *o, const struct owned_attack *a, struct owned_shot *to)
{
    const struct claim *c = a->how;
    struct arena *arena = o->s->arena;
    struct view der = written(o, c), whole, other = written(o, c);
    struct hsm_act_approved approved = act_scene_approved(der, c->signs, c->by, arena);
    for (size_t i = 0; i < approved.n && c->what == DENIED; i++)
        approved.approvals[i] = act_scene_sign(c->by[i], HSM_ACT_DENY, der, arena);
    for (size_t i = 0; i < approved.n && c->what == OTHER_ACT; i++)
        approved.approvals[i] = act_scene_sign(c->by[i], HSM_ACT_APPROVE, other, arena);
    good(hsm_act_approved_write(&approved, arena, &whole));
    freeze(o, HSM_FREEZE_ASKER, &OBJECT[6]);
    to->kind = FRAMES_ACT;
    to->body = act_body(o, whole, view_of(c->what == PAYLOAD ? "x" : "", c->what == PAYLOAD));
    if (c->what == REPLAYED) {
        good(vault_scene_ask(o->s, o->front, FRAMES_ACT, to->body, -1, NULL));
        freeze(o, HSM_FREEZE_ASKER, &OBJECT[6]);
    }
}

/* --- what is frozen --- */

/* It stays frozen. */
static void aim_frozen(struct owned *o, const struct owned_attack *a, struct owned_shot *to)
{
    (void)a;
    struct cert_tbs tbs = owned_tbs(o, "server", "issuing");
    freeze(o, HSM_FREEZE_TEMPLATE, "server");
    to->kind = FRAMES_SEAL_CERT;
    to->body = vault_scene_cert_body(o->s, "issuing", "server", shape_bytes(&tbs, o->s->arena));
}

/* --- what is suspended --- */

/* It stays so: the last of the list, by another template than the frozen one. */
static void suspend(struct owned *o)
{
    static const enum act_person by[] = {NILS, OLGA, ACT_PEOPLE};
    struct arena *arena = o->s->arena;
    struct view payload;
    uint8_t hash[SHA256_BYTES];
    good(hsm_wish_state_write("disabled", 0, arena, &payload));
    digest_sha256(payload, hash);
    struct hsm_act act = act_scene_act(HSM_ACT_CA_STATE, "issuing", owned_vault_id(o), MARIA, arena);
    act.object_sha256 = view_of(hash, sizeof hash);
    struct view der = act_scene_write(&act, arena);
    struct view body = act_body(o, act_scene_approved_der(der, MARIA, by, arena), payload);
    struct err *e = vault_scene_ask(o->s, o->front, FRAMES_ACT, body, -1, NULL);
    assert_true(!e || err_code(e) == ERR_WRONG_STATE); /* a second time */
    err_free(e);
}

static void aim_suspended(struct owned *o, const struct owned_attack *a, struct owned_shot *to)
{
    (void)a;
    struct cert_tbs tbs = owned_tbs(o, "client", "issuing");
    suspend(o);
    to->kind = FRAMES_SEAL_CERT;
    to->body = vault_scene_cert_body(o->s, "issuing", "client", shape_bytes(&tbs, o->s->arena));
}

#define CLAIM(asker_, signs_, what_, ...)                                                                    \
    &(const struct claim)                                                                                    \
    {                                                                                                        \
        .asker = (asker_), .signs = (signs_), .by = {__VA_ARGS__}, .what = (what_)                           \
    }

const struct owned_attack owned_act_attacks[] = {
    {"nobody has approved",
     HSM_PEER_FRONT,
     aim,
     {"act.quorum"},
     CLAIM(MARIA, MARIA, RIGHT, ACT_PEOPLE),
     true},
    {"one of three has approved, two must",
     HSM_PEER_FRONT,
     aim,
     {"act.quorum"},
     CLAIM(MARIA, MARIA, RIGHT, NILS, ACT_PEOPLE),
     true},
    {"one signature counted twice",
     HSM_PEER_FRONT,
     aim,
     {"act.person"},
     CLAIM(MARIA, MARIA, RIGHT, NILS, NILS, ACT_PEOPLE),
     true},
    {"two keys of one person",
     HSM_PEER_FRONT,
     aim,
     {"act.person"},
     CLAIM(NILS, NILS, RIGHT, MARIA, MARIA2, ACT_PEOPLE),
     true},
    {"the asker approves",
     HSM_PEER_FRONT,
     aim,
     {"act.own"},
     CLAIM(MARIA, MARIA, RIGHT, MARIA, NILS, ACT_PEOPLE),
     true},
    {"the asker approves with another key",
     HSM_PEER_FRONT,
     aim,
     {"act.own"},
     CLAIM(MARIA, MARIA, RIGHT, MARIA2, NILS, ACT_PEOPLE),
     true},
    {"an approver who was revoked",
     HSM_PEER_FRONT,
     aim,
     {"act.revoked"},
     CLAIM(MARIA, MARIA, RIGHT, QUINN, NILS, ACT_PEOPLE),
     true},
    {"an operator approves",
     HSM_PEER_FRONT,
     aim,
     {"act.approver"},
     CLAIM(MARIA, MARIA, RIGHT, PAUL, NILS, ACT_PEOPLE),
     true},
    {"an operator asks",
     HSM_PEER_FRONT,
     aim,
     {"act.asker"},
     CLAIM(PAUL, PAUL, RIGHT, OLGA, NILS, ACT_PEOPLE),
     true},
    {"another asks than the act names",
     HSM_PEER_FRONT,
     aim,
     {"act.asked"},
     CLAIM(PAUL, MARIA, RIGHT, OLGA, NILS, ACT_PEOPLE),
     true},
    {"denials in place of approvals",
     HSM_PEER_FRONT,
     aim,
     {"act.signature"},
     CLAIM(MARIA, MARIA, DENIED, OLGA, NILS, ACT_PEOPLE),
     true},
    {"approvals of another act",
     HSM_PEER_FRONT,
     aim,
     {"act.signature"},
     CLAIM(MARIA, MARIA, OTHER_ACT, OLGA, NILS, ACT_PEOPLE),
     true},
    {"an act that has expired",
     HSM_PEER_FRONT,
     aim,
     {"act.expired"},
     CLAIM(MARIA, MARIA, EXPIRED, OLGA, NILS, ACT_PEOPLE),
     true},
    {"an act for ever",
     HSM_PEER_FRONT,
     aim,
     {"act.too_long"},
     CLAIM(MARIA, MARIA, LONG, OLGA, NILS, ACT_PEOPLE),
     true},
    {"an act for another vault",
     HSM_PEER_FRONT,
     aim,
     {"act.vault"},
     CLAIM(MARIA, MARIA, ELSEWHERE, OLGA, NILS, ACT_PEOPLE),
     true},
    {"an act done a second time",
     HSM_PEER_FRONT,
     aim,
     {"act.replayed"},
     CLAIM(MARIA, MARIA, REPLAYED, OLGA, NILS, ACT_PEOPLE),
     true},
    {"other bytes than were approved",
     HSM_PEER_FRONT,
     aim,
     {"act.claim"},
     CLAIM(MARIA, MARIA, PAYLOAD, OLGA, NILS, ACT_PEOPLE),
     true},
    {"a certificate by a frozen template", HSM_PEER_FRONT, aim_frozen, {"freeze"}, NULL, false},
    {"a certificate by a suspended issuer", HSM_PEER_FRONT, aim_suspended, {"state"}, NULL, false},
    {0},
};
