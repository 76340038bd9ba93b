/*
 * The judge, rule by rule. For each breach: untouched, the bytes pass; touched, this very rule refuses them;
 * and with the rule left out they pass again, so nothing else would have caught it. No rule is without a
 * breach.
 */
#include "fixture.h"

#include <stdio.h>

#include "cert/ext.h"
#include "cert/ext_microsoft.h"
#include "cert/name.h"
#include "judge.h"

#define DAY INT64_C(86400)

/* Every field that a rule keeps, set to something. */
static const char *const strict =
    "issuers: [issuing]\n"
    "validity: {default: 1d, max: 10d, backdate: 10m, until: '2026-11-29T00:00:00Z'}\n"
    "keys: {allow: [rsa, p256], rsa_min: 3072, rsa_max: 4096}\n"
    "subject:\n"
    "  fixed: {O: Example}\n"
    "  allow: [CN, OU]\n"
    "  require: [CN]\n"
    "  patterns: {OU: ['team-*']}\n"
    "sans:\n"
    "  kinds: [dns, ip]\n"
    "  min: 2\n"
    "  max: 3\n"
    "  allow: ['**.example', '10.0.0.0/8']\n"
    "  deny: ['db.example']\n"
    "key_usage: {usages: [digitalSignature], rsa: [keyEncipherment]}\n"
    "extended_key_usage: {usages: [serverAuth]}\n";

/* As little as can be: what a breach takes away must not be missed for another reason. */
static const char *const loose = "issuers: [issuing]\n"
                                 "validity: {default: 1d, max: 10d}\n"
                                 "subject: {allow: [CN], cn: free}\n"
                                 "sans: {kinds: [dns]}\n"
                                 "extended_key_usage: {usages: [clientAuth]}\n"
                                 "basic_constraints: {present: false}\n"
                                 "pointers: {ocsp: false, issuer: false, crl: false}\n";

/* What a template's own condition says of the bytes. */
static const char *const conditional = "validity: {default: 1d, max: 10d}\n"
                                       "subject: {allow: [CN], cn: free}\n"
                                       "sans: {kinds: [dns]}\n"
                                       "extended_key_usage: {usages: [clientAuth]}\n"
                                       "conditions: [{that: size(cert.sans) == 2, else: two names}]\n";

/* A danger that is meant for one second more. */
static const char *const ending =
    "overrides: {wildcard-client: {reason: it is meant, until: '2026-11-21T06:20:01Z'}}\n"
    "validity: {default: 1d, max: 10d}\n"
    "subject: {allow: [CN], cn: free}\n"
    "sans: {kinds: [dns], wildcard: true}\n"
    "extended_key_usage: {usages: [clientAuth]}\n";

/* Where the asker has a say. */
static const char *const asked = "issuers: [issuing]\n"
                                 "validity: {default: 1d, max: 10d}\n"
                                 "subject: {allow: [CN], cn: free}\n"
                                 "sans: {kinds: [dns], wildcard: true, wildcard_labels: 2}\n"
                                 "key_usage: {from: [csr], allow: [digitalSignature]}\n"
                                 "extended_key_usage: {from: [request, csr], allow: [clientAuth]}\n"
                                 "pointers: {crl_from: [csr, issuer]}\n"
                                 "custom:\n"
                                 "  values: [{oid: 1.2.3.7, value: 'utf8:x'}]\n"
                                 "  from: [csr]\n"
                                 "  allow: [1.2.3.5]\n";

/* All that can lie ready in a template; what belongs to CAs below. */
static const char *const full =
    "validity: {default: 1d, max: 10d}\n"
    "subject: {allow: [CN], cn: free}\n"
    "sans: {kinds: [dns]}\n"
    "extended_key_usage: {usages: [serverAuth]}\n"
    "policies: {values: [{oid: 1.2.3, cps: ['https://a.example/cps']}]}\n"
    "pointers: {freshest_crl: ['http://a.example/d.crl']}\n"
    "info_access: {values: [{method: timeStamping, uri: 'http://a.example/t'}]}\n"
    "tls_feature: {features: [status_request]}\n"
    "directory: {values: {countryOfCitizenship: ['printable:DE']}}\n"
    "microsoft: {template_name: Web, template_oid: 1.3.6.1.4.1.311.21.8.1, major: 1,\n"
    "  sid: S-1-5-21-1-2-3-1104}\n";

