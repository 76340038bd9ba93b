/* What follows from who asks: templates, names, what may be seen and revoked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "asker.h"

static struct templates *set;
static const uint8_t token[32];

static int load(void **state)
{
    struct templates_file files[32];
    size_t n = 0;
    (void)state;
    while (n < 32 && templates_builtin(n, &files[n].name, &files[n].bytes))
        n++;
    return templates_load(files, n, &set) == NULL ? 0 : 1;
}

static int unload(void **state)
{
    (void)state;
    templates_free(set);
    return 0;
}

static enum err_code code_of(struct err *e)
{
    enum err_code code = e ? err_code(e) : ERR__COUNT;
    err_free(e);
    return code;
}

static enum err_code ask(const struct ca_asker *a, const char *template)
{
    return code_of(asker_check_template(a, templates_find(set, view_str(template))));
}

static const char *const some_templates[] = {"server", "admin"};

static struct ca_asker requester(const char *const *names, size_t n)
{
    return (struct ca_asker){
        .role = CA_ROLE_REQUESTER,
        .id = "token:1",
        .token = token,
        .grant = {.templates = some_templates, .templates_n = 2, .names = names, .names_n = n}};
}

static void a_requester_has_the_templates_of_its_grant(void **state)
{
    (void)state;
    struct ca_asker a = requester(NULL, 0);
    assert_int_equal(ask(&a, "server"), ERR__COUNT);
    assert_int_equal(ask(&a, "client"), ERR_FORBIDDEN);
    assert_int_equal(ask(&a, "admin"), ERR_FORBIDDEN); /* internal, though it is named in the grant */
    a.grant.templates_n = 0;
    assert_int_equal(ask(&a, "server"), ERR_FORBIDDEN);
}

static void roles_differ(void **state)
{
    (void)state;
    struct ca_asker a = {.role = CA_ROLE_OPERATOR, .id = "roster:o", .grant.any = true};
    assert_int_equal(ask(&a, "client"), ERR__COUNT);
    assert_int_equal(ask(&a, "sub-ca"), ERR_FORBIDDEN);
    a.role = CA_ROLE_AUDITOR;
    assert_int_equal(ask(&a, "client"), ERR_FORBIDDEN);
    a.role = CA_ROLE_SELF;
    assert_int_equal(ask(&a, "ocsp-signing"), ERR__COUNT);
}

/* pattern of the grant, name that is asked for, whether it is covered */
static const struct {
    const char *pattern, *name;
    bool covered;
} names[] = {
    {"dns:a.example.internal", "dns:a.example.internal", true},
    {"dns:a.example.internal", "dns:b.example.internal", false},
    {"dns:*.example.internal", "dns:a.example.internal", true},
    {"dns:*.example.internal", "dns:a.b.example.internal", false},
    {"dns:*.example.internal", "dns:example.internal", false},
    {"dns:**.example.internal", "dns:a.b.example.internal", true},
    {"dns:**.example.internal", "dns:example.internal", false},
    {"dns:**.example.internal", "dns:aexample.internal", false},
    {"dns:**.example.internal", "dns:a.example.internal.evil", false},
    /* a wildcard in a NAME is one opaque label and no pattern */
    {"dns:a.example.internal", "dns:*.example.internal", false},
    {"dns:*.example.internal", "dns:*.example.internal", true},
    {"dns:**.example.internal", "dns:*.example.internal", true},
    {"dns:**.a.example.internal", "dns:*.example.internal", false},
    {"ip:10.0.0.0/8", "ip:10.1.2.3", true},
    {"ip:10.0.0.0/8", "ip:11.1.2.3", false},
    {"dns:**", "ip:10.1.2.3", false},
    {"dns:**.example.internal", "cn:a.example.internal", true},
    {"dns:**.example.internal", "cn:Alice", false},
    {"cn:*", "cn:Alice", true},
    {"dns:**.example.internal", "email:a@example.internal", false},
    {"uri:spiffe://example/**", "uri:spiffe://example/a/b", true},
    {"uri:spiffe://example/**", "uri:spiffe://other/a", false},
};

static void grants_cover_names_as_documented(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct ca_asker a = requester(&names[i].pattern, 1);
        enum err_code code = code_of(asker_check_names(&a, &names[i].name, 1));
        if (code != (names[i].covered ? ERR__COUNT : ERR_NAME_FORBIDDEN))
            fail_msg("%s, %s: %s", names[i].pattern, names[i].name,
                     code == ERR__COUNT ? "covered" : err_row(code)->name);
    }
}

static void every_name_must_be_covered(void **state)
{
    static const char *const patterns[] = {"dns:a.example", "dns:b.example"};
    static const char *const asked[] = {"dns:a.example", "dns:b.example", "dns:c.example"};
    (void)state;
    struct ca_asker a = requester(patterns, 2);
    assert_int_equal(code_of(asker_check_names(&a, asked, 2)), ERR__COUNT);
    struct err *e = asker_check_names(&a, asked, 3);
    assert_non_null(e);
    assert_non_null(strstr(err_detail(e), "c.example"));
    err_free(e);
    a.grant.names_n = 0;
    assert_int_equal(code_of(asker_check_names(&a, asked, 1)), ERR_NAME_FORBIDDEN);
    a.grant.any = true;
    assert_int_equal(code_of(asker_check_names(&a, asked, 3)), ERR__COUNT);
}

static void a_requester_sees_its_own_and_what_it_shows(void **state)
{
    (void)state;
    struct ledger_cert mine = {.intent = 7, .actor = "token:1"}, other = {.intent = 8, .actor = "token:2"};
    struct ca_asker a = requester(NULL, 0);
    assert_true(ca_may_see(&a, &mine));
    assert_false(ca_may_see(&a, &other));
    a.shown = 8;
    assert_true(ca_may_see(&a, &other));
    a.role = CA_ROLE_AUDITOR;
    a.shown = 0;
    assert_true(ca_may_see(&a, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_requester_has_the_templates_of_its_grant),
        cmocka_unit_test(roles_differ),
        cmocka_unit_test(grants_cover_names_as_documented),
        cmocka_unit_test(every_name_must_be_covered),
        cmocka_unit_test(a_requester_sees_its_own_and_what_it_shows),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
