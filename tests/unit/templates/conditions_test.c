/*
 * Conditions and computed values of a template: what holds passes, what does not is refused with the
 * template's own words; the vault judges what the bytes alone answer.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "cert/name.h"
#include "judge.h"

#define HEAD                                                                                                 \
    "validity: {default: 1d, max: 30d}\nsubject: {allow: [CN]}\nsans: {kinds: [dns, ip]}\n"                  \
    "extended_key_usage: {usages: [serverAuth]}\n"

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

static const char *const two_names[] = {"dns:a.example", "dns:b.example"};
static const char *const grant[] = {"dns:**.example"};
static const struct templates_who ann = {.role = "requester",
                                         .id = "token:6f1c",
                                         .door = "rest",
                                         .peer = "10.1.2.3",
                                         .names = grant,
                                         .names_n = 1};
static const struct templates_who operator= {
    .role = "operator", .id = "roster:bob", .door = "rest", .peer = "192.0.2.1"};

struct asked {
    struct templates *set;
    struct templates_request r;
    struct templates_shaped s;
};

static struct asked asked(struct fixture *f, const char *yaml)
{
    struct asked a = {.r = fixture_request(f)};
    fixture_ok(fixture_load_overriding(yaml, &a.set));
    a.r.who = &ann;
    a.r.has_sans = true;
    a.r.sans = two_names;
    a.r.sans_n = 2;
    return a;
}

static struct err *shape(struct fixture *f, struct asked *a)
{
    return templates_shape(templates_at(a->set, 0), &a->r, &f->issuer, f->arena, &a->s);
}

static void a_condition_over_the_asker_is_the_fronts(void **state)
{
    struct fixture *f = *state;
    struct asked a = asked(f, HEAD "conditions:\n"
                                   "  - that: size(cert.sans) < 2 || asker.role == 'operator'\n"
                                   "    else: more than one name are for operators\n");
    fixture_refused(shape(f, &a), ERR_POLICY,
                    "template 'x': conditions: more than one name are for operators");
    a.r.sans_n = 1;
    fixture_ok(shape(f, &a));
    a.r.sans_n = 2;
    a.r.who = &operator;
    fixture_ok(shape(f, &a));
    /* the vault knows no asker: it cannot refuse this */
    fixture_ok(templates_judge(templates_at(a.set, 0), &f->issuer, a.s.tbs, FIXTURE_NOW, f->arena));
    a.r.who = NULL; /* the house itself is no operator */
    fixture_refused(shape(f, &a), ERR_POLICY, "conditions");
    templates_free(a.set);
}

static void a_condition_over_the_certificate_is_the_vaults_too(void **state)
{
    struct fixture *f = *state;
    struct asked open = asked(f, HEAD);
    struct asked a =
        asked(f, HEAD "conditions:\n"
                      "  - that: cert.sans.all(n, n.endsWith('.pay.example'))\n"
                      "    else: names of pay alone\n"
                      "  - {that: cert.not_after - cert.not_before <= duration('2d'), else: two days}\n");
    fixture_refused(shape(f, &a), ERR_POLICY, "template 'x': conditions: names of pay alone");
    fixture_ok(shape(f, &open));
    fixture_refused(templates_judge(templates_at(a.set, 0), &f->issuer, open.s.tbs, FIXTURE_NOW, f->arena),
                    ERR_POLICY, "template 'x': conditions: names of pay alone");
    /* and the control: without this one rule nothing else would have refused it */
    size_t rule = 0;
    while (strcmp(judge_rows[rule].name, "conditions") != 0)
        rule++;
    fixture_ok(judge_all_but(rule, templates_at(a.set, 0), &f->issuer, open.s.tbs, FIXTURE_NOW, f->arena));
    static const char *const pay[] = {"dns:x.pay.example"};
    a.r.sans = pay;
    a.r.sans_n = 1;
    fixture_ok(shape(f, &a));
    a.r.validity_s = 3 * 86400;
    fixture_refused(shape(f, &a), ERR_POLICY, "template 'x': conditions: two days");
    templates_free(a.set);
    templates_free(open.set);
}

static void a_condition_without_an_answer_refuses(void **state)
{
    struct fixture *f = *state;
    struct asked a = asked(f, HEAD "conditions: [{that: csr.subject.OU == 'x', else: another unit}]\n");
    fixture_refused(shape(f, &a), ERR_POLICY, "number 1 (another unit) has no answer: there is no 'OU'");
    a.r.csr = fixture_csr(f->arena, f->key, "/OU=x/CN=a.example", NULL);
    fixture_refused(shape(f, &a), ERR_POLICY, "subject.allow"); /* it holds; OU is not taken all the same */
    templates_free(a.set);
}

