/* Shaping: what a request may say, what it may not, and where each field comes from. CSRs are OpenSSL's. */
#include "fixture.h"

#include <stdio.h>

#include "cert/ext.h"
#include "cert/ext_constraints.h"
#include "cert/name.h"

#define DAY INT64_C(86400)

static int setup(void **state)
{
    *state = fixture_new();
    return 0;
}

static int teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

static struct err *shape(struct fixture *f, const char *template, const struct templates_request *r,
                         struct templates_shaped *ret)
{
    return templates_shape(fixture_template(f, template), r, &f->issuer, f->arena, ret);
}

/* The request of a CSR alone. */
static struct err *shape_csr(struct fixture *f, const char *template, const char *subject, const char *exts,
                             struct templates_shaped *ret)
{
    struct templates_request r = fixture_request(f);
    r.csr = fixture_csr(f->arena, f->key, subject, exts);
    return shape(f, template, &r, ret);
}

static void refused_at(struct err *e, enum err_code code, const char *text, const char *pointer)
{
    assert_non_null(e);
    assert_string_equal(err_pointer(e), pointer);
    fixture_refused(e, code, text);
}

static const char *origin(const struct templates_shaped *shaped, const char *field)
{
    for (size_t i = 0; i < shaped->origins_n; i++) {
        if (strcmp(shaped->origins[i].field, field) == 0)
            return shaped->origins[i].source;
    }
    return "none";
}

static void a_plain_csr_becomes_a_server_certificate(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    fixture_ok(shape_csr(f, "server", "/CN=web.example.internal",
                         "subjectAltName=DNS:web.example.internal,DNS:WWW.example.internal,IP:10.0.0.7", &s));
    assert_string_equal(s.subject, "CN=web.example.internal");
    assert_int_equal(s.names_n, 3);
    assert_string_equal(s.names[0], "dns:web.example.internal");
    assert_string_equal(s.names[1], "dns:www.example.internal");
    assert_string_equal(s.names[2], "ip:10.0.0.7");
    assert_int_equal(s.tbs->not_before, FIXTURE_NOW - 300);
    assert_int_equal(s.tbs->not_after, FIXTURE_NOW + 90 * DAY);
    assert_string_equal(origin(&s, "sans"), "csr");
    assert_string_equal(origin(&s, "subject.CN"), "csr");
    assert_string_equal(origin(&s, "key"), "csr");
    assert_string_equal(origin(&s, "serial"), "vault");
    assert_string_equal(origin(&s, "validity.not_after"), "template");
    assert_string_equal(origin(&s, "authority_key_id"), "issuer");
}

static void the_common_name_comes_from_the_first_name(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    fixture_ok(
        shape_csr(f, "server", "", "subjectAltName=DNS:a.example.internal,DNS:b.example.internal", &s));
    assert_string_equal(s.subject, "CN=a.example.internal");
    assert_int_equal(s.names_n, 2);
}

static void a_name_too_long_for_a_common_name_leaves_the_subject_empty(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    fixture_ok(shape_csr(
        f, "server", "",
        "subjectAltName=DNS:a123456789012345678901234567890123456789.b1234567890123456789.example", &s));
    assert_string_equal(s.subject, "");
    assert_true(cert_tbs_ext(s.tbs, CERT_EXT_SAN)->critical);
}

static void a_csr_with_a_common_name_only_gets_it_as_its_name(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    fixture_ok(shape_csr(f, "server", "/CN=Web.example.internal", NULL, &s));
    assert_int_equal(s.names_n, 1);
    assert_string_equal(s.names[0], "dns:web.example.internal");
    fixture_ok(shape_csr(f, "server", "/CN=10.0.0.7", NULL, &s));
    assert_string_equal(s.names[0], "ip:10.0.0.7");
    refused_at(shape_csr(f, "server", "/CN=My Server", NULL, &s), ERR_POLICY, "sans.min", "/sans");
    fixture_ok(shape_csr(f, "client", "/CN=ann.example.internal", NULL, &s));
    assert_int_equal(s.names_n, 1);
    assert_string_equal(s.names[0], "cn:ann.example.internal");
}

static void the_rest_of_a_subject_is_dropped_or_refused(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    fixture_ok(shape_csr(f, "server", "/C=DE/O=Evil/CN=a.example", NULL, &s));
    assert_string_equal(s.subject, "CN=a.example");
    refused_at(shape_csr(f, "client", "/O=system:masters/CN=ann", NULL, &s), ERR_POLICY, "takes no O from",
               "/csr");
}

