/*
 * Replay: what a version made is asked for again under another. And what a template shows of itself reads as
 * a template again, for that is how versions are kept.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "templates_explain.h"

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

#define PLAIN                                                                                                \
    "validity: {default: 90d, max: 398d}\nsubject: {allow: [CN], fixed: {O: Example}, other: drop}\n"        \
    "sans: {kinds: [dns, ip], max: 10}\nkey_usage: {usages: [digitalSignature]}\n"                           \
    "extended_key_usage: {usages: [serverAuth]}\n"

/* Issued by `before` for this CSR, replayed under `after`. */
static struct templates_replay replay(struct fixture *f, const char *before, const char *after,
                                      const char *subject, const char *exts, int64_t validity_s)
{
    struct templates *old = NULL, *new = NULL;
    struct templates_shaped s;
    struct templates_replay r;
    struct templates_request request = fixture_request(f);
    request.csr = fixture_csr(f->arena, f->key, subject, exts);
    request.validity_s = validity_s;
    fixture_ok(fixture_load(before, &old));
    fixture_ok(fixture_load(after, &new));
    fixture_ok(templates_shape(templates_at(old, 0), &request, &f->issuer, f->arena, &s));
    fixture_ok(templates_replay(templates_at(old, 0), templates_at(old, 0), templates_at(new, 0), &f->issuer,
                                s.tbs, FIXTURE_NOW, f->arena, &r));
    templates_free(old);
    templates_free(new);
    return r;
}

static void a_version_gives_its_own_certificates_again(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *subject, *exts;
        int64_t validity_s;
    } cases[] = {
        {"/", "subjectAltName=DNS:a.example.internal", 0},
        {"/CN=a.example.internal", "subjectAltName=DNS:a.example.internal,IP:10.0.0.1", 0},
        {"/CN=b.example.internal/OU=Dropped", "subjectAltName=DNS:a.example.internal,DNS:b.example.internal",
         0},
        {"/", "subjectAltName=DNS:a.example.internal", 5 * DAY},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct templates_replay r =
            replay(f, PLAIN, PLAIN, cases[i].subject, cases[i].exts, cases[i].validity_s);
        if (r.outcome != TEMPLATES_SAME)
            fail_msg("case %zu: %s %s %s", i, templates_outcome_name(r.outcome), r.why,
                     r.changes_n ? r.changes[0].field : "");
    }
}

static void what_comes_out_different_is_named(void **state)
{
    struct fixture *f = *state;
    struct templates_replay r = replay(f, PLAIN,
                                       "validity: {default: 30d, max: 398d}\n"
                                       "subject: {fixed: {O: Other}, other: drop}\n"
                                       "sans: {kinds: [dns, ip], max: 10}\n"
                                       "key_usage: {usages: [digitalSignature]}\n"
                                       "extended_key_usage: {usages: [serverAuth], critical: true}\n",
                                       "/", "subjectAltName=DNS:a.example.internal", 0);
    assert_int_equal(r.outcome, TEMPLATES_DIFFERENT);
    assert_int_equal(r.changes_n, 4);
    assert_string_equal(r.changes[0].field, "validity.not_after");
    assert_string_equal(r.changes[1].field, "subject.O");
    assert_string_equal(r.changes[1].before, "Example");
    assert_string_equal(r.changes[1].after, "Other");
    assert_string_equal(r.changes[2].field, "subject.CN");
    assert_string_equal(r.changes[2].after, "");
    assert_string_equal(r.changes[3].after, "critical serverAuth");
}

/* Only what was asked for is held against the new version, and an end that was asked for stays one. */
static void what_would_be_refused_says_why(void **state)
{
    struct fixture *f = *state;
    const char *narrow = "validity: {default: 10d, max: 10d}\nsubject: {allow: [CN], fixed: {O: Example}}\n"
                         "sans: {kinds: [dns], max: 1}\nkey_usage: {usages: [digitalSignature]}\n"
                         "extended_key_usage: {usages: [serverAuth]}\n";
    struct templates_replay r =
        replay(f, PLAIN, narrow, "/", "subjectAltName=DNS:a.example.internal,IP:10.0.0.1", 0);
    assert_int_equal(r.outcome, TEMPLATES_REFUSED);
    assert_non_null(strstr(r.why, "sans.kinds: "));
    r = replay(f, PLAIN, narrow, "/", "subjectAltName=DNS:a.example.internal", 20 * DAY);
    assert_int_equal(r.outcome, TEMPLATES_REFUSED);
    assert_non_null(strstr(r.why, "validity.max: "));
    r = replay(f, PLAIN, narrow, "/", "subjectAltName=DNS:a.example.internal", 0);
    assert_int_equal(r.outcome, TEMPLATES_DIFFERENT);
}

static void what_another_version_made_is_told_apart(void **state)
{
    struct fixture *f = *state;
    struct templates *old = NULL, *new = NULL;
    struct templates_replay r;
    struct templates_shaped s;
    struct templates_request request = fixture_request(f);
    request.csr = fixture_csr(f->arena, f->key, "/CN=Ann", "subjectAltName=email:ann@example.internal");
    fixture_ok(templates_shape(fixture_template(f, "client"), &request, &f->issuer, f->arena, &s));
    fixture_ok(fixture_load(PLAIN, &old));
    fixture_ok(fixture_load(PLAIN, &new));
    fixture_ok(templates_replay(templates_at(old, 0), templates_at(old, 0), templates_at(new, 0), &f->issuer,
                                s.tbs, FIXTURE_NOW, f->arena, &r));
    assert_int_equal(r.outcome, TEMPLATES_NEITHER);
    fixture_ok(templates_replay(fixture_template(f, "client"), fixture_template(f, "client"),
                                templates_at(new, 0), &f->issuer, s.tbs, FIXTURE_NOW, f->arena, &r));
    assert_int_equal(r.outcome, TEMPLATES_REFUSED);
    templates_free(old);
    templates_free(new);
}

/* --- what is shown reads again --- */

static char *shown(const struct template *t)
{
    json_t *tree = templates_to_json(t);
    char *text = json_dumps(tree, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(tree);
    return text;
}

static int reads_again(const struct template *t)
{
    struct templates *again = NULL;
    char *before = shown(t), *after = NULL;
    struct templates_file file = {"templates/x.yaml", view_str(before)};
    struct err *e = templates_load(&file, 1, &again);
    if (!e)
        after = shown(templates_at(again, 0));
    bool same = after && strcmp(before, after) == 0;
    if (!same)
        print_error("%s: %s\n%s\n%s\n", templates_name(t), e ? err_detail(e) : "another", before,
                    after ? after : "");
    err_free(e);
    free(before);
    free(after);
    templates_free(again);
    return same ? 0 : 1;
}

static void what_is_shown_reads_as_the_same_template(void **state)
{
    struct fixture *f = *state;
    struct templates_file files[80];
    struct templates *aws = NULL;
    size_t n = 0;
    int bad = 0;
    while (templates_aws(n, &files[n].name, &files[n].bytes))
        n++;
    fixture_ok(templates_load(files, n, &aws));
    for (size_t i = 0; i < templates_count(f->set); i++)
        bad += reads_again(templates_at(f->set, i));
    for (size_t i = 0; i < n; i++)
        bad += reads_again(templates_at(aws, i));
    assert_int_equal(bad, 0);
    templates_free(aws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_version_gives_its_own_certificates_again, setup, teardown),
        cmocka_unit_test_setup_teardown(what_comes_out_different_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(what_would_be_refused_says_why, setup, teardown),
        cmocka_unit_test_setup_teardown(what_another_version_made_is_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_shown_reads_as_the_same_template, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
