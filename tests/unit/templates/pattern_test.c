/* Patterns: what covers what, and above all what does not. */
#include "fixture.h"

#include "pattern.h"

static const struct {
    const char *pattern, *name;
    bool covers;
} cases[] = {
    /* host names */
    {"a.example", "dns:a.example", true},
    {"dns:a.example", "dns:a.example", true},
    {"A.Example", "dns:a.example", true},
    {"a.example", "dns:b.a.example", false},
    {"a.example", "dns:a.example.org", false},
    {"*.example", "dns:a.example", true},
    {"*.example", "dns:b.a.example", false},
    {"*.example", "dns:example", false},
    {"*.example", "dns:.example", false},
    {"*.example", "dns:aexample", false},
    {"**.example", "dns:a.example", true},
    {"**.example", "dns:c.b.a.example", true},
    {"**.example", "dns:example", false},
    {"**.example", "dns:badexample", false},
    {"**.example", "dns:.example", false},
    {"*", "dns:localhost", true},
    {"*", "dns:a.example", false},
    {"**", "dns:localhost", true},
    {"**", "dns:a.b.example", true},
    {"localhost", "dns:localhost", true},
    /* a star in a name is an opaque label */
    {"*.example", "dns:*.example", true},
    {"**.example", "dns:*.example", true},
    {"**.example", "dns:*.a.example", true},
    {"*.a.example", "dns:*.a.example", true},
    {"*.example", "dns:*.a.example", false},
    {"a.example", "dns:*.example", false},
    {"db.a.example", "dns:*.a.example", false},
    {"*.b.example", "dns:*.example", false},
    /* common names */
    {"**.example", "cn:a.example", true},
    {"dns:**.example", "cn:a.example", true},
    {"**", "cn:Ann Smith", false},
    {"**.example", "cn:*.example", false},
    {"**.example", "cn:a b.example", false},
    {"cn:Ann *", "cn:Ann Smith", true},
    {"cn:Ann", "cn:Ann Smith", false},
    {"cn:*", "cn:Ann Smith", true},
    {"cn:*", "dns:a.example", false},
    {"cn:a*b*c", "cn:axxbyyc", true},
    {"cn:a*b*c", "cn:axxbyycd", false},
    {"serial_number:SN-*", "serial_number:SN-12", true},
    {"serial_number:SN-*", "cn:SN-12", false},
    {"uid:*", "uid:ann", true},
    /* addresses */
    {"10.0.0.0/8", "ip:10.255.0.1", true},
    {"10.0.0.0/8", "ip:11.0.0.1", false},
    {"ip:10.0.0.1", "ip:10.0.0.1", true},
    {"10.0.0.1", "ip:10.0.0.2", false},
    {"10.128.0.0/9", "ip:10.127.0.1", false},
    {"10.128.0.0/9", "ip:10.200.0.1", true},
    {"0.0.0.0/0", "ip:203.0.113.9", true},
    {"0.0.0.0/0", "ip:2001:db8::1", false},
    {"::/0", "ip:10.0.0.1", false},
    {"2001:db8::/32", "ip:2001:db8::1", true},
    {"::1", "ip:::1", true},
    {"10.0.0.0/8", "dns:10.0.0.1", false},
    {"10.0.0.0/8", "ip:10.0.0.0/8", false},
    /* mail */
    {"ann@a.example", "email:ann@a.example", true},
    {"ann@A.example", "email:ann@a.example", true},
    {"ann@a.example", "email:Ann@a.example", false},
    {"*@a.example", "email:bob@a.example", true},
    {"*@a.example", "email:bob@b.a.example", false},
    {"*@**.example", "email:bob@b.a.example", true},
    {"*@a.example", "email:@a.example", false},
    {"*@a.example", "email:\"x@b.example\"@a.example", true},
    {"*@a.example", "email:x@a.example@b.example", false},
    /* URIs */
    {"spiffe://e.example/ns/prod", "uri:spiffe://e.example/ns/prod", true},
    {"spiffe://e.example/ns/*", "uri:spiffe://e.example/ns/prod", true},
    {"spiffe://e.example/ns/*", "uri:spiffe://e.example/ns/prod/sa", false},
    {"spiffe://e.example/ns/*", "uri:spiffe://e.example/ns/", false},
    {"spiffe://e.example/**", "uri:spiffe://e.example/ns/prod/sa/x", true},
    {"spiffe://e.example/**", "uri:spiffe://e.example", false},
    {"spiffe://e.example/**", "uri:spiffe://e.example/", false},
    {"spiffe://e.example/ns/**", "uri:spiffe://e.example/ns/a/../../x", false},
    {"spiffe://e.example/ns/**", "uri:spiffe://e.example/ns/%2e%2e", false},
    {"spiffe://e.example/ns/*", "uri:spiffe://e.example/ns/a?b=c", false},
    {"spiffe://e.example/ns/*", "uri:spiffe://e.example/ns/a#b", false},
    {"spiffe://e.example/**", "uri:spiffe://e.example.org/a", false},
    {"spiffe://e.example/**", "uri:https://e.example/a", false},
    {"https://*.example/**", "uri:https://a.example/x", true},
    {"https://*.example/**", "uri:https://a.example:8443/x", false},
    {"https://*.example:8443/**", "uri:https://a.example:8443/x", true},
    {"https://a.example/**", "uri:https://a.example@evil.test/x", false},
    {"https://**/x", "uri:https://u@evil.test/x", false},
    {"https://a.example", "uri:https://a.example", true},
    {"https://a.example", "uri:https://a.example/x", false},
    {"uri:urn:uuid:*", "uri:urn:uuid:1234", true},
    {"uri:urn:uuid:*", "uri:urn:isbn:1234", false},
    {"uri:urn:*", "uri:urn://x/y", false},
    /* Windows users */
    {"upn:ann@a.example", "upn:ann@A.example", true},
    {"upn:*@**.example", "upn:bob@b.a.example", true},
    {"upn:*@a.example", "upn:bob@b.example", false},
    {"*@a.example", "upn:bob@a.example", false},
    {"upn:*@a.example", "email:bob@a.example", false},
    /* directory names: a star stays within one attribute */
    {"dir:CN=*,O=Example", "dir:CN=Ann,O=Example", true},
    {"dir:CN=*,O=Example", "dir:CN=Ann\\, Dr.,O=Example", true},
    {"dir:CN=*,O=Example", "dir:CN=Ann,O=Evil,O=Example", false},
    {"dir:CN=*,O=Example", "dir:CN=Ann+UID=x,O=Example", false},
    {"dir:CN=*,O=Example", "dir:CN=Ann,O=Example,C=DE", false},
    {"dir:CN=*,O=Example", "dir:O=Example", false},
    {"dir:CN=*", "dir:UID=ann", false},
    {"dir:*", "dir:CN=Ann", false},
    {"dir:*=Ann", "dir:CN=Ann", false},
    {"dir:CN=a\\", "dir:CN=a\\", true},
    /* OIDs and other names */
    {"rid:1.2.3", "rid:1.2.3", true},
    {"rid:1.2.3", "rid:1.2.34", false},
    {"rid:1.2.*", "rid:1.2.3.4", true},
    {"rid:1.2.*", "rid:1.23", false},
    {"rid:1.2*", "rid:1.23", false},
    {"other:1.2.3;0c0161", "other:1.2.3;0c0161", true},
    {"other:1.2.3;*", "other:1.2.3;0c0161", true},
    {"other:1.2.3;*", "other:1.2.34;0c0161", false},
    {"other:*", "other:1.2.3;0c0161", false},
    {"other:1.2.*;0c0161", "other:1.2.3;0c0161", false},
    /* kinds do not mix, and what cannot be read covers nothing */
    {"dns:10.0.0.1", "ip:10.0.0.1", false},
    {"email:a@b.example", "dns:a@b.example", false},
    {"a.*.example", "dns:a.b.example", false},
    {"a*.example", "dns:ab.example", false},
    {"***.example", "dns:a.example", false},
    {"", "dns:", false},
    {"dns:", "dns:a", false},
    {"**", "dns:", false},
    {"**", "a.example", false},
    {"**", "other:3000", false},
};

