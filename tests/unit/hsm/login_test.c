/* Tests of hsm/login.c and of coming back to life (token.c), with a wrapping module that counts each call and
 * makes it fail: what was really shown to the token, and how often. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../../fault/p11wrap.h"
#include "mechanism.h"
#include "token_scene.h"
#include "token_state.h"

#ifndef P11WRAP
#error "P11WRAP: the path of p11wrap.so"
#endif

static struct p11wrap_page *page;
static char page_env[64];

static void load(struct token_scene *s)
{
    const char *const env[] = {s->conf_env, page_env, "P11WRAP_MODULE=/usr/lib/softhsm/libsofthsm2.so", NULL};
    struct module_config config = {.path = P11WRAP, .env = env};

    good(module_open(&config, &s->m));
}

/* A token with one key, made without the wrapper; closed, and the wrapping module loaded. */
static int setup(void **state)
{
    struct token_scene *s;

    token_scene_setup(state);
    s = *state;
    (void)token_scene_key(s, CERT_KEY_P256, 0);
    token_scene_close(s);
    for (int i = 0; i < P11WRAP__COUNT; i++) {
        p11wrap_rule_set(page, (enum p11wrap_call)i, P11WRAP_NONE, 0, 0, 0);
        atomic_store(&page->calls[i], 0);
        atomic_store(&page->good[i], 0);
    }
    atomic_store(&page->token_flags, 0);
    load(s);
    return 0;
}

static void pretend(enum p11wrap_call call, CK_RV rv, long long times)
{
    p11wrap_rule_set(page, call, P11WRAP_FAIL, rv, 0, times);
}

static unsigned long long calls(enum p11wrap_call call)
{
    return atomic_load(&page->calls[call]);
}

static const struct token_key *key_of(struct token_scene *s)
{
    const struct token_key *key = NULL;

    good(token_scene_open(s, SCENE_PIN));
    good(token_key_find(s->t, "p256-0", (struct view){NULL, 0}, &key));
    return key;
}

static struct err *sign(const struct token_key *key)
{
    static const uint8_t digest[32] = {1, 2, 3};
    uint8_t to[MECHANISM_SIGNATURE_MAX_BYTES];
    size_t n = 0;

    return mechanism_sign(key, CERT_ALG_ECDSA_SHA256, view_of(digest, 32), false, to, &n);
}

static void wait_out(void)
{
    struct timespec ts = {1, 100000000};

    nanosleep(&ts, NULL);
}

static void a_right_pin_is_shown_once_in_a_life(void **state)
{
    const struct token_key *key = key_of(*state);

    for (int i = 0; i < 50; i++)
        good(sign(key));
    assert_int_equal(calls(P11WRAP_C_Login), 1);
    assert_int_equal(calls(P11WRAP_C_Sign), 50);
    assert_int_equal(calls(P11WRAP_C_OpenSession), 2); /* one to hold the login, one to sign */
}

static void a_wrong_pin_is_shown_once_and_never_again(void **state)
{
    struct token_scene *s = *state;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(code_of(token_scene_open(s, "0000")), ERR_PIN_REFUSED);
        token_scene_close(s); /* as a process that is started again */
        load(s);
    }
    assert_int_equal(calls(P11WRAP_C_Login), 1);
    good(pin_forget(s->pin_state)); /* the control: a person says so */
    assert_int_equal(code_of(token_scene_open(s, "0000")), ERR_PIN_REFUSED);
    assert_int_equal(calls(P11WRAP_C_Login), 2);
    good(token_scene_open(s, SCENE_PIN)); /* another PIN is not held back */
    assert_int_equal(calls(P11WRAP_C_Login), 3);
}

