/* Lint, rule by rule: a sound certificate breaks none, and each is broken by one change. */
#include "fixture.h"
#include "lint.h"

#include <stdio.h>

#include "cert/name.h"

#define DAY INT64_C(86400)

/* One certificate about to be spoiled: everything in it may be changed. */
struct scene {
    struct fixture *f;
    struct cert_tbs tbs;
    struct cert_ext exts[24];
};

static void scene_init(struct scene *s, struct fixture *f, const char *template)
{
    static const char *const names[] = {"dns:a.example"};
    static const struct templates_rdn cn = {"CN", "a.example"};
    struct templates_request r = fixture_request(f);
    struct templates_shaped shaped;
    struct templates_issuer issuer = f->issuer;
    bool ca = strcmp(template, "root") == 0;
    issuer.not_after = INT64_MAX;
    r.has_subject = true;
    r.has_sans = !ca;
    r.sans = names;
    r.sans_n = 1;
    r.subject = &cn;
    r.subject_n = 1;
    fixture_ok(templates_shape(fixture_template(f, template), &r, &issuer, f->arena, &shaped));
    s->f = f;
    s->tbs = *shaped.tbs;
    memcpy(s->exts, s->tbs.exts, s->tbs.ext_count * sizeof(s->exts[0]));
    s->tbs.exts = s->exts;
}

static struct cert_ext *ext(struct scene *s, enum cert_ext_id id)
{
    struct cert_ext *at = (struct cert_ext *)cert_tbs_ext(&s->tbs, id);
    assert_non_null(at);
    return at;
}

static void drop(struct scene *s, enum cert_ext_id id)
{
    struct cert_ext *at = ext(s, id);
    *at = s->exts[--s->tbs.ext_count];
}

static void flip(struct scene *s, enum cert_ext_id id)
{
    ext(s, id)->critical = !ext(s, id)->critical;
}

static void raw(struct scene *s, enum cert_ext_id id, bool critical, const char *value, size_t n)
{
    s->exts[s->tbs.ext_count++] = (struct cert_ext){cert_ext_oid(id), critical, view_of(value, n)};
}

static void usage(struct scene *s, unsigned mask)
{
    drop(s, CERT_EXT_KEY_USAGE);
    fixture_ok(cert_ext_write_key_usage(mask, true, s->f->arena, &s->exts[s->tbs.ext_count++]));
}

static void eku(struct scene *s, const char *a, const char *b, bool critical)
{
    struct view oids[2];
    drop(s, CERT_EXT_EXT_KEY_USAGE);
    fixture_ok(cert_ext_eku_parse(a, s->f->arena, &oids[0]));
    if (b)
        fixture_ok(cert_ext_eku_parse(b, s->f->arena, &oids[1]));
    fixture_ok(cert_ext_write_eku((struct cert_views){oids, b ? 2 : 1}, critical, s->f->arena,
                                  &s->exts[s->tbs.ext_count++]));
}

static void key(struct scene *s, const char *kind)
{
    EVP_PKEY *pkey = fixture_key(kind);
    s->tbs.spki = fixture_spki(s->f->arena, pkey);
    EVP_PKEY_free(pkey);
}

static void sans(struct scene *s, const char *text)
{
    struct cert_san san;
    drop(s, CERT_EXT_SAN);
    fixture_ok(cert_san_of_text(view_str(text), s->f->arena, &san));
    fixture_ok(cert_ext_write_san(&san, 1, false, s->f->arena, &s->exts[s->tbs.ext_count++]));
}

static void basic(struct scene *s, bool ca, int path_len)
{
    drop(s, CERT_EXT_BASIC_CONSTRAINTS);
    fixture_ok(cert_ext_write_basic((struct cert_basic){ca, path_len}, true, s->f->arena,
                                    &s->exts[s->tbs.ext_count++]));
}

/* --- the breaches --- */

