/*
 * AWS Private CA's 61 template names: each is there, loads, and gives the extensions its documentation says,
 * for one CSR and one request that ask for everything. The table here is AWS's, written down apart from the
 * one the files are made of.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "cert/ext.h"

#define DS (CERT_KU_DIGITAL_SIGNATURE)
#define KE (CERT_KU_KEY_ENCIPHERMENT)
#define CA (CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN)

enum { FREE = 1 << 16 };
enum { BASE = 1, CSR = 2, API = 4, BOTH = 8, ALL = 15, PASS = 14 };

static const struct family {
    const char *name;
    int path_len; /* of a CA; -1: no bound; -2: no CA */
    bool basic_critical;
    unsigned usages; /* FREE: passed through */
    const char *eku; /* "" none, "free" passed through */
    bool eku_critical, root;
    unsigned varieties;
} families[] = {
    {"EndEntityCertificate", -2, true, DS | KE, "serverAuth clientAuth", false, false, ALL},
    {"EndEntityClientAuthCertificate", -2, true, DS | KE, "clientAuth", false, false, ALL},
    {"EndEntityServerAuthCertificate", -2, true, DS | KE, "serverAuth", false, false, ALL},
    {"CodeSigningCertificate", -2, true, DS, "codeSigning", true, false, ALL},
    {"OCSPSigningCertificate", -2, true, DS, "OCSPSigning", true, false, ALL},
    {"BlankEndEntityCertificate", -2, false, FREE, "free", false, false, PASS},
    {"BlankEndEntityCertificate_CriticalBasicConstraints", -2, true, FREE, "free", false, false, PASS},
    {"RootCACertificate", -1, true, CA, "", false, true, BASE | API},
    {"BlankRootCACertificate", -1, true, FREE, "", false, true, API},
    {"BlankRootCACertificate_PathLen0", 0, true, FREE, "", false, true, API},
    {"BlankRootCACertificate_PathLen1", 1, true, FREE, "", false, true, API},
    {"BlankRootCACertificate_PathLen2", 2, true, FREE, "", false, true, API},
    {"BlankRootCACertificate_PathLen3", 3, true, FREE, "", false, true, API},
    {"SubordinateCACertificate_PathLen0", 0, true, CA, "", false, false, ALL},
    {"SubordinateCACertificate_PathLen1", 1, true, CA, "", false, false, ALL},
    {"SubordinateCACertificate_PathLen2", 2, true, CA, "", false, false, ALL},
    {"SubordinateCACertificate_PathLen3", 3, true, CA, "", false, false, ALL},
    {"BlankSubordinateCACertificate_PathLen0", 0, true, FREE, "free", false, false, PASS},
    {"BlankSubordinateCACertificate_PathLen1", 1, true, FREE, "free", false, false, PASS},
    {"BlankSubordinateCACertificate_PathLen2", 2, true, FREE, "free", false, false, PASS},
    {"BlankSubordinateCACertificate_PathLen3", 3, true, FREE, "free", false, false, PASS},
};
enum { FAMILIES = sizeof(families) / sizeof(families[0]) };

static const char *const suffixes[] = {"", "_CSRPassthrough", "_APIPassthrough", "_APICSRPassthrough"};

struct aws {
    struct fixture *f;
    struct templates *set;
    EVP_PKEY *rsa;
    struct cert_csr *csr, *csr_of_ca;
    struct cert_ext asked[3]; /* beside the CSR: keyUsage, extKeyUsage, 1.2.3.5 */
    struct cert_ext usage_of_ca;
};

#define ASKED_BY_CSR(usages)                                                                                 \
    "subjectAltName=DNS:csr.example\nbasicConstraints=CA:FALSE\n"                                            \
    "keyUsage=critical,digitalSignature,dataEncipherment" usages "\nextendedKeyUsage=codeSigning\n"          \
    "crlDistributionPoints=URI:http://csr.example/x.crl\n1.2.3.4=ASN1:UTF8:csr"

static int setup(void **state)
{
    struct aws *a = calloc(1, sizeof(*a));
    struct templates_file files[61 + 1];
    struct view oid;
    size_t n = 0;
    a->f = fixture_new();
    while (n < 62 && templates_aws(n, &files[n].name, &files[n].bytes))
        n++;
    assert_int_equal(n, 61);
    fixture_ok(templates_load(files, n, &a->set));
    a->rsa = fixture_key("rsa-2048");
    a->csr = fixture_csr(a->f->arena, a->rsa, "/C=DE/O=Csr/CN=csr", ASKED_BY_CSR(""));
    a->csr_of_ca = fixture_csr(a->f->arena, a->rsa, "/C=DE/O=Csr/CN=csr", ASKED_BY_CSR(",keyCertSign"));
    fixture_ok(cert_ext_write_key_usage(CERT_KU_CONTENT_COMMITMENT | CERT_KU_KEY_CERT_SIGN, true, a->f->arena,
                                        &a->usage_of_ca));
    fixture_ok(cert_ext_write_key_usage(CERT_KU_CONTENT_COMMITMENT, true, a->f->arena, &a->asked[0]));
    fixture_ok(cert_ext_eku_parse("emailProtection", a->f->arena, &oid));
    fixture_ok(cert_ext_write_eku((struct cert_views){&oid, 1}, false, a->f->arena, &a->asked[1]));
    a->asked[2] = (struct cert_ext){view_str("\x2a\x03\x05"), false, view_str("\x0c\x01r")};
    *state = a;
    return 0;
}

