/*
 * CAs under a running vault: what the roster approved is made and nothing beyond it; what is suspended or
 * deleted stays so over a restart, and comes back only by an act.
 */
#include <unistd.h>

#include "act_scene.h"
#include "base/world.h"
#include "cert/chain.h"
#include "cert/csr.h"
#include "cert/name.h"
#include "hsm_wish.h"
#include "vault_scene.h"

struct roll_of {
    struct vault_scene *s;
    struct view id;
};

static void read_roll_id(void *arg)
{
    struct roll_of *r = arg;
    r->id = arena_dup(r->s->arena, view_of(roll_file_id(r->s->v->roll), ROLL_ID_BYTES));
}

/* MARIA asks; approved: NILS says yes, too. */
static struct err *act(struct vault_scene *s, int fd, enum hsm_act_kind kind, const char *object,
                       struct view payload, bool approved, struct view *ret_result)
{
    const enum act_person by[] = {approved ? NILS : ACT_PEOPLE, ACT_PEOPLE};
    uint8_t hash[SHA256_BYTES];
    struct roll_of r = {.s = s};
    struct view body, answer;
    uint64_t n;
    vault_scene_run(s, read_roll_id, &r);
    struct hsm_act a = act_scene_act(kind, object, r.id, MARIA, s->arena);
    digest_sha256(payload, hash);
    a.object_sha256 = view_of(hash, sizeof hash);
    const struct view parts[] = {act_scene_approved_der(act_scene_write(&a, s->arena), MARIA, by, s->arena),
                                 payload};
    body = vault_scene_seq(s, (const char *const[]){NULL}, parts, 2);
    struct err *e = vault_scene_ask(s, fd, FRAMES_ACT, body, -1, &answer);
    if (!e)
        good(frames_read_sealed(answer, &n, ret_result));
    return e;
}

static enum err_code set_state(struct vault_scene *s, int fd, enum hsm_act_kind kind, const char *state,
                               int64_t until)
{
    struct view payload, result;
    good(hsm_wish_state_write(state, until, s->arena, &payload));
    return code_of(act(s, fd, kind, "issuing", payload, true, &result));
}

static enum err_code seal_leaf(struct vault_scene *s, int fd)
{
    struct view tbs, signature;
    uint64_t n;
    return code_of(vault_scene_seal(s, fd, &tbs, &n, &signature));
}

static struct view name_of(struct vault_scene *s, const char *cn)
{
    const struct cert_name_part part = {"CN", cn};
    struct view der;
    good(cert_name_write(&part, 1, s->arena, &der));
    return der;
}

static struct view subordinate_tbs(struct vault_scene *s, int fd, struct view spki, const char *cn)
{
    uint8_t *serial = arena_alloc(s->arena, SERIAL_BYTES);
    vault_scene_lease(s, fd, "root", serial);
    const struct cert_tbs tbs = shape_tbs(&(struct shape_ask){.templates = s->templates,
                                                              .template = "sub-ca",
                                                              .issuer = &s->root->facts,
                                                              .spki = spki,
                                                              .serial = view_of(serial, SERIAL_BYTES),
                                                              .cn = cn,
                                                              .now = world_now_s()},
                                          s->arena);
    return shape_bytes(&tbs, s->arena);
}

static struct view octets(struct vault_scene *s, struct view bytes)
{
    struct der_out out;
    struct view body;
    der_out_init(&out, s->arena, 128 * 1024);
    der_put_octets(&out, bytes);
    good(der_out_done(&out, &body));
    return body;
}

static enum err_code seal_granted(struct vault_scene *s, int fd, struct view tbs, struct view *ret_signature)
{
    struct view answer;
    uint64_t n;
    struct err *e = vault_scene_ask(s, fd, FRAMES_SEAL_GRANTED, octets(s, tbs), -1, &answer);
    if (!e)
        good(frames_read_sealed(answer, &n, ret_signature));
    return code_of(e);
}

