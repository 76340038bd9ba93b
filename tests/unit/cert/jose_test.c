/* JOSE: the vectors of the RFCs verify and give their thumbprints; every other form is refused by name. */
#include "fixture.h"

#include "base/conf.h"
#include "base/hex.h"
#include "cert/jose.h"

#include <openssl/evp.h>

/* RFC 7515 A.1 to A.4 and RFC 8037 A.4, with the keys they show. */
#define JOE "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define P256                                                                                                 \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","               \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define ED25519 "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"
static const struct {
    enum cert_jws_alg alg;
    const char *jwk, *text;
} vectors[] = {
    {CERT_JWS_RS256,
     "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS"
     "2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-"
     "bSf63kpaSHSXndS5z"
     "5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-"
     "DWNm"
     "oudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}",
     "eyJhbGciOiJSUzI1NiJ9." JOE
     ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJ"
     "dbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_"
     "eSN93"
     "83LcOLn6_dO--xi12jzDwusC-"
     "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWk"
     "WywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
    {CERT_JWS_ES256, P256,
     "eyJhbGciOiJFUzI1NiJ9." JOE
     ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
    {CERT_JWS_ES512,
     "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ"
     "6OvLFV1jSfS9tsz4qUxcWceqwQGk\",\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4K"
     "kd0AZMaZmh9ubmf63e3kyMj2\"}",
     "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-"
     "KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_"
     "Jn"},
    {CERT_JWS_EDDSA, ED25519,
     "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWb"
     "hijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"},
};
static const char hs256[] =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." JOE ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
static const char hs256_key[] =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

static struct err *jwk_of(const char *text, struct arena *arena, struct cert_key *ret)
{
    struct conf *c = NULL;
    assert_ok(conf_parse_json(view_str(text), &c));
    struct err *e = cert_jwk_read(conf_root(c), arena, ret);
    conf_free(c);
    return e;
}

static const char *with_header(const char *header, const char *payload, struct arena *arena)
{
    return arena_printf(arena, "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"AA\"}",
                        base64url_of(arena, view_str(header)), payload);
}

static void the_vectors_of_the_rfcs_verify(void **state)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct cert_key key;
        struct cert_jws jws;
        assert_ok(jwk_of(vectors[i].jwk, *state, &key));
        assert_ok(cert_jws_read_compact(view_str(vectors[i].text), *state, &jws));
        assert_int_equal(jws.alg, vectors[i].alg);
        assert_ok(cert_jws_verify(&jws, &key));
    }
}

static void a_changed_message_does_not_verify(void **state)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct cert_key key;
        struct cert_jws jws;
        char *text = arena_str(*state, view_str(vectors[i].text));
        char *payload = strchr(text, '.') + 1;
        payload[2] = payload[2] == 'A' ? 'B' : 'A';
        assert_ok(jwk_of(vectors[i].jwk, *state, &key));
        assert_ok(cert_jws_read_compact(view_str(text), *state, &jws));
        assert_refused(cert_jws_verify(&jws, &key), ERR_BAD_SIGNATURE, "verify");
    }
}

static void a_mac_verifies_with_its_secret_alone(void **state)
{
    struct cert_jws jws;
    struct cert_key key;
    struct view secret;
    assert_ok(base64url_parse(*state, view_str(hs256_key), &secret));
    assert_ok(cert_jws_read_compact(view_str(hs256), *state, &jws));
    assert_string_equal(jws.typ, "JWT");
    assert_ok(cert_jws_verify_mac(&jws, secret));
    assert_refused(cert_jws_verify_mac(&jws, view_of(secret.p, secret.n - 1)), ERR_BAD_SIGNATURE, "verify");
    for (size_t i = 0; i < COUNT(vectors); i++) {
        assert_ok(jwk_of(vectors[i].jwk, *state, &key));
        assert_refused(cert_jws_verify(&jws, &key), ERR_BAD_ALG, "HS256");
    }
    assert_ok(cert_jws_read_compact(view_str(vectors[1].text), *state, &jws));
    assert_refused(cert_jws_verify_mac(&jws, secret), ERR_BAD_ALG, "ES256");
}