static const char *const constrained = "internal: true\n"
                                       "validity: {default: 1d, max: 10d}\n"
                                       "subject: {allow: [CN], require: [CN], cn: free}\n"
                                       "sans: {kinds: [dns]}\n"
                                       "key_usage: {usages: [keyCertSign]}\n"
                                       "basic_constraints: {ca: true}\n"
                                       "policy_constraints: {require_explicit: 0, inhibit_any: 1}\n"
                                       "name_constraints: {permitted: ['dns:example.a']}\n";

/* One certificate about to be spoiled: everything in it may be changed. */
struct scene {
    struct fixture *f;
    const struct template *t;
    struct templates_issuer issuer;
    struct cert_tbs tbs;
    struct cert_ext exts[16];
    int64_t now;
};

static struct cert_ext *ext(struct scene *s, enum cert_ext_id id)
{
    return (struct cert_ext *)cert_tbs_ext(&s->tbs, id);
}

static void drop(struct scene *s, enum cert_ext_id id)
{
    struct cert_ext *at = ext(s, id);
    assert_non_null(at);
    *at = s->exts[--s->tbs.ext_count];
}

static void flip(struct scene *s, enum cert_ext_id id)
{
    ext(s, id)->critical = !ext(s, id)->critical;
}

static void put(struct scene *s, struct cert_ext new)
{
    enum cert_ext_id id = cert_ext_id_of(new.oid);
    struct cert_ext *at = id < CERT_EXT__COUNT ? ext(s, id) : NULL;
    *(at ? at : &s->exts[s->tbs.ext_count++]) = new;
}

static void subject(struct scene *s, const struct cert_name_part *parts, size_t n)
{
    fixture_ok(cert_name_write(parts, n, s->f->arena, &s->tbs.subject));
}

#define SUBJECT(s, ...)                                                                                      \
    subject((s), (struct cert_name_part[]){__VA_ARGS__},                                                     \
            sizeof((struct cert_name_part[]){__VA_ARGS__}) / sizeof(struct cert_name_part))

static void sans(struct scene *s, const char *const *texts, size_t n)
{
    struct cert_san list[8];
    struct cert_ext new;
    for (size_t i = 0; i < n; i++)
        fixture_ok(cert_san_of_text(view_str(texts[i]), s->f->arena, &list[i]));
    fixture_ok(cert_ext_write_san(list, n, s->tbs.subject.n == 2, s->f->arena, &new));
    put(s, new);
}

#define SANS(s, ...)                                                                                         \
    sans((s), (const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *))

/* Another key, and the subjectKeyIdentifier and keyUsage that go with it. */
static void key(struct scene *s, const char *kind)
{
    struct cert_key k;
    uint8_t id[SHA1_BYTES];
    struct cert_ext new;
    EVP_PKEY *pkey = fixture_key(kind);
    s->tbs.spki = fixture_spki(s->f->arena, pkey);
    EVP_PKEY_free(pkey);
    fixture_ok(cert_key_parse(s->tbs.spki, &k));
    cert_key_sha1(&k, id);
    fixture_ok(cert_ext_write_ski(view_of(id, sizeof(id)), s->f->arena, &new));
    put(s, new);
    unsigned mask = CERT_KU_DIGITAL_SIGNATURE | (k.kind == CERT_KEY_RSA ? CERT_KU_KEY_ENCIPHERMENT : 0);
    fixture_ok(cert_ext_write_key_usage(mask, true, s->f->arena, &new));
    put(s, new);
}

static void raw_ext(struct scene *s, enum cert_ext_id id, const char *value, size_t n)
{
    put(s, (struct cert_ext){cert_ext_oid(id), false, view_of(value, n)});
}

/* --- the breaches --- */