static struct view wish_for(struct vault_scene *s, const char *name, const char *issuer, const char *template)
{
    struct view der;
    const struct hsm_wish w = {
        .name = name, .key = "ec-p256", .issuer = issuer, .template = template, .subject = name_of(s, name)};
    good(hsm_wish_write(&w, s->arena, &der));
    return der;
}

static void an_approved_wish_makes_a_subordinate_and_no_second_one(void **state)
{
    struct vault_scene *s = *state;
    struct view spki, signature = {NULL, 0}, der;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    good(act(s, fd, HSM_ACT_CA_CREATE, "second", wish_for(s, "second", "root", "sub-ca"), true, &spki));
    struct view tbs = subordinate_tbs(s, fd, spki, "second");
    assert_int_equal(seal_granted(s, fd, tbs, &signature), ERR__COUNT);
    good(cert_seal(tbs, s->root->facts.alg, signature, s->arena, &der));
    const struct view chain[] = {der, s->issuers[0].certificate};
    good(cert_chain_verify(chain, 2, world_now_s(), s->arena));
    /* the wish is spent */
    assert_int_equal(seal_granted(s, fd, subordinate_tbs(s, fd, spki, "second"), &signature), ERR_FORBIDDEN);
    close(fd);
}

static void nothing_beyond_the_wish_is_sealed(void **state)
{
    struct vault_scene *s = *state;
    struct view spki, signature, cri;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    /* none stands */
    assert_int_equal(seal_granted(s, fd, subordinate_tbs(s, fd, shape_spki(s->arena), "third"), &signature),
                     ERR_FORBIDDEN);
    good(cert_csr_write(name_of(s, "issuing"), s->issuing->key.spki, s->arena, &cri));
    struct view body = vault_scene_seq(s, (const char *const[]){"issuing", NULL}, &cri, 1);
    assert_int_equal(code_of(vault_scene_ask(s, fd, FRAMES_SEAL_CSR, body, -1, NULL)), ERR_FORBIDDEN);
    good(act(s, fd, HSM_ACT_CA_CREATE, "third", wish_for(s, "third", "root", "sub-ca"), true, &spki));
    /* another subject, another key */
    assert_int_equal(seal_granted(s, fd, subordinate_tbs(s, fd, spki, "fourth"), &signature), ERR_FLOOR);
    assert_int_equal(seal_granted(s, fd, subordinate_tbs(s, fd, shape_spki(s->arena), "third"), &signature),
                     ERR_FLOOR);
    assert_int_equal(seal_granted(s, fd, subordinate_tbs(s, fd, spki, "third"), &signature), ERR__COUNT);
    close(fd);
}

static void without_approval_there_is_no_key_and_no_wish(void **state)
{
    struct vault_scene *s = *state;
    struct view spki, wish = wish_for(s, "fifth", "root", "sub-ca");
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    assert_int_equal(code_of(act(s, fd, HSM_ACT_CA_CREATE, "fifth", wish, false, &spki)), ERR_FORBIDDEN);
    /* no parent of this name; a name that is taken */
    assert_int_equal(code_of(act(s, fd, HSM_ACT_CA_CREATE, "fifth", wish_for(s, "fifth", "nobody", "sub-ca"),
                                 true, &spki)),
                     ERR_ISSUER_UNKNOWN);
    assert_int_equal(code_of(act(s, fd, HSM_ACT_CA_CREATE, "issuing",
                                 wish_for(s, "issuing", "root", "sub-ca"), true, &spki)),
                     ERR_WRONG_STATE);
    /* the key was not made: it can be, now */
    good(act(s, fd, HSM_ACT_CA_CREATE, "fifth", wish, true, &spki));
    close(fd);
}

