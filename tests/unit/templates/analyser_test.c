/* The analyser, finding by finding: the template is refused, let through with a reason, and sound without. */
#include "fixture.h"

#include <stdio.h>

#include "analyser.h"

#define LIFE   "validity: {default: 90d, max: 398d}\n"
#define CN     "subject: {allow: [CN], cn: free}\n"
#define CLIENT "extended_key_usage: {usages: [clientAuth]}\n"
#define STAFF  "askers: [administrator, operator]\n"
#define SERVER "extended_key_usage: {usages: [serverAuth]}\n"

/* One step from a sound template to a dangerous one. */
static const struct {
    const char *finding, *bad, *sound;
} cases[] = {
    {"subject-without-control", LIFE "subject: {allow: [CN, O], cn: free}\n" CLIENT,
     LIFE "subject: {allow: [CN, O], cn: free, patterns: {O: ['team-*']}}\n" CLIENT},
    {"subject-without-control", LIFE "subject: {allow: [CN, OU], cn: free}\n" CLIENT,
     LIFE "subject: {allow: [CN, OU], cn: free}\n" SERVER},
    {"subject-without-control",
     LIFE "subject: {allow: [CN, O], cn: free}\nextended_key_usage: {from: [csr], allow: [clientAuth]}\n",
     LIFE "subject: {allow: [CN, O], cn: free}\nextended_key_usage: {from: [csr], allow: [serverAuth]}\n"},
    {"subject-without-control",
     STAFF LIFE
     "subject: {allow: [CN, O], cn: free}\nextended_key_usage: {usages: [1.3.6.1.4.1.311.20.2.2]}\n",
     STAFF LIFE CN "extended_key_usage: {usages: [1.3.6.1.4.1.311.20.2.2]}\n"},
    {"any-purpose", LIFE CN "extended_key_usage: {from: [csr]}\n",
     LIFE CN "extended_key_usage: {from: [csr], allow: [serverAuth]}\n"},
    {"enrolment-agent", LIFE CN "extended_key_usage: {usages: [1.3.6.1.4.1.311.20.2.1]}\n", LIFE CN SERVER},
    {"enrolment-agent", LIFE CN "extended_key_usage: {from: [csr], allow: [cmcRA]}\n",
     "internal: true\n" LIFE CN "extended_key_usage: {usages: [cmcRA]}\n"},
    {"open-extensions", LIFE CN SERVER "custom: {from: [csr]}\n",
     LIFE CN SERVER "custom: {from: [csr], allow: [1.2.3]}\n"},
    {"account-identifier", LIFE CN CLIENT "custom: {from: [csr], allow: [1.3.6.1.4.1.311.25.2]}\n",
     LIFE CN SERVER "custom: {from: [csr], allow: [1.3.6.1.4.1.311.25.2]}\n"},
    {"open-crl-location", LIFE CN SERVER "pointers: {crl_from: [csr, issuer]}\n",
     LIFE CN SERVER "pointers: {crl_from: [issuer]}\n"},
    {"wildcard-client", LIFE CN CLIENT "sans: {kinds: [dns], wildcard: true}\n",
     LIFE CN SERVER "sans: {kinds: [dns], wildcard: true}\n"},
    {"mixed-code-signing", LIFE CN "extended_key_usage: {usages: [codeSigning, serverAuth]}\n",
     LIFE CN "extended_key_usage: {usages: [codeSigning]}\n"},
    {"mixed-time-stamping",
     LIFE CN "extended_key_usage: {usages: [timeStamping, serverAuth], critical: true}\n",
     LIFE CN "extended_key_usage: {usages: [timeStamping], critical: true}\n"},
    {"mixed-time-stamping", LIFE CN "extended_key_usage: {usages: [timeStamping]}\n",
     LIFE CN "extended_key_usage: {usages: [timeStamping], critical: true}\n"},
    {"weak-keys", "validity: {default: 90d, max: 3650d}\n" CN SERVER,
     "validity: {default: 90d, max: 3650d}\nkeys: {rsa_min: 3072}\n" CN SERVER},
    {"weak-keys", "validity: {default: 90d, max: 3650d}\n" CN SERVER,
     "validity: {default: 90d, max: 3650d}\nkeys: {allow: [p256]}\n" CN SERVER},
    {"long-life", "validity: {default: 90d, max: 7300d}\nkeys: {allow: [p256]}\n" CN SERVER,
     "validity: {default: 90d, max: 3650d}\nkeys: {allow: [p256]}\n" CN SERVER},
    {"no-revocation", LIFE CN SERVER "pointers: {ocsp: false, crl: false}\n",
     LIFE CN SERVER "pointers: {ocsp: false}\n"},
    {"no-revocation", LIFE CN SERVER "pointers: {ocsp: false, crl: false}\n",
     "validity: {default: 1d, max: 10d}\n" CN SERVER "pointers: {ocsp: false, crl: false}\n"},
    {"account-by-name", LIFE CN "sans: {kinds: [upn]}\n" CLIENT,
     LIFE CN "sans: {kinds: [upn]}\n" CLIENT "microsoft: {sid: S-1-5-21-1-2-3-1104}\n"},
    {"account-by-name", LIFE CN "extended_key_usage: {usages: [1.3.6.1.5.2.3.4]}\n",
     STAFF LIFE CN "extended_key_usage: {usages: [1.3.6.1.5.2.3.4]}\n"},
    {"application-policies", LIFE CN SERVER "custom: {from: [csr], allow: [1.3.6.1.4.1.311.21.10]}\n",
     LIFE CN SERVER "custom: {from: [csr], allow: [1.3.6.1.4.1.311.21.11]}\n"},
    {"asked-policies", LIFE CN CLIENT "custom: {from: [csr], allow: [2.5.29.32]}\n",
     LIFE CN SERVER "custom: {from: [csr], allow: [2.5.29.32]}\n"},
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static void loads(const char *before, const char *yaml)
{
    char text[2048];
    struct templates *set = NULL;
    snprintf(text, sizeof(text), "%s%s", before, yaml);
    fixture_ok(fixture_load(text, &set));
    templates_free(set);
}

static void each_finding_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        char text[256];
        struct templates *set = NULL;
        snprintf(text, sizeof(text), "finding '%s'", cases[i].finding);
        struct err *e = fixture_load(cases[i].bad, &set);
        if (!e)
            print_error("case %zu was let in: %s\n", i, cases[i].finding);
        assert_non_null(e);
        assert_non_null(strstr(err_detail(e), "An attacker "));
        fixture_refused(e, ERR_CONFIG, text);
    }
}

