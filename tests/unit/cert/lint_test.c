/* Two readers of one certificate: they agree on ours, and a certificate that only one can read is named. */
#include "fixture.h"

#include "cert/key.h"
#include "cert/lint.h"

static struct cert_tbs full(const char *subject_key, struct arena *arena)
{
    static const char *const texts[] = {"dns:*.a.example",  "ip:10.0.0.1",       "ip:2001:db8::1",
                                        "uri:spiffe://a/b", "email:a@b.example", "upn:a@b.example",
                                        "dir:CN=a,O=b",     "rid:1.2.3",         "other:1.2.3;0c0161"};
    struct cert_tbs tbs = fixture_tbs(arena);
    struct cert_ext *exts = arena_array(arena, 8, sizeof *exts);
    struct cert_san *sans = arena_array(arena, COUNT(texts), sizeof *sans);
    struct view uri = view_str("http://a/x"), oid;
    struct cert_aia aia = {.ocsp = {&uri, 1}, .ca_issuers = {&uri, 1}};
    size_t n = 0;
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_ok(cert_san_of_text(view_str(texts[i]), arena, &sans[i]));
    assert_ok(cert_ext_eku_parse("serverAuth", arena, &oid));
    assert_ok(cert_ext_write_basic((struct cert_basic){true, 3}, true, arena, &exts[n++]));
    assert_ok(cert_ext_write_key_usage(CERT_KU_DIGITAL_SIGNATURE | CERT_KU_DECIPHER_ONLY |
                                           CERT_KU_KEY_AGREEMENT | CERT_KU_KEY_CERT_SIGN,
                                       true, arena, &exts[n++]));
    assert_ok(cert_ext_write_eku((struct cert_views){&oid, 1}, false, arena, &exts[n++]));
    assert_ok(cert_ext_write_san(sans, COUNT(texts), true, arena, &exts[n++]));
    assert_ok(cert_ext_write_ski(view_str("01234567890123456789"), arena, &exts[n++]));
    assert_ok(cert_ext_write_aki(view_str("98765432109876543210"), arena, &exts[n++]));
    assert_ok(cert_ext_write_aia(&aia, arena, &exts[n++]));
    assert_ok(cert_ext_write_cdp((struct cert_views){&uri, 1}, arena, &exts[n++]));
    tbs.spki = fixture_spki(subject_key, arena);
    tbs.exts = exts;
    tbs.ext_count = n;
    return tbs;
}

static void both_readers_agree_on_ours(void **state)
{
    static const char *const subjects[] = {"p256", "p384", "p521", "rsa2048", "ed25519"};
    for (size_t i = 0; i < COUNT(subjects); i++) {
        struct cert_tbs tbs = full(subjects[i], *state);
        assert_ok(cert_lint(fixture_issue(&tbs, "p256", *state), *state));
        tbs.alg = CERT_ALG_PSS_SHA384;
        tbs.not_after = 2524608000;
        tbs.subject = fixture_name("", *state);
        assert_ok(cert_lint(fixture_issue(&tbs, "rsa2048", *state), *state));
        tbs.ext_count = 0;
        assert_ok(cert_lint(fixture_issue(&tbs, "rsa2048", *state), *state));
    }
}

/* Extensions whose value one of the two takes for something else, or not at all. */
static void a_difference_is_named(void **state)
{
    static const struct {
        enum cert_ext_id id;
        const char *hex, *why;
    } rows[] = {
        {CERT_EXT_BASIC_CONSTRAINTS, "3003010100", "basicConstraints"},
        {CERT_EXT_KEY_USAGE, "0303000001", "keyUsage"},
        {CERT_EXT_SAN, "3000", "subjectAltName"},
        {CERT_EXT_SKI, "05", "subjectKeyIdentifier"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_tbs tbs = fixture_tbs(*state);
        struct cert_ext ext = {.oid = cert_ext_oid(rows[i].id), .value = fixture_hex(rows[i].hex, *state)};
        tbs.exts = &ext;
        tbs.ext_count = 1;
        struct err *e = cert_lint(fixture_issue(&tbs, "p256", *state), *state);
        assert_non_null(e);
        assert_non_null(strcasestr(err_detail(e), rows[i].why));
        err_free(e);
    }
}

static void what_is_no_certificate_is_refused(void **state)
{
    struct cert_tbs tbs = fixture_tbs(*state);
    struct view der = fixture_issue(&tbs, "p256", *state);
    assert_any_error(cert_lint(view_of(der.p, der.n - 1), *state));
    tbs.issuer = fixture_hex("3003020101", *state); /* shaped like a Name to us, not to OpenSSL */
    assert_refused(cert_lint(fixture_issue(&tbs, "p256", *state), *state), ERR_CORRUPT,
                   "OpenSSL cannot read it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_readers_agree_on_ours),
        TEST(a_difference_is_named),
        TEST(what_is_no_certificate_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
