/* Where a value comes from: template, request, CSR, issuer, in this order; and what is not taken. */
#include "fixture.h"

#include <stdio.h>

#include "cert/ext.h"

#define LIFE  "validity: {default: 90d, max: 398d}\n"
#define NAMES "subject: {allow: [CN], cn: free}\nsans: {kinds: [dns]}\n"
#define BASE  LIFE NAMES

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

#define CSR_ALL                                                                                              \
    "subjectAltName=DNS:a.example\nkeyUsage=critical,keyAgreement\nextendedKeyUsage=clientAuth\n"            \
    "crlDistributionPoints=URI:http://csr.example/x.crl\n1.2.3.4=ASN1:UTF8:csr"

/* A request with a CSR that asks for everything, and beside it a keyUsage and 1.2.3.4. */
static struct err *shape(struct fixture *f, const char *yaml, bool beside, struct templates_shaped *ret)
{
    struct templates *set = NULL;
    struct templates_request r = fixture_request(f);
    struct cert_ext exts[2] = {[1] = {view_of("\x2a\x03\x04", 3), false, view_str("\x0c\x01r")}};
    fixture_ok(cert_ext_write_key_usage(CERT_KU_DIGITAL_SIGNATURE | CERT_KU_CONTENT_COMMITMENT, false,
                                        f->arena, &exts[0]));
    r.csr = fixture_csr(f->arena, f->key, "/CN=a", CSR_ALL);
    r.exts = exts;
    r.exts_n = beside ? 2 : 0;
    fixture_ok(fixture_load_overriding(yaml, &set));
    struct err *e = templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, ret);
    /* What came out is judged again on its bytes, as the vault does. */
    if (!e)
        fixture_ok(templates_judge(templates_at(set, 0), &f->issuer, ret->tbs, FIXTURE_NOW, f->arena));
    templates_free(set);
    return e;
}

static unsigned usages(const struct templates_shaped *s)
{
    unsigned mask = 0;
    const struct cert_ext *ext = cert_tbs_ext(s->tbs, CERT_EXT_KEY_USAGE);
    if (ext)
        fixture_ok(cert_ext_read_key_usage(ext->value, &mask));
    return mask;
}

static const struct cert_ext *custom(const struct templates_shaped *s)
{
    for (size_t i = 0; i < s->tbs->ext_count; i++) {
        if (view_eq_str(s->tbs->exts[i].oid, "\x2a\x03\x04"))
            return &s->tbs->exts[i];
    }
    return NULL;
}

static bool cdp_of_csr(struct fixture *f, const struct templates_shaped *s)
{
    struct cert_views uris;
    const struct cert_ext *ext = cert_tbs_ext(s->tbs, CERT_EXT_CDP);
    if (!ext)
        return false;
    fixture_ok(cert_ext_read_cdp(ext->value, f->arena, &uris));
    return view_eq_str(uris.v[0], "http://csr.example/x.crl");
}

static const char *origin(const struct templates_shaped *s, const char *field)
{
    for (size_t i = 0; i < s->origins_n; i++) {
        if (strcmp(s->origins[i].field, field) == 0)
            return s->origins[i].source;
    }
    return "none";
}

/* Base, CSR, API, both: the four varieties, and the same CSR under each. */
static void four_varieties(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    fixture_ok(shape(f,
                     BASE "key_usage: {usages: [digitalSignature], other: drop}\n"
                          "extended_key_usage: {usages: [serverAuth], other: drop}\n"
                          "pointers: {crl_other: drop}\ncustom: {other: drop}\n",
                     true, &s));
    assert_int_equal(usages(&s), CERT_KU_DIGITAL_SIGNATURE);
    assert_null(custom(&s));
    assert_false(cdp_of_csr(f, &s));
    assert_string_equal(origin(&s, "crl_distribution_points"), "issuer");

    fixture_ok(shape(f,
                     BASE "key_usage: {from: [csr], other: drop}\nextended_key_usage: {from: [csr]}\n"
                          "pointers: {crl_from: [csr, issuer]}\ncustom: {from: [csr], other: drop}\n",
                     true, &s));
    assert_int_equal(usages(&s), CERT_KU_KEY_AGREEMENT);
    assert_true(view_eq_str(custom(&s)->value, "\x0c\x03"
                                               "csr"));
    assert_true(cdp_of_csr(f, &s));
    assert_string_equal(origin(&s, "crl_distribution_points"), "csr");
    assert_string_equal(origin(&s, "keyUsage"), "csr");

    fixture_ok(shape(f,
                     BASE "key_usage: {from: [request], other: drop}\n"
                          "extended_key_usage: {from: [request], other: drop}\n"
                          "pointers: {crl_other: drop}\ncustom: {from: [request], other: drop}\n",
                     true, &s));
    assert_int_equal(usages(&s), CERT_KU_DIGITAL_SIGNATURE | CERT_KU_CONTENT_COMMITMENT);
    assert_null(cert_tbs_ext(s.tbs, CERT_EXT_EXT_KEY_USAGE));
    assert_true(view_eq_str(custom(&s)->value, "\x0c\x01r"));

    fixture_ok(shape(f,
                     BASE "key_usage: {from: [request, csr]}\nextended_key_usage: {from: [request, csr]}\n"
                          "pointers: {crl_from: [request, csr, issuer]}\ncustom: {from: [request, csr]}\n",
                     true, &s));
    assert_int_equal(usages(&s), CERT_KU_DIGITAL_SIGNATURE | CERT_KU_CONTENT_COMMITMENT);
    assert_string_equal(origin(&s, "keyUsage"), "request");
    assert_true(view_eq_str(custom(&s)->value, "\x0c\x01r"));
    assert_true(cdp_of_csr(f, &s));
    assert_non_null(cert_tbs_ext(s.tbs, CERT_EXT_EXT_KEY_USAGE));
}