static void a_request_takes_the_place_of_the_csr(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    struct templates_request r = fixture_request(f);
    const char *const sans[] = {"dns:b.example", "10.0.0.1", "c.example"};
    const struct templates_rdn subject[] = {{"CN", "b.example"}};
    r.csr = fixture_csr(f->arena, f->key, "/CN=a.example", "subjectAltName=DNS:a.example");
    r.has_sans = r.has_subject = true;
    r.sans = sans;
    r.sans_n = 3;
    r.subject = subject;
    r.subject_n = 1;
    fixture_ok(shape(f, "server", &r, &s));
    assert_string_equal(s.subject, "CN=b.example");
    assert_int_equal(s.names_n, 3);
    assert_string_equal(s.names[1], "ip:10.0.0.1");
    assert_string_equal(s.names[2], "dns:c.example");
    assert_string_equal(origin(&s, "sans"), "request");
    assert_string_equal(origin(&s, "subject.CN"), "request");
}

static void a_wrong_name_is_pointed_at(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    struct templates_request r = fixture_request(f);
    const char *sans[] = {"dns:a.example", "dns:bad..example", "dns:c.example"};
    r.has_sans = true;
    r.sans = sans;
    r.sans_n = 3;
    refused_at(shape(f, "server", &r, &s), ERR_BAD_NAME, "", "/sans/1");
    sans[1] = "uri:https://a.example/";
    refused_at(shape(f, "server", &r, &s), ERR_POLICY, "sans.kinds", "/sans/1");
    sans[1] = "dns:*.example";
    refused_at(shape(f, "server", &r, &s), ERR_POLICY, "sans.wildcard", "/sans/1");
    sans[1] = "other:0500";
    refused_at(shape(f, "server", &r, &s), ERR_BAD_NAME, "", "/sans/1");
    r.sans_n = 101;
    refused_at(shape(f, "server", &r, &s), ERR_TOO_MANY, "at most 100", "/sans");
    r.sans_n = 0;
    refused_at(shape(f, "server", &r, &s), ERR_POLICY, "sans.min", "/sans");
}

static void a_template_without_names_takes_none(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    struct templates_request r = fixture_request(f);
    const struct templates_rdn subject[] = {{"CN", "Build"}, {"O", "Example"}};
    const char *const sans[] = {"dns:a.example"};
    r.has_subject = true;
    r.subject = subject;
    r.subject_n = 2;
    fixture_ok(shape(f, "code-signing", &r, &s));
    assert_string_equal(s.subject, "CN=Build,O=Example");
    r.has_sans = true;
    r.sans = sans;
    r.sans_n = 1;
    refused_at(shape(f, "code-signing", &r, &s), ERR_POLICY, "takes no names", "/sans");
    refused_at(shape_csr(f, "code-signing", "/CN=Build", "subjectAltName=DNS:a.example", &s),
               ERR_BAD_EXTENSION, "subjectAltName", "/csr");
}

static const struct {
    const char *exts, *refusal; /* NULL: passed over */
} csr_exts[] = {
    {"basicConstraints=CA:FALSE", NULL},
    {"basicConstraints=critical,CA:FALSE", NULL},
    {"subjectKeyIdentifier=hash", NULL},
    {"keyUsage=critical,digitalSignature,keyEncipherment", NULL},
    {"keyUsage=digitalSignature", NULL},
    {"extendedKeyUsage=serverAuth", NULL},
    {"basicConstraints=CA:TRUE", "basicConstraints: CA:TRUE"},
    {"basicConstraints=critical,CA:TRUE,pathlen:0", "basicConstraints: CA:TRUE"},
    {"keyUsage=keyCertSign", "keyUsage: keyCertSign"},
    {"keyUsage=digitalSignature,nonRepudiation", "keyUsage: "},
    {"keyUsage=cRLSign,digitalSignature", "keyUsage: cRLSign"},
    {"extendedKeyUsage=clientAuth", "extKeyUsage: clientAuth"},
    {"extendedKeyUsage=serverAuth,OCSPSigning", "extKeyUsage: OCSPSigning"},
    {"extendedKeyUsage=anyExtendedKeyUsage", "extKeyUsage: anyExtendedKeyUsage"},
    {"nameConstraints=permitted;DNS:example", "nameConstraints"},
    {"2.5.29.32=DER:3007300506032a0304", "certificatePolicies"},
    {"authorityInfoAccess=OCSP;URI:http://evil.test/", "authorityInfoAccess"},
    {"crlDistributionPoints=URI:http://evil.test/", "cRLDistributionPoints"},
    {"noCheck=ignored", "ocspNoCheck"},
    {"tlsfeature=status_request", "tlsFeature"},
    {"issuerAltName=DNS:evil.test", "2.5.29.18"},
    {"1.2.3.4.5=DER:0500", "1.2.3.4.5"},
};