static void every_kind_of_refusal_counts(void **state)
{
    static const CK_RV refusals[] = {CKR_PIN_INCORRECT, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE, CKR_PIN_EXPIRED,
                                     CKR_PIN_LOCKED};
    struct token_scene *s = *state;

    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        unsigned long long before = calls(P11WRAP_C_Login);

        pretend(P11WRAP_C_Login, refusals[i], 0);
        assert_int_equal(code_of(token_scene_open(s, SCENE_PIN)), ERR_PIN_REFUSED);
        assert_int_equal(code_of(token_scene_open(s, SCENE_PIN)), ERR_PIN_REFUSED);
        assert_int_equal(calls(P11WRAP_C_Login), before + 1);
        good(pin_forget(s->pin_state));
    }
}

static void no_pin_is_shown_where_it_might_be_the_last(void **state)
{
    static const CK_FLAGS flags[] = {CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED};
    struct token_scene *s = *state;

    for (int i = 0; i < 2; i++) {
        atomic_store(&page->token_flags, flags[i]);
        assert_int_equal(code_of(token_scene_open(s, SCENE_PIN)), ERR_PIN_REFUSED);
    }
    assert_int_equal(calls(P11WRAP_C_Login), 0);
    atomic_store(&page->token_flags,
                 CKF_USER_PIN_COUNT_LOW); /* the control: one wrong try before is no reason */
    good(token_scene_open(s, SCENE_PIN));
}

static void other_failures_are_tried_again(void **state)
{
    struct token_scene *s = *state;

    pretend(P11WRAP_C_Login, CKR_GENERAL_ERROR, 3);
    good(token_scene_open(s, SCENE_PIN));
    assert_int_equal(calls(P11WRAP_C_Login), 4);
}

static void but_not_for_ever(void **state)
{
    struct token_scene *s = *state;

    pretend(P11WRAP_C_Login, CKR_DEVICE_ERROR, 0);
    assert_int_equal(code_of(token_scene_open(s, SCENE_PIN)), ERR_TOKEN_AWAY);
    assert_true(calls(P11WRAP_C_Login) <= 12);
    p11wrap_rule_set(page, P11WRAP_C_Login, P11WRAP_NONE, 0, 0, 0);
    good(token_scene_open(s, SCENE_PIN)); /* and it was not taken for a refusal */
}

/* The PIN was changed while we ran, and then the login was lost. */
static void a_pin_refused_later_is_not_shown_again_either(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *key = key_of(s);

    good(sign(key));
    pretend(P11WRAP_C_Login, CKR_PIN_INCORRECT, 0);
    assert_int_equal(module_functions(s->m)->C_Logout(s->t->anchor), CKR_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(code_of(sign(key)), ERR_PIN_REFUSED);
        assert_int_equal(code_of(token_probe(s->t)), ERR_PIN_REFUSED);
    }
    wait_out();
    assert_int_equal(code_of(sign(key)), ERR_PIN_REFUSED);
    assert_int_equal(calls(P11WRAP_C_Login), 2);
}

static void a_lost_session_costs_one_more_try(void **state)
{
    static const CK_RV losses[] = {CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED, CKR_USER_NOT_LOGGED_IN,
                                   CKR_KEY_HANDLE_INVALID,     CKR_DEVICE_REMOVED, CKR_DEVICE_ERROR};
    const struct token_key *key = key_of(*state);

    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        unsigned long long before = calls(P11WRAP_C_Sign), done = atomic_load(&page->good[P11WRAP_C_Sign]);

        pretend(P11WRAP_C_Sign, losses[i], 1);
        good(sign(key));
        assert_int_equal(calls(P11WRAP_C_Sign), before + 2);
        assert_int_equal(atomic_load(&page->good[P11WRAP_C_Sign]), done + 1);
        pretend(P11WRAP_C_SignInit, losses[i], 1);
        good(sign(key));
    }
    assert_int_equal(calls(P11WRAP_C_Initialize) - atomic_load(&page->good[P11WRAP_C_Initialize]),
                     1); /* libp11's own */
}