static void the_address_and_the_hour_of_the_asker_count(void **state)
{
    struct fixture *f = *state;
    struct asked a =
        asked(f, HEAD "conditions:\n"
                      "  - {that: \"cidr('10.0.0.0/8').containsIP(asker.peer)\", else: from inside}\n"
                      "  - {that: now.getHours() < 6 || asker.door == 'rest', else: by night}\n");
    fixture_ok(shape(f, &a));
    a.r.who = &operator;
    fixture_refused(shape(f, &a), ERR_POLICY, "conditions: from inside");
    templates_free(a.set);
}

#define COMPUTED                                                                                             \
    "validity: {default: 1d, max: 30d, computed: \"asker.role == 'operator' ? duration('20d') : "            \
    "duration('2d')\"}\n"                                                                                    \
    "subject:\n"                                                                                             \
    "  allow: [CN]\n"                                                                                        \
    "  computed: {UID: asker.id, OU: \"csr.subject.CN.split('.')[0]\", title: \"''\"}\n"                     \
    "  patterns: {OU: [a, b]}\n"                                                                             \
    "sans: {kinds: [dns, ip], computed: [\"'dns:extra.' + csr.subject.CN\", \"[csr.subject.CN, "             \
    "'ip:10.0.0.7']\"]}\n"                                                                                   \
    "extended_key_usage: {usages: [serverAuth]}\n"

static void what_a_template_computes_stands_in_the_certificate(void **state)
{
    struct fixture *f = *state;
    struct asked a = asked(f, COMPUTED);
    a.r.has_sans = false;
    a.r.csr = fixture_csr(f->arena, f->key, "/CN=a.example", NULL);
    fixture_ok(shape(f, &a));
    assert_string_equal(a.s.subject, "CN=a.example,UID=token:6f1c,OU=a");
    assert_int_equal(a.s.names_n, 3); /* UID is the template's own word: no grant need cover it */
    assert_string_equal(a.s.names[0], "dns:extra.a.example");
    assert_string_equal(a.s.names[1], "dns:a.example");
    assert_string_equal(a.s.names[2], "ip:10.0.0.7");
    assert_int_equal(a.s.tbs->not_after, FIXTURE_NOW + 2 * 86400);
    a.r.who = &operator;
    fixture_ok(shape(f, &a));
    assert_int_equal(a.s.tbs->not_after, FIXTURE_NOW + 20 * 86400);
    a.r.csr = fixture_csr(f->arena, f->key, "/CN=c.example", NULL);
    fixture_refused(shape(f, &a), ERR_POLICY, "subject.patterns");
    a.r.csr = fixture_csr(f->arena, f->key, "/O=x", NULL);
    fixture_refused(shape(f, &a), ERR_POLICY, "cannot be computed: there is no 'CN'");
    a.r.csr = fixture_csr(f->arena, f->key, "/CN=a.example/UID=root", NULL);
    fixture_refused(shape(f, &a), ERR_POLICY, "subject.fixed: template 'x' sets UID itself");
    templates_free(a.set);
}

/* What a CSR can turn is held against the grant as if it had been asked for. */
static void a_name_computed_from_a_csr_is_the_askers(void **state)
{
    struct fixture *f = *state;
    struct asked a = asked(f, "validity: {default: 1d, max: 30d}\n"
                              "subject: {computed: {CN: \"'user ' + csr.subject.UID\"}}\n"
                              "sans: {kinds: [dns]}\n"
                              "extended_key_usage: {usages: [serverAuth]}\n");
    a.r.csr = fixture_csr(f->arena, f->key, "/UID=root", NULL);
    fixture_refused(shape(f, &a), ERR_POLICY, "subject.allow");
    templates_free(a.set);
    a = asked(f, "validity: {default: 1d, max: 30d}\n"
                 "subject: {other: drop, computed: {CN: \"'user ' + csr.subject.UID\"}}\n"
                 "sans: {kinds: [dns]}\n"
                 "extended_key_usage: {usages: [serverAuth]}\n");
    a.r.csr = fixture_csr(f->arena, f->key, "/UID=root", NULL);
    fixture_ok(shape(f, &a));
    assert_string_equal(a.s.names[a.s.names_n - 1], "cn:user root");
    templates_free(a.set);
}

#define TOP "validity: {default: 1d, max: 2d}\nsubject: {allow: [CN]}\nsans: {kinds: [dns]}\n"
#define EKU "extended_key_usage: {usages: [serverAuth]}\n"