static void each_finding_can_be_overridden_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        char line[256];
        snprintf(line, sizeof(line), "overrides: {%s: it is meant}\n", cases[i].finding);
        loads(line, cases[i].bad);
    }
}

static void without_the_danger_it_loads(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++)
        loads("", cases[i].sound);
}

static void no_finding_is_without_a_case(void **state)
{
    (void)state;
    for (size_t r = 0; r < analyser_rows_count(); r++) {
        bool found = false;
        for (size_t i = 0; i < CASES; i++)
            found |= strcmp(cases[i].finding, analyser_rows[r].name) == 0;
        if (!found)
            print_error("no case of %s\n", analyser_rows[r].name);
        assert_true(found);
    }
}

static void overrides_are_named_reasoned_and_needed(void **state)
{
    (void)state;
    static const struct {
        const char *line, *error;
    } bad[] = {
        {"overrides: {wildcard-clients: it is meant}\n",
         "templates/x.yaml:1:31: unknown finding 'wildcard-clients'; did you mean 'wildcard-client'?"},
        {"overrides: {wildcard-client: why}\n", "templates/x.yaml:1:30: an override needs its reason"},
        {"overrides: {wildcard-client: 12345678901}\n", "an override needs its reason"},
        {"overrides: {wildcard-client: it is meant}\n", "is not found in this template"},
        {"overrides: [wildcard-client]\n", "templates/x.yaml:1:12: 'overrides' is a mapping"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[1024];
        struct templates *set = NULL;
        snprintf(text, sizeof(text), "%s%s", bad[i].line, LIFE CN SERVER);
        fixture_refused(fixture_load(text, &set), ERR_CONFIG, bad[i].error);
    }
}

static void overrides_are_shown(void **state)
{
    (void)state;
    struct templates *set = NULL;
    struct templates_override o;
    fixture_ok(fixture_load(
        "overrides: {open-extensions: it is meant}\n" LIFE CN SERVER "custom: {from: [csr]}\n", &set));
    const struct template *t = templates_at(set, 0);
    assert_true(templates_override(t, 0, &o));
    assert_string_equal(o.finding, "open-extensions");
    assert_string_equal(o.reason, "it is meant");
    assert_false(templates_override(t, 1, &o));
    json_t *json = templates_to_json(t);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(json, "overrides"), "open-extensions")),
        "it is meant");
    json_decref(json);
    templates_free(set);
}

static void an_override_that_ended_refuses(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct templates_request r = fixture_request(f);
    struct templates_shaped shaped;
    struct templates_override o;
    struct templates *set = NULL;
    static const struct {
        const char *until;
        bool good;
    } cases_[] = {{"2026-11-21T06:20:00Z", false}, {"2026-11-21T06:20:01Z", true}};
    for (size_t i = 0; i < 2; i++) {
        const char *text = arena_printf(
            f->arena, "overrides: {open-extensions: {reason: it is meant, until: '%s'}}\n%s", cases_[i].until,
            LIFE "subject: {fixed: {CN: a}}\n" SERVER "custom: {from: [csr]}\n");
        fixture_ok(fixture_load(text, &set));
        assert_true(templates_override(templates_at(set, 0), 0, &o));
        assert_true(o.until <= FIXTURE_NOW + 1);
        struct err *e = templates_shape(templates_at(set, 0), &r, &f->issuer, f->arena, &shaped);
        if (cases_[i].good)
            fixture_ok(e);
        else
            fixture_refused(e, ERR_POLICY, "overrides: the override of finding 'open-extensions' ended at ");
        json_t *json = templates_to_json(templates_at(set, 0));
        assert_string_equal(
            json_string_value(json_object_get(
                json_object_get(json_object_get(json, "overrides"), "open-extensions"), "until")),
            cases_[i].until);
        json_decref(json);
        templates_free(set);
    }
    fixture_refused(
        fixture_load("overrides: {open-extensions: {reason: it is meant, until: soon}}\n" LIFE CN SERVER
                     "custom: {from: [csr]}\n",
                     &set),
        ERR_CONFIG, "templates/x.yaml:1:59: ");
    fixture_refused(
        fixture_load("overrides: {open-extensions: {reason: it is meant, till: soon}}\n" LIFE CN SERVER
                     "custom: {from: [csr]}\n",
                     &set),
        ERR_CONFIG, "an override has 'reason', and 'until'");
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_finding_refuses),
        cmocka_unit_test(an_override_that_ended_refuses),
        cmocka_unit_test(each_finding_can_be_overridden_with_a_reason),
        cmocka_unit_test(without_the_danger_it_loads),
        cmocka_unit_test(no_finding_is_without_a_case),
        cmocka_unit_test(overrides_are_named_reasoned_and_needed),
        cmocka_unit_test(overrides_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