static void a_request_goes_out_as_approved(void **state)
{
    struct vault_scene *s = *state;
    struct view spki, cri, answer, signature, der;
    struct cert_csr csr;
    uint64_t n;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    good(act(s, fd, HSM_ACT_CA_CREATE, "sixth", wish_for(s, "sixth", "", ""), true, &spki));
    good(cert_csr_write(name_of(s, "other"), spki, s->arena, &cri));
    struct view body = vault_scene_seq(s, (const char *const[]){"sixth", NULL}, &cri, 1);
    assert_int_equal(code_of(vault_scene_ask(s, fd, FRAMES_SEAL_CSR, body, -1, NULL)), ERR_FLOOR);
    good(cert_csr_write(name_of(s, "sixth"), spki, s->arena, &cri));
    body = vault_scene_seq(s, (const char *const[]){"sixth", NULL}, &cri, 1);
    good(vault_scene_ask(s, fd, FRAMES_SEAL_CSR, body, -1, &answer));
    good(frames_read_sealed(answer, &n, &signature));
    good(cert_seal(cri, CERT_ALG_ECDSA_SHA256, signature, s->arena, &der));
    good(cert_csr_parse(der, s->arena, &csr));
    good(cert_csr_verify(&csr));
    close(fd);
}

static void a_suspended_issuer_issues_nothing_over_a_restart_too(void **state)
{
    struct vault_scene *s = *state;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    assert_int_equal(seal_leaf(s, fd), ERR__COUNT);
    assert_int_equal(set_state(s, fd, HSM_ACT_CA_STATE, "disabled", 0), ERR__COUNT);
    assert_int_equal(seal_leaf(s, fd), ERR_WRONG_STATE);
    close(fd);
    vault_scene_stop(s);
    good(vault_scene_start(s));
    fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    assert_int_equal(seal_leaf(s, fd), ERR_WRONG_STATE);
    assert_int_equal(set_state(s, fd, HSM_ACT_CA_STATE, "active", 0), ERR__COUNT);
    assert_int_equal(seal_leaf(s, fd), ERR__COUNT);
    close(fd);
}

static void a_deleted_issuer_comes_back_within_its_days_as_disabled(void **state)
{
    enum { DAY_S = 86400 };
    struct vault_scene *s = *state;
    int64_t now = world_now_s();
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    /* not while it is active, not for less than 7 or more than 30 days, not by the other act */
    assert_int_equal(set_state(s, fd, HSM_ACT_CA_DELETE, "deleted", now + 10 * DAY_S), ERR_WRONG_STATE);
    assert_int_equal(set_state(s, fd, HSM_ACT_CA_STATE, "disabled", 0), ERR__COUNT);
    assert_int_equal(set_state(s, fd, HSM_ACT_CA_DELETE, "deleted", now + 6 * DAY_S), ERR_BAD_FIELD);
    assert_int_equal(set_state(s, fd, HSM_ACT_CA_DELETE, "deleted", now + 31 * DAY_S), ERR_BAD_FIELD);
    assert_int_equal(set_state(s, fd, HSM_ACT_CA_STATE, "deleted", now + 10 * DAY_S), ERR_WRONG_STATE);
    assert_int_equal(set_state(s, fd, HSM_ACT_CA_DELETE, "deleted", now + 10 * DAY_S), ERR__COUNT);
    assert_int_equal(seal_leaf(s, fd), ERR_WRONG_STATE);
    assert_int_equal(set_state(s, fd, HSM_ACT_CA_STATE, "active", 0), ERR_WRONG_STATE);
    assert_int_equal(set_state(s, fd, HSM_ACT_CA_DELETE, "disabled", 0), ERR__COUNT);
    assert_int_equal(set_state(s, fd, HSM_ACT_CA_STATE, "active", 0), ERR__COUNT);
    assert_int_equal(seal_leaf(s, fd), ERR__COUNT);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, vault_scene_setup, vault_scene_teardown)
        TEST(an_approved_wish_makes_a_subordinate_and_no_second_one),
        TEST(nothing_beyond_the_wish_is_sealed),
        TEST(without_approval_there_is_no_key_and_no_wish),
        TEST(a_request_goes_out_as_approved),
        TEST(a_suspended_issuer_issues_nothing_over_a_restart_too),
        TEST(a_deleted_issuer_comes_back_within_its_days_as_disabled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