static void csr_extensions_are_passed_over_or_refused_by_name(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    for (size_t i = 0; i < sizeof(csr_exts) / sizeof(csr_exts[0]); i++) {
        char exts[256];
        snprintf(exts, sizeof(exts), "subjectAltName=DNS:a.example\n%s", csr_exts[i].exts);
        struct err *e = shape_csr(f, "server", "/CN=a.example", exts, &s);
        if (!csr_exts[i].refusal) {
            fixture_ok(e);
            continue;
        }
        if (!e)
            print_error("let in: %s\n", csr_exts[i].exts);
        refused_at(e, ERR_BAD_EXTENSION, csr_exts[i].refusal, "/csr");
    }
}

static void the_end_is_the_templates_the_requests_or_the_issuers(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    struct templates_request r = fixture_request(f);
    const char *const sans[] = {"dns:a.example"};
    r.has_sans = true;
    r.sans = sans;
    r.sans_n = 1;
    r.validity_s = 398 * DAY;
    fixture_ok(shape(f, "server", &r, &s));
    assert_int_equal(s.tbs->not_after, FIXTURE_NOW + 398 * DAY);
    r.validity_s++;
    refused_at(shape(f, "server", &r, &s), ERR_POLICY,
               "the maximum of 398d from now, which is 2027-12-24T06:20:00Z", "/validity");
    r.validity_s = 0;
    r.not_after = FIXTURE_NOW + 10;
    fixture_ok(shape(f, "server", &r, &s));
    assert_int_equal(s.tbs->not_after, FIXTURE_NOW + 10);
    assert_string_equal(origin(&s, "validity.not_after"), "request");
    r.not_after = FIXTURE_NOW;
    refused_at(shape(f, "server", &r, &s), ERR_POLICY, "validity.over", "/not_after");
    r.validity_s = 1;
    refused_at(shape(f, "server", &r, &s), ERR_BAD_FIELD, "one of them", "/validity");
    r.not_after = 0;
    r.validity_s = INT64_MAX;
    refused_at(shape(f, "server", &r, &s), ERR_BAD_FIELD, "100 years", "/validity");
    r.validity_s = 0;
    r.not_after = INT64_MAX;
    refused_at(shape(f, "server", &r, &s), ERR_POLICY, "validity.max", "/not_after");
    r.not_after = 0;
    f->issuer.not_after = FIXTURE_NOW + 30 * DAY;
    fixture_ok(shape(f, "server", &r, &s));
    assert_int_equal(s.tbs->not_after, f->issuer.not_after);
    assert_string_equal(origin(&s, "validity.not_after"), "issuer");
    r.validity_s = 31 * DAY;
    refused_at(shape(f, "server", &r, &s), ERR_POLICY, "validity.issuer_end", "/validity");
}

static void nothing_begins_before_its_issuer(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    f->issuer.not_before = FIXTURE_NOW - 1;
    fixture_ok(shape_csr(f, "server", "/CN=a.example", NULL, &s));
    assert_int_equal(s.tbs->not_before, FIXTURE_NOW - 1);
}

