/* Certificates we write: OpenSSL reads and verifies them; our strict reader takes them and nothing else. */
#include "fixture.h"

#include "base/limits.h"

#include <openssl/err.h>

static struct cert_tbs full(struct arena *arena)
{
    struct cert_tbs tbs = fixture_tbs(arena);
    struct cert_ext *exts = arena_array(arena, 4, sizeof *exts);
    struct cert_san san;
    assert_ok(cert_san_of_text(view_str("dns:a.example"), arena, &san));
    assert_ok(cert_ext_write_basic((struct cert_basic){false, -1}, true, arena, &exts[0]));
    assert_ok(cert_ext_write_key_usage(CERT_KU_DIGITAL_SIGNATURE, true, arena, &exts[1]));
    assert_ok(cert_ext_write_san(&san, 1, false, arena, &exts[2]));
    assert_ok(cert_ext_write_ski(view_str("01234567890123456789"), arena, &exts[3]));
    tbs.exts = exts;
    tbs.ext_count = 4;
    return tbs;
}

static void openssl_verifies_every_algorithm(void **state)
{
    static const struct {
        const char *key;
        enum cert_alg alg;
    } rows[] = {
        {"p256", CERT_ALG_ECDSA_SHA256},  {"p384", CERT_ALG_ECDSA_SHA384},  {"p521", CERT_ALG_ECDSA_SHA512},
        {"rsa2048", CERT_ALG_RSA_SHA256}, {"rsa2048", CERT_ALG_PSS_SHA256}, {"rsa2048", CERT_ALG_PSS_SHA512},
        {"ed25519", CERT_ALG_ED25519},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_tbs tbs = full(*state);
        tbs.alg = rows[i].alg;
        X509 *x = fixture_x509(fixture_issue(&tbs, rows[i].key, *state));
        assert_int_equal(X509_verify(x, fixture_key(rows[i].key)), 1);
        assert_int_equal(X509_verify(x, fixture_key("p256b")) == 1, 0);
        assert_int_equal(X509_check_host(x, "a.example", 0, 0, NULL), 1);
        X509_free(x);
        ERR_clear_error();
    }
}

static void what_was_written_is_read(void **state)
{
    struct cert_tbs read, tbs = full(*state);
    struct cert_sealed sealed;
    assert_ok(cert_tbs_open(fixture_issue(&tbs, "p256", *state), *state, &sealed, &read));
    assert_bytes(read.serial, tbs.serial);
    assert_bytes(read.issuer, tbs.issuer);
    assert_bytes(read.subject, tbs.subject);
    assert_bytes(read.spki, tbs.spki);
    assert_int_equal(read.not_before, tbs.not_before);
    assert_int_equal(read.not_after, tbs.not_after);
    assert_int_equal(read.alg, tbs.alg);
    assert_int_equal(read.ext_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_bytes(read.exts[i].oid, tbs.exts[i].oid);
        assert_bytes(read.exts[i].value, tbs.exts[i].value);
        assert_int_equal(read.exts[i].critical, tbs.exts[i].critical);
    }
    struct view again;
    assert_ok(cert_tbs_write(&read, *state, &again)); /* byte-stable */
    assert_bytes(again, sealed.tbs);
}

static void years_from_2050_are_generalized(void **state)
{
    struct cert_tbs read, tbs = full(*state);
    X509 *x = NULL;
    static const int64_t ends[] = {2524607999, 2524608000, 253402300799};
    static const int types[] = {V_ASN1_UTCTIME, V_ASN1_GENERALIZEDTIME, V_ASN1_GENERALIZEDTIME};
    for (size_t i = 0; i < COUNT(ends); i++) {
        tbs.not_after = ends[i];
        struct view der = fixture_issue(&tbs, "p256", *state);
        assert_ok(cert_tbs_open(der, *state, NULL, &read));
        assert_true(read.not_after == ends[i]);
        x = fixture_x509(der);
        assert_int_equal(X509_get0_notAfter(x)->type, types[i]);
        X509_free(x);
    }
}

static void serials_are_positive_and_minimal(void **state)
{
    static const char *const bad[] = {
        "", "00", "80", "ff01", "0001", "007f01", "010203040506070809101112131415161718192021"};
    static const char *const good[] = {"01", "7f", "0080", "4001020304050607080910111213141516171819"};
    struct cert_tbs tbs = fixture_tbs(*state);
    struct view der;
    for (size_t i = 0; i < COUNT(bad); i++) {
        tbs.serial = fixture_hex(bad[i], *state);
        assert_refused(cert_tbs_write(&tbs, *state, &der), ERR_INTERNAL, "4.1.2.2");
    }
    for (size_t i = 0; i < COUNT(good); i++) {
        tbs.serial = fixture_hex(good[i], *state);
        assert_ok(cert_tbs_write(&tbs, *state, &der));
    }
}

