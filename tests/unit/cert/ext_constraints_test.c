/* Name constraints: OpenSSL writes the same octets; text goes both ways; hostile forms are refused. */
#include "fixture.h"

#include "cert/ext_constraints.h"

static struct cert_subtrees subtrees(struct arena *arena, size_t n, const char *const *texts)
{
    struct cert_subtree *list = arena_array(arena, n, sizeof *list);
    for (size_t i = 0; i < n; i++)
        assert_ok(cert_ext_subtree_of_text(view_str(texts[i]), arena, &list[i]));
    return (struct cert_subtrees){list, n};
}

static void as_openssl_writes_them(void **state)
{
    static const char *const permitted[] = {"dns:example.internal", "ip:10.0.0.0/8", "dir:O=Acme,C=DE",
                                            "email:example.internal"};
    static const char *const excluded[] = {"uri:.example.com", "ip:2001:db8::/32", "email:root@example.com"};
    struct cert_constraints read,
        c = {subtrees(*state, COUNT(permitted), permitted), subtrees(*state, COUNT(excluded), excluded)};
    struct cert_ext ext, again;
    assert_ok(cert_ext_write_constraints(&c, true, *state, &ext));
    assert_true(ext.critical);
    assert_bytes(
        ext.value,
        fixture_ext("[d]\nC=DE\nO=Acme\n", "nameConstraints",
                    "permitted;DNS:example.internal,permitted;IP:10.0.0.0/255.0.0.0,permitted;dirName:d,"
                    "permitted;email:example.internal,excluded;URI:.example.com,"
                    "excluded;IP:2001:DB8:0:0:0:0:0:0/FFFF:FFFF:0:0:0:0:0:0,excluded;email:root@example.com",
                    *state));
    assert_ok(cert_ext_read_constraints(ext.value, *state, &read));
    assert_int_equal(read.permitted.n, COUNT(permitted));
    for (size_t i = 0; i < COUNT(permitted); i++)
        assert_string_equal(cert_ext_subtree_text(&read.permitted.v[i], *state), permitted[i]);
    for (size_t i = 0; i < COUNT(excluded); i++)
        assert_string_equal(cert_ext_subtree_text(&read.excluded.v[i], *state), excluded[i]);
    assert_ok(cert_ext_write_constraints(&read, true, *state, &again));
    assert_bytes(again.value, ext.value);
}

static void texts_go_both_ways(void **state)
{
    static const struct {
        const char *text, *again; /* NULL: the same */
    } rows[] = {
        {"dns:", NULL},
        {"dns:a", NULL},
        {"dns:.a.Example", "dns:.a.example"},
        {"ip:0.0.0.0/0", NULL},
        {"ip:10.1.2.3/32", NULL},
        {"ip:10.128.0.0/9", NULL},
        {"ip:::/0", NULL},
        {"ip:2001:DB8:0::/48", "ip:2001:db8::/48"},
        {"uri:Example.com", "uri:example.com"},
        {"uri:.example.com", NULL},
        {"email:Root@Example.com", "email:Root@example.com"},
        {"email:.example.com", NULL},
        {"email:example.com", NULL},
        {"dir:", NULL},
        {"dir:OU=x,O=Acme", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_subtree subtree;
        assert_ok(cert_ext_subtree_of_text(view_str(rows[i].text), *state, &subtree));
        assert_string_equal(cert_ext_subtree_text(&subtree, *state),
                            rows[i].again ? rows[i].again : rows[i].text);
    }
}

static void bad_texts_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "a.example",
        "upn:a@b",
        "rid:1.2.3",
        "other:1.2.3;0500",
        "dns:*.a",
        "dns:.",
        "dns:a.",
        "dns:..a",
        "dns:10.0.0.1",
        "dns:a_b",
        "dns:a b",
        "ip:10.0.0.0",
        "ip:10.0.0.0/33",
        "ip:10.0.0.1/8",
        "ip:10.0.0.0/",
        "ip:10.0.0.0/08",
        "ip:10.0.0.0/-1",
        "ip:10.0.0.0/8/8",
        "ip:2001:db8::/129",
        "ip:fe80::1/64",
        "ip:/8",
        "uri:",
        "uri:http://a",
        "uri:*.a",
        "uri:10.0.0.1",
        "email:",
        "email:@",
        "email:@a",
        "email:a@",
        "email:a@.b",
        "email:a@b@c.test",
        "email:*.a",
        "dir:x",
        "dir:CN=a+O=b",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct cert_subtree subtree;
        struct err *e = cert_ext_subtree_of_text(view_str(bad[i]), *state, &subtree);
        if (!e)
            print_error("taken: %s\n", bad[i]);
        assert_any_error(e);
    }
    struct cert_subtree subtree;
    assert_any_error(cert_ext_subtree_of_text(view_of("dns:a\0b", 7), *state, &subtree));
    assert_any_error(cert_ext_subtree_of_text(view_of("dir:O=a\0,C=DE", 13), *state, &subtree));
}