static void what_keeps_failing_is_bounded(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *key = key_of(s);
    unsigned long long before = calls(P11WRAP_C_Finalize);

    pretend(P11WRAP_C_Sign, CKR_DEVICE_ERROR, 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(code_of(sign(key)), ERR_TOKEN_AWAY);
    assert_int_equal(calls(P11WRAP_C_Finalize), before + 1); /* the module was started anew once */
    assert_true(calls(P11WRAP_C_Sign) <= 15);
    p11wrap_rule_set(page, P11WRAP_C_Sign, P11WRAP_NONE, 0, 0, 0);
    good(sign(key));
}

static void what_is_no_loss_is_not_tried_again(void **state)
{
    const struct token_key *key = key_of(*state);

    pretend(P11WRAP_C_SignInit, CKR_MECHANISM_INVALID, 0);
    assert_int_equal(code_of(sign(key)), ERR_INTERNAL);
    assert_int_equal(calls(P11WRAP_C_SignInit), 1);
    assert_int_equal(calls(P11WRAP_C_Finalize), 0);
}

/* SoftHSM says CKR_GENERAL_ERROR at C_Initialize too while another process writes the token. */
static void a_module_that_stumbles_at_its_start(void **state)
{
    struct token_scene *s = *state;
    const char *const env[] = {s->conf_env, NULL};
    struct module_config config = {.path = P11WRAP, .env = env};

    token_scene_close(s);
    pretend(P11WRAP_C_Initialize, CKR_GENERAL_ERROR, 2);
    load(s);
    good(token_scene_open(s, SCENE_PIN));
    token_scene_close(s);
    pretend(P11WRAP_C_Initialize, CKR_GENERAL_ERROR, 0);
    assert_int_equal(code_of(module_open(&config, &s->m)), ERR_TOKEN_AWAY);
    assert_null(s->m);
}

/* Whatever call fails, and however: what comes of it is an error, never a crash, and the token works again.
 */
static void any_call_may_fail(void **state)
{
    static const CK_RV failures[] = {CKR_DEVICE_REMOVED, CKR_GENERAL_ERROR, CKR_SESSION_HANDLE_INVALID,
                                     CKR_HOST_MEMORY};
    struct token_scene *s = *state;

    for (int call = 0; call < P11WRAP__COUNT; call++)
        for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
            token_scene_close(s);
            load(s);
            pretend((enum p11wrap_call)call, failures[i], 1);
            err_free(token_scene_open(s, SCENE_PIN)); /* at the beginning */
            p11wrap_rule_set(page, (enum p11wrap_call)call, P11WRAP_NONE, 0, 0, 0);
            token_scene_close(s);
            load(s);
            const struct token_key *key = key_of(s);
            pretend((enum p11wrap_call)call, failures[i], 1);
            (void)module_functions(s->m)->C_CloseSession(s->t->anchor); /* in the middle of its life */
            err_free(sign(key));
            err_free(token_probe(s->t));
            p11wrap_rule_set(page, (enum p11wrap_call)call, P11WRAP_NONE, 0, 0, 0);
            good(sign(key));
        }
}

static struct err *change_pin(struct token_scene *s, const char *to, bool *ret_taken)
{
    struct pin *pin = NULL;

    good(pin_of(view_str(to), s->pin_state, &pin));
    return token_pin_change(s->t, &pin, ret_taken);
}

static void another_pin_is_given_and_proven(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *key = key_of(s);
    bool taken = false;

    good(sign(key));
    good(change_pin(s, "24681357", &taken));
    assert_true(taken);
    assert_int_equal(calls(P11WRAP_C_SetPIN), 1);
    assert_int_equal(calls(P11WRAP_C_Login), 2);
    good(sign(key));
    token_scene_close(s);
    load(s);
    assert_int_equal(code_of(token_scene_open(s, SCENE_PIN)), ERR_PIN_REFUSED);
    good(token_scene_open(s, "24681357"));
}

static void no_pin_is_changed_where_it_might_be_the_last(void **state)
{
    struct token_scene *s = *state;
    bool taken = true;

    (void)key_of(s);
    atomic_store(&page->token_flags, CKF_USER_PIN_FINAL_TRY);
    assert_int_equal(code_of(change_pin(s, "24681357", &taken)), ERR_PIN_REFUSED);
    assert_false(taken);
    assert_int_equal(calls(P11WRAP_C_SetPIN), 0);
    atomic_store(&page->token_flags, 0); /* the control */
    good(change_pin(s, "24681357", &taken));
}