static int teardown(void **state)
{
    struct aws *a = *state;
    EVP_PKEY_free(a->rsa);
    templates_free(a->set);
    fixture_free(a->f);
    free(a);
    return 0;
}

static const char *const sans[] = {"dns:api.example"};
static const struct templates_rdn cn = {"CN", "api"};

static void shape(struct aws *a, const struct template *t, struct templates_shaped *ret)
{
    struct templates_request r = fixture_request(a->f);
    struct cert_ext asked[3] = {templates_is_ca(t) ? a->usage_of_ca : a->asked[0], a->asked[1], a->asked[2]};
    r.csr = templates_is_ca(t) ? a->csr_of_ca : a->csr;
    r.exts = asked;
    r.exts_n = 3;
    r.has_sans = r.has_subject = true;
    r.sans = sans;
    r.sans_n = 1;
    r.subject = &cn;
    r.subject_n = 1;
    fixture_ok(templates_shape(t, &r, &a->f->issuer, a->f->arena, ret));
    fixture_ok(templates_judge(t, &a->f->issuer, ret->tbs, FIXTURE_NOW, a->f->arena));
}

static const struct cert_ext *by_oid(const struct templates_shaped *s, const char *oid)
{
    for (size_t i = 0; i < s->tbs->ext_count; i++) {
        if (view_eq_str(s->tbs->exts[i].oid, oid))
            return &s->tbs->exts[i];
    }
    return NULL;
}

static void check_basic(const struct family *family, const struct templates_shaped *s)
{
    struct cert_basic basic;
    const struct cert_ext *ext = cert_tbs_ext(s->tbs, CERT_EXT_BASIC_CONSTRAINTS);
    assert_non_null(ext);
    assert_int_equal(ext->critical, family->basic_critical);
    fixture_ok(cert_ext_read_basic(ext->value, &basic));
    assert_int_equal(basic.ca, family->path_len != -2);
    assert_int_equal(basic.path_len, family->path_len < 0 ? -1 : family->path_len);
}

static void check_usages(const struct family *family, unsigned variety, const struct templates_shaped *s)
{
    unsigned mask = 0, want = family->usages;
    const struct cert_ext *ext = cert_tbs_ext(s->tbs, CERT_EXT_KEY_USAGE);
    if (want == FREE)
        want = (variety & (API | BOTH) ? CERT_KU_CONTENT_COMMITMENT : DS | CERT_KU_DATA_ENCIPHERMENT) |
               (family->path_len == -2 ? 0 : CERT_KU_KEY_CERT_SIGN);
    assert_non_null(ext);
    assert_true(ext->critical);
    fixture_ok(cert_ext_read_key_usage(ext->value, &mask));
    assert_int_equal(mask, want);
}

static void check_eku(struct aws *a, const struct family *family, unsigned variety,
                      const struct templates_shaped *s)
{
    char have[256] = "";
    const char *want = family->eku;
    struct cert_views oids = {NULL, 0};
    const struct cert_ext *ext = cert_tbs_ext(s->tbs, CERT_EXT_EXT_KEY_USAGE);
    if (strcmp(want, "free") == 0)
        want = variety & (API | BOTH) ? "emailProtection" : "codeSigning";
    if (ext)
        fixture_ok(cert_ext_read_eku(ext->value, a->f->arena, &oids));
    for (size_t i = 0; i < oids.n; i++)
        snprintf(have + strlen(have), sizeof(have) - strlen(have), "%s%s", i ? " " : "",
                 cert_ext_eku_text(oids.v[i], a->f->arena));
    assert_string_equal(have, want);
    if (ext)
        assert_int_equal(ext->critical, family->eku_critical);
}