static void hostile_constraints_are_refused(void **state)
{
    static const struct {
        const char *der, *why;
        enum err_code code;
    } rows[] = {
        {"", "found the end", ERR_BAD_DER},
        {"30{}", "at least one", ERR_BAD_EXTENSION},
        {"30{a0{}}", "empty list", ERR_BAD_EXTENSION},
        {"30{a0{30{82{61}}} a1{}}", "empty list", ERR_BAD_EXTENSION},
        {"30{a0{30{}}}", "found the end", ERR_BAD_DER},
        {"30{a0{30{82{61} 8001 00}}}", "minimum", ERR_BAD_EXTENSION}, /* the default, written out */
        {"30{a0{30{82{61} 8001 01}}}", "minimum", ERR_BAD_EXTENSION},
        {"30{a0{30{82{61} 8101 01}}}", "maximum", ERR_BAD_EXTENSION},
        {"30{a0{30{88{2a03}}}}", "other than", ERR_BAD_EXTENSION},
        {"30{a0{30{a0{06{2a03} a0{0500}}}}}", "other than", ERR_BAD_EXTENSION},
        {"30{a0{30{a2{61}}}}", "other than", ERR_BAD_EXTENSION},
        {"30{a0{30{82{2a2e61}}}}", "`*`", ERR_BAD_NAME},
        {"30{a0{30{82{6100}}}}", "NUL", ERR_BAD_NAME},
        {"30{a0{30{82{c3bc}}}}", "A-label", ERR_BAD_NAME},
        {"30{a0{30{86{}}}}", "empty DNS name", ERR_BAD_NAME},
        {"30{a0{30{81{}}}}", "empty DNS name", ERR_BAD_NAME},
        {"30{a0{30{87{0a000001}}}}", "8 or 32", ERR_BAD_NAME},
        {"30{a0{30{87{0a000000ff00ff00}}}}", "must be a prefix", ERR_BAD_NAME},
        {"30{a0{30{87{0a00000000ffffff}}}}", "must be a prefix", ERR_BAD_NAME},
        {"30{a0{30{87{0a000001ff000000}}}}", "beyond its mask", ERR_BAD_NAME},
        {"30{a0{30{a4{}}}}", "found the end", ERR_BAD_DER},
        {"30{a0{30{a4{30{31{}}}}}}", "empty Relative", ERR_BAD_NAME},
        {"30{a0{30{a4{30{} 00}}}}", "expected the end", ERR_BAD_DER},
        {"30{a1{30{82{61}}} a0{30{82{61}}}}", "expected the end", ERR_BAD_DER},
        {"30{a0{30{82{61}}} a0{30{82{61}}}}", "expected the end", ERR_BAD_DER},
        {"30{a0{30{82{61}}}} 00", "expected the end", ERR_BAD_DER},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_constraints read;
        assert_refused(cert_ext_read_constraints(fixture_nest(rows[i].der, *state), *state, &read),
                       rows[i].code, rows[i].why);
    }
}

static void their_number_is_limited(void **state)
{
    struct cert_subtree list[CERT_SUBTREES_MAX + 1];
    struct cert_constraints read, c = {.excluded = {list, COUNT(list)}};
    struct view parts[COUNT(list)];
    struct cert_ext ext;
    for (size_t i = 0; i < COUNT(list); i++) {
        assert_ok(cert_ext_subtree_of_text(view_str("dns:a"), *state, &list[i]));
        parts[i] = fixture_nest("30{82{61}}", *state);
    }
    assert_refused(cert_ext_write_constraints(&c, true, *state, &ext), ERR_TOO_MANY, "more than 100");
    c.excluded.n--;
    assert_ok(cert_ext_write_constraints(&c, true, *state, &ext));
    assert_ok(cert_ext_read_constraints(ext.value, *state, &read));
    struct view many = fixture_wrap(
        DER_SEQUENCE, fixture_wrap(0xa1, fixture_join(*state, COUNT(parts), parts), *state), *state);
    assert_refused(cert_ext_read_constraints(many, *state, &read), ERR_TOO_MANY, "more than 100");
    c.excluded.n = 0;
    assert_refused(cert_ext_write_constraints(&c, true, *state, &ext), ERR_BAD_EXTENSION,
                   "RFC 5280 4.2.1.10");
}

static void the_subtree_at_fault_is_pointed_at(void **state)
{
    struct cert_subtree list[] = {{CERT_SAN_DNS, view_str("a")}, {CERT_SAN_RID, view_str("a")}};
    struct cert_constraints c = {.permitted = {list, 2}};
    struct cert_ext ext;
    struct err *e = cert_ext_write_constraints(&c, true, *state, &ext);
    assert_string_equal(err_pointer(e), "/permitted/1");
    err_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(as_openssl_writes_them),  TEST(texts_go_both_ways),
        TEST(bad_texts_are_refused),   TEST(hostile_constraints_are_refused),
        TEST(their_number_is_limited), TEST(the_subtree_at_fault_is_pointed_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
