/*
 * An owned front that wants a certificate by a template that asks for evidence: without any, with too little,
 * with what was given for another certificate.
 */
#include "act_scene.h"
#include "base/world.h"
#include "hsm_proof.h"
#include "owned.h"
#include "proof.h"

enum { DAY = 86400 };

struct evidence {
    const char *template;
    enum act_person by[3]; /* ended by ACT_PEOPLE */
    enum { ALL_RIGHT, NOTHING, OTHER_NAME, SHORTER, OTHER_VALUES } what;
};

static struct cert_tbs tbs_of(struct owned *o, const char *template, const char *san)
{
    uint8_t *serial = arena_alloc(o->s->arena, SERIAL_BYTES);
    vault_scene_lease(o->s, o->front, "issuing", serial);
    return shape_tbs(&(struct shape_ask){.templates = o->s->house->templates,
                                         .template = template,
                                         .issuer = &o->s->issuing->facts,
                                         .spki = shape_spki(o->s->arena),
                                         .serial = view_of(serial, SERIAL_BYTES),
                                         .san = san,
                                         .now = world_now_s()},
                     o->s->arena);
}

static struct view body_of(struct owned *o, const char *template, struct view tbs,
                           const struct hsm_proof *proof)
{
    struct der_out out;
    struct view body;
    der_out_init(&out, o->s->arena, 512 * 1024);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, "issuing");
    der_put_text(&out, template);
    der_put_octets(&out, tbs);
    proof_put(&out, proof, proof != NULL);
    der_finish(&out, m);
    good(der_out_done(&out, &body));
    return body;
}

static struct view payload_of(struct owned *o, const struct evidence *ev, const struct cert_tbs *tbs)
{
    struct view payload;
    struct cert_tbs shown = *tbs;
    int64_t life = tbs->not_after - tbs->not_before;
    if (ev->what == OTHER_NAME) {
        shown = tbs_of(o, ev->template, "dns:b.example.internal");
        shown.spki = tbs->spki;
    }
    struct hsm_wanted wanted = {.issuer = "issuing", .template = ev->template, .asker = "x", .needed = 1};
    good(hsm_form_write(&shown, &o->s->issuing->facts, ev->what == SHORTER ? DAY : life, o->s->arena,
                        &wanted.form));
    good(hsm_wanted_write(&wanted, o->s->arena, &payload));
    return payload;
}

static struct view approved_of(struct owned *o, const struct evidence *ev, struct view payload)
{
    uint8_t hash[SHA256_BYTES], values[SHA256_BYTES];
    struct view whole;
    struct hsm_act act =
        act_scene_act(HSM_ACT_CERTIFICATE, ev->template, owned_vault_id(o), RITA, o->s->arena);
    digest_sha256(payload, hash);
    templates_sha256(templates_find(o->s->house->templates, view_str(ev->template)), values);
    values[0] ^= ev->what == OTHER_VALUES;
    act.object_sha256 = view_of(hash, SHA256_BYTES);
    act.template_sha256 = view_of(values, SHA256_BYTES);
    struct view der = act_scene_write(&act, o->s->arena);
    struct hsm_act_approved approved = act_scene_approved(der, RITA, ev->by, o->s->arena);
    approved.request = (struct hsm_act_signature){.spki = {NULL, 0}};
    good(hsm_act_approved_write(&approved, o->s->arena, &whole));
    return whole;
}

static void aim(struct owned *o, const struct owned_attack *a, struct owned_shot *to)
{
    const struct evidence *ev = a->how;
    struct cert_tbs tbs = tbs_of(o, ev->template, "dns:a.example.internal");
    struct view der = shape_bytes(&tbs, o->s->arena);
    to->kind = ev->what == NOTHING ? FRAMES_SEAL_CERT : FRAMES_SEAL_PROVED;
    to->body = vault_scene_cert_body(o->s, "issuing", ev->template, der);
    if (ev->what == NOTHING)
        return;
    struct view payload = payload_of(o, ev, &tbs);
    const struct hsm_proof proof = {HSM_PROOF_APPROVED, approved_of(o, ev, payload), payload};
    to->body = body_of(o, ev->template, der, &proof);
}

#define EVIDENCE(what_, ...)                                                                                 \
    &(const struct evidence)                                                                                 \
    {                                                                                                        \
        .template = "approved", .what = (what_), .by = { __VA_ARGS__ }                                       \
    }

const struct owned_attack owned_proof_attacks[] = {
    {"no approval, where the template asks for two",
     HSM_PEER_FRONT,
     aim,
     {"cert.approval"},
     EVIDENCE(NOTHING, ACT_PEOPLE),
     false},
    {"one approval of two",
     HSM_PEER_FRONT,
     aim,
     {"cert.approval"},
     EVIDENCE(ALL_RIGHT, NILS, ACT_PEOPLE),
     OWNED_WITH_ACT},
    {"one name approved, another sealed",
     HSM_PEER_FRONT,
     aim,
     {"cert.approved"},
     EVIDENCE(OTHER_NAME, NILS, OLGA, ACT_PEOPLE),
     OWNED_WITH_ACT},
    {"approved for a day, sealed for a quarter",
     HSM_PEER_FRONT,
     aim,
     {"cert.approved"},
     EVIDENCE(SHORTER, NILS, OLGA, ACT_PEOPLE),
     OWNED_WITH_ACT},
    {"approved under other values of the template",
     HSM_PEER_FRONT,
     aim,
     {"act.claim"},
     EVIDENCE(OTHER_VALUES, NILS, OLGA, ACT_PEOPLE),
     OWNED_WITH_ACT},
    {0},
};
