/* JSON web tokens as credentials: signed by OpenSSL, and spoiled in every way. */
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/world.h"
#include "cert/jose.h"
#include "door.h"
#include "enroll_jwt.h"

#define ISS "https://ci.example.internal"

static EVP_PKEY *ec, *rsa, *ed, *strange;
static struct enroll_jwt trusted, rotated;

/* --- making --- */

static const char *b64(struct door *d, const char *text)
{
    return base64url_of(d->h->arena, view_str(text));
}

/* r and s side by side (RFC 7518 3.4). */
static struct view raw_ecdsa(struct door *d, struct view der)
{
    uint8_t *raw = arena_alloc(d->h->arena, 64);
    const unsigned char *p = der.p;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
    assert_true(BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32) == 32);
    assert_true(BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32) == 32);
    ECDSA_SIG_free(sig);
    return view_of(raw, 64);
}

static struct view sign(struct door *d, EVP_PKEY *key, const char *input)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n = 512;
    uint8_t *sig = arena_alloc(d->h->arena, n);
    const EVP_MD *md = EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
    assert_true(EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1);
    assert_true(EVP_DigestSign(ctx, sig, &n, (const unsigned char *)input, strlen(input)) == 1);
    EVP_MD_CTX_free(ctx);
    return EVP_PKEY_get_id(key) == EVP_PKEY_EC ? raw_ecdsa(d, view_of(sig, n)) : view_of(sig, n);
}

static const char *input_of(struct door *d, const char *header, const char *claims)
{
    return arena_printf(d->h->arena, "%s.%s", b64(d, header), b64(d, claims));
}

static const char *jwt(struct door *d, EVP_PKEY *key, const char *header, const char *claims)
{
    const char *input = input_of(d, header, claims);
    return arena_printf(d->h->arena, "%s.%s", input, base64url_of(d->h->arena, sign(d, key, input)));
}

/* Claims as a CI system makes them; more: further members, with a comma before. */
static const char *claims_of(struct door *d, const char *iss, const char *aud, int64_t exp, const char *more)
{
    return arena_printf(
        d->h->arena,
        "{\"iss\":\"%s\",\"aud\":%s,\"exp\":%lld,\"sub\":\"repo:example/app\",\"project\":\"app\","
        "\"ci\":{\"ref\":\"main\"}%s}",
        iss, aud, (long long)(world_now_s() + exp), more);
}

static const char *good_claims(struct door *d)
{
    return claims_of(d, ISS, "\"chancery\"", 300, ",\"iat\":1");
}

static const char *jwk(struct door *d, EVP_PKEY *key, const char *kid)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key, &der);
    struct cert_key *read = ARENA_NEW(d->h->arena, struct cert_key);
    OK(cert_key_parse(arena_dup(d->h->arena, view_of(der, (size_t)n)), read));
    OPENSSL_free(der);
    const char *text = cert_jwk_text(read, d->h->arena);
    return arena_printf(d->h->arena, "{\"kid\":\"%s\",\"use\":\"sig\",%s", kid, text + 1);
}

static struct enroll_jwt trust(struct door *d, const char *keys)
{
    struct enroll_jwt ret;
    const struct enroll_jwt_texts texts = {.name = "ci",
                                           .issuer = ISS,
                                           .audience = "chancery",
                                           .when = "claims['ci.ref'] == 'main'",
                                           .template = "'client'",
                                           .names = "['dns:' + claims.project + '.example.internal', 'cn:*']",
                                           .keys =
                                               view_str(arena_printf(d->h->arena, "{\"keys\":[%s]}", keys))};
    OK(enroll_jwt_read(&texts, d->h->arena, &ret));
    return ret;
}

static void use(struct door *d, const struct enroll_jwt *which)
{
    d->config.jwts = which;
    d->config.jwts_n = 1;
    enroll_set(d->enroll, &d->config);
}

/* --- asking --- */

