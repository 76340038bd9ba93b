/* Tests of hsm/keygen.c and token_make.c: what a fresh key is, read back from the token itself, and what is
 * refused. */
#include <stdio.h>
#include <unistd.h>

#include "base/world.h"
#include "discard.h"
#include "signer.h"
#include "token_make.h"
#include "token_scene.h"
#include "token_state.h"

static CK_OBJECT_HANDLE handle_of(const struct token_key *key)
{
    return ((const struct token_entry *)key)->handle;
}

static bool flag(struct token_scene *s, const struct token_key *key, CK_ATTRIBUTE_TYPE type)
{
    CK_BBOOL value = 7;
    CK_ATTRIBUTE a = {type, &value, sizeof value};

    assert_int_equal(module_functions(s->m)->C_GetAttributeValue(s->t->anchor, handle_of(key), &a, 1),
                     CKR_OK);
    return value != CK_FALSE;
}

static void check_attributes(struct token_scene *s, const struct token_key *key)
{
    assert_true(flag(s, key, CKA_TOKEN));
    assert_true(flag(s, key, CKA_PRIVATE));
    assert_true(flag(s, key, CKA_SENSITIVE));
    assert_true(flag(s, key, CKA_ALWAYS_SENSITIVE));
    assert_false(flag(s, key, CKA_EXTRACTABLE));
    assert_true(flag(s, key, CKA_NEVER_EXTRACTABLE));
    assert_true(flag(s, key, CKA_LOCAL));
    assert_true(flag(s, key, CKA_SIGN));
    assert_false(flag(s, key, CKA_DECRYPT));
    assert_false(flag(s, key, CKA_UNWRAP));
    assert_false(flag(s, key, CKA_DERIVE));
    assert_false(flag(s, key, CKA_SIGN_RECOVER));
}

static void its_value_cannot_be_read(struct token_scene *s, const struct token_key *key,
                                     CK_ATTRIBUTE_TYPE type)
{
    uint8_t value[1024];
    CK_ATTRIBUTE a = {type, value, sizeof value};
    CK_RV rv = module_functions(s->m)->C_GetAttributeValue(s->t->anchor, handle_of(key), &a, 1);

    assert_int_equal(rv, CKR_ATTRIBUTE_SENSITIVE);
}

static void check_id(const struct token_key *key)
{
    struct cert_key parsed;
    uint8_t sha1[SHA1_BYTES];

    good(cert_key_parse(key->spki, &parsed));
    cert_key_sha1(&parsed, sha1);
    assert_true(view_eq(key->id, view_of(sha1, sizeof sha1)));
}

static void makes_every_kind(void **state)
{
    static const struct {
        enum cert_key_kind kind;
        unsigned bits, want_bits;
        CK_ATTRIBUTE_TYPE secret;
    } rows[] = {
        {CERT_KEY_P256, 0, 256, CKA_VALUE},      {CERT_KEY_P384, 0, 384, CKA_VALUE},
        {CERT_KEY_P521, 0, 521, CKA_VALUE},      {CERT_KEY_RSA, 2048, 2048, CKA_PRIVATE_EXPONENT},
        {CERT_KEY_RSA, 3072, 3072, CKA_PRIME_1}, {CERT_KEY_RSA, 4096, 4096, CKA_PRIVATE_EXPONENT},
    };
    struct token_scene *s = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct token_key *key = token_scene_key(s, rows[i].kind, rows[i].bits);

        assert_int_equal(key->kind, rows[i].kind);
        assert_int_equal(key->bits, rows[i].want_bits);
        check_attributes(s, key);
        check_id(key);
        its_value_cannot_be_read(s, key, rows[i].secret);
    }
}

static void cannot_be_wrapped_out(void **state)
{
    struct token_scene *s = *state;
    CK_FUNCTION_LIST *f = module_functions(s->m);
    const struct token_key *key = token_scene_key(s, CERT_KEY_P256, 0);
    CK_MECHANISM gen = {CKM_AES_KEY_GEN, NULL, 0}, wrap = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
    CK_BBOOL yes = CK_TRUE;
    CK_ULONG bytes = 32, n = 1024;
    CK_ATTRIBUTE a[] = {{CKA_WRAP, &yes, 1}, {CKA_VALUE_LEN, &bytes, sizeof bytes}};
    CK_OBJECT_HANDLE aes;
    uint8_t out[1024];

    assert_int_equal(f->C_GenerateKey(s->t->anchor, &gen, a, 2, &aes), CKR_OK);
    assert_int_equal(f->C_WrapKey(s->t->anchor, &wrap, aes, handle_of(key), out, &n), CKR_KEY_UNEXTRACTABLE);
}

