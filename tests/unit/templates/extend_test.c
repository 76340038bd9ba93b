/*
 * Templates that extend others: what is left out comes from the other, what is said narrows it, and each way
 * of widening is refused at its place.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "narrow_pattern.h"

#define BASE                                                                                                 \
    "description: base\nissuers: [issuing, second]\naskers: [token, operator]\nceiling_per_hour: 100\n"      \
    "validity: {default: 30d, max: 90d, backdate: 10m}\n"                                                    \
    "limits: {per_asker: 20/1h, keys: renewal, renew_within: 10d}\n"                                         \
    "keys: {allow: [rsa, p256, p384], rsa_min: 3072}\n"                                                      \
    "subject: {allow: [O, OU, CN], require: [CN], cn: free, patterns: {O: ['Ex*'], CN: ['*.example']}}\n"    \
    "sans: {kinds: [dns, ip], min: 1, max: 5, wildcard: true, wildcard_labels: 2,\n"                         \
    "  allow: ['**.example', '10.0.0.0/8'], deny: ['db.example']}\n"                                         \
    "key_usage: {from: [csr], allow: [digitalSignature, contentCommitment]}\n"                               \
    "extended_key_usage: {usages: [serverAuth, emailProtection]}\n"                                          \
    "conditions: [{that: size(cert.sans) < 4, else: at most three}]\n"

static struct err *load(const char *base, const char *child, struct templates **ret)
{
    const struct templates_file files[] = {{"templates/child.yaml", view_str(child)},
                                           {"templates/base.yaml", view_str(base)}};
    *ret = NULL;
    return templates_load(files, 2, ret);
}

static const char *text_at(const json_t *json, const char *group, const char *key)
{
    return json_string_value(json_object_get(json_object_get(json, group), key));
}

static void what_is_left_out_comes_from_the_other(void **state)
{
    (void)state;
    struct templates *set;
    fixture_ok(load(BASE, "extends: base\ndescription: pay\nvalidity: {max: 60d}\n", &set));
    const struct template *t = templates_find(set, view_str("child"));
    json_t *json = templates_to_json(t), *base = templates_to_json(templates_find(set, view_str("base")));
    assert_string_equal(templates_description(t), "pay");
    assert_string_equal(text_at(json, "validity", "max"), "60d");
    assert_string_equal(text_at(json, "validity", "default"), "30d");
    json_object_del(json_object_get(json, "validity"), "max");
    json_object_del(json_object_get(base, "validity"), "max");
    json_object_del(json, "name");
    json_object_del(json, "description");
    json_object_del(base, "name");
    json_object_del(base, "description");
    assert_true(json_equal(json, base));
    json_decref(json);
    json_decref(base);
    templates_free(set);
}

/* Each of these loads. */
static const char *const narrower[] = {
    "extends: base\n",
    "extends: base\nenabled: false\nname: other\n",
    "extends: base\ninternal: true\n",
    "extends: base\nbaseline: true\n",
    "extends: base\ncaa: true\n",
    "extends: base\nissuers: [second]\n",
    "extends: base\naskers: [operator]\n",
    "extends: base\nceiling_per_hour: 10\n",
    "extends: base\nlimits: {per_asker: 10/1h}\n",
    "extends: base\nlimits: {per_asker: 20/2h, per_name: 5/7d, keys: once, renew_within: 5d}\n",
    "extends: base\nvalidity: {default: 1d, max: 2d, backdate: 1m, until: '2027-01-01T00:00:00Z'}\n",
    "extends: base\nkeys: {allow: [p256]}\n",
    "extends: base\nkeys: {rsa_min: 4096, rsa_max: 4096}\n",
    "extends: base\nsubject: {allow: [CN], cn: san}\n",
    "extends: base\nsubject: {allow: [CN, OU], fixed: {O: Example}}\n",
    "extends: base\nsubject: {require: [CN, O]}\n",
    "extends: base\nsubject: {patterns: {O: ['Exa*'], CN: ['a.example', 'b*.example']}}\n",
    "extends: base\nsubject: {allow: [O, CN], computed: {OU: asker.role}}\n",
    "extends: base\nsubject: {from_csr: false}\n",
    "extends: base\nsubject: {from: {O: [request]}, forbid: [UID]}\n",
    "extends: base\nsans: {kinds: [dns]}\n",
    "extends: base\nsans: {min: 2, max: 3, wildcard: false}\n",
    "extends: base\nsans: {wildcard_labels: 3}\n",
    "extends: base\nsans: {kinds: [dns], allow: ['**.pay.example', 'a.example']}\n",
    "extends: base\nsans: {allow: ['*.example', '10.1.0.0/16']}\n",
    "extends: base\nsans: {deny: ['db.example', '*.root.example']}\n",
    "extends: base\nkey_usage: {allow: [digitalSignature]}\n",
    "extends: base\nkey_usage: {usages: [digitalSignature]}\n",
    "extends: base\nextended_key_usage: {usages: [serverAuth]}\n",
    "extends: base\nconditions: [{that: 'true', else: never}]\n",
};