static void the_template_comes_first(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    fixture_ok(shape(f,
                     BASE "key_usage: {from: [csr]}\nextended_key_usage: {from: [csr]}\n"
                          "pointers: {crl_from: [csr, issuer]}\n"
                          "custom: {from: [csr], values: [{oid: 1.2.3.4, value: 'utf8:t'}]}\n",
                     false, &s));
    assert_true(view_eq_str(custom(&s)->value, "\x0c\x01t"));
}

static void what_is_not_taken_is_refused_by_default(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    fixture_refused(
        shape(f, BASE "extended_key_usage: {usages: [clientAuth]}\nkey_usage: {from: [request]}\n", true, &s),
        ERR_BAD_EXTENSION, "keyAgreement is not given");
    fixture_refused(shape(f,
                          BASE "extended_key_usage: {usages: [clientAuth]}\nkey_usage: {from: [csr]}\n"
                               "pointers: {crl_other: drop}\n",
                          false, &s),
                    ERR_BAD_EXTENSION, "1.2.3.4: it is not taken by");
    struct err *e = shape(f,
                          BASE "extended_key_usage: {usages: [clientAuth]}\nkey_usage: {from: [csr]}\n"
                               "pointers: {crl_other: drop}\ncustom: {from: [csr]}\n",
                          true, &s);
    assert_string_equal(err_pointer(e), "/extensions/0");
    fixture_refused(e, ERR_BAD_EXTENSION, "it is not taken from a request");
}

static void bounds_hold_for_what_is_taken(void **state)
{
    struct fixture *f = *state;
    struct templates_shaped s;
    fixture_refused(shape(f,
                          BASE "key_usage: {from: [csr], allow: [digitalSignature]}\n"
                               "extended_key_usage: {from: [csr]}\npointers: {crl_other: drop}\n"
                               "custom: {other: drop}\n",
                          false, &s),
                    ERR_POLICY, "key_usage.allow: keyAgreement may not be asked for");
    fixture_refused(shape(f,
                          BASE "key_usage: {from: [csr]}\n"
                               "extended_key_usage: {from: [csr], allow: [serverAuth]}\n"
                               "pointers: {crl_other: drop}\ncustom: {other: drop}\n",
                          false, &s),
                    ERR_POLICY, "extended_key_usage.allow: clientAuth may not be asked for");
    fixture_refused(shape(f,
                          BASE "key_usage: {from: [csr]}\nextended_key_usage: {from: [csr]}\n"
                               "pointers: {crl_other: drop}\ncustom: {from: [csr], allow: [1.2.3.5]}\n",
                          false, &s),
                    ERR_POLICY, "custom.allow: the extension 1.2.3.4");
}

/* What follows from key, names and issuer is nobody's to ask, whatever a template takes. */
static void some_extensions_are_not_for_asking(void **state)
{
    struct fixture *f = *state;
    struct templates *set = NULL;
    struct templates_shaped s;
    struct templates_request r = fixture_request(f);
    struct cert_ext ext;
    fixture_ok(fixture_load_overriding(
        BASE "extended_key_usage: {from: [request]}\ncustom: {from: [request]}\n", &set));
    fixture_ok(cert_ext_write_aki(view_str("somebody else's"), f->arena, &ext));
    r.csr = fixture_csr(f->arena, f->key, "/CN=a", NULL);
    r.exts = &ext;
    r.exts_n = 1;
    fixture_refused(templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &s), ERR_BAD_EXTENSION,
                    "it follows from key, names and issuer");
    fixture_ok(cert_ext_write_basic((struct cert_basic){true, -1}, true, f->arena, &ext));
    fixture_refused(templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &s), ERR_BAD_EXTENSION,
                    "not taken from a request");
    templates_free(set);
}

