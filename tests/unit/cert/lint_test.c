/* Two readers of one certificate: they agree on ours, and a certificate that only one can read is named. */
#include "fixture.h"

#include "cert/ext_access.h"
#include "cert/ext_constraints.h"
#include "cert/ext_custom.h"
#include "cert/ext_microsoft.h"
#include "cert/ext_policy.h"
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

/* One of each that OpenSSL can be asked about, and of those it cannot. */
static struct cert_tbs all_extensions(struct arena *arena)
{
    static const char *const texts[] = {"dns:example", "ip:10.0.0.0/8", "uri:.example", "email:a@b.example",
                                        "dir:O=Acme"};
    struct cert_tbs tbs = fixture_tbs(arena);
    struct cert_ext *exts = arena_array(arena, 16, sizeof *exts);
    struct cert_subtree subtrees[COUNT(texts)];
    struct cert_constraints names = {{subtrees, COUNT(texts)}, {subtrees + 1, 2}};
    struct cert_policy_qualifier qualifiers[] = {{false, view_str("http://a/cps")}, {true, view_str("x")}};
    struct view oid = fixture_hex("2a0304", arena), uri = view_str("http://a/x");
    struct view values[] = {fixture_hex("0c0161", arena), fixture_hex("0500", arena)};
    struct cert_policy policy = {oid, qualifiers, 2};
    struct cert_access access = {.uri = uri};
    struct cert_directory_attr attr = {oid, {values, 2}};
    struct cert_ms_template template = {oid, 100, 3};
    struct cert_tls_features features = {{5, 17}, 2};
    size_t n = 0;
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_ok(cert_ext_subtree_of_text(view_str(texts[i]), arena, &subtrees[i]));
    assert_ok(cert_ext_access_parse("caRepository", arena, &access.method));
    assert_ok(cert_ext_write_constraints(&names, true, arena, &exts[n++]));
    assert_ok(cert_ext_write_policies((struct cert_policies){&policy, 1}, true, arena, &exts[n++]));
    assert_ok(cert_ext_write_policy_constraints((struct cert_policy_constraints){0, 200}, arena, &exts[n++]));
    assert_ok(cert_ext_write_inhibit_any(3, arena, &exts[n++]));
    assert_ok(cert_ext_write_freshest((struct cert_views){&uri, 1}, arena, &exts[n++]));
    assert_ok(cert_ext_write_sia((struct cert_accesses){&access, 1}, arena, &exts[n++]));
    assert_ok(cert_ext_write_tls_features(features, arena, &exts[n++]));
    assert_ok(cert_ext_write_directory((struct cert_directory){&attr, 1}, arena, &exts[n++]));
    assert_ok(cert_ext_write_no_rev_avail(arena, &exts[n++]));
    assert_ok(cert_ext_write_no_check(arena, &exts[n++]));
    assert_ok(cert_ext_write_ms_template_name("User", arena, &exts[n++]));
    assert_ok(cert_ext_write_ms_template(&template, arena, &exts[n++]));
    assert_ok(cert_ext_write_ms_security("S-1-5-21-1-2-3-1104", arena, &exts[n++]));
    assert_ok(cert_ext_write_custom(oid, true, values[0], &exts[n++]));
    tbs.exts = exts;
    tbs.ext_count = n;
    return tbs;
}

static void both_readers_agree_on_every_extension(void **state)
{
    struct cert_tbs tbs = all_extensions(*state);
    assert_ok(cert_lint(fixture_issue(&tbs, "p256", *state), *state));
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
        {CERT_EXT_POLICIES, "3000", "certificatePolicies"},
        {CERT_EXT_NAME_CONSTRAINTS, "3000", "nameConstraints"},
        {CERT_EXT_TLS_FEATURE, "30030a0105", "tlsFeature"},
        {CERT_EXT_CDP, "3000", "cRLDistributionPoints"},
        {CERT_EXT_AIA, "3000", "authorityInfoAccess"},
        {CERT_EXT_NO_REV_AVAIL, "0101ff", "noRevAvail"},
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
        TEST(both_readers_agree_on_every_extension),
        TEST(a_difference_is_named),
        TEST(what_is_no_certificate_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