static void usages_follow_the_kind_of_key(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    struct templates_request r = fixture_request(f);
    EVP_PKEY *rsa = fixture_key("rsa-2048"), *ed = fixture_key("ed25519");
    unsigned mask;
    r.csr = fixture_csr(f->arena, rsa, "/CN=a.example", NULL);
    fixture_ok(shape(f, "server", &r, &s));
    fixture_ok(cert_ext_read_key_usage(cert_tbs_ext(s.tbs, CERT_EXT_KEY_USAGE)->value, &mask));
    assert_int_equal(mask, CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_ENCIPHERMENT);
    refused_at(shape(f, "code-signing", &r, &s), ERR_POLICY,
               "keys.rsa_min: an RSA key of 2048 bits; at least 3072", "/csr");
    r.csr = fixture_csr(f->arena, ed, "/CN=a.example", NULL);
    fixture_ok(shape(f, "server", &r, &s));
    fixture_ok(cert_ext_read_key_usage(cert_tbs_ext(s.tbs, CERT_EXT_KEY_USAGE)->value, &mask));
    assert_int_equal(mask, CERT_KU_DIGITAL_SIGNATURE);
    refused_at(shape(f, "code-signing", &r, &s), ERR_POLICY, "keys.allow: a key of kind ed25519", "/csr");
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ed);
}

static void fixed_attributes_stand_in_our_order(void **state)
{
    struct fixture *f = *state;
    struct templates *set = NULL;
    struct templates_shaped s;
    fixture_ok(
        fixture_load_overriding("validity: {default: 1d, max: 1d}\n"
                                "subject: {fixed: {O: Example GmbH, C: DE}, allow: [CN, OU], cn: free}\n"
                                "extended_key_usage: {usages: [clientAuth]}\n",
                                &set));
    struct templates_request r = fixture_request(f);
    r.csr = fixture_csr(f->arena, f->key, "/CN=ann/OU=b/OU=a/O=Example GmbH", NULL);
    fixture_ok(templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &s));
    assert_string_equal(s.subject, "CN=ann,OU=a,OU=b,O=Example GmbH,C=DE");
    assert_string_equal(origin(&s, "subject.O"), "template");
    assert_int_equal(s.names_n, 1);
    r.csr = fixture_csr(f->arena, f->key, "/O=Other/CN=ann", NULL);
    refused_at(templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &s), ERR_POLICY,
               "subject.fixed", "/csr");
    r.csr = fixture_csr(f->arena, f->key, "/CN=ann/CN=bob", NULL);
    refused_at(templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &s), ERR_POLICY,
               "subject.once", "/csr");
    templates_free(set);
}

static void identifying_attributes_are_names_a_grant_must_cover(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    const char *const *names;
    size_t n;
    fixture_ok(
        shape_csr(f, "device", "/serialNumber=SN-1/CN=cam.example", "subjectAltName=DNS:cam.example", &s));
    assert_int_equal(s.names_n, 2);
    assert_string_equal(s.names[0], "dns:cam.example");
    assert_string_equal(s.names[1], "serial_number:SN-1");
    fixture_ok(templates_names(s.tbs, f->arena, &names, &n));
    assert_int_equal(n, 2);
    assert_string_equal(names[1], "serial_number:SN-1");
}

static void a_wildcard_stands_where_the_template_lets_it(void **state)
{
    struct fixture *f = *state;
    struct templates *set = NULL;
    struct templates_shaped s;
    struct templates_request r = fixture_request(f);
    const char *sans[] = {"dns:*.a.example"};
    const char *const one[] = {"*.example"}, *const deep[] = {"**.example"};
    fixture_ok(fixture_load_overriding(
        "validity: {default: 1d, max: 1d}\n"
        "subject: {allow: [CN]}\n"
        "sans: {kinds: [dns], wildcard: true, allow: ['**.example'], deny: ['db.b.example']}\n"
        "extended_key_usage: {usages: [serverAuth]}\n",
        &set));
    r.has_sans = true;
    r.sans = sans;
    r.sans_n = 1;
    fixture_ok(templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &s));
    assert_string_equal(s.names[0], "dns:*.a.example");
    fixture_refused(templates_patterns_cover(one, 1, s.names, s.names_n), ERR_NAME_FORBIDDEN,
                    "dns:*.a.example");
    fixture_ok(templates_patterns_cover(deep, 1, s.names, s.names_n));
    sans[0] = "dns:*.b.example";
    refused_at(templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &s), ERR_POLICY, "sans.deny",
               "/sans/0");
    sans[0] = "dns:a.*.example";
    refused_at(templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &s), ERR_BAD_NAME, "",
               "/sans/0");
    templates_free(set);
}

/* Each attribute from where the template looks for it, in the template's order; a forbidden one refuses
 * though others are dropped. */