/* What is shown of it is whole: it loads without the other, to the same. */
static void stands_alone(const struct templates *set)
{
    struct templates *alone = NULL;
    for (size_t i = 0; i < templates_count(set); i++) {
        json_t *json = templates_to_json(templates_at(set, i));
        char *text = json_dumps(json, JSON_ENSURE_ASCII);
        const struct templates_file file = {"templates/alone.yaml", view_str(text)};
        fixture_ok(templates_load(&file, 1, &alone));
        json_t *again = templates_to_json(templates_at(alone, 0));
        assert_true(json_equal(json, again));
        json_decref(again);
        json_decref(json);
        free(text);
        templates_free(alone);
    }
}

static void a_narrower_template_loads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(narrower) / sizeof(narrower[0]); i++) {
        struct templates *set;
        struct err *e = load(BASE, narrower[i], &set);
        if (e)
            print_error("%s\n  %s\n", narrower[i], err_detail(e));
        assert_null(e);
        stands_alone(set);
        templates_free(set);
    }
}

/* Each of these is refused, at the field. */
static const struct {
    const char *child, *place;
} wider[] = {
    {"extends: base\nissuers: [third]\n", "2:10: 'issuers'"},
    {"extends: base\naskers: [token, certificate]\n", "2:9: 'askers'"},
    {"extends: base\nceiling_per_hour: 101\n", "2:19: 'ceiling_per_hour'"},
    {"extends: base\nceiling_per_hour: 0\n", "2:19: 'ceiling_per_hour'"},
    {"extends: base\nvalidity: {max: 91d}\n", "2:17: 'max'"},
    {"extends: base\nvalidity: {backdate: 11m}\n", "2:22: 'backdate'"},
    {"extends: base\nkeys: {allow: [p521]}\n", "2:15: 'allow'"},
    {"extends: base\nlimits: {per_asker: 30/1h}\n", "2:21: 'per_asker'"},
    {"extends: base\nlimits: {per_asker: 10/1m}\n", "2:21: 'per_asker'"},
    {"extends: base\nlimits: {keys: owner}\n", "2:16: 'keys'"},
    {"extends: base\nlimits: {renew_within: 15d}\n", "2:24: 'renew_within'"},
    {"extends: base\nkeys: {rsa_min: 2048}\n", "2:17: 'rsa_min'"},
    {"extends: base\nsubject: {allow: [O, OU, CN, UID]}\n", "2:18: 'allow'"},
    {"extends: base\nsubject: {fixed: {UID: root}}\n", "2:18: 'fixed'"},
    {"extends: base\nsubject: {allow: [CN], fixed: {O: Evil}}\n", "2:31: 'fixed'"},
    {"extends: base\nsubject: {require: [O]}\n", "2:20: 'require'"},
    {"extends: base\nsubject: {patterns: {O: ['E*'], CN: ['*.example']}}\n", "2:21: 'patterns'"},
    {"extends: base\nsubject: {patterns: {O: ['Ex*']}}\n", "2:21: 'patterns'"},
    {"extends: base\nsubject: {order: [CN, O]}\n", "2:18: 'order'"},
    {"extends: base\nsubject: {computed: {UID: asker.id}}\n", "2:21: 'computed'"},
    {"extends: base\nsubject: {allow: [CN, OU], computed: {O: asker.id}}\n", "2:38: 'computed'"},
    {"extends: base\nsans: {kinds: [dns, ip, email], allow: ['**.example', '10.0.0.0/8', '*@example']}\n",
     "2:15: 'kinds'"},
    {"extends: base\nsans: {min: 0}\n", "2:13: 'min'"},
    {"extends: base\nsans: {max: 6}\n", "2:13: 'max'"},
    {"extends: base\nsans: {wildcard_labels: 1}\n", "2:25: 'wildcard_labels'"},
    {"extends: base\nsans: {from_cn: true}\n", "2:17: 'from_cn'"},
    {"extends: base\nsans: {kinds: [dns], allow: ['**.example.org']}\n", "2:29: 'allow'"},
    {"extends: base\nsans: {allow: ['**', '10.0.0.0/8']}\n", "2:15: 'allow'"},
    {"extends: base\nsans: {allow: ['**.example', '10.0.0.0/7']}\n", "2:15: 'allow'"},
    {"extends: base\nsans: {deny: ['dc.example']}\n", "2:14: 'deny'"},
    {"extends: base\nkey_usage: {allow: [keyAgreement]}\n", "2:20: 'allow'"},
    {"extends: base\nkey_usage: {from: [request, csr]}\n", "2:19: 'from'"},
    {"extends: base\nkey_usage: {usages: [digitalSignature], critical: false}\n", "2:51: 'critical'"},
    {"extends: base\nkeys: {allow: [p256]}\nkey_usage: {usages: [keyAgreement]}\n", "3:21: 'usages'"},
    {"extends: base\nextended_key_usage: {usages: [serverAuth, clientAuth]}\n", "2:30: 'usages'"},
    {"extends: base\nextended_key_usage: {from: [csr], allow: [serverAuth]}\n", "2:28: 'from'"},
    {"extends: base\npointers: {ocsp: false}\n", "2:18: 'ocsp'"},
    {"extends: base\npolicies: {values: [{oid: 1.2.3}]}\n", "2:20: 'values'"},
    {"extends: base\ntls_feature: {features: [status_request]}\n", "2:25: 'features'"},
    {"extends: base\nmicrosoft: {sid: S-1-5-21-1-2-3-500}\n", "2:18: 'sid'"},
    {"extends: base\ncustom: {from: [csr], allow: [1.2.3]}\n", "2:16: 'from'"},
};