static void other_issuer_name(struct scene *s)
{
    struct cert_name_part part = {"CN", "Another CA"};
    fixture_ok(cert_name_write(&part, 1, s->f->arena, &s->tbs.issuer));
}
static void issuer_not_listed(struct scene *s)
{
    s->issuer.name = "second";
}
static void other_algorithm(struct scene *s)
{
    s->tbs.alg = CERT_ALG_ECDSA_SHA384;
}
static void begins_ahead(struct scene *s)
{
    s->tbs.not_before = s->now + 1;
}
static void begins_too_early(struct scene *s)
{
    s->tbs.not_before = s->now - 600 - TEMPLATES_SLACK_S - 1;
}
static void is_over(struct scene *s)
{
    s->tbs.not_after = s->now;
}
static void lives_too_long(struct scene *s)
{
    s->tbs.not_after = s->now + 10 * DAY + 1;
}
static void past_the_end(struct scene *s)
{
    s->tbs.not_after = s->now + 9 * DAY;
}
static void time_passes(struct scene *s)
{
    s->now += 60;
}
static void begins_before_its_issuer(struct scene *s)
{
    s->issuer.not_before = s->tbs.not_before + 1;
}
static void outlives_its_issuer(struct scene *s)
{
    s->issuer.not_after = s->tbs.not_after - 1;
}
static void key_kind(struct scene *s)
{
    key(s, "ed25519");
}
static void key_small(struct scene *s)
{
    key(s, "rsa-2048");
}
static void key_large(struct scene *s)
{
    key(s, "rsa-4104");
}
static void subject_order(struct scene *s)
{
    SUBJECT(s, {"CN", "a.example"}, {"O", "Example"});
}
static void subject_string_type(struct scene *s)
{
    /* O=Example as UTF8String, CN=a.example as PrintableString. */
    static const char der[] = "\x30\x26\x31\x10\x30\x0e\x06\x03\x55\x04\x0a\x0c\x07"
                              "Example\x31\x12\x30\x10\x06\x03\x55\x04\x03\x13\x09"
                              "a.example";
    s->tbs.subject = view_of(der, sizeof(der) - 1);
}
static void subject_two_in_one(struct scene *s)
{
    /* One RDN of CN=a.example and O=Example. */
    static const char der[] = "\x30\x24\x31\x22\x30\x0e\x06\x03\x55\x04\x0a\x0c\x07"
                              "Example\x30\x10\x06\x03\x55\x04\x03\x0c\x09"
                              "a.example";
    s->tbs.subject = view_of(der, sizeof(der) - 1);
}
static void subject_more(struct scene *s)
{
    SUBJECT(s, {"L", "Berlin"}, {"O", "Example"}, {"CN", "a.example"});
}
static void subject_twice(struct scene *s)
{
    SUBJECT(s, {"O", "Example"}, {"CN", "a.example"}, {"CN", "b.example"});
}
static void subject_other_fixed(struct scene *s)
{
    SUBJECT(s, {"O", "Evil"}, {"CN", "a.example"});
}
static void subject_no_fixed(struct scene *s)
{
    SUBJECT(s, {"CN", "a.example"});
}
static void subject_no_cn(struct scene *s)
{
    SUBJECT(s, {"O", "Example"});
}
static void subject_pattern(struct scene *s)
{
    SUBJECT(s, {"O", "Example"}, {"OU", "Team 7"}, {"CN", "a.example"});
}
static void subject_other_cn(struct scene *s)
{
    SUBJECT(s, {"O", "Example"}, {"CN", "c.example"});
}
static void names_nobody(struct scene *s)
{
    s->tbs.subject = view_of("\x30\x00", 2);
    drop(s, CERT_EXT_SAN);
}
static void san_kind(struct scene *s)
{
    SANS(s, "dns:a.example", "email:ann@a.example");
}
static void san_other(struct scene *s)
{
    /* GeneralNames { dNSName a.example, otherName of type 1.2.3.4 with "xyz" } */
    static const char der[] = "\x30\x19\x82\x09"
                              "a.example\xa0\x0c\x06\x03\x2a\x03\x04\xa0\x05\x0c\x03"
                              "xyz";
    raw_ext(s, CERT_EXT_SAN, der, sizeof(der) - 1);
}
static void san_few(struct scene *s)
{
    SANS(s, "dns:a.example");
}
static void san_many(struct scene *s)
{
    SANS(s, "dns:a.example", "dns:b.example", "dns:c.example", "dns:d.example");
}
static void san_twice(struct scene *s)
{
    SANS(s, "dns:a.example", "dns:a.example");
}
static void san_wildcard(struct scene *s)
{
    SANS(s, "dns:a.example", "dns:*.b.example");
}
static void san_wide(struct scene *s)
{
    SANS(s, "dns:*.example");
}
static void san_outside(struct scene *s)
{
    SANS(s, "dns:a.example", "dns:a.example.org");
}
static void san_outside_ip(struct scene *s)
{
    SANS(s, "dns:a.example", "ip:11.0.0.1");
}
static void san_denied(struct scene *s)
{
    SANS(s, "dns:a.example", "dns:db.example");
}
static void san_upper_case(struct scene *s)
{
    static const char der[] = "\x30\x16\x82\x09"
                              "A.EXAMPLE\x82\x09"
                              "b.example";
    raw_ext(s, CERT_EXT_SAN, der, sizeof(der) - 1);
}
static void san_critical(struct scene *s)
{
    flip(s, CERT_EXT_SAN);
}
static void ku_gone(struct scene *s)
{
    drop(s, CERT_EXT_KEY_USAGE);
}
static void ku_not_critical(struct scene *s)
{
    flip(s, CERT_EXT_KEY_USAGE);
}
static void ku_bits(struct scene *s, unsigned mask)
{
    struct cert_ext new;
    fixture_ok(cert_ext_write_key_usage(mask, true, s->f->arena, &new));
    put(s, new);
}
static void ku_cert_sign(struct scene *s)
{
    ku_bits(s, CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_CERT_SIGN);
}
static void ku_of_rsa(struct scene *s)
{
    ku_bits(s, CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_ENCIPHERMENT);
}
static void ku_unwanted(struct scene *s)
{
    ku_bits(s, CERT_KU_DIGITAL_SIGNATURE);
}
static void eku_of(struct scene *s, const char *name)
{
    struct view oid;
    struct cert_ext new;
    fixture_ok(cert_ext_eku_parse(name, s->f->arena, &oid));
    fixture_ok(cert_ext_write_eku((struct cert_views){&oid, 1}, false, s->f->arena, &new));
    put(s, new);
}
static void eku_ocsp(struct scene *s)
{
    eku_of(s, "OCSPSigning");
}
static void eku_gone(struct scene *s)
{
    drop(s, CERT_EXT_EXT_KEY_USAGE);
}
static void eku_critical(struct scene *s)
{
    flip(s, CERT_EXT_EXT_KEY_USAGE);
}
static void basic_ca(struct scene *s)
{
    struct cert_ext new;
    fixture_ok(cert_ext_write_basic((struct cert_basic){true, -1}, true, s->f->arena, &new));
    put(s, new);
}
static void basic_gone(struct scene *s)
{
    drop(s, CERT_EXT_BASIC_CONSTRAINTS);
}
static void basic_not_critical(struct scene *s)
{
    flip(s, CERT_EXT_BASIC_CONSTRAINTS);
}
static void ski_other(struct scene *s)
{
    struct cert_ext new;
    fixture_ok(cert_ext_write_ski(s->issuer.key_id, s->f->arena, &new));
    put(s, new);
}
static void ski_gone(struct scene *s)
{
    drop(s, CERT_EXT_SKI);
}
static void aki_other(struct scene *s)
{
    struct cert_ext new;
    fixture_ok(cert_ext_write_aki(view_str("somebody else's key"), s->f->arena, &new));
    put(s, new);
}
static void aki_gone(struct scene *s)
{
    drop(s, CERT_EXT_AKI);
}
static void aia_of(struct scene *s, const char *ocsp, const char *ca)
{
    struct view a = view_str(ocsp), b = view_str(ca);
    struct cert_aia aia = {{&a, 1}, {&b, 1}};
    struct cert_ext new;
    fixture_ok(cert_ext_write_aia(&aia, s->f->arena, &new));
    put(s, new);
}
static void aia_elsewhere(struct scene *s)
{
    aia_of(s, "http://evil.test/ocsp/issuing",
           templates_issuer_url(&s->issuer, TEMPLATES_URL_CA, s->f->arena));
}
static void aia_gone(struct scene *s)
{
    drop(s, CERT_EXT_AIA);
}
static void aia_unwanted(struct scene *s)
{
    aia_of(s, templates_issuer_url(&s->issuer, TEMPLATES_URL_OCSP, s->f->arena),
           templates_issuer_url(&s->issuer, TEMPLATES_URL_CA, s->f->arena));
}
static void cdp_elsewhere(struct scene *s)
{
    struct view url = view_str("http://evil.test/crl/issuing.crl");
    struct cert_ext new;
    fixture_ok(cert_ext_write_cdp((struct cert_views){&url, 1}, s->f->arena, &new));
    put(s, new);
}
static void cdp_gone(struct scene *s)
{
    drop(s, CERT_EXT_CDP);
}
static void no_check(struct scene *s)
{
    struct cert_ext new;
    fixture_ok(cert_ext_write_no_check(s->f->arena, &new));
    put(s, new);
}
static void name_constraints(struct scene *s)
{
    raw_ext(s, CERT_EXT_NAME_CONSTRAINTS, "\x30\x00", 2);
}
static void policies(struct scene *s)
{
    raw_ext(s, CERT_EXT_POLICIES, "\x30\x07\x30\x05\x06\x03\x2a\x03\x04", 9);
}
static void unknown_ext(struct scene *s)
{
    put(s, (struct cert_ext){view_of("\x2a\x03\x04", 3), true, view_of("\x05\x00", 2)});
}

