/*
 * An owned front and an owned responder against a real vault with a real token: everything that the trust
 * design says they cannot (doc/ARCHITECTURE.md), tried over raw frames, each with its negative control
 * (owned.h). The module in between counts C_Sign by itself. The program starts itself anew with
 * CHANCERY_WORLD set.
 */
#include "owned.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "floor.h"

#ifndef P11WRAP
#error "P11WRAP: the path of p11wrap.so"
#endif

static const char *world_path;
static char wrap_env[2][128];

static int setup(void **state)
{
    static const char *env[4];
    struct owned *o = calloc(1, sizeof *o);
    void *scene;
    char path[96];
    assert_int_equal(vault_scene_setup(&scene), 0);
    o->s = scene;
    o->front = o->responder = -1;
    o->page = world_page_open(world_path);
    assert_non_null(o->page);
    vault_scene_stop(o->s); /* and again, with the counting module */
    (void)snprintf(path, sizeof path, "%s.token", world_path);
    o->token = p11wrap_page_map(path, 0); /* one for all tests: the module stays loaded */
    assert_non_null(o->token);
    (void)snprintf(wrap_env[0], sizeof wrap_env[0], "P11WRAP_STATE=%s", path);
    (void)snprintf(wrap_env[1], sizeof wrap_env[1], "P11WRAP_MODULE=%s", o->s->setup.module);
    memcpy(env, (const char *const[]){o->s->env_text, wrap_env[0], wrap_env[1], NULL}, sizeof env);
    o->s->setup.env = env;
    o->s->setup.module = P11WRAP;
    good(vault_scene_start(o->s));
    *state = o;
    return 0;
}

static int teardown(void **state)
{
    struct owned *o = *state;
    void *scene = o->s;
    if (o->front >= 0)
        close(o->front);
    vault_scene_teardown(&scene);
    free(o);
    return 0;
}

static void try_all(struct owned *o, const struct owned_attack *attacks)
{
    for (; attacks->what; attacks++)
        owned_try(o, attacks);
}

static void a_front_asks_for_certificates(void **state)
{
    try_all(*state, owned_cert_attacks);
}

static void a_front_asks_for_lists(void **state)
{
    try_all(*state, owned_list_attacks);
}

static void a_front_asks_for_answers(void **state)
{
    try_all(*state, owned_ocsp_attacks);
}

static void a_responder_asks_for_nonces(void **state)
{
    try_all(*state, owned_nonce_attacks);
}

static void a_peer_asks_what_is_not_its_to_ask(void **state)
{
    try_all(*state, owned_peer_attacks);
}

static void a_front_claims_approvals(void **state)
{
    try_all(*state, owned_act_attacks);
}

static void a_front_asks_for_heads(void **state)
{
    try_all(*state, owned_head_attacks);
}

static void a_front_brings_evidence(void **state)
{
    try_all(*state, owned_proof_attacks);
}

static void noise_harms_nothing(void **state)
{
    static const struct owned_attack *const all[] = {owned_cert_attacks, owned_list_attacks,
                                                     owned_ocsp_attacks, owned_nonce_attacks,
                                                     owned_head_attacks, owned_proof_attacks};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (const struct owned_attack *a = all[i]; a->what; a++)
            if (strcmp(a->checks[0], "ceiling") != 0)
                owned_noise(*state, a, 40);
}

/* --- what no check keeps: there is no such question, or no key for the answer --- */

static enum err_code ask(struct owned *o, int fd, unsigned kind, struct view body)
{
    return code_of(vault_scene_ask(o->s, fd, (enum frames_kind)kind, body, -1, NULL));
}

/* Not one kind of frame beyond the list is answered: no hash to be signed, no key, no PIN, no roll to be
 * written. */
static void there_is_no_other_question(void **state)
{
    struct owned *o = *state;
    static const uint8_t hash[SHA256_BYTES] = {1};
    const struct view raw = view_of(hash, sizeof hash);
    for (unsigned peer = HSM_PEER_FRONT; peer <= HSM_PEER_RESPONDER; peer++)
        for (unsigned kind = 0; kind < 300; kind++) {
            const struct frames_row *row = frames_row((uint16_t)kind);
            if (row->name && row->who & 1u << peer)
                continue;
            int fd = vault_scene_attach(o->s, (enum hsm_peer)peer, NULL);
            assert_int_equal(ask(o, fd, FRAMES_STATUS, (struct view){NULL, 0}), ERR__COUNT);
            uint64_t n = vault_scene_roll_count(o->s), signs = atomic_load(&o->token->calls[P11WRAP_C_Sign]);
            struct view body = owned_body(o, (const char *const[]){"issuing", NULL}, &raw, 1);
            assert_int_equal(ask(o, fd, kind, body), ERR_CANCELLED);
            assert_int_equal(vault_scene_roll_count(o->s), n);
            assert_int_equal(atomic_load(&o->token->calls[P11WRAP_C_Sign]), signs);
            close(fd);
        }
}

/* An issuer's key answers no OCSP_SEAL, a responder's no SEAL_CERT: the vault looks for each among its own
 * kind. */