static void each_way_of_widening_is_refused_at_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wider) / sizeof(wider[0]); i++) {
        struct templates *set;
        char want[128];
        snprintf(want, sizeof(want), "templates/child.yaml:%s says more than in template 'base'",
                 wider[i].place);
        struct err *e = load(BASE, wider[i].child, &set);
        if (!e)
            print_error("let in: %s\n", wider[i].child);
        fixture_refused(e, ERR_CONFIG, want);
    }
}

static void what_cannot_be_extended_is_named(void **state)
{
    (void)state;
    struct templates *set;
    fixture_refused(load(BASE, "extends: bas\n", &set), ERR_CONFIG,
                    "templates/child.yaml:1:10: there is no template 'bas' to extend");
    fixture_refused(load(BASE, "extends: child\n", &set), ERR_CONFIG, "or it extends this one");
    fixture_refused(load("extends: child\n", "extends: base\n", &set), ERR_CONFIG, "or it extends this one");
    fixture_refused(load(BASE, "extends: [base]\n", &set), ERR_CONFIG, "templates/child.yaml:1:10: ");
    fixture_refused(load("validity: {}\n", "extends: base\n", &set), ERR_CONFIG, "templates/base.yaml:");
    /* what does not fit together with what is inherited is named at its own place */
    fixture_refused(load(BASE, "extends: base\nvalidity: {max: 1d}\n", &set), ERR_CONFIG,
                    "templates/child.yaml:1:10: ");
}

static void a_chain_has_an_end(void **state)
{
    (void)state;
    struct templates *set = NULL;
    struct templates_file files[6];
    char names[6][32], texts[6][64];
    files[0] = (struct templates_file){"a0.yaml", view_str(BASE)};
    for (int i = 1; i < 6; i++) {
        snprintf(names[i], sizeof(names[i]), "a%d.yaml", i);
        snprintf(texts[i], sizeof(texts[i]), "extends: a%d\nvalidity: {max: %dd}\n", i - 1, 90 - i);
        files[i] = (struct templates_file){names[i], view_str(texts[i])};
    }
    fixture_ok(templates_load(files, 5, &set));
    assert_int_equal(templates_validity_max_s(templates_find(set, view_str("a4"))), 86 * 86400);
    templates_free(set);
    fixture_refused(templates_load(files, 6, &set), ERR_CONFIG,
                    "a5.yaml:1:10: templates extend each other more than 4");
}