static void ku_asked(struct scene *s)
{
    ku_bits(s, CERT_KU_KEY_AGREEMENT);
}
static void ku_asked_ca(struct scene *s)
{
    ku_bits(s, CERT_KU_DIGITAL_SIGNATURE | CERT_KU_CRL_SIGN);
}
static void eku_server(struct scene *s)
{
    eku_of(s, "serverAuth");
}
static void eku_any(struct scene *s)
{
    eku_of(s, "anyExtendedKeyUsage");
}
static void cdp_no_uri(struct scene *s)
{
    raw_ext(s, CERT_EXT_CDP, "\x30\x00", 2);
}
static struct cert_ext *custom(struct scene *s)
{
    for (size_t i = 0; i < s->tbs.ext_count; i++) {
        if (view_eq_str(s->exts[i].oid, "\x2a\x03\x07"))
            return &s->exts[i];
    }
    fail();
    return NULL;
}
static void custom_gone(struct scene *s)
{
    struct cert_ext *at = custom(s);
    *at = s->exts[--s->tbs.ext_count];
}
static void custom_changed(struct scene *s)
{
    custom(s)->value = view_str("\x0c\x01y");
}
static void custom_critical(struct scene *s)
{
    custom(s)->critical = true;
}

#define GONE(name, id)                                                                                       \
    static void name##_gone(struct scene *s)                                                                 \
    {                                                                                                        \
        drop(s, id);                                                                                         \
    }                                                                                                        \
    static void name##_changed(struct scene *s)                                                              \
    {                                                                                                        \
        ext(s, id)->value = view_str("\x30\x03\x02\x01\x07");                                                \
    }