/* One octet string in the tbs replaced by another. */
static struct err *read_changed(const char *from, const char *to, struct arena *arena)
{
    struct cert_tbs read, tbs = full(arena);
    struct view der, a = fixture_hex(from, arena), b = fixture_hex(to, arena);
    assert_ok(cert_tbs_write(&tbs, arena, &der));
    struct view body = view_from(der, 4);
    assert_int_equal(der.p[1], 0x82);
    const uint8_t *at = memmem(body.p, body.n, a.p, a.n);
    assert_non_null(at);
    size_t before = (size_t)(at - body.p);
    struct view parts[] = {view_of(body.p, before), b, view_from(body, before + a.n)};
    return cert_tbs_read(fixture_wrap(0x30, fixture_join(arena, 3, parts), arena), arena, &read);
}

static void other_forms_are_refused(void **state)
{
    static const struct {
        const char *from, *to, *why;
    } rows[] = {
        {"a003020102", "a003020101", "version other than 3"},
        {"a003020102", "", "version other than 3"},
        {"a003020102", "a00402020002", "not minimal"},
        {"021040", "0210c0", "not positive"},
        {"021040", "021000", "not minimal"},
        {"300a06082a8648ce3d040302", "300906072a8648ce3d0401", "SHA-1"},
        {"170d323631313231303030303030"
         "5a",
         "170d3238313132313030303030305a", "before notBefore"},
        {"170d323631313231303030303030"
         "5a",
         "180f32303236313132313030303030305a", "before 2050"},
        {"170d323631313231303030303030"
         "5a",
         "170b323631313231303030305a", "MMDDHHMMSSZ"},
        {"0603551d0f0101ff", "0603551d0f010100", "written out"},
        {"0603551d0f0101ff", "0603551d130101ff", "basicConstraints stands there twice"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err *e = read_changed(rows[i].from, rows[i].to, *state);
        assert_non_null(e);
        if (!strstr(err_detail(e), rows[i].why))
            print_error("row %zu: %s\n", i, err_detail(e));
        assert_non_null(strstr(err_detail(e), rows[i].why));
        err_free(e);
    }
}

static void unique_identifiers_are_refused(void **state)
{
    struct cert_tbs read, tbs = fixture_tbs(*state);
    struct view der;
    assert_ok(cert_tbs_write(&tbs, *state, &der));
    struct view head = view_of(der.p, 3), body = view_from(der, head.n);
    assert_int_equal(der.p[1], 0x81);
    body = fixture_join(*state, 2, (struct view[]){body, fixture_hex("81020001", *state)});
    assert_refused(cert_tbs_read(fixture_wrap(0x30, body, *state), *state, &read), ERR_BAD_DER, "4.1.2.8");
}

static void algorithms_inside_and_outside_must_agree(void **state)
{
    struct cert_tbs tbs = fixture_tbs(*state), read;
    struct view der, cert;
    assert_ok(cert_tbs_write(&tbs, *state, &der));
    assert_ok(cert_seal(der, CERT_ALG_ECDSA_SHA384, view_str("sig"), *state, &cert));
    assert_refused(cert_tbs_open(cert, *state, NULL, &read), ERR_BAD_DER, "4.1.1.2");
}

static void too_large_is_refused(void **state)
{
    struct cert_tbs tbs = fixture_tbs(*state), read;
    struct view der;
    struct cert_ext ext = {.oid = cert_ext_oid(CERT_EXT_SAN),
                           .value = view_of(arena_alloc(*state, LIMIT_TBS_BYTES), LIMIT_TBS_BYTES)};
    tbs.exts = &ext;
    tbs.ext_count = 1;
    assert_refused(cert_tbs_write(&tbs, *state, &der), ERR_TOO_LARGE, "65536");
    assert_refused(cert_tbs_read(view_of(ext.value.p, LIMIT_TBS_BYTES + 1), *state, &read), ERR_TOO_LARGE,
                   "65536");
}

static void cut_or_flipped_never_crashes(void **state)
{
    struct cert_tbs tbs = full(*state);
    struct view der = fixture_issue(&tbs, "p256", *state);
    struct cert_sealed sealed;
    assert_ok(cert_seal_open(der, &sealed));
    for (size_t n = 0; n < der.n; n++) {
        struct cert_tbs read;
        assert_any_error(cert_tbs_open(arena_dup(*state, view_of(der.p, n)), *state, NULL, &read));
    }
    for (size_t bit = 0; bit < sealed.tbs.n * 8; bit++) {
        struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
        struct cert_tbs read;
        struct view again;
        uint8_t *bad = arena_alloc(arena, sealed.tbs.n);
        memcpy(bad, sealed.tbs.p, sealed.tbs.n);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct err *e = cert_tbs_read(view_of(bad, sealed.tbs.n), arena, &read);
        if (!e && read.alg == CERT_ALG_ECDSA_SHA256) { /* what is taken is what would be written */
            assert_ok(cert_tbs_write(&read, arena, &again));
            assert_bytes(again, view_of(bad, sealed.tbs.n));
        }
        err_free(e);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(openssl_verifies_every_algorithm),
        TEST(what_was_written_is_read),
        TEST(years_from_2050_are_generalized),
        TEST(serials_are_positive_and_minimal),
        TEST(other_forms_are_refused),
        TEST(unique_identifiers_are_refused),
        TEST(algorithms_inside_and_outside_must_agree),
        TEST(too_large_is_refused),
        TEST(cut_or_flipped_never_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