static void names_from_where_none_are_taken(void **state)
{
    struct fixture *f = *state;
    struct templates *set = NULL;
    struct templates_shaped s;
    struct templates_request r = fixture_request(f);
    static const char *const names[] = {"dns:b.example"};
    r.csr = fixture_csr(f->arena, f->key, "/CN=a.example", "subjectAltName=DNS:a.example");
    r.has_sans = r.has_subject = true;
    r.sans = names;
    r.sans_n = 1;
    fixture_ok(fixture_load_overriding(LIFE
                                       "subject: {allow: [CN], cn: free, from_request: false, other: drop}\n"
                                       "sans: {kinds: [dns], from_request: false, other: drop}\n"
                                       "extended_key_usage: {usages: [serverAuth]}\n",
                                       &set));
    fixture_ok(templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &s));
    assert_int_equal(s.names_n, 1);
    assert_string_equal(s.names[0], "dns:a.example");
    assert_string_equal(s.subject, "CN=a.example");
    templates_free(set);
    fixture_ok(fixture_load_overriding(
        LIFE "subject: {allow: [CN], cn: free}\nsans: {kinds: [dns], from_request: false}\n"
             "extended_key_usage: {usages: [serverAuth]}\n",
        &set));
    fixture_refused(templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &s), ERR_POLICY,
                    "takes no names beside the CSR");
    templates_free(set);
}

/* Dropping other extensions does not drop names: who asked for some must hear that there are none. */
static void names_are_not_dropped_with_the_rest(void **state)
{
    struct fixture *f = *state;
    struct templates *set = NULL;
    struct templates_shaped s;
    struct templates_request r = fixture_request(f);
    r.csr = fixture_csr(f->arena, f->key, "/CN=a.example", "subjectAltName=DNS:a.example");
    fixture_ok(fixture_load(LIFE "subject: {allow: [CN], cn: free}\n"
                                 "extended_key_usage: {usages: [serverAuth]}\ncustom: {other: drop}\n",
                            &set));
    fixture_refused(templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &s), ERR_BAD_EXTENSION,
                    "names are not taken from a CSR");
    templates_free(set);
}

static int64_t end_of(struct fixture *f, const char *life, uint8_t last)
{
    struct templates *set = NULL;
    struct templates_shaped s;
    struct templates_request r = fixture_request(f);
    static const char *const names[] = {"dns:b.example"};
    uint8_t serial[16] = {0x41};
    char yaml[512];
    serial[15] = last;
    r.serial = view_of(serial, sizeof(serial));
    r.has_sans = true;
    r.sans = names;
    r.sans_n = 1;
    snprintf(yaml, sizeof(yaml), "validity: {%s}\n%s%s", life, NAMES,
             "extended_key_usage: {usages: [serverAuth]}\n");
    fixture_ok(fixture_load(yaml, &set));
    fixture_ok(templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &s));
    templates_free(set);
    return s.tbs->not_after;
}

static void an_end_nobody_asked_for(void **state)
{
    struct fixture *f = *state;
    enum { DAY = 86400, DAYS = 90 };
    assert_int_equal(end_of(f, "default: 90d, max: 90d", 1), FIXTURE_NOW + DAYS * DAY);
    assert_int_equal(end_of(f, "default: 90d, max: 90d, until: '2026-12-01T00:00:00Z'", 1), 1796083200);
    int64_t one = end_of(f, "default: 90d, max: 90d, jitter: 24h", 1);
    int64_t two = end_of(f, "default: 90d, max: 90d, jitter: 24h", 2);
    assert_true(one != two && one == end_of(f, "default: 90d, max: 90d, jitter: 24h", 1));
    assert_in_range(one, FIXTURE_NOW + (DAYS - 1) * DAY, FIXTURE_NOW + DAYS * DAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(four_varieties, setup, teardown),
        cmocka_unit_test_setup_teardown(the_template_comes_first, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_taken_is_refused_by_default, setup, teardown),
        cmocka_unit_test_setup_teardown(bounds_hold_for_what_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(some_extensions_are_not_for_asking, setup, teardown),
        cmocka_unit_test_setup_teardown(names_are_not_dropped_with_the_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(an_end_nobody_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(names_from_where_none_are_taken, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