GONE(policies, CERT_EXT_POLICIES)
GONE(freshest, CERT_EXT_FRESHEST_CRL)
GONE(info_access, CERT_EXT_SIA)
GONE(tls_feature, CERT_EXT_TLS_FEATURE)
GONE(directory, CERT_EXT_SUBJECT_DIRECTORY)
GONE(ms_name, CERT_EXT_MS_TEMPLATE_NAME)
GONE(ms_template, CERT_EXT_MS_TEMPLATE)
GONE(ms_sid, CERT_EXT_MS_SECURITY)
GONE(policy_constraints, CERT_EXT_POLICY_CONSTRAINTS)
GONE(inhibit_any, CERT_EXT_INHIBIT_ANY_POLICY)
GONE(name_constraints, CERT_EXT_NAME_CONSTRAINTS)
static void never_revoked(struct scene *s)
{
    raw_ext(s, CERT_EXT_NO_REV_AVAIL, "\x05\x00", 2);
}
static void other_sid(struct scene *s)
{
    struct cert_ext new;
    fixture_ok(cert_ext_write_ms_security("S-1-5-21-1-2-3-500", s->f->arena, &new));
    put(s, new);
}

static const struct breach {
    const char *rule;
    const char *const *yaml;
    void (*commit)(struct scene *s);
    bool shared; /* another rule would see it too: no control without this one */
} breaches[] = {
    {"issuer.name", &strict, other_issuer_name, false},
    {"issuer.allowed", &loose, issuer_not_listed, false},
    {"issuer.algorithm", &strict, other_algorithm, false},
    {"overrides", &ending, time_passes, false},
    {"validity.not_before", &strict, begins_ahead, false},
    {"validity.backdate", &strict, begins_too_early, false},
    {"validity.over", &strict, is_over, false},
    {"validity.max", &loose, lives_too_long, false},
    {"validity.until", &strict, past_the_end, false},
    {"validity.issuer_start", &strict, begins_before_its_issuer, false},
    {"validity.issuer_end", &strict, outlives_its_issuer, false},
    {"keys.allow", &strict, key_kind, false},
    {"keys.rsa_min", &strict, key_small, false},
    {"keys.rsa_max", &strict, key_large, false},
    {"subject.form", &strict, subject_order, false},
    {"subject.form", &strict, subject_string_type, false},
    {"subject.form", &strict, subject_two_in_one, false},
    {"subject.allow", &strict, subject_more, false},
    {"subject.once", &strict, subject_twice, false},
    {"subject.fixed", &strict, subject_other_fixed, false},
    {"subject.fixed", &strict, subject_no_fixed, false},
    {"subject.require", &strict, subject_no_cn, false},
    {"subject.patterns", &strict, subject_pattern, false},
    {"subject.cn", &strict, subject_other_cn, false},
    {"subject.named", &loose, names_nobody, false},
    {"sans.kinds", &loose, san_kind, false},
    {"sans.kinds", &strict, san_kind, true}, /* no pattern allows a kind that is not listed */
    {"sans.kinds", &strict, san_other, true},
    {"sans.min", &strict, san_few, false},
    {"sans.max", &strict, san_many, false},
    {"sans.unique", &strict, san_twice, false},
    {"sans.wildcard", &strict, san_wildcard, false},
    {"sans.wildcard_labels", &asked, san_wide, false},
    {"sans.allow", &strict, san_outside, false},
    {"sans.allow", &strict, san_outside_ip, false},
    {"sans.deny", &strict, san_denied, false},
    {"subject_alt_name", &strict, san_upper_case, false},
    {"subject_alt_name", &strict, san_critical, false},
    {"key_usage", &strict, ku_gone, false},
    {"key_usage", &strict, ku_not_critical, false},
    {"key_usage", &strict, ku_cert_sign, false},
    {"key_usage", &strict, ku_of_rsa, false},
    {"key_usage", &loose, ku_unwanted, false},
    {"extended_key_usage", &strict, eku_ocsp, false},
    {"extended_key_usage", &strict, eku_gone, false},
    {"extended_key_usage", &strict, eku_critical, false},
    {"basic_constraints", &strict, basic_ca, false},
    {"basic_constraints", &loose, basic_ca, false},
    {"basic_constraints", &strict, basic_gone, false},
    {"basic_constraints", &strict, basic_not_critical, false},
    {"subject_key_id", &strict, ski_other, false},
    {"subject_key_id", &strict, ski_gone, false},
    {"authority_key_id", &strict, aki_other, false},
    {"authority_key_id", &strict, aki_gone, false},
    {"authority_info_access", &strict, aia_elsewhere, false},
    {"authority_info_access", &strict, aia_gone, false},
    {"authority_info_access", &loose, aia_unwanted, false},
    {"crl_distribution_points", &strict, cdp_elsewhere, false},
    {"crl_distribution_points", &strict, cdp_gone, false},
    {"ocsp_nocheck", &strict, no_check, false},
    {"name_constraints", &strict, name_constraints, false},
    {"extensions", &strict, unknown_ext, false},
    {"policies", &full, policies_gone, false},
    {"policies", &full, policies_changed, false},
    {"freshest_crl", &full, freshest_gone, false},
    {"freshest_crl", &full, freshest_changed, false},
    {"info_access", &full, info_access_gone, false},
    {"info_access", &full, info_access_changed, false},
    {"tls_feature", &full, tls_feature_gone, false},
    {"tls_feature", &full, tls_feature_changed, false},
    {"directory", &full, directory_gone, false},
    {"directory", &full, directory_changed, false},
    {"microsoft.template_name", &full, ms_name_gone, false},
    {"microsoft.template_name", &full, ms_name_changed, false},
    {"microsoft.template_oid", &full, ms_template_gone, false},
    {"microsoft.template_oid", &full, ms_template_changed, false},
    {"microsoft.sid", &full, ms_sid_gone, false},
    {"microsoft.sid", &full, ms_sid_changed, false},
    {"policy_constraints", &constrained, policy_constraints_gone, false},
    {"policy_constraints", &constrained, policy_constraints_changed, false},
    {"inhibit_any", &constrained, inhibit_any_gone, false},
    {"inhibit_any", &constrained, inhibit_any_changed, false},
    {"name_constraints", &constrained, name_constraints_gone, false},
    {"name_constraints", &constrained, name_constraints_changed, false},
    {"microsoft.sid", &full, other_sid, false},
    {"no_rev_avail", &full, never_revoked, false},
    {"policies", &strict, policies, false},
    {"key_usage.allow", &asked, ku_asked, false},
    {"key_usage.allow", &asked, ku_asked_ca, false},
    {"extended_key_usage.allow", &asked, eku_server, false},
    {"extended_key_usage.allow", &asked, eku_any, false},
    {"extended_key_usage.allow", &asked, eku_ocsp, false},
    {"crl_distribution_points.given", &asked, cdp_no_uri, false},
    {"crl_distribution_points", &asked, cdp_gone, false},
    {"custom.values", &asked, custom_gone, false},
    {"custom.values", &asked, custom_changed, false},
    {"custom.values", &asked, custom_critical, false},
    {"custom.allow", &asked, unknown_ext, false},
    {"conditions", &conditional, san_few, false},
};
enum { BREACHES = sizeof(breaches) / sizeof(breaches[0]) };