static void a_pattern_covers_what_it_says_and_no_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (templates_pattern_match(cases[i].pattern, cases[i].name) != cases[i].covers)
            print_error("'%s' over '%s'\n", cases[i].pattern, cases[i].name);
        assert_int_equal(templates_pattern_match(cases[i].pattern, cases[i].name), cases[i].covers);
    }
}

static void a_pattern_that_means_nothing_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "dns:",
        "a..b",
        ".a",
        "a.",
        "a.*.b",
        "a*.b",
        "***.a",
        "-a.b",
        "a-.b",
        "b\303\274cher.example",
        "a b",
        "ip:10.0.0.1/8",
        "ip:10.0.0.0/33",
        "ip:10.0.0.0/",
        "ip:10.0.0",
        "ip:10.0.0.0/08",
        "ip:fe80::1%eth0",
        "@a.example",
        "email:ann",
        "ann@a..b",
        "uri:x",
        "https://a b/c",
        "https://*x.example/",
        "https://a/b*",
        "https://a/**/b",
        "https://u@a/b",
        "*://a/b",
        "uri:*:x",
        "cn:",
        "a_b.example",
    };
    static const char *const right[] = {
        "*",
        "**",
        "*.a",
        "**.a.example",
        "localhost",
        "xn--bcher-kva.example",
        "ip:0.0.0.0/0",
        "::1",
        "fd00::/8",
        "*@**.example",
        "spiffe://e.example/**",
        "https://*.example:8443/a/*/b",
        "uri:urn:uuid:*",
        "cn:*",
        "uid:a*",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct err *e = templates_pattern_check(wrong[i]);
        if (!e)
            print_error("'%s' was let in\n", wrong[i]);
        fixture_refused(e, ERR_BAD_FIELD, "");
    }
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
        fixture_ok(templates_pattern_check(right[i]));
}