static const struct {
    const char *yaml, *error;
} bad[] = {
    {TOP EKU "conditions: []\n", "x.yaml:5:13: 'conditions' is a"},
    {TOP EKU "conditions: 'true'\n", "x.yaml:5:13: 'conditions' is a list"},
    {TOP EKU "conditions: ['true']\n", "x.yaml:5:14: a condition is a mapping"},
    {TOP EKU "conditions: [{that: 'true'}]\n", "x.yaml:5:14: a condition is a mapping"},
    {TOP EKU "conditions: [{that: 'true', else: x, if: y}]\n", "x.yaml:5:42: unknown key 'if'"},
    {TOP EKU "conditions: [{that: true, else: x}]\n", "x.yaml:5:21: an expression is a text"},
    {TOP EKU "conditions: [{that: 'true', else: ''}]\n", "x.yaml:5:35: 'else' is a sentence"},
    {TOP EKU "conditions: [{that: 'asker.rol == 1', else: x}]\n",
     "x.yaml:5:21: character 7: unknown 'asker.rol'; did you mean 'asker.role'?"},
    {TOP EKU "conditions: [{that: '1', else: x}]\n", "x.yaml:5:21: character 1: the expression gives int"},
    {TOP EKU "conditions: [{that: 'cert.sans.all(a, cert.sans.coveredBy(asker.names))', else: x}]\n",
     "x.yaml:5:21: character 1: the expression can cost"},
    {"validity: {default: 1d, max: 2d, computed: '1'}\nsans: {kinds: [dns]}\n" EKU,
     "x.yaml:1:44: character 1: the expression gives int; duration is wanted"},
    {"validity: {default: 1d, max: 2d, computed: cert.not_after - now}\nsans: {kinds: [dns]}\n" EKU,
     "x.yaml:1:44: character 6: 'cert.not_after' cannot be looked at here"},
    {"validity: {default: 1d, max: 2d}\nsans: {kinds: [dns], computed: ['1']}\n" EKU,
     "x.yaml:2:33: the expression gives int; a name or a list of names is wanted"},
    {"validity: {default: 1d, max: 2d}\nsubject: {computed: {XY: asker.id}}\n" EKU, "unknown attribute 'XY'"},
    {"validity: {default: 1d, max: 2d}\nsubject: {computed: {UID: 7}}\n" EKU,
     "x.yaml:2:27: an expression is"},
    {"validity: {default: 1d, max: 2d}\nsubject: {computed: []}\n" EKU, "x.yaml:2:21: 'computed' is a"},
    {"validity: {default: 1d, max: 2d}\nsubject: {allow: [UID], computed: {UID: asker.id}}\n" EKU,
     "x.yaml:2:35: an attribute is computed, and fixed or allowed too"},
};

static void what_is_wrong_is_named_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct templates *set = NULL;
        struct err *e = fixture_load(bad[i].yaml, &set);
        if (!e)
            print_error("let in: %s\n", bad[i].yaml);
        fixture_refused(e, ERR_CONFIG, bad[i].error);
        assert_null(set);
    }
}

/* As many expressions of as many parts as a file may hold: they load, within the set's bound. */
static void the_largest_conditions_load(void **state)
{
    (void)state;
    struct templates *set = NULL;
    char *text = calloc(1, TEMPLATES_FILE_BYTES), *at = text;
    at += sprintf(at, "%s", TOP EKU "conditions:\n");
    for (size_t i = 0; i < 32; i++) {
        at += sprintf(at, "  - {else: x, that: \"1");
        for (size_t k = 0; k < 116; k++)
            at += sprintf(at, k % 2 ? "+1" : "+size('')");
        at += sprintf(at, ">%zu\"}\n", i);
    }
    fixture_ok(fixture_load(text, &set));
    templates_free(set);
    free(text);
}

/* Client authentication with a subject that a CSR turns: the analyser sees through the expression. */
static void the_analyser_sees_what_is_computed_from_a_csr(void **state)
{
    (void)state;
    struct templates *set = NULL;
    static const char *const head = "validity: {default: 1d, max: 2d}\nsans: {kinds: [dns]}\n"
                                    "extended_key_usage: {usages: [clientAuth]}\nsubject: {computed: ";
    char text[512];
    snprintf(text, sizeof(text), "%s{O: csr.subject.O}}\n", head);
    fixture_refused(fixture_load(text, &set), ERR_CONFIG, "subject-without-control");
    snprintf(text, sizeof(text), "%s{O: csr.subject.O}, patterns: {O: [Example]}}\n", head);
    fixture_ok(fixture_load(text, &set));
    templates_free(set);
    snprintf(text, sizeof(text), "%s{O: asker.role}}\n", head);
    fixture_ok(fixture_load(text, &set));
    templates_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_condition_over_the_asker_is_the_fronts, setup, teardown),
        cmocka_unit_test_setup_teardown(a_condition_over_the_certificate_is_the_vaults_too, setup, teardown),
        cmocka_unit_test_setup_teardown(a_condition_without_an_answer_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(the_address_and_the_hour_of_the_asker_count, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_template_computes_stands_in_the_certificate, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_computed_from_a_csr_is_the_askers, setup, teardown),
        cmocka_unit_test(what_is_wrong_is_named_with_its_place),
        cmocka_unit_test(the_largest_conditions_load),
        cmocka_unit_test(the_analyser_sees_what_is_computed_from_a_csr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
