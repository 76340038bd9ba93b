/* The outer form: sealed and opened again; bits that do not belong there are refused. */
#include "fixture.h"

#include <openssl/ecdsa.h>

static void sealed_and_opened(void **state)
{
    struct cert_sealed sealed;
    struct view der, tbs = fixture_hex("3003020101", *state);
    assert_ok(cert_seal(tbs, CERT_ALG_RSA_SHA384, view_str("signature"), *state, &der));
    assert_ok(cert_seal_open(der, &sealed));
    assert_bytes(sealed.tbs, tbs);
    assert_bytes(sealed.sig, view_str("signature"));
    assert_int_equal(sealed.alg, CERT_ALG_RSA_SHA384);
}

static void around_a_big_one_is_the_same(void **state)
{
    static const size_t sizes[] = {2, 10, 127, 200, 1000, 70000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct view whole, head, tail, tbs = view_of(arena_alloc(*state, sizes[i]), sizes[i]);
        assert_ok(cert_seal(tbs, CERT_ALG_PSS_SHA256, view_str("sig"), *state, &whole));
        assert_ok(cert_seal_around(tbs.n, CERT_ALG_PSS_SHA256, view_str("sig"), *state, &head, &tail));
        assert_bytes(fixture_join(*state, 3, (struct view[]){head, tbs, tail}), whole);
    }
}

static void odd_outsides_are_refused(void **state)
{
    static const struct {
        const char *hex, *why;
    } rows[] = {
        {"3014"
         "3000"
         "300a06082a8648ce3d040302"
         "0302"
         "0041"
         "0500",
         "expected the end"},
        {"3012"
         "3000"
         "300a06082a8648ce3d040302"
         "03020041"
         "00",
         "expected the end"},
        {"3012"
         "3000"
         "300a06082a8648ce3d040302"
         "03020140",
         "unused bits"},
        {"3012"
         "3100"
         "300a06082a8648ce3d040302"
         "03020040",
         "expected SEQUENCE"},
        {"3012"
         "3000"
         "300a06082a8648ce3d040302"
         "04020040",
         "expected BIT STRING"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_sealed sealed;
        struct err *e = cert_seal_open(fixture_hex(rows[i].hex, *state), &sealed);
        assert_non_null(e);
        assert_non_null(strstr(err_detail(e), rows[i].why));
        err_free(e);
    }
}

static void r_and_s_become_openssls_form(void **state)
{
    static const char *const raws[] = {
        "00000000000000000000000000000000000000000000000000000000000000ff"
        "7f00000000000000000000000000000000000000000000000000000000000001",
        "ff000000000000000000000000000000000000000000000000000000000000ff"
        "0080000000000000000000000000000000000000000000000000000000000001",
    };
    for (size_t i = 0; i < COUNT(raws); i++) {
        struct view raw = fixture_hex(raws[i], *state), sig;
        assert_ok(cert_seal_ecdsa(raw, *state, &sig));
        ECDSA_SIG *theirs = ECDSA_SIG_new();
        ECDSA_SIG_set0(theirs, BN_bin2bn(raw.p, 32, NULL), BN_bin2bn(raw.p + 32, 32, NULL));
        uint8_t *der = NULL;
        int n = i2d_ECDSA_SIG(theirs, &der);
        assert_bytes(sig, view_of(der, (size_t)n));
        OPENSSL_free(der);
        ECDSA_SIG_free(theirs);
    }
    struct view sig;
    assert_refused(cert_seal_ecdsa(view_str("abc"), *state, &sig), ERR_BAD_SIGNATURE, "3 octets");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sealed_and_opened),
        TEST(around_a_big_one_is_the_same),
        TEST(odd_outsides_are_refused),
        TEST(r_and_s_become_openssls_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