static void a_key_has_one_use(void **state)
{
    struct owned *o = *state;
    uint8_t hash[SHA256_BYTES];
    owned_front_anew(o);
    cert_key_sha256(&o->s->issuing->key, hash);
    const struct view parts[] = {view_of(hash, sizeof hash), view_of("\x30\x00", 2)};
    uint64_t signs = atomic_load(&o->token->calls[P11WRAP_C_Sign]);
    struct view body = owned_body(o, (const char *const[]){"issuing", NULL}, parts, 2);
    assert_int_equal(ask(o, o->front, FRAMES_SEAL_OCSP, body), ERR_FLOOR);
    struct cert_key key = owned_responder_key(o, "issuing");
    uint8_t id[SHA1_BYTES];
    cert_key_sha1(&key, id);
    struct cert_tbs tbs = owned_tbs(o, "server", "issuing");
    const char *name = arena_printf(o->s->arena, "issuing/ocsp/%02x%02x", id[0], id[1]);
    body = vault_scene_cert_body(o->s, name, "server", shape_bytes(&tbs, o->s->arena));
    assert_int_equal(ask(o, o->front, FRAMES_SEAL_CERT, body), ERR_ISSUER_UNKNOWN);
    assert_int_equal(atomic_load(&o->token->calls[P11WRAP_C_Sign]), signs);
    body = vault_scene_cert_body(o->s, "issuing", "server", shape_bytes(&tbs, o->s->arena));
    assert_int_equal(ask(o, o->front, FRAMES_SEAL_CERT, body), ERR__COUNT); /* the same as it should be */
    assert_int_equal(atomic_load(&o->token->calls[P11WRAP_C_Sign]), signs + 1);
}

/* What a front has had sealed it can only read: the roll shows all of it, in order. */
static void every_seal_is_in_the_roll(void **state)
{
    enum { SEALS = 5 };
    struct owned *o = *state;
    uint64_t before, n, first = 0;
    struct view tbs, signature;
    uint8_t hashes[SEALS][SHA256_BYTES];
    owned_front_anew(o);
    before = vault_scene_roll_count(o->s);
    for (size_t i = 0; i < SEALS; i++) {
        good(vault_scene_seal(o->s, o->front, &tbs, &n, &signature));
        first = first ? first : n;
        assert_int_equal(n, before + 1 + i);
        digest_sha256(tbs, hashes[i]);
    }
    char path[96];
    struct view file;
    (void)snprintf(path, sizeof path, "%s/%s", o->s->roll, HSM_ROLL_FILE);
    good(file_read(path, 32 << 20, o->s->arena, &file));
    for (size_t i = 0; i < SEALS; i++)
        assert_non_null(memmem(file.p, file.n, hashes[i], SHA256_BYTES));
}

/* --- the lists are complete --- */

static bool tried(const struct owned_attack *attacks, const char *check)
{
    for (; attacks->what; attacks++)
        for (size_t i = 0; i < sizeof attacks->checks / sizeof *attacks->checks && attacks->checks[i]; i++)
            if (strcmp(attacks->checks[i], check) == 0)
                return true;
    return false;
}

static void no_floor_is_untried(void **state)
{
    (void)state;
    int missing = 0;
    for (int i = 0; i < FLOOR__COUNT; i++) {
        const char *name = floor_row((enum floor)i)->name;
        if (tried(owned_cert_attacks, name) || tried(owned_list_attacks, name) ||
            tried(owned_ocsp_attacks, name) || tried(owned_nonce_attacks, name) ||
            tried(owned_peer_attacks, name) || tried(owned_act_attacks, name) ||
            tried(owned_head_attacks, name) || tried(owned_proof_attacks, name))
            continue;
        print_error("no attack on %s\n", name);
        missing++;
    }
    assert_int_equal(missing, 0);
}

static int run(const char *path)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_floor_is_untried),
        cmocka_unit_test_setup_teardown(a_front_asks_for_certificates, setup, teardown),
        cmocka_unit_test_setup_teardown(a_front_asks_for_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(a_front_asks_for_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(a_responder_asks_for_nonces, setup, teardown),
        cmocka_unit_test_setup_teardown(a_peer_asks_what_is_not_its_to_ask, setup, teardown),
        cmocka_unit_test_setup_teardown(a_front_claims_approvals, setup, teardown),
        cmocka_unit_test_setup_teardown(a_front_asks_for_heads, setup, teardown),
        cmocka_unit_test_setup_teardown(a_front_brings_evidence, setup, teardown),
        cmocka_unit_test_setup_teardown(noise_harms_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(there_is_no_other_question, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_has_one_use, setup, teardown),
        cmocka_unit_test_setup_teardown(every_seal_is_in_the_roll, setup, teardown),
    };
    world_path = path;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    char path[] = "/tmp/owned-XXXXXX", token[sizeof path + sizeof ".token"];
    const char *joined = argc == 2 ? argv[1] : path;
    (void)snprintf(token, sizeof token, "%s.token", joined);
    if (argc == 2) {
        int failed = run(joined);
        unlink(joined);
        unlink(token);
        return failed;
    }
    int fd = mkstemp(path);
    (void)snprintf(token, sizeof token, "%s.token", path);
    if (fd < 0 || !world_page_create(path) || !p11wrap_page_map(token, 1))
        return 1;
    close(fd);
    setenv("CHANCERY_WORLD", path, 1);
    execl("/proc/self/exe", argv[0], path, (char *)NULL);
    return 1;
}