static void each_attribute_has_its_sources_and_its_place(void **state)
{
    struct fixture *f = *state;
    struct templates *set = NULL;
    struct templates_shaped s;
    struct templates_request r = fixture_request(f);
    struct templates_rdn beside[] = {{"OU", "Pay"}, {"CN", "lamp"}, {"serialNumber", "forged"}};
    fixture_ok(fixture_load("validity: {default: 1d, max: 2d}\n"
                            "subject:\n  allow: [serialNumber, OU, CN]\n"
                            "  from: {serialNumber: [csr], OU: [request]}\n"
                            "  forbid: [UID]\n  order: [CN, OU]\n  other: drop\n  cn: free\n"
                            "extended_key_usage: {usages: [codeSigning]}\n",
                            &set));
    const struct template *t = templates_at(set, 0);
    r.csr = fixture_csr(f->arena, f->key, "/O=X/OU=Evil/CN=other/serialNumber=SN-1", NULL);
    r.has_subject = true;
    r.subject = beside;
    r.subject_n = 3;
    fixture_ok(templates_shape(t, &r, &f->issuer, f->arena, &s));
    assert_string_equal(s.subject, "serialNumber=SN-1,OU=Pay,CN=lamp");
    assert_string_equal(origin(&s, "subject.serialNumber"), "csr");
    assert_string_equal(origin(&s, "subject.OU"), "request");
    fixture_ok(templates_judge(t, &f->issuer, s.tbs, FIXTURE_NOW, f->arena));
    r.has_subject = false;
    fixture_ok(templates_shape(t, &r, &f->issuer, f->arena, &s));
    assert_string_equal(s.subject, "serialNumber=SN-1,CN=other");
    r.csr = fixture_csr(f->arena, f->key, "/O=X/CN=other/UID=root", NULL);
    refused_at(templates_shape(t, &r, &f->issuer, f->arena, &s), ERR_POLICY, "subject.forbid", "/csr");
    templates_free(set);
    fixture_ok(fixture_load("validity: {default: 1d, max: 2d}\n"
                            "subject: {allow: [OU, CN], from: {OU: [request]}, cn: free}\n"
                            "extended_key_usage: {usages: [codeSigning]}\n",
                            &set));
    r.csr = fixture_csr(f->arena, f->key, "/OU=Evil/CN=other", NULL);
    refused_at(templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &s), ERR_POLICY,
               "subject.from: template 'x' takes no OU from a csr", "/csr");
    templates_free(set);
}

/* Names of the rarer kinds come from CSR and request as the others do, within the template's patterns. */
static void every_kind_of_name_is_taken_within_its_patterns(void **state)
{
    struct fixture *f = *state;
    struct templates *set = NULL;
    struct templates_shaped s;
    struct templates_request r = fixture_request(f);
    static const struct {
        const char *name, *rule; /* rule NULL: taken */
    } cases[] = {
        {"upn:ann@ad.example", NULL},
        {"upn:ann@evil.example", "sans.allow"},
        {"upn:root@ad.example", "sans.deny"},
        {"dir:CN=ann,O=Example", NULL},
        {"dir:CN=ann,O=Evil,O=Example", "sans.allow"},
        {"rid:1.2.3.4", NULL},
        {"rid:1.2.4", "sans.allow"},
        {"other:1.2.3;0c0161", NULL},
        {"other:1.2.4;0c0161", "sans.allow"},
        {"dns:a.example", "sans.kinds"},
    };
    fixture_ok(
        fixture_load("validity: {default: 1d, max: 2d}\n"
                     "subject: {allow: [CN]}\n"
                     "sans:\n  kinds: [upn, dir, rid, other]\n"
                     "  allow: ['upn:*@ad.example', 'dir:CN=*,O=Example', 'rid:1.2.3.*', 'other:1.2.3;*']\n"
                     "  deny: ['upn:root@ad.example']\n"
                     "extended_key_usage: {usages: [emailProtection]}\n",
                     &set));
    r.has_sans = true;
    r.sans_n = 1;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        r.sans = &cases[i].name;
        struct err *e = templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &s);
        if (cases[i].rule) {
            refused_at(e, ERR_POLICY, cases[i].rule, "/sans/0");
            continue;
        }
        fixture_ok(e);
        assert_string_equal(s.names[0], cases[i].name);
    }
    r.has_sans = false;
    r.csr = fixture_csr(f->arena, f->key, "/CN=ann@ad.example",
                        "subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:ann@ad.example,RID:1.2.3.9");
    fixture_ok(templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &s));
    assert_string_equal(s.names[0], "upn:ann@ad.example");
    assert_string_equal(s.names[1], "rid:1.2.3.9");
    templates_free(set);
}

