/* Tests of hsm/token*.c, session.c, login.c, module.c on a real SoftHSM token: finding, judging, and coming
 * back to life. */
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "mechanism.h"
#include "token_scene.h"
#include "token_state.h"

static struct err *sign(const struct token_key *key)
{
    static const uint8_t digest[32] = {1, 2, 3};
    uint8_t to[MECHANISM_SIGNATURE_MAX_BYTES];
    size_t n = 0;

    return mechanism_sign(key, CERT_ALG_ECDSA_SHA256, view_of(digest, 32), true, to, &n);
}

/* Past the module's first back-off. */
static void wait_out(void)
{
    struct timespec ts = {1, 100000000};

    nanosleep(&ts, NULL);
}

static void move(struct token_scene *s, bool away)
{
    char other[80];

    snprintf(other, sizeof other, "%s-away", s->tokens);
    assert_int_equal(away ? rename(s->tokens, other) : rename(other, s->tokens), 0);
}

static void knows_its_token(void **state)
{
    struct token_scene *s = *state;

    assert_string_equal(token_label(s->t), "test");
    assert_int_equal(strlen(token_serial(s->t)), 16);
    assert_string_equal(token_model(s->t), "SoftHSM v2");
    good(token_probe(s->t));
}

static void finds_a_key_by_label_id_and_uri(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *made = token_scene_key(s, CERT_KEY_P256, 0), *found = NULL;

    good(token_key_find(s->t, "p256-0", (struct view){NULL, 0}, &found));
    assert_ptr_equal(found, made);
    good(token_key_find(s->t, NULL, made->id, &found));
    assert_ptr_equal(found, made);
    good(token_key_find_uri(s->t, "pkcs11:token=test;object=p256-0;type=private", &found));
    assert_ptr_equal(found, made);
    assert_int_equal(code_of(token_key_find_uri(s->t, "pkcs11:token=other;object=p256-0", &found)),
                     ERR_NOT_FOUND);
    assert_int_equal(code_of(token_key_find_uri(s->t, "pkcs11:token=test", &found)), ERR_CONFIG);
    assert_int_equal(code_of(token_key_find(s->t, "other", (struct view){NULL, 0}, &found)), ERR_NOT_FOUND);
    assert_int_equal(code_of(token_key_find(s->t, "other", made->id, &found)), ERR_NOT_FOUND);
}

static void finds_it_again_after_a_restart(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *key = token_scene_key(s, CERT_KEY_P256, 0);
    uint8_t spki[SHA256_BYTES];

    memcpy(spki, key->spki_sha256, sizeof spki);
    token_scene_close(s);
    token_scene_load(s);
    good(token_scene_open(s, SCENE_PIN));
    good(token_key_find(s->t, "p256-0", (struct view){NULL, 0}, &key));
    assert_memory_equal(key->spki_sha256, spki, sizeof spki);
    good(sign(key));
}

/* A key pair that differs from ours by one attribute. */
static void make_lax(struct token_scene *s, const char *label, CK_ATTRIBUTE_TYPE type, CK_BBOOL value)
{
    CK_FUNCTION_LIST *f = module_functions(s->m);
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    CK_ATTRIBUTE public[] = {
        {CKA_TOKEN, &yes, 1}, {CKA_ID, (void *)(uintptr_t)label, 4}, {CKA_EC_PARAMS, p256, 10}};
    CK_ATTRIBUTE private[] = {
        {CKA_TOKEN, &yes, 1},       {CKA_ID, (void *)(uintptr_t)label, 4},
        {CKA_PRIVATE, &yes, 1},     {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)},
        {CKA_SENSITIVE, &yes, 1},   {CKA_EXTRACTABLE, &no, 1},
        {CKA_SIGN, &yes, 1},        {CKA_DECRYPT, &no, 1},
        {CKA_UNWRAP, &no, 1},       {CKA_DERIVE, &no, 1},
        {CKA_SIGN_RECOVER, &no, 1},
    };
    CK_ULONG n = sizeof private / sizeof private[0];
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE a, b;

    for (CK_ULONG i = 0; i < n; i++)
        if (private[i].type == type)
    private[i].pValue = &value;
    assert_int_equal(f->C_OpenSession(s->t->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
                     CKR_OK);
    assert_int_equal(f->C_GenerateKeyPair(session, &mechanism, public, 3, private, n, &a, &b), CKR_OK);
    f->C_CloseSession(session);
}