static void twice(struct scene *s)
{
    s->exts[s->tbs.ext_count++] = *ext(s, CERT_EXT_SKI);
}
static void unreadable_usage(struct scene *s)
{
    ext(s, CERT_EXT_KEY_USAGE)->value = view_str("\x03\x01");
}
static void unreadable_policies(struct scene *s)
{
    raw(s, CERT_EXT_POLICIES, false, "\x30\x00", 2);
}
static void unreadable_custom(struct scene *s)
{
    s->exts[s->tbs.ext_count++] = (struct cert_ext){view_str("\x2a\x03\x04"), false, view_str("text")};
}
static void over_at_once(struct scene *s)
{
    s->tbs.not_after = s->tbs.not_before;
}
static void short_serial(struct scene *s)
{
    s->tbs.serial.n = 7;
}
static void no_issuer(struct scene *s)
{
    s->tbs.issuer = view_of("\x30\x00", 2);
}
static void no_subject(struct scene *s)
{
    s->tbs.subject = view_of("\x30\x00", 2);
}
static void no_names(struct scene *s)
{
    no_subject(s);
    drop(s, CERT_EXT_SAN);
}
static void no_aki(struct scene *s)
{
    drop(s, CERT_EXT_AKI);
}
static void no_ski(struct scene *s)
{
    drop(s, CERT_EXT_SKI);
}
static void ski_critical(struct scene *s)
{
    flip(s, CERT_EXT_SKI);
}
static void constraints_not_critical(struct scene *s)
{
    raw(s, CERT_EXT_POLICY_CONSTRAINTS, false, "\x30\x03\x80\x01\x00", 5);
}
static void constraints_in_leaf(struct scene *s)
{
    raw(s, CERT_EXT_POLICY_CONSTRAINTS, true, "\x30\x03\x80\x01\x00", 5);
}
static void basic_not_critical(struct scene *s)
{
    flip(s, CERT_EXT_BASIC_CONSTRAINTS);
}
static void path_len_no_sign(struct scene *s)
{
    usage(s, CERT_KU_CRL_SIGN);
}
static void leaf_signs(struct scene *s)
{
    usage(s, CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_CERT_SIGN);
}
static void ca_no_usage(struct scene *s)
{
    basic(s, true, -1);
    drop(s, CERT_EXT_KEY_USAGE);
}
static void usage_not_critical(struct scene *s)
{
    flip(s, CERT_EXT_KEY_USAGE);
}
static void only_encipher(struct scene *s)
{
    usage(s, CERT_KU_DIGITAL_SIGNATURE | CERT_KU_ENCIPHER_ONLY);
}
static void ec_enciphers(struct scene *s)
{
    usage(s, CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_ENCIPHERMENT);
}
static void rsa_agrees(struct scene *s)
{
    key(s, "rsa-2048");
    usage(s, CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_AGREEMENT);
}
static void ed_agrees(struct scene *s)
{
    key(s, "ed25519");
    usage(s, CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_AGREEMENT);
}
static void server_commits(struct scene *s)
{
    usage(s, CERT_KU_CONTENT_COMMITMENT);
}
static void any_critical(struct scene *s)
{
    eku(s, "anyExtendedKeyUsage", NULL, true);
}
static void stamping_and_more(struct scene *s)
{
    eku(s, "timeStamping", "codeSigning", true);
}
static void stamping_not_critical(struct scene *s)
{
    eku(s, "timeStamping", NULL, false);
}
static void responder_unsaid(struct scene *s)
{
    eku(s, "OCSPSigning", NULL, false);
    drop(s, CERT_EXT_AIA);
    drop(s, CERT_EXT_CDP);
}
static void never_revoked_with_list(struct scene *s)
{
    raw(s, CERT_EXT_NO_REV_AVAIL, false, "\x05\x00", 2);
}
static void never_revoked_ca(struct scene *s)
{
    raw(s, CERT_EXT_NO_REV_AVAIL, false, "\x05\x00", 2);
}
static void cdp_critical(struct scene *s)
{
    flip(s, CERT_EXT_CDP);
}
static void custom_critical(struct scene *s)
{
    s->exts[s->tbs.ext_count++] = (struct cert_ext){view_str("\x2a\x03\x04"), true, view_of("\x05\x00", 2)};
}
static void long_tls(struct scene *s)
{
    s->tbs.not_after = s->tbs.not_before + 398 * DAY + 1;
}
static void tls_email(struct scene *s)
{
    sans(s, "email:a@a.example");
}
static void tls_other_cn(struct scene *s)
{
    sans(s, "dns:b.example");
}
static void tls_signs_code(struct scene *s)
{
    eku(s, "serverAuth", "codeSigning", false);
}