static void a_sub_ca_carries_its_name_constraints(void **state)
{
    struct fixture *f = *state;
    struct templates *set = NULL;
    struct templates_shaped s;
    struct cert_constraints got;
    struct templates_request r = fixture_request(f);
    const struct templates_rdn cn = {"CN", "Pay CA"};
    fixture_ok(fixture_load("internal: true\nvalidity: {default: 1d, max: 2d}\n"
                            "subject: {allow: [CN], require: [CN], cn: free}\n"
                            "key_usage: {usages: [keyCertSign, cRLSign]}\nbasic_constraints: {ca: true}\n"
                            "name_constraints: {permitted: ['dns:pay.example', 'ip:10.0.0.0/8'],\n"
                            "  excluded: ['dns:root.pay.example']}\n",
                            &set));
    r.has_subject = true;
    r.subject = &cn;
    r.subject_n = 1;
    fixture_ok(templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &s));
    const struct cert_ext *ext = cert_tbs_ext(s.tbs, CERT_EXT_NAME_CONSTRAINTS);
    assert_non_null(ext);
    assert_true(ext->critical);
    fixture_ok(cert_ext_read_constraints(ext->value, f->arena, &got));
    assert_int_equal(got.permitted.n, 2);
    assert_string_equal(cert_ext_subtree_text(&got.permitted.v[1], f->arena), "ip:10.0.0.0/8");
    assert_string_equal(cert_ext_subtree_text(&got.excluded.v[0], f->arena), "dns:root.pay.example");
    assert_string_equal(origin(&s, "name_constraints"), "template");
    templates_free(set);
}

static void the_addresses_are_the_issuers(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(templates_issuer_url(&f->issuer, TEMPLATES_URL_OCSP, f->arena),
                        "http://pki.example.internal:8080/ocsp/issuing");
    assert_string_equal(templates_issuer_url(&f->issuer, TEMPLATES_URL_CA, f->arena),
                        "http://pki.example.internal:8080/ca/issuing.crt");
    assert_string_equal(templates_issuer_url(&f->issuer, TEMPLATES_URL_CRL, f->arena),
                        "http://pki.example.internal:8080/crl/issuing.crl");
    assert_string_equal(templates_issuer_url(&f->issuer, TEMPLATES_URL_DELTA, f->arena),
                        "http://pki.example.internal:8080/crl/issuing-delta.crl");
    assert_string_equal(templates_partition_url(&f->issuer, 12, f->arena),
                        "http://pki.example.internal:8080/crl/issuing/12.crl");
    assert_string_equal(templates_partition_url(&f->issuer, 0, f->arena),
                        "http://pki.example.internal:8080/crl/issuing.crl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_plain_csr_becomes_a_server_certificate, setup, teardown),
        cmocka_unit_test_setup_teardown(the_common_name_comes_from_the_first_name, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_too_long_for_a_common_name_leaves_the_subject_empty, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_csr_with_a_common_name_only_gets_it_as_its_name, setup, teardown),
        cmocka_unit_test_setup_teardown(the_rest_of_a_subject_is_dropped_or_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_takes_the_place_of_the_csr, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_name_is_pointed_at, setup, teardown),
        cmocka_unit_test_setup_teardown(a_template_without_names_takes_none, setup, teardown),
        cmocka_unit_test_setup_teardown(csr_extensions_are_passed_over_or_refused_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_is_the_templates_the_requests_or_the_issuers, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_begins_before_its_issuer, setup, teardown),
        cmocka_unit_test_setup_teardown(usages_follow_the_kind_of_key, setup, teardown),
        cmocka_unit_test_setup_teardown(fixed_attributes_stand_in_our_order, setup, teardown),
        cmocka_unit_test_setup_teardown(identifying_attributes_are_names_a_grant_must_cover, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wildcard_stands_where_the_template_lets_it, setup, teardown),
        cmocka_unit_test_setup_teardown(each_attribute_has_its_sources_and_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(every_kind_of_name_is_taken_within_its_patterns, setup, teardown),
        cmocka_unit_test_setup_teardown(a_sub_ca_carries_its_name_constraints, setup, teardown),
        cmocka_unit_test_setup_teardown(the_addresses_are_the_issuers, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