static void refuses_a_key_that_is_not_as_it_should_be(void **state)
{
    static const struct {
        CK_ATTRIBUTE_TYPE type;
        CK_BBOOL value;
        const char *label, *word;
    } rows[] = {
        {CKA_EXTRACTABLE, CK_TRUE, "lax1", "extractable"},
        {CKA_SENSITIVE, CK_FALSE, "lax2", "sensitive"},
        {CKA_DERIVE, CK_TRUE, "lax3", "derive"},
        {CKA_DECRYPT, CK_TRUE, "lax4", "decrypt"},
        {CKA_UNWRAP, CK_TRUE, "lax5", "unwrap"},
        {CKA_SIGN, CK_FALSE, "lax6", "may not sign"},
        {CKA_PRIVATE, CK_FALSE, "lax7", "without a login"},
    };
    struct token_scene *s = *state;
    const struct token_key *key = NULL;

    make_lax(s, "fine", CKA_TOKEN, CK_TRUE); /* the control: nothing changed, nothing refused */
    good(token_key_find(s->t, "fine", (struct view){NULL, 0}, &key));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err *e;

        make_lax(s, rows[i].label, rows[i].type, rows[i].value);
        e = token_key_find(s->t, rows[i].label, (struct view){NULL, 0}, &key);
        assert_non_null(e);
        if (!strstr(err_detail(e), rows[i].word))
            fail_msg("%s: \"%s\" lacks \"%s\"", rows[i].label, err_detail(e), rows[i].word);
        assert_int_equal(code_of(e), ERR_CONFIG);
    }
}

static void one_process_owns_the_token(void **state)
{
    struct token_scene *s = *state;
    struct token_options options = {
        .uri = SCENE_URI, .lock_path = s->lock, .lock_hint = "use the other command"};
    struct pin *p = NULL;
    struct token *second = NULL;
    struct err *e;

    good(pin_of(view_str(SCENE_PIN), NULL, &p));
    e = token_open(s->m, &options, &p, &second);
    assert_non_null(e);
    assert_non_null(strstr(err_detail(e), "use the other command"));
    assert_int_equal(code_of(e), ERR_WRONG_STATE);
    assert_null(p);
    assert_null(second);
}

static void a_wrong_pin_is_shown_once(void **state)
{
    struct token_scene *s = *state;
    CK_TOKEN_INFO info;

    token_scene_close(s);
    token_scene_load(s);
    assert_int_equal(code_of(token_scene_open(s, "0000")), ERR_PIN_REFUSED);
    /* The token remembers one wrong try; we make sure that there is no second by having the right PIN clear
     * it first. */
    good(token_scene_open(s, SCENE_PIN));
    token_close(s->t);
    s->t = NULL;
    assert_int_equal(code_of(token_scene_open(s, "0000")),
                     ERR_PIN_REFUSED); /* a new try: forgotten by success */
    good(token_scene_open(s, SCENE_PIN));
    assert_int_equal(module_functions(s->m)->C_GetTokenInfo(s->t->slot, &info), CKR_OK);
    assert_false(info.flags & CKF_USER_PIN_COUNT_LOW);
}

static CK_FLAGS flags_of(struct token_scene *s)
{
    struct uri uri = {.token = "test"};
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;

    good(module_find(s->m, &uri, &slot));
    assert_int_equal(module_functions(s->m)->C_GetTokenInfo(slot, &info), CKR_OK);
    return info.flags;
}

/* Clears the token's own memory of a wrong PIN, without ours. */
static void login_by_hand(struct token_scene *s)
{
    CK_FUNCTION_LIST *f = module_functions(s->m);
    struct uri uri = {.token = "test"};
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;

    good(module_find(s->m, &uri, &slot));
    assert_int_equal(f->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    assert_int_equal(f->C_Login(session, CKU_USER, (CK_UTF8CHAR *)(uintptr_t)SCENE_PIN, 4), CKR_OK);
    f->C_CloseAllSessions(slot);
}

static void a_refused_pin_is_not_tried_again_after_a_restart(void **state)
{
    struct token_scene *s = *state;

    token_scene_close(s);
    token_scene_load(s);
    assert_int_equal(code_of(token_scene_open(s, "0000")), ERR_PIN_REFUSED);
    assert_true(flags_of(s) & CKF_USER_PIN_COUNT_LOW);
    login_by_hand(s);
    assert_false(flags_of(s) & CKF_USER_PIN_COUNT_LOW);
    token_scene_close(s);
    token_scene_load(s);
    assert_int_equal(code_of(token_scene_open(s, "0000")), ERR_PIN_REFUSED);
    assert_false(flags_of(s) & CKF_USER_PIN_COUNT_LOW); /* the token has not seen it */
    good(pin_forget(s->pin_state));                     /* the control: a person says so, and it is tried */
    assert_int_equal(code_of(token_scene_open(s, "0000")), ERR_PIN_REFUSED);
    assert_true(flags_of(s) & CKF_USER_PIN_COUNT_LOW);
}

static void sessions_closed_behind_our_back_are_renewed(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *key = token_scene_key(s, CERT_KEY_P256, 0);

    good(sign(key));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(module_functions(s->m)->C_CloseAllSessions(s->t->slot), CKR_OK);
        good(sign(key));
    }
    good(token_probe(s->t));
    assert_int_equal(module_epoch(s->m), 0); /* without starting the module anew */
}

