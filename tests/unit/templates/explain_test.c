/* Explaining: every element with its origin, every rule with its verdict, and what templates_shape says of
 * the same request. */
#include "fixture.h"

#include <stdio.h>

#include "templates_explain.h"

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

static struct templates_explained explain(struct fixture *f, const char *template, const char *subject,
                                          const char *exts, struct templates_request *ret_request)
{
    struct templates_explained x;
    *ret_request = fixture_request(f);
    ret_request->csr = fixture_csr(f->arena, f->key, subject, exts);
    templates_explain(fixture_template(f, template), ret_request, &f->issuer, f->arena, &x);
    return x;
}

static const struct templates_shown *field(const struct templates_explained *x, const char *name)
{
    for (size_t i = 0; i < x->fields_n; i++) {
        if (strcmp(x->fields[i].field, name) == 0)
            return &x->fields[i];
    }
    fail_msg("no field %s", name);
    return NULL;
}

static const struct templates_ruled *rule(const struct templates_explained *x, const char *name)
{
    for (size_t i = 0; i < x->rules_n; i++) {
        if (strcmp(x->rules[i].rule, name) == 0)
            return &x->rules[i];
    }
    fail_msg("no rule %s", name);
    return NULL;
}

static void shown(const struct templates_explained *x, const char *name, const char *value,
                  const char *source)
{
    assert_string_equal(field(x, name)->value, value);
    assert_string_equal(field(x, name)->source, source);
}

static void every_element_has_its_value_and_origin(void **state)
{
    struct fixture *f = *state;
    struct templates_request r;
    struct templates_explained x = explain(f, "server", "/CN=web.example.internal/O=Else",
                                           "subjectAltName=DNS:web.example.internal,IP:10.0.0.7", &r);
    shown(&x, "subject.CN", "web.example.internal", "csr");
    shown(&x, "sans", "dns:web.example.internal ip:10.0.0.7", "csr");
    shown(&x, "key", "p256", "csr");
    shown(&x, "key_usage", "critical digitalSignature", "template");
    shown(&x, "extended_key_usage", "serverAuth", "template");
    shown(&x, "basic_constraints", "critical CA:FALSE", "template");
    shown(&x, "serial", "4102030405060708090a0b0c0d0e0f10", "vault");
    shown(&x, "validity.not_after", "2027-02-19T06:20:00Z", "template");
    for (size_t i = 0; i < x.fields_n; i++) {
        if (x.fields[i].source[0] == 0)
            fail_msg("%s has no origin", x.fields[i].field);
    }
    for (size_t i = 0; i < x.rules_n; i++) {
        if (x.rules[i].verdict == TEMPLATES_BROKEN || x.rules[i].verdict == TEMPLATES_OPEN)
            fail_msg("%s: %s", x.rules[i].rule, x.rules[i].detail);
    }
}

/* Broken rules in all places: each has its row, not the first alone. */
static void every_broken_rule_is_named(void **state)
{
    struct fixture *f = *state;
    struct templates_request r = fixture_request(f);
    struct templates_explained x;
    r.csr = fixture_csr(f->arena, f->key, "/CN=other.example.internal",
                        "subjectAltName=DNS:*.example.internal,URI:urn:x\nbasicConstraints=CA:TRUE");
    r.validity_s = INT64_C(86400) * 4000;
    templates_explain(fixture_template(f, "server"), &r, &f->issuer, f->arena, &x);
    static const char *const broken[] = {"shape.csr", "validity.max", "sans.kinds", "sans.wildcard",
                                         "subject.cn"};
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        assert_int_equal(rule(&x, broken[i])->verdict, TEMPLATES_BROKEN);
        assert_true(rule(&x, broken[i])->detail[0]);
    }
    assert_int_equal(rule(&x, "sans.wildcard")->judge, TEMPLATES_BOTH);
    assert_int_equal(rule(&x, "shape.csr")->judge, TEMPLATES_FRONT);
    assert_string_equal(rule(&x, "shape.csr")->pointer, "/csr");
    assert_string_equal(rule(&x, "validity.max")->pointer, "/validity");
    assert_int_equal(rule(&x, "keys.allow")->verdict, TEMPLATES_KEPT);
    assert_int_equal(rule(&x, "lint.ec-encipherment")->verdict, TEMPLATES_KEPT);
}

/* Refused by shape if and only if a row is broken, and by the same words. */
static void it_agrees_with_shape(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *template, *subject, *exts;
    } cases[] = {
        {"server", "/CN=a.example.internal", "subjectAltName=DNS:a.example.internal"},
        {"server", "/CN=a.example.internal", NULL},
        {"server", "/", NULL},
        {"server", "/CN=not a host", NULL},
        {"server", "/", "subjectAltName=DNS:a.example.internal\nkeyUsage=keyCertSign"},
        {"server", "/", "subjectAltName=DNS:a.example.internal\nextendedKeyUsage=clientAuth"},
        {"server", "/", "subjectAltName=email:a@example.internal"},
        {"client", "/CN=Ann", NULL},
        {"client", "/CN=Ann/O=Evil", NULL},
        {"client", "/", NULL},
        {"device", "/serialNumber=17", NULL},
        {"code-signing", "/CN=Build", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct templates_request r;
        struct templates_shaped s;
        struct templates_explained x = explain(f, cases[i].template, cases[i].subject, cases[i].exts, &r);
        const struct templates_ruled *first = NULL;
        for (size_t k = 0; k < x.rules_n && !first; k++)
            first = x.rules[k].verdict == TEMPLATES_BROKEN ? &x.rules[k] : NULL;
        struct err *e = templates_shape(fixture_template(f, cases[i].template), &r, &f->issuer, f->arena, &s);
        if (!e != !first)
            fail_msg("case %zu: shape says '%s', explain '%s'", i, e ? err_detail(e) : "yes",
                     first ? first->detail : "yes");
        if (e) {
            assert_non_null(strstr(err_detail(e), first->detail));
            assert_int_equal(err_code(e), first->code);
            assert_string_equal(err_pointer(e), first->pointer);
        }
        err_free(e);
    }
}

/* Without a key there is nothing to be judged; the rules are there all the same. */
static void without_a_key_the_rules_stay_open(void **state)
{
    struct fixture *f = *state;
    struct templates_request r = fixture_request(f);
    struct templates_explained x;
    r.spki = view_of("\x30\x00", 2);
    templates_explain(fixture_template(f, "server"), &r, &f->issuer, f->arena, &x);
    assert_null(x.tbs);
    assert_int_equal(x.fields_n, 0);
    assert_int_equal(rule(&x, "shape.key")->verdict, TEMPLATES_BROKEN);
    assert_int_equal(rule(&x, "validity.max")->verdict, TEMPLATES_OPEN);
    assert_int_equal(rule(&x, "lint.extension-twice")->verdict, TEMPLATES_OPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_element_has_its_value_and_origin, setup, teardown),
        cmocka_unit_test_setup_teardown(every_broken_rule_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(it_agrees_with_shape, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_key_the_rules_stay_open, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
