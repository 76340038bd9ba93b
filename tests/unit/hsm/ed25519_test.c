/* Tests of Ed25519 keys in a real token: made, kept in, found again; signing by the signers and by OpenSSL's
 * own calls through hsm/provider_message.c, each result checked by the default provider and by cert. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "provider.h"
#include "signer.h"
#include "token_scene.h"
#include "token_state.h"

static struct view message = {(const uint8_t *)"hello world", 11};

static void is_born_in_the_token_and_stays_there(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *key = token_scene_key(s, CERT_KEY_ED25519, 0), *again = NULL;
    uint8_t value[64], spki[SHA256_BYTES];
    CK_ATTRIBUTE a = {CKA_VALUE, value, sizeof value};
    struct cert_key parsed;

    assert_int_equal(key->kind, CERT_KEY_ED25519);
    assert_int_equal(key->spki.n, 44);
    good(cert_key_parse(key->spki, &parsed));
    assert_int_equal(module_functions(s->m)->C_GetAttributeValue(
                         s->t->anchor, ((const struct token_entry *)key)->handle, &a, 1),
                     CKR_ATTRIBUTE_SENSITIVE);
    memcpy(spki, key->spki_sha256, sizeof spki);
    token_scene_close(s);
    token_scene_load(s);
    good(token_scene_open(s, SCENE_PIN));
    good(token_key_find(s->t, "ed25519-0", (struct view){NULL, 0}, &again));
    assert_memory_equal(again->spki_sha256, spki, sizeof spki);
}

static void signs_messages_whole(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *key = token_scene_key(s, CERT_KEY_ED25519, 0);
    const struct view parts[] = {view_of(message.p, 5), view_of(NULL, 0), view_from(message, 5)};
    struct cert_key public;
    uint8_t to[SIGNER_MAX_BYTES], whole[SIGNER_MAX_BYTES];
    size_t n = 0, whole_n = 0;

    good(cert_key_parse(key->spki, &public));
    good(signer_sign(key, CERT_ALG_ED25519, parts, 3, SIGNER_VERIFY, to, &n));
    assert_int_equal(n, 64);
    good(cert_key_verify(&public, CERT_ALG_ED25519, message, view_of(to, n)));
    good(signer_sign(key, CERT_ALG_ED25519, &message, 1, 0, whole, &whole_n));
    assert_int_equal(whole_n, 64);
    assert_memory_equal(to, whole, 64); /* deterministic (RFC 8032 5.1.6) */
    assert_int_equal(code_of(signer_sign(key, CERT_ALG_ECDSA_SHA256, &message, 1, 0, to, &n)), ERR_INTERNAL);
}

static void check_signature(EVP_PKEY *public, const uint8_t *sig, size_t n)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public), 1);
    assert_int_equal(EVP_DigestVerify(ctx, sig, n, message.p, message.n), 1);
    EVP_MD_CTX_free(ctx);
}

static void openssl_signs_and_verifies(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *token_key = token_scene_key(s, CERT_KEY_ED25519, 0);
    struct provider *provider = NULL;
    EVP_PKEY *key = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new(), *copy = EVP_MD_CTX_new();
    uint8_t sig[64];
    size_t n = sizeof sig;

    good(provider_open(s->t, &provider));
    good(provider_key(provider, token_key, &key));
    assert_int_equal(EVP_PKEY_eq(key, token_key_public(token_key)), 1);
    assert_int_not_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    EVP_MD_CTX_reset(ctx);
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key), 1);
    assert_int_equal(EVP_MD_CTX_copy_ex(copy, ctx), 1);
    assert_int_equal(EVP_DigestSign(copy, sig, &n, message.p, message.n), 1);
    check_signature(token_key_public(token_key), sig, n);
    check_signature(key, sig, n);
    EVP_MD_CTX_free(copy);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    provider_close(provider);
    ERR_clear_error();
}

static void openssl_signs_certificates(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *token_key = token_scene_key(s, CERT_KEY_ED25519, 0);
    struct provider *provider = NULL;
    EVP_PKEY *key = NULL;
    X509 *x = X509_new();

    good(provider_open(s->t, &provider));
    good(provider_key(provider, token_key, &key));
    assert_int_equal(X509_set_pubkey(x, token_key_public(token_key)), 1);
    assert_true(X509_sign(x, key, NULL) > 0);
    assert_int_equal(X509_verify(x, token_key_public(token_key)), 1);
    assert_int_equal(X509_get_signature_nid(x), NID_ED25519);
    X509_free(x);
    EVP_PKEY_free(key);
    provider_close(provider);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, token_scene_setup, token_scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(is_born_in_the_token_and_stays_there),
        TEST(signs_messages_whole),
        TEST(openssl_signs_and_verifies),
        TEST(openssl_signs_certificates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