/* Subject, names, extensions by OID, and the place of the list. */
static void check_rest(struct aws *a, const struct family *family, unsigned variety,
                       const struct templates_shaped *s)
{
    bool api = variety & (API | BOTH), csr = variety & (CSR | BOTH);
    struct cert_views uris = {NULL, 0};
    const struct cert_ext *cdp = cert_tbs_ext(s->tbs, CERT_EXT_CDP);
    assert_string_equal(s->subject, api ? "CN=api" : "CN=csr,O=Csr,C=DE");
    assert_string_equal(s->names[0], api ? "dns:api.example" : "dns:csr.example");
    assert_int_equal(by_oid(s, "\x2a\x03\x04") != NULL, csr);
    assert_int_equal(by_oid(s, "\x2a\x03\x05") != NULL, api);
    assert_non_null(cert_tbs_ext(s->tbs, CERT_EXT_SKI));
    assert_non_null(cert_tbs_ext(s->tbs, CERT_EXT_AKI));
    assert_int_equal(cdp != NULL, !family->root);
    if (!cdp)
        return;
    fixture_ok(cert_ext_read_cdp(cdp->value, a->f->arena, &uris));
    assert_string_equal(arena_str(a->f->arena, uris.v[0]),
                        csr ? "http://csr.example/x.crl"
                            : "http://pki.example.internal:8080/crl/issuing.crl");
}

static void each_name_gives_what_aws_says(void **state)
{
    struct aws *a = *state;
    size_t n = 0;
    for (size_t i = 0; i < FAMILIES; i++) {
        for (size_t v = 0; v < 4; v++) {
            char name[128];
            struct templates_shaped s;
            if (!(families[i].varieties & (1u << v)))
                continue;
            snprintf(name, sizeof(name), "aws/%s%s/V1", families[i].name, suffixes[v]);
            const struct template *t = templates_find(a->set, view_str(name));
            if (!t)
                print_error("no %s\n", name);
            assert_non_null(t);
            shape(a, t, &s);
            check_basic(&families[i], &s);
            check_usages(&families[i], 1u << v, &s);
            check_eku(a, &families[i], 1u << v, &s);
            check_rest(a, &families[i], 1u << v, &s);
            n++;
        }
    }
    assert_int_equal(n, 61);
}

/* No request reaches a CA or a responder's certificate through them. */
static void those_of_authorities_are_internal(void **state)
{
    struct aws *a = *state;
    for (size_t i = 0; i < templates_count(a->set); i++) {
        const struct template *t = templates_at(a->set, i);
        bool house = templates_is_ca(t) || strstr(templates_name(t), "OCSPSigning");
        assert_int_equal(templates_internal(t), house);
    }
}

static void a_csr_cannot_have_more(void **state)
{
    struct aws *a = *state;
    static const struct {
        const char *name, *exts, *rule;
    } cases[] = {
        {"aws/BlankEndEntityCertificate_CSRPassthrough/V1", "keyUsage=keyCertSign", "key_usage.allow"},
        {"aws/BlankEndEntityCertificate_CSRPassthrough/V1", "extendedKeyUsage=OCSPSigning",
         "extended_key_usage.allow"},
        {"aws/BlankEndEntityCertificate_CSRPassthrough/V1", "extendedKeyUsage=anyExtendedKeyUsage",
         "extended_key_usage.allow"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct templates_shaped s;
        struct templates_request r = fixture_request(a->f);
        r.csr = fixture_csr(a->f->arena, a->rsa, "/CN=x", cases[i].exts);
        fixture_refused(templates_shape(templates_find(a->set, view_str(cases[i].name)), &r, &a->f->issuer,
                                        a->f->arena, &s),
                        ERR_POLICY, cases[i].rule);
    }
}

/* A CSR for a CA under a leaf's template: passed over, as AWS does, and the certificate is a leaf's. */
static void ca_true_of_a_csr_is_passed_over(void **state)
{
    struct aws *a = *state;
    struct templates_shaped s;
    struct cert_basic basic;
    struct templates_request r = fixture_request(a->f);
    r.csr = fixture_csr(a->f->arena, a->rsa, "/CN=x", "basicConstraints=critical,CA:TRUE");
    fixture_ok(templates_shape(templates_find(a->set, view_str("aws/EndEntityCertificate/V1")), &r,
                               &a->f->issuer, a->f->arena, &s));
    fixture_ok(cert_ext_read_basic(cert_tbs_ext(s.tbs, CERT_EXT_BASIC_CONSTRAINTS)->value, &basic));
    assert_false(basic.ca);
}

static void none_is_written_out_by_default(void **state)
{
    (void)state;
    const char *name;
    struct view bytes;
    for (size_t i = 0; templates_builtin(i, &name, &bytes); i++)
        assert_null(strstr(name, "aws"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_gives_what_aws_says),  cmocka_unit_test(those_of_authorities_are_internal),
        cmocka_unit_test(a_csr_cannot_have_more),         cmocka_unit_test(ca_true_of_a_csr_is_passed_over),
        cmocka_unit_test(none_is_written_out_by_default),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