static size_t rule_number(const char *name)
{
    size_t i = 0;
    while (i < judge_rows_count() && strcmp(judge_rows[i].name, name) != 0)
        i++;
    assert_true(i < judge_rows_count());
    return i;
}

/* A sound certificate under the template. */
static void scene_init(struct scene *s, struct fixture *f, const struct template *t)
{
    static const char *const names[] = {"dns:a.example", "dns:b.example"};
    static const struct templates_rdn cn = {"CN", "a.example"};
    struct templates_request r = fixture_request(f);
    struct templates_shaped shaped;
    *s = (struct scene){.f = f, .t = t, .issuer = f->issuer, .now = FIXTURE_NOW};
    r.has_sans = r.has_subject = true;
    r.sans = names;
    r.sans_n = 2;
    r.subject = &cn;
    r.subject_n = 1;
    fixture_ok(templates_shape(t, &r, &f->issuer, f->arena, &shaped));
    s->tbs = *shaped.tbs;
    memcpy(s->exts, s->tbs.exts, s->tbs.ext_count * sizeof(s->exts[0]));
    s->tbs.exts = s->exts;
}

/* Written out and read again, as the vault does, then judged by all rules but one. */
static struct err *judge(struct scene *s, size_t skip)
{
    struct err *e = NULL;
    struct view der;
    struct cert_tbs read;
    TRY(cert_tbs_write(&s->tbs, s->f->arena, &der));
    TRY(cert_tbs_read(der, s->f->arena, &read));
    TRY(skip == SIZE_MAX ? templates_judge(s->t, &s->issuer, &read, s->now, s->f->arena)
                         : judge_all_but(skip, s->t, &s->issuer, &read, s->now, s->f->arena));
out:
    return e;
}