static void an_algorithm_of_another_key_is_refused(void **state)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct cert_key key;
        struct cert_jws jws;
        assert_ok(jwk_of(vectors[(i + 1) % COUNT(vectors)].jwk, *state, &key));
        assert_ok(cert_jws_read_compact(view_str(vectors[i].text), *state, &jws));
        assert_refused(cert_jws_verify(&jws, &key), ERR_BAD_ALG, "no algorithm for a key");
    }
}

static void thumbprints_are_those_of_the_rfcs(void **state)
{
    static const char *const pairs[][2] = {
        {"{\"kid\":\"2011-04-29\",\"alg\":\"RS256\",\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":"
         "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
         "BJECPebWKRXjB"
         "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
         "FDW2QvzqY368QQMicAtaSqzs8KJ"
         "ZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
         "xBni"
         "Iqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\"}",
         "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
        {ED25519, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
    };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct cert_key key;
        uint8_t got[SHA256_BYTES];
        assert_ok(jwk_of(pairs[i][0], *state, &key));
        cert_jwk_thumbprint(&key, *state, got);
        assert_string_equal(base64url_of(*state, view_of(got, sizeof got)), pairs[i][1]);
    }
}

static void a_key_written_is_the_key_read(void **state)
{
    static const char *const kinds[] = {"p256", "p384", "p521", "ed25519", "rsa2048"};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct cert_key key, again;
        assert_ok(cert_key_parse(fixture_spki(kinds[i], *state), &key));
        assert_ok(jwk_of(cert_jwk_text(&key, *state), *state, &again));
        assert_true(view_eq(key.spki, again.spki));
    }
}

