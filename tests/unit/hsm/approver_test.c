/* A person's own token: it signs statements that the roster takes, and refuses a wrong PIN once. */
#include "act_scene.h"
#include "hsm_approver.h"
#include "token_scene.h"

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"

static struct hsm_approver_setup setup_of(const char *key_uri, const char *pin)
{
    return (struct hsm_approver_setup){
        .module = MODULE, .token_uri = SCENE_URI, .key_uri = key_uri, .pin = view_str(pin)};
}

static void a_key_in_a_token_signs_a_statement(void **state)
{
    struct token_scene *s = *state;
    struct arena *arena = arena_new(1 << 20);
    struct hsm_approver *a = NULL;
    enum cert_alg alg;
    struct view signature;
    struct cert_key key;
    const struct token_key *made = token_scene_key(s, CERT_KEY_P384, 0);
    const char *uri = arena_printf(arena, "pkcs11:object=%s", made->label);
    struct view spki = arena_dup(arena, made->spki), bytes = view_str("a statement");
    token_scene_close(s);
    const struct hsm_approver_setup setup = setup_of(uri, SCENE_PIN);
    good(hsm_approver_open(&setup, &a));
    assert_true(view_eq(hsm_approver_spki(a), spki));
    good(hsm_approver_sign(a, bytes, arena, &alg, &signature));
    assert_int_equal(alg, CERT_ALG_ECDSA_SHA384);
    good(cert_key_parse(spki, &key));
    good(cert_key_verify(&key, alg, bytes, signature));
    hsm_approver_close(a);
    arena_free(arena);
}

static void what_is_not_there_is_said(void **state)
{
    struct token_scene *s = *state;
    struct hsm_approver *a = NULL;
    token_scene_close(s);
    struct hsm_approver_setup setup = setup_of("pkcs11:object=nobody", SCENE_PIN);
    assert_int_equal(code_of(hsm_approver_open(&setup, &a)), ERR_NOT_FOUND);
    setup = setup_of("pkcs11:object=nobody", "0815");
    assert_int_equal(code_of(hsm_approver_open(&setup, &a)), ERR_PIN_REFUSED);
    setup.module = "/nowhere.so";
    assert_int_equal(code_of(hsm_approver_open(&setup, &a)), ERR_CONFIG);
    assert_null(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_in_a_token_signs_a_statement, token_scene_setup,
                                        token_scene_teardown),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_said, token_scene_setup, token_scene_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