static void breach_is_refused(struct fixture *f, const struct breach *b)
{
    struct templates *set = NULL;
    struct scene s;
    char rule[64];
    fixture_ok(fixture_load_overriding(*b->yaml, &set));
    scene_init(&s, f, templates_at(set, 0));
    fixture_ok(judge(&s, SIZE_MAX));
    b->commit(&s);
    snprintf(rule, sizeof(rule), "template 'x': %s: ", b->rule);
    struct err *e = judge(&s, SIZE_MAX);
    if (!e)
        print_error("no rule sees a breach of %s\n", b->rule);
    fixture_refused(e, ERR_POLICY, rule);
    if (!b->shared)
        fixture_ok(judge(&s, rule_number(b->rule)));
    templates_free(set);
}

static void each_breach_is_refused_by_its_rule_alone(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    for (size_t i = 0; i < BREACHES; i++)
        breach_is_refused(f, &breaches[i]);
    fixture_free(f);
}

static void no_rule_is_without_a_breach(void **state)
{
    (void)state;
    for (size_t r = 0; r < judge_rows_count(); r++) {
        bool found = false;
        for (size_t i = 0; i < BREACHES; i++)
            found |= strcmp(breaches[i].rule, judge_rows[r].name) == 0;
        if (!found)
            print_error("no breach of %s\n", judge_rows[r].name);
        assert_true(found);
    }
}