static struct said ask(struct door *d, const char *token, const char *template, const char *name)
{
    const char *lines =
        arena_printf(d->h->arena, "Authorization: Bearer %s\r\nContent-Type: application/json\r\n", token);
    return door_ask(d, NOBODY, "POST", "/v1/certificates", lines,
                    view_str(door_body(d, template, house_csr_for(d->h, name), "")));
}

static void each_algorithm(void **state)
{
    struct door *d = *state;
    struct ledger_entry entry;
    const struct {
        EVP_PKEY *key;
        const char *header;
    } rows[] = {{ec, "{\"alg\":\"ES256\",\"kid\":\"e\"}"},
                {rsa, "{\"alg\":\"RS256\",\"kid\":\"r\"}"},
                {ed, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}"},
                {ed, "{\"alg\":\"EdDSA\"}"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        door_expect(
            ask(d, jwt(d, rows[i].key, rows[i].header, good_claims(d)), "client", "app.example.internal"),
            201, NULL);
    house_quiet(d->h);
    assert_true(house_last(d->h, LEDGER_INTENT, &entry));
    assert_string_equal(entry.actor, "jwt:ci:repo:example/app");
}

static void a_list_of_audiences(void **state)
{
    struct door *d = *state;
    const char *claims = claims_of(d, ISS, "[\"other\",\"chancery\"]", 300, "");
    door_expect(ask(d, jwt(d, ed, "{\"alg\":\"EdDSA\"}", claims), "client", "app.example.internal"), 201,
                NULL);
}

static void what_the_claims_do_not_grant(void **state)
{
    struct door *d = *state;
    const char *good = jwt(d, ec, "{\"alg\":\"ES256\"}", good_claims(d));
    door_expect(ask(d, good, "client", "other.example.internal"), 403, "name-forbidden");
    door_expect(ask(d, good, "server", "app.example.internal"), 403, "forbidden");
    const char *branch =
        "{\"iss\":\"" ISS "\",\"aud\":\"chancery\",\"exp\":9999999999,\"sub\":\"s\",\"project\":"
        "\"app\",\"ci\":{\"ref\":\"dev\"}}";
    door_expect(ask(d, jwt(d, ec, "{\"alg\":\"ES256\"}", branch), "client", "app.example.internal"), 403,
                "forbidden");
    const char *poor = "{\"iss\":\"" ISS "\",\"aud\":\"chancery\",\"exp\":9999999999,\"sub\":\"s\","
                       "\"ci\":{\"ref\":\"main\"}}";
    door_expect(ask(d, jwt(d, ec, "{\"alg\":\"ES256\"}", poor), "client", "app.example.internal"), 403,
                "forbidden");
}

static void refused(struct door *d, const char *token, const char *type, const char *text)
{
    struct said s = ask(d, token, "client", "app.example.internal");
    if (s.status != 401 || strcmp(s.type, type) != 0 || !strstr(s.detail, text))
        fail_msg("%d %s '%s', not 401 %s '%s'", s.status, s.type, s.detail, type, text);
    said_free(&s);
}

/* A key that anybody has as the secret of a MAC (RFC 8725 3.1). */
static const char *by_mac(struct door *d)
{
    const char *input = input_of(d, "{\"alg\":\"HS256\",\"kid\":\"r\"}", good_claims(d));
    const char *secret = jwk(d, rsa, "r");
    uint8_t mac[32];
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)input, strlen(input), mac, NULL);
    return arena_printf(d->h->arena, "%s.%s", input, base64url_of(d->h->arena, view_of(mac, sizeof mac)));
}