/* The other's conditions hold beside the template's own. */
static void conditions_come_on_top(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct templates *set;
    struct templates_shaped s;
    struct templates_request r = fixture_request(f);
    static const char *const names[] = {"dns:a.example", "dns:b.example", "dns:c.example", "dns:d.example"};
    const struct templates_rdn cn = {"CN", "a.example"};
    r.has_sans = r.has_subject = true;
    r.subject = &cn;
    r.subject_n = 1;
    r.sans = names;
    fixture_ok(
        load(BASE, "extends: base\nconditions: [{that: size(cert.sans) > 1, else: at least two}]\n", &set));
    const struct template *t = templates_find(set, view_str("child"));
    r.sans_n = 1;
    fixture_refused(templates_shape(t, &r, &f->issuer, f->arena, &s), ERR_POLICY, "at least two");
    r.sans_n = 4;
    fixture_refused(templates_shape(t, &r, &f->issuer, f->arena, &s), ERR_POLICY, "at most three");
    r.sans_n = 2;
    fixture_ok(templates_shape(t, &r, &f->issuer, f->arena, &s));
    templates_free(set);
    fixture_free(f);
}

static const struct {
    const char *narrow, *wide;
    bool within;
} patterns[] = {
    {"a.example", "a.example", true},
    {"a.example", "*.example", true},
    {"*.example", "**.example", true},
    {"*.a.example", "**.example", true},
    {"**.a.example", "**.example", true},
    {"**.example", "**.example", true},
    {"**.example", "*.example", false},
    {"*.example", "a.example", false},
    {"**.example", "**.a.example", false},
    {"**", "**.example", false},
    {"a.b.example", "*.example", false},
    {"**.badexample", "**.example", false},
    {"10.1.0.0/16", "10.0.0.0/8", true},
    {"10.0.0.1", "10.0.0.0/8", true},
    {"10.0.0.0/8", "10.1.0.0/16", false},
    {"0.0.0.0/0", "10.0.0.0/8", false},
    {"fd00::/16", "10.0.0.0/8", false},
    {"ann@a.example", "*@a.example", true},
    {"*@a.example", "*@**.example", true},
    {"*@a.example", "ann@a.example", false},
    {"*@**.example", "*@*.example", false},
    {"spiffe://a/b/c", "spiffe://a/b/*", true},
    {"spiffe://a/b/**", "spiffe://a/b/*", false},
    {"spiffe://a/**", "spiffe://a/b/**", false},
    {"upn:*@a.example", "*@a.example", false},
    {"dir:CN=a,O=b", "dir:CN=*,O=b", true},
    {"dir:CN=*,O=*", "dir:CN=*,O=b", false},
    {"rid:1.2.3.*", "rid:1.2.*", true},
    {"rid:1.2.*", "rid:1.2.3.*", false},
};

static void one_pattern_within_another(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        bool within = narrow_pattern_lies_within(view_str(patterns[i].narrow), view_str(patterns[i].wide));
        if (within != patterns[i].within)
            print_error("over '%s' within '%s'\n", patterns[i].narrow, patterns[i].wide);
        assert_int_equal(within, patterns[i].within);
    }
}

/* Thousands that extend one: found and filled in time that grows with their number. */
static void many_may_extend_one(void **state)
{
    (void)state;
    enum { N = 2000 };
    struct templates_file *files = calloc(N, sizeof(*files));
    char(*names)[16] = calloc(N, sizeof(*names));
    struct templates *set = NULL;
    files[0] = (struct templates_file){"base.yaml", view_str(BASE)};
    for (size_t i = 1; i < N; i++) {
        snprintf(names[i], sizeof(names[i]), "t%04zu.yaml", i);
        files[i] = (struct templates_file){names[i], view_str("extends: base\nvalidity: {max: 60d}\n")};
    }
    fixture_ok(templates_load(files, N, &set));
    assert_int_equal(templates_count(set), N);
    templates_free(set);
    free(files);
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_out_comes_from_the_other),
        cmocka_unit_test(a_narrower_template_loads),
        cmocka_unit_test(each_way_of_widening_is_refused_at_its_place),
        cmocka_unit_test(what_cannot_be_extended_is_named),
        cmocka_unit_test(a_chain_has_an_end),
        cmocka_unit_test(conditions_come_on_top),
        cmocka_unit_test(one_pattern_within_another),
        cmocka_unit_test(many_may_extend_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