static void a_label_stands_once(void **state)
{
    struct token_scene *s = *state;
    struct keygen_spec spec = {.label = "p256-0", .kind = CERT_KEY_P384};
    const struct token_key *key = token_scene_key(s, CERT_KEY_P256, 0), *second = NULL;
    bool taken = false;

    assert_int_equal(code_of(keygen_pair(s->t, &spec, &second)), ERR_WRONG_STATE);
    assert_null(second);
    good(token_label_taken(s->t, "p256-0", &taken));
    assert_true(taken);
    good(token_label_taken(s->t, "other", &taken));
    assert_false(taken);
    assert_int_equal(key->kind, CERT_KEY_P256);
}

/* A responder's alone, and of these the one that is meant. */
static void only_a_responder_s_key_is_discarded(void **state)
{
    struct token_scene *s = *state;
    const struct keygen_spec old = {.label = "ocsp-a-1", .kind = CERT_KEY_P256},
                             other = {.label = "ocsp-a-2", .kind = CERT_KEY_P256};
    const struct token_key *gone, *stays;
    bool taken;
    good(keygen_pair(s->t, &old, &gone));
    good(keygen_pair(s->t, &other, &stays));
    assert_int_equal(code_of(discard_key(s->t, "p256-0", gone->id)), ERR_CONFIG);
    good(discard_key(s->t, "ocsp-a-2", gone->id)); /* no key has both */
    good(token_label_taken(s->t, "ocsp-a-2", &taken));
    assert_true(taken);
    good(discard_key(s->t, "ocsp-a-1", gone->id));
    good(token_label_taken(s->t, "ocsp-a-1", &taken));
    assert_false(taken);
    good(token_label_taken(s->t, "ocsp-a-2", &taken));
    assert_true(taken);
    good(discard_key(s->t, "ocsp-a-1", gone->id)); /* and again */
}

static void refuses_other_kinds(void **state)
{
    static const struct keygen_spec specs[] = {
        {.label = "a", .kind = CERT_KEY_RSA, .bits = 1024},
        {.label = "a", .kind = CERT_KEY_RSA, .bits = 2047},
        {.label = "a", .kind = CERT_KEY_RSA},
        {.label = "", .kind = CERT_KEY_P256},
        {.label = "0123456789012345678901234567890123456789012345678901234567890123", .kind = CERT_KEY_P256},
    };
    struct token_scene *s = *state;

    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        const struct token_key *key = NULL;

        assert_int_equal(code_of(keygen_pair(s->t, &specs[i], &key)), ERR_CONFIG);
    }
}

static void syncs_a_tree(void **state)
{
    struct token_scene *s = *state;
    char path[80];

    good(keygen_sync(s->tokens));
    snprintf(path, sizeof path, "%s/loop", s->tokens);
    assert_int_equal(symlink("/", path), 0); /* not followed */
    good(keygen_sync(s->tokens));
    unlink(path);
    assert_int_equal(code_of(keygen_sync("/nowhere/tokens")), ERR_IO);
}

static void a_second_token_of_that_label_is_not_made(void **state)
{
    struct token_scene *s = *state;
    struct token_make_spec spec = {.label = "test"};
    struct secret *pin = NULL;

    good(secret_of(view_str("12345678"), &pin));
    spec.pin = spec.so_pin = pin;
    assert_int_equal(code_of(token_make(s->m, &spec)), ERR_WRONG_STATE);
    spec.label = "a label that is longer than 32 by a bit";
    assert_int_equal(code_of(token_make(s->m, &spec)), ERR_CONFIG);
    spec.label = "another";
    good(token_make(s->m, &spec));
    secret_free(pin);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, token_scene_setup, token_scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(makes_every_kind),
        TEST(cannot_be_wrapped_out),
        TEST(a_label_stands_once),
        TEST(only_a_responder_s_key_is_discarded),
        TEST(refuses_other_kinds),
        TEST(syncs_a_tree),
        TEST(a_second_token_of_that_label_is_not_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