static const struct breach {
    const char *rule, *template;
    void (*commit)(struct scene *s);
} breaches[] = {
    {"extension-twice", "server", twice},
    {"extension-form", "server", unreadable_usage},
    {"extension-form", "server", unreadable_policies},
    {"extension-form", "server", unreadable_custom},
    {"validity-order", "server", over_at_once},
    {"serial-length", "server", short_serial},
    {"issuer-empty", "server", no_issuer},
    {"ca-subject", "root", no_subject},
    {"san-critical", "server", no_subject},
    {"san-critical", "server", no_names},
    {"aki-missing", "server", no_aki},
    {"ca-ski-missing", "root", no_ski},
    {"never-critical", "server", ski_critical},
    {"always-critical", "root", constraints_not_critical},
    {"ca-only", "server", constraints_in_leaf},
    {"ca-basic-critical", "root", basic_not_critical},
    {"path-len", "root", path_len_no_sign},
    {"cert-sign", "server", leaf_signs},
    {"ca-key-usage", "root", ca_no_usage},
    {"key-usage-critical", "server", usage_not_critical},
    {"encipher-only", "server", only_encipher},
    {"ec-encipherment", "server", ec_enciphers},
    {"rsa-agreement", "server", rsa_agrees},
    {"ed25519-usage", "server", ed_agrees},
    {"eku-key-usage", "server", server_commits},
    {"eku-any-critical", "server", any_critical},
    {"time-stamping", "server", stamping_and_more},
    {"time-stamping", "server", stamping_not_critical},
    {"ocsp-no-check", "server", responder_unsaid},
    {"no-rev-avail", "server", never_revoked_with_list},
    {"no-rev-avail", "root", never_revoked_ca},
    {"crl-critical", "server", cdp_critical},
    {"unknown-critical", "server", custom_critical},
    {"tls-life", "server", long_tls},
    {"tls-names", "server", tls_email},
    {"tls-common-name", "server", tls_other_cn},
    {"tls-uses", "server", tls_signs_code},
};
enum { BREACHES = sizeof(breaches) / sizeof(breaches[0]) };

static bool breaks(const struct scene *s, const char *rule, bool baseline)
{
    const struct templates_lint *found;
    size_t n;
    templates_lint(&s->tbs, baseline, s->f->arena, &found, &n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(found[i].rule, rule) == 0)
            return strlen(found[i].section) > 0 && strlen(found[i].text) > 0;
    }
    return false;
}

static void each_rule_sees_its_breach(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    for (size_t i = 0; i < BREACHES; i++) {
        struct scene s;
        scene_init(&s, f, breaches[i].template);
        assert_false(breaks(&s, breaches[i].rule, true));
        breaches[i].commit(&s);
        if (!breaks(&s, breaches[i].rule, true))
            print_error("%s does not see case %zu\n", breaches[i].rule, i);
        assert_true(breaks(&s, breaches[i].rule, true));
        assert_int_equal(breaks(&s, breaches[i].rule, false), strncmp(breaches[i].rule, "tls-", 4) != 0);
    }
    fixture_free(f);
}

static void no_rule_is_without_a_breach(void **state)
{
    (void)state;
    for (size_t r = 0; r < lint_rows_count(); r++) {
        bool found = false;
        for (size_t i = 0; i < BREACHES; i++)
            found |= strcmp(breaches[i].rule, lint_rows[r].name) == 0;
        if (!found)
            print_error("no breach of %s\n", lint_rows[r].name);
        assert_true(found);
    }
}

static void what_the_builtin_templates_give_is_clean(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct scene s;
    const struct templates_lint *found;
    size_t n;
    static const char *const names[] = {"server", "self", "root"};
    for (size_t i = 0; i < 3; i++) {
        scene_init(&s, f, names[i]);
        templates_lint(&s.tbs, false, f->arena, &found, &n);
        for (size_t k = 0; k < n; k++)
            print_error("%s: %s: %s\n", names[i], found[k].rule, found[k].text);
        assert_int_equal(n, 0);
    }
    fixture_free(f);
}

static struct err *shape_tls(struct fixture *f, const char *yaml, struct templates_shaped *shaped)
{
    struct templates *set = NULL;
    static const char *const names[] = {"dns:a.example"};
    struct templates_request r = fixture_request(f);
    r.has_sans = true;
    r.sans = names;
    r.sans_n = 1;
    fixture_ok(fixture_load_overriding(yaml, &set));
    struct err *e = templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, shaped);
    templates_free(set);
    return e;
}

#define TLS                                                                                                  \
    "validity: {default: 500d, max: 500d}\nsans: {kinds: [dns]}\n"                                           \
    "extended_key_usage: {usages: [serverAuth]}\n"

static void errors_refuse_and_warnings_go_along(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct templates_shaped shaped;
    fixture_refused(shape_tls(f, TLS "baseline: true\n", &shaped), ERR_POLICY,
                    "lint: tls-life: more than 398");
    fixture_ok(shape_tls(f, TLS, &shaped));
    assert_int_equal(shaped.lints_n, 0);
    fixture_ok(shape_tls(f, TLS "key_usage: {usages: [digitalSignature], critical: false}\n", &shaped));
    assert_int_equal(shaped.lints_n, 1);
    assert_string_equal(shaped.lints[0].rule, "key-usage-critical");
    assert_string_equal(templates_severity_name(shaped.lints[0].severity), "warning");
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_sees_its_breach),
        cmocka_unit_test(no_rule_is_without_a_breach),
        cmocka_unit_test(what_the_builtin_templates_give_is_clean),
        cmocka_unit_test(errors_refuse_and_warnings_go_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