static void a_grant_must_cover_every_name(void **state)
{
    (void)state;
    const char *const grant[] = {"**.example.internal", "localhost"};
    const char *const good[] = {"dns:a.b.example.internal", "dns:localhost", "cn:x.example.internal"};
    const char *const bad[] = {"dns:a.example.internal", "dns:example.internal", "dns:localhost"};
    fixture_ok(templates_patterns_cover(grant, 2, good, 3));
    fixture_ok(templates_patterns_cover(grant, 0, NULL, 0));
    fixture_refused(templates_patterns_cover(grant, 2, bad, 3), ERR_NAME_FORBIDDEN, "dns:example.internal");
    fixture_refused(templates_patterns_cover(grant, 0, good, 3), ERR_NAME_FORBIDDEN,
                    "dns:a.b.example.internal");
}

static bool touches(const char *pattern, const char *name)
{
    struct pattern n;
    assert_true(pattern_name_parse(view_str(name), &n));
    return pattern_touches(pattern_parse(view_str(pattern)), n);
}

static void a_wildcard_stands_for_names_that_are_denied(void **state)
{
    (void)state;
    assert_true(touches("db.example", "dns:*.example"));
    assert_true(touches("*.example", "dns:*.example"));
    assert_true(touches("**.example", "dns:*.a.example"));
    assert_true(touches("db.example", "dns:db.example"));
    assert_false(touches("db.example", "dns:*.a.example"));
    assert_false(touches("db.example", "dns:a.example"));
    assert_false(touches("db.a.example", "dns:*.example"));
    assert_false(touches("example", "dns:*.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_covers_what_it_says_and_no_more),
        cmocka_unit_test(a_pattern_that_means_nothing_is_refused),
        cmocka_unit_test(a_grant_must_cover_every_name),
        cmocka_unit_test(a_wildcard_stands_for_names_that_are_denied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