static void what_the_token_does_not_take_leaves_the_old_pin(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *key = key_of(s);
    bool taken = true;

    pretend(P11WRAP_C_SetPIN, CKR_PIN_INVALID, 1);
    assert_int_equal(code_of(change_pin(s, "24681357", &taken)), ERR_CONFIG);
    assert_false(taken);
    assert_int_equal(code_of(change_pin(s, "1", &taken)), ERR_CONFIG); /* too short: not asked */
    assert_int_equal(calls(P11WRAP_C_SetPIN), 1);
    good(sign(key));
    token_scene_close(s);
    load(s);
    good(token_scene_open(s, SCENE_PIN));
}

/* C_SetPIN shows the old PIN: its refusal counts as one at a login. */
static void an_old_pin_refused_is_not_shown_again(void **state)
{
    struct token_scene *s = *state;
    bool taken = true;

    (void)key_of(s);
    pretend(P11WRAP_C_SetPIN, CKR_PIN_INCORRECT, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(code_of(change_pin(s, "24681357", &taken)), ERR_PIN_REFUSED);
    assert_false(taken);
    assert_int_equal(calls(P11WRAP_C_SetPIN), 1);
}

static void a_new_pin_that_does_not_let_us_in_is_told_apart(void **state)
{
    struct token_scene *s = *state;
    bool taken = false;

    (void)key_of(s);
    pretend(P11WRAP_C_Login, CKR_PIN_INCORRECT, 1);
    assert_int_equal(code_of(change_pin(s, "24681357", &taken)), ERR_PIN_REFUSED);
    assert_true(taken);
}

/* The file was put right by a person: what the token refused is replaced, and tried once. */
static void a_pin_changed_elsewhere_is_taken_up(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *key = key_of(s);
    struct pin *pin = NULL;

    pretend(P11WRAP_C_Login, CKR_PIN_INCORRECT, 1);
    assert_int_equal(module_functions(s->m)->C_Logout(s->t->anchor), CKR_OK);
    assert_int_equal(code_of(sign(key)), ERR_PIN_REFUSED);
    good(pin_forget(s->pin_state));
    good(pin_of(view_str(SCENE_PIN), s->pin_state, &pin));
    token_pin_replace(s->t, &pin);
    wait_out();
    good(sign(key));
    assert_int_equal(calls(P11WRAP_C_Login), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, token_scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_right_pin_is_shown_once_in_a_life),
        TEST(a_wrong_pin_is_shown_once_and_never_again),
        TEST(every_kind_of_refusal_counts),
        TEST(no_pin_is_shown_where_it_might_be_the_last),
        TEST(other_failures_are_tried_again),
        TEST(but_not_for_ever),
        TEST(a_pin_refused_later_is_not_shown_again_either),
        TEST(a_lost_session_costs_one_more_try),
        TEST(what_keeps_failing_is_bounded),
        TEST(what_is_no_loss_is_not_tried_again),
        TEST(a_module_that_stumbles_at_its_start),
        TEST(any_call_may_fail),
        TEST(another_pin_is_given_and_proven),
        TEST(no_pin_is_changed_where_it_might_be_the_last),
        TEST(what_the_token_does_not_take_leaves_the_old_pin),
        TEST(an_old_pin_refused_is_not_shown_again),
        TEST(a_new_pin_that_does_not_let_us_in_is_told_apart),
        TEST(a_pin_changed_elsewhere_is_taken_up),
    };
    char path[] = "/tmp/p11wrap-XXXXXX";
    int fd = mkstemp(path), rc;

    close(fd);
    page = p11wrap_page_map(path, 1); /* the wrapping module maps it once in a process's life */
    snprintf(page_env, sizeof page_env, "P11WRAP_STATE=%s", path);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return rc;
}