/* The control to the breaches of what may be asked for: the same, within bounds. */
static void what_may_be_asked_for_passes(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct templates *set = NULL;
    struct scene s;
    fixture_ok(fixture_load_overriding(asked, &set));
    scene_init(&s, f, templates_at(set, 0));
    ku_bits(&s, CERT_KU_DIGITAL_SIGNATURE);
    eku_of(&s, "clientAuth");
    cdp_elsewhere(&s);
    put(&s, (struct cert_ext){view_of("\x2a\x03\x05", 3), false, view_of("\x05\x00", 2)});
    SANS(&s, "dns:*.b.example");
    fixture_ok(judge(&s, SIZE_MAX));
    templates_free(set);
    fixture_free(f);
}

static void a_certificate_of_one_template_is_refused_by_the_others(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct scene s;
    scene_init(&s, f, fixture_template(f, "server"));
    for (size_t i = 0; i < templates_count(f->set); i++) {
        s.t = templates_at(f->set, i);
        const char *name = templates_name(s.t);
        bool alike = strcmp(name, "server") == 0 || strcmp(name, "self") == 0;
        struct err *e = judge(&s, SIZE_MAX);
        assert_int_equal(e == NULL, alike);
        err_free(e);
    }
    fixture_free(f);
}

static void the_vault_may_judge_a_little_later(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct scene s;
    scene_init(&s, f, fixture_template(f, "server"));
    s.now += TEMPLATES_SLACK_S;
    fixture_ok(judge(&s, SIZE_MAX));
    s.now++;
    fixture_refused(judge(&s, SIZE_MAX), ERR_POLICY, "validity.backdate");
    fixture_free(f);
}

static void a_ca_needs_a_subject(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct templates_request r = fixture_request(f);
    struct templates_shaped shaped;
    const struct templates_rdn cn = {"CN", "Example Root"};
    fixture_refused(templates_shape(fixture_template(f, "root"), &r, &f->issuer, f->arena, &shaped),
                    ERR_POLICY, "subject.require");
    r.has_subject = true;
    r.subject = &cn;
    r.subject_n = 1;
    f->issuer.not_after = INT64_MAX;
    f->issuer.not_before = 0;
    fixture_ok(templates_shape(fixture_template(f, "root"), &r, &f->issuer, f->arena, &shaped));
    fixture_ok(templates_judge(fixture_template(f, "root"), &f->issuer, shaped.tbs, FIXTURE_NOW, f->arena));
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_breach_is_refused_by_its_rule_alone),
        cmocka_unit_test(no_rule_is_without_a_breach),
        cmocka_unit_test(what_may_be_asked_for_passes),
        cmocka_unit_test(a_certificate_of_one_template_is_refused_by_the_others),
        cmocka_unit_test(the_vault_may_judge_a_little_later),
        cmocka_unit_test(a_ca_needs_a_subject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