static void spoiled_ones(void **state)
{
    struct door *d = *state;
    const char *es = "{\"alg\":\"ES256\",\"kid\":\"e\"}", *id = "unauthenticated";
    refused(d, jwt(d, ec, es, claims_of(d, ISS, "\"other\"", 300, "")), id, "another audience");
    refused(d, jwt(d, ec, es, claims_of(d, "https://elsewhere", "\"chancery\"", 300, "")), id, "issuer");
    refused(d, jwt(d, ec, es, claims_of(d, ISS, "\"chancery\"", -61, "")), "token-expired", "ended");
    refused(d, jwt(d, ec, es, claims_of(d, ISS, "\"chancery\"", 300, ",\"nbf\":99999999999")), id, "clock");
    refused(d, jwt(d, ec, es, "{\"iss\":\"" ISS "\",\"aud\":\"chancery\"}"), id, "`exp`");
    refused(d, jwt(d, strange, es, good_claims(d)), id, "no key");
    refused(d, jwt(d, ec, "{\"alg\":\"RS256\",\"kid\":\"e\"}", good_claims(d)), id, "no key");
    refused(d, jwt(d, ec, "{\"alg\":\"ES256\",\"kid\":\"r\"}", good_claims(d)), id, "no key");
    refused(d, by_mac(d), id, "no key");
    refused(d, arena_printf(d->h->arena, "%s.", input_of(d, "{\"alg\":\"none\"}", good_claims(d))), id,
            "JWT");
    refused(d, "a.b.c", id, "JWT");
    refused(d, "..", id, "JWT");
}

static void a_key_that_was_rotated_out(void **state)
{
    struct door *d = *state;
    const char *by_ec = jwt(d, ec, "{\"alg\":\"ES256\",\"kid\":\"e\"}", good_claims(d));
    door_expect(ask(d, by_ec, "client", "app.example.internal"), 201, NULL);
    use(d, &rotated);
    refused(d, by_ec, "unauthenticated", "no key");
    door_expect(ask(d, jwt(d, ed, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", good_claims(d)), "client",
                    "app.example.internal"),
                201, NULL);
    use(d, &trusted);
}

static void what_configurations_are_refused(void **state)
{
    static const struct {
        const char *keys, *template, *names, *why;
    } rows[] = {{"{}", "'client'", "'x'", "key set"},
                {"{\"keys\":[]}", "'client'", "'x'", "none of its 0 keys"},
                {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", "'client'", "'x'", "none of its 1 keys"},
                {"not json", "'client'", "'x'", "jwt ci"},
                {NULL, "client", "'x'", "template:"},
                {NULL, "'client'", "1", "names:"},
                {NULL, "csr.subject.CN", "'x'", "template:"}};
    struct door *d = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct enroll_jwt ret;
        const char *keys = arena_printf(d->h->arena, "{\"keys\":[%s]}", jwk(d, ec, "e"));
        const struct enroll_jwt_texts texts = {.name = "ci",
                                               .issuer = ISS,
                                               .audience = "chancery",
                                               .template = rows[i].template,
                                               .names = rows[i].names,
                                               .keys = view_str(rows[i].keys ? rows[i].keys : keys)};
        struct err *e = enroll_jwt_read(&texts, d->h->arena, &ret);
        assert_non_null(e);
        assert_int_equal(err_code(e), ERR_CONFIG);
        if (!strstr(err_detail(e), rows[i].why))
            fail_msg("'%s' does not say '%s'", err_detail(e), rows[i].why);
        err_free(e);
    }
}

static int setup(void **state)
{
    int ret = door_setup(state);
    struct door *d = *state;
    ec = house_key();
    strange = house_key();
    rsa = EVP_RSA_gen(2048);
    ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    trusted = trust(d, arena_printf(d->h->arena, "%s,%s,%s,{\"kty\":\"oct\",\"k\":\"AAAA\"}", jwk(d, ec, "e"),
                                    jwk(d, rsa, "r"), jwk(d, ed, "d")));
    rotated = trust(d, jwk(d, ed, "d"));
    use(d, &trusted);
    return ret;
}

static int teardown(void **state)
{
    EVP_PKEY_free(ec);
    EVP_PKEY_free(strange);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ed);
    return door_teardown(state);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_algorithm),
        cmocka_unit_test(a_list_of_audiences),
        cmocka_unit_test(what_the_claims_do_not_grant),
        cmocka_unit_test(spoiled_ones),
        cmocka_unit_test(a_key_that_was_rotated_out),
        cmocka_unit_test(what_configurations_are_refused),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, setup, teardown);
}