static void a_lost_login_is_renewed(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *key = token_scene_key(s, CERT_KEY_P256, 0);

    good(sign(key));
    assert_int_equal(module_functions(s->m)->C_Logout(s->t->anchor), CKR_OK);
    good(sign(key));
    assert_int_equal(module_functions(s->m)->C_Logout(s->t->anchor), CKR_OK);
    good(token_probe(s->t));
}

static void a_module_finalised_by_another_is_started_anew(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *key = token_scene_key(s, CERT_KEY_P256, 0);

    assert_int_equal(module_functions(s->m)->C_Finalize(NULL), CKR_OK);
    good(sign(key));
    assert_int_equal(module_epoch(s->m), 1);
}

static void a_token_away_is_said_so_and_comes_back(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *key = token_scene_key(s, CERT_KEY_P256, 0);

    good(sign(key));
    move(s, true);
    assert_int_equal(code_of(sign(key)), ERR_TOKEN_AWAY);
    assert_int_equal(code_of(token_probe(s->t)), ERR_TOKEN_AWAY);
    assert_false(module_is_rested(s->m)); /* not hammered: one restart, then back-off */
    move(s, false);
    wait_out();
    good(sign(key));
    good(token_probe(s->t));
}

static void a_missing_key_does_not_hurt_the_others(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *kept = token_scene_key(s, CERT_KEY_P256, 0),
                           *gone = token_scene_key(s, CERT_KEY_P256, 1);
    CK_FUNCTION_LIST *f = module_functions(s->m);
    CK_SESSION_HANDLE session;

    assert_int_equal(f->C_OpenSession(s->t->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
                     CKR_OK);
    assert_int_equal(f->C_DestroyObject(session, ((const struct token_entry *)gone)->handle), CKR_OK);
    f->C_CloseSession(session);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(code_of(sign(gone)), ERR_TOKEN_AWAY);
        good(sign(kept));
    }
    assert_true(module_epoch(s->m) <= 1);
    assert_int_equal(code_of(token_probe(s->t)), ERR_TOKEN_AWAY);
    good(sign(kept));
}

struct signing {
    const struct token_key *key;
    atomic_int done, failed;
};

static void *sign_many(void *arg)
{
    struct signing *s = arg;

    for (int i = 0; i < 300; i++) {
        struct err *e = sign(s->key);

        atomic_fetch_add(e ? &s->failed : &s->done, 1);
        err_free(e);
    }
    return NULL;
}

/* Signatures go on: so many more, or all that there will be. */
static void wait_signed(struct signing *s, int more)
{
    int from = atomic_load(&s->done);

    while (atomic_load(&s->done) < from + more && atomic_load(&s->done) + atomic_load(&s->failed) < 1200)
        sched_yield();
}

static void threads_share_it_while_sessions_die(void **state)
{
    struct token_scene *s = *state;
    struct signing signing = {.key = token_scene_key(s, CERT_KEY_P256, 0)};
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_many, &signing), 0);
    for (int i = 0; i < 5; i++) {
        wait_signed(&signing, 40); /* one that died is given time: none meets three deaths in a row */
        module_enter_alone(s->m);  /* between calls: SoftHSM itself crashes where a session ends under one */
        assert_int_equal(module_functions(s->m)->C_CloseAllSessions(s->t->slot), CKR_OK);
        module_leave(s->m);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(signing.failed, 0);
    assert_int_equal(signing.done, 1200);
}