static void keys_of_another_form_are_refused(void **state)
{
    static const char *const bad[][2] = {
        {"{}", "kty"},
        {"[]", "kty"},
        {"{\"kty\":\"oct\",\"k\":\"AAAA\"}", "private key or a secret"},
        {"{\"kty\":\"oct\"}", "kty"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}", "32 octets"},
        {"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}", "48"},
        {"{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}", "crv"},
        {"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}", "crv"},
        {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}", "crv"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
         "small order"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
         "\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}",
         "not on the curve"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU=\","
         "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
         "base64url"},
        {"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "RSA key"},
        {"{\"kty\":\"RSA\",\"n\":\"AKE\",\"e\":\"AQAB\"}", "zero octet"},
        {"{\"kty\":\"RSA\",\"n\":\"gQ\",\"e\":\"AQABAQABAQAB\"}", "at most"},
        {"{\"kty\":\"RSA\",\"n\":7,\"e\":\"AQAB\"}", "must be a text"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct cert_key key;
        assert_refused(jwk_of(bad[i][0], *state, &key), ERR_BAD_KEY, bad[i][1]);
    }
}

static void a_flattened_message_is_read(void **state)
{
    struct cert_jws jws;
    const char *header = arena_printf(
        *state, "{\"alg\":\"ES256\",\"url\":\"https://a/b\",\"nonce\":\"n0\",\"x\":1,\"jwk\":%s}", P256);
    assert_ok(cert_jws_read(view_str(with_header(header, "e30", *state)), *state, &jws));
    assert_int_equal(jws.alg, CERT_JWS_ES256);
    assert_string_equal(jws.url, "https://a/b");
    assert_string_equal(jws.nonce, "n0");
    assert_null(jws.kid);
    assert_true(jws.has_jwk);
    assert_true(view_eq_str(jws.payload, "{}"));
    assert_refused(cert_jws_verify(&jws, &jws.jwk), ERR_BAD_SIGNATURE, "64 octets");
    assert_ok(
        cert_jws_read(view_str(with_header("{\"alg\":\"ES256\",\"kid\":\"k\"}", "", *state)), *state, &jws));
    assert_string_equal(jws.kid, "k");
    assert_false(jws.has_jwk);
    assert_int_equal(jws.payload.n, 0);
}

static void headers_that_promise_too_much_are_refused(void **state)
{
    static const struct {
        const char *header;
        enum err_code code;
        const char *part;
    } bad[] = {
        {"{\"alg\":\"none\"}", ERR_BAD_ALG, "'none'"},
        {"{\"alg\":\"NONE\"}", ERR_BAD_ALG, "'NONE'"},
        {"{\"alg\":\"HS512\"}", ERR_BAD_ALG, "HS512"},
        {"{\"alg\":7}", ERR_BAD_ALG, "alg"},
        {"{}", ERR_BAD_ALG, "alg"},
        {"[]", ERR_BAD_FIELD, "object"},
        {"{\"alg\":\"ES256\",\"alg\":\"none\"}", ERR_BAD_JSON, "duplicate"},
        {"{\"alg\":\"ES256\",\"crit\":[\"b64\"],\"b64\":false}", ERR_BAD_FIELD, "crit"},
        {"{\"alg\":\"ES256\",\"kid\":{}}", ERR_BAD_FIELD, "kid"},
        {"{\"alg\":\"ES256\",\"jwk\":\"k\"}", ERR_BAD_KEY, "kty"},
        {"{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"d\":\"AA\"}}", ERR_BAD_KEY, "private key"},
        {"not json", ERR_BAD_JSON, "protected header"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct cert_jws jws;
        assert_refused(cert_jws_read(view_str(with_header(bad[i].header, "", *state)), *state, &jws),
                       bad[i].code, bad[i].part);
    }
}

static void messages_of_another_form_are_refused(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
    } bad[] = {
        {"", ERR_BAD_JSON},
        {"[]", ERR_BAD_FIELD},
        {"{\"payload\":\"\",\"signature\":\"\"}", ERR_BAD_FIELD},
        {"{\"protected\":\"e30\",\"payload\":7,\"signature\":\"\"}", ERR_BAD_FIELD},
        {"{\"protected\":\"e30=\",\"payload\":\"\",\"signature\":\"\"}", ERR_BAD_FIELD},
        {"{\"protected\":\"eyJhbGciOiJFUzI1NiJ9\",\"payload\":\"a\",\"signature\":\"\"}", ERR_BAD_FIELD},
        {"{\"protected\":\"eyJhbGciOiJFUzI1NiJ9\",\"payload\":\"\",\"signature\":\"AA==\"}", ERR_BAD_FIELD},
        {"{\"protected\":\"eyJhbGciOiJFUzI1NiJ9\",\"payload\":\"\",\"signature\":\"\",\"header\":{}}",
         ERR_BAD_FIELD},
        {"{\"protected\":\"eyJhbGciOiJFUzI1NiJ9\",\"payload\":\"\",\"signatures\":[]}", ERR_BAD_FIELD},
        {"{\"payload\":\"\",\"payload\":\"\"}", ERR_BAD_JSON},
        {"{\"protected\":\"\\u0000\",\"payload\":\"\",\"signature\":\"\"}", ERR_BAD_JSON},
    };
    static const char *const bad_compact[] = {"", ".", "a.b", "eyJhbGciOiJFUzI1NiJ9.a.b.c"};
    struct cert_jws jws;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_refused(cert_jws_read(view_str(bad[i].text), *state, &jws), bad[i].code, "");
    for (size_t i = 0; i < COUNT(bad_compact); i++)
        assert_refused(cert_jws_read_compact(view_str(bad_compact[i]), *state, &jws), ERR_BAD_FIELD, "");
}

static void too_much_is_refused_before_it_is_parsed(void **state)
{
    struct cert_jws jws;
    enum { HUGE = CERT_JWS_BYTES + 1, DEEP = 60 * 1024 };
    char *text = arena_alloc(*state, HUGE);
    memset(text, '[', HUGE);
    assert_refused(cert_jws_read(view_of(text, HUGE), *state, &jws), ERR_TOO_LARGE, "131072");
    assert_refused(cert_jws_read_compact(view_of(text, HUGE), *state, &jws), ERR_TOO_LARGE, "131072");
    assert_refused(cert_jws_read(view_of(text, DEEP), *state, &jws), ERR_BAD_JSON, "32 levels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_vectors_of_the_rfcs_verify),
        TEST(a_changed_message_does_not_verify),
        TEST(a_mac_verifies_with_its_secret_alone),
        TEST(an_algorithm_of_another_key_is_refused),
        TEST(thumbprints_are_those_of_the_rfcs),
        TEST(a_key_written_is_the_key_read),
        TEST(keys_of_another_form_are_refused),
        TEST(a_flattened_message_is_read),
        TEST(headers_that_promise_too_much_are_refused),
        TEST(messages_of_another_form_are_refused),
        TEST(too_much_is_refused_before_it_is_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
