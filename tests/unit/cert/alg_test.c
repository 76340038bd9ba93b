/* Signature algorithms: what we write OpenSSL reads, and the other way round; what is weak is refused. */
#include "fixture.h"

#include <openssl/rsa.h>

static void names_go_both_ways(void **state)
{
    (void)state;
    for (int i = 0; i < CERT_ALG__COUNT; i++) {
        enum cert_alg alg = CERT_ALG__COUNT;
        assert_ok(cert_alg_parse(view_str(cert_alg_name((enum cert_alg)i)), &alg));
        assert_int_equal(alg, i);
    }
    enum cert_alg alg;
    assert_refused(cert_alg_parse(view_str("rsa-sha1"), &alg), ERR_BAD_FIELD, "rsa-");
}

static void der_goes_both_ways(void **state)
{
    (void)state;
    for (int i = 0; i < CERT_ALG__COUNT; i++) {
        enum cert_alg alg = CERT_ALG__COUNT;
        struct view in = cert_alg_der((enum cert_alg)i);
        assert_ok(cert_alg_read(&in, &alg));
        assert_int_equal(alg, i);
        assert_int_equal(in.n, 0);
    }
}

static void openssl_reads_what_we_write(void **state)
{
    (void)state;
    for (int i = 0; i < CERT_ALG__COUNT; i++) {
        struct view der = cert_alg_der((enum cert_alg)i);
        const uint8_t *p = der.p;
        X509_ALGOR *algor = d2i_X509_ALGOR(NULL, &p, (long)der.n);
        assert_non_null(algor);
        assert_ptr_equal(p, der.p + der.n);
        X509_ALGOR_free(algor);
    }
}

static void weak_ones_are_refused_by_name(void **state)
{
    static const struct {
        const char *hex, *text;
    } rows[] = {
        {"300d06092a864886f70d0101050500", "SHA-1 with RSA"},
        {"300d06092a864886f70d0101040500", "MD5"},
        {"300906072a8648ce3d0401", "SHA-1 with ECDSA"},
        {"300b06092a864886f70d01010a", "found the end"},
        {"300d06092a864886f70d01010a3000", "RSASSA-PSS with SHA-1"},
        {"300506032b6571", "Ed448"},
        {"300606042a030405", "not known"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum cert_alg alg;
        struct view in = fixture_hex(rows[i].hex, *state);
        struct err *e = cert_alg_read(&in, &alg);
        assert_refused(e, i == 3 ? ERR_BAD_DER : ERR_BAD_SIGNATURE, rows[i].text);
    }
}

static void parameters_are_judged(void **state)
{
    static const char *const bad[] = {
        "300c06082a8648ce3d0403020500",       /* NULL with ECDSA */
        "300706032b65700500",                 /* NULL with Ed25519 */
        "300f06092a864886f70d01010b05000500", /* twice */
        "300e06092a864886f70d01010b020100",   /* INTEGER */
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        enum cert_alg alg;
        struct view in = fixture_hex(bad[i], *state);
        assert_refused(cert_alg_read(&in, &alg), ERR_BAD_DER, "");
    }
    enum cert_alg alg;
    struct view absent = fixture_hex("300b06092a864886f70d01010b", *state);
    assert_ok(cert_alg_read(&absent, &alg));
    assert_int_equal(alg, CERT_ALG_RSA_SHA256);
}

/* The same row with one octet changed: other mask digest, other salt. */
static void pss_is_all_of_one_digest(void **state)
{
    struct view good = cert_alg_der(CERT_ALG_PSS_SHA256);
    const struct {
        size_t from_end;
        uint8_t octet;
    } rows[] = {{1, 0x14}, {8, 2}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum cert_alg alg;
        uint8_t *bad = (uint8_t *)arena_str(*state, good);
        bad[good.n - rows[i].from_end] = rows[i].octet;
        struct view in = view_of(bad, good.n);
        assert_refused(cert_alg_read(&in, &alg), ERR_BAD_SIGNATURE, "RFC 4055 3.1");
    }
}

static void algorithms_fit_their_keys(void **state)
{
    (void)state;
    for (int kind = 0; kind < CERT_KEY__COUNT; kind++)
        assert_true(cert_alg_fits(cert_alg_default((enum cert_key_kind)kind), (enum cert_key_kind)kind));
    assert_false(cert_alg_fits(CERT_ALG_ECDSA_SHA256, CERT_KEY_RSA));
    assert_false(cert_alg_fits(CERT_ALG_PSS_SHA256, CERT_KEY_P256));
    assert_false(cert_alg_fits(CERT_ALG_ED25519, CERT_KEY_P256));
    assert_true(cert_alg_fits(CERT_ALG_ECDSA_SHA256, CERT_KEY_P384));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_go_both_ways),          TEST(der_goes_both_ways),
        TEST(openssl_reads_what_we_write), TEST(weak_ones_are_refused_by_name),
        TEST(parameters_are_judged),       TEST(pss_is_all_of_one_digest),
        TEST(algorithms_fit_their_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