/* Opens the token, signs, closes it; 0 done, 1 not the owner, 2 anything else. */
static int other_process(struct token_scene *s, const char *lock_path)
{
    struct token_options options = {.uri = SCENE_URI, .lock_path = lock_path};
    const char *const env[] = {s->conf_env, NULL};
    struct module_config config = {.path = "/usr/lib/softhsm/libsofthsm2.so", .env = env};
    struct pin *p = NULL;
    const struct token_key *key = NULL;
    struct err *e = NULL;
    int rc;

    TRY(module_open(&config, &s->m));
    TRY(pin_of(view_str(SCENE_PIN), NULL, &p));
    TRY(token_open(s->m, &options, &p, &s->t));
    TRY(token_key_find(s->t, "p256-0", (struct view){NULL, 0}, &key));
    for (int i = 0; i < 20; i++)
        TRY(sign(key));
out:
    rc = !e ? 0 : err_code(e) == ERR_WRONG_STATE ? 1 : 2;
    if (rc == 2)
        fprintf(stderr, "other process: %s\n", err_detail(e));
    err_free(e);
    token_scene_close(s);
    return rc;
}

static int run_other(struct token_scene *s, const char *lock_path)
{
    int status = -1;
    pid_t pid;

    token_scene_close(s); /* fork first, open later */
    pid = fork();
    if (pid == 0)
        _exit(other_process(s, lock_path));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_second_process_is_kept_off_by_the_lock(void **state)
{
    struct token_scene *s = *state;
    int fd = -1;

    (void)token_scene_key(s, CERT_KEY_P256, 0);
    token_scene_close(s);
    good(file_lock(s->lock, &fd)); /* as the running vault holds it */
    assert_int_equal(run_other(s, s->lock), 1);
    close(fd);
    assert_int_equal(run_other(s, s->lock), 0); /* the control: not held, not refused */
}

/* Someone runs another program on the token, without our lock: what runs goes on signing. */
static void another_process_logging_in_does_not_disturb(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *key = NULL;
    int pipe_fds[2], status = -1;
    pid_t pid;
    char go = 0;

    (void)token_scene_key(s, CERT_KEY_P256, 0);
    token_scene_close(s);
    assert_int_equal(pipe(pipe_fds), 0);
    pid = fork();
    if (pid == 0) {
        close(pipe_fds[1]);
        (void)!read(pipe_fds[0], &go, 1);
        for (int i = 0; i < 5; i++)
            (void)other_process(s, NULL);
        _exit(0);
    }
    token_scene_load(s);
    good(token_scene_open(s, SCENE_PIN));
    good(token_key_find(s->t, "p256-0", (struct view){NULL, 0}, &key));
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    while (waitpid(pid, &status, WNOHANG) == 0)
        good(sign(key));
    assert_int_equal(status, 0);
    assert_int_equal(module_epoch(s->m), 0);
}

static void no_such_token_or_module(void **state)
{
    struct token_scene *s = *state;
    struct token_options options = {.uri = "pkcs11:token=other"},
                         object = {.uri = "pkcs11:token=test;object=a"};
    struct module_config config = {.path = "/nowhere/module.so"};
    struct module *m = NULL;
    struct token *t = NULL;
    struct pin *p = NULL;

    assert_int_equal(code_of(module_open(&config, &m)), ERR_CONFIG);
    config.path = "/lib/x86_64-linux-gnu/libm.so.6";
    assert_int_equal(code_of(module_open(&config, &m)), ERR_CONFIG);
    good(pin_of(view_str(SCENE_PIN), NULL, &p));
    assert_int_equal(code_of(token_open(s->m, &options, &p, &t)), ERR_TOKEN_AWAY);
    good(pin_of(view_str(SCENE_PIN), NULL, &p));
    assert_int_equal(code_of(token_open(s->m, &object, &p, &t)), ERR_CONFIG);
    assert_null(t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, token_scene_setup, token_scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(knows_its_token),
        TEST(finds_a_key_by_label_id_and_uri),
        TEST(finds_it_again_after_a_restart),
        TEST(refuses_a_key_that_is_not_as_it_should_be),
        TEST(one_process_owns_the_token),
        TEST(a_wrong_pin_is_shown_once),
        TEST(a_refused_pin_is_not_tried_again_after_a_restart),
        TEST(sessions_closed_behind_our_back_are_renewed),
        TEST(a_lost_login_is_renewed),
        TEST(a_module_finalised_by_another_is_started_anew),
        TEST(a_token_away_is_said_so_and_comes_back),
        TEST(a_missing_key_does_not_hurt_the_others),
        TEST(threads_share_it_while_sessions_die),
        TEST(a_second_process_is_kept_off_by_the_lock),
        TEST(another_process_logging_in_does_not_disturb),
        TEST(no_such_token_or_module),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
