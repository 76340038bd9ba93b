/* Subject alternative names: text, DER and the syntax of each kind. */
#include "fixture.h"

#include "base/der.h"
#include "base/limits.h"
#include "cert/san.h"

#define A63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"

static const struct cert_san_limits all_kinds = {.allow_other = true};

static void good_texts_go_both_ways(void **state)
{
    static const struct {
        const char *text, *again; /* NULL: the same */
    } rows[] = {
        {"dns:a", NULL},
        {"dns:localhost", NULL},
        {"dns:A.Example.INTERNAL", "dns:a.example.internal"},
        {"dns:*.example.internal", NULL},
        {"dns:1.2.3.4a", NULL},
        {"dns:xn--bcher-kva.example", NULL},
        {"dns:" A63 ".example", NULL},
        {"ip:10.0.0.1", NULL},
        {"ip:2001:DB8:0:0:0:0:0:1", "ip:2001:db8::1"},
        {"ip:::", NULL},
        {"uri:spiffe://trust.example/ns/a", NULL},
        {"uri:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", NULL},
        {"uri:https://a/%20?q#f", NULL},
        {"email:a.b+c@d.example", NULL},
        {"upn:a.b@corp.example", NULL},
        {"upn:M\xc3\xbcller@CORP", NULL},
        {"dir:CN=a,O=b", NULL},
        {"dir:CN=a\\, b,DC=example", NULL},
        {"dir: CN = a , O=b ", "dir:CN=a,O=b"},
        {"rid:1.2.3", NULL},
        {"other:1.2.3;0c0161", NULL},
        {"other:1.3.6.1.5.5.7.8.9;0c06614062c3bc2e", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_san san, *read = NULL;
        struct view der;
        size_t n = 0;
        const char *want = rows[i].again ? rows[i].again : rows[i].text;
        assert_ok(cert_san_of_text(view_str(rows[i].text), *state, &san));
        assert_string_equal(cert_san_text(&san, *state), want);
        assert_ok(cert_san_write(&san, 1, *state, &der));
        assert_ok(cert_san_read(der, &all_kinds, *state, &read, &n));
        assert_int_equal(n, 1);
        assert_true(cert_san_eq(&read[0], &san));
        assert_int_equal(read[0].wildcard, strchr(want, '*') != NULL);
    }
}

static void bad_texts_are_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "is written dns:"},
        {"a.example", "is written dns:"},
        {"DNS:a", "is written dns:"},
        {"other:00", "other:OID;HEX"},
        {"other:1.3.6.1.4.1.311.20.2.3;0c03614062", "written upn:"},
        {"upn:", "user@host"},
        {"upn:a", "user@host"},
        {"upn:@b", "user@host"},
        {"upn:a@", "the host of"},
        {"upn:a@b@c", "the host of"},
        {"upn:a@*.b", "the host of"},
        {"upn:a b@c", "without blanks"},
        {"upn:a\nb@c", "without blanks"},
        {"upn:\xff@c", "without blanks"},
        {"upn:a\xe2\x80\xae@c", "without blanks"},
        {"upn:" A63 A63 A63 A63 "aaaa@b", "at most 256"},
        {"dir:", "empty directoryName"},
        {"dir:a", "TYPE=value"},
        {"dir:CN=a+O=b", "must be escaped"},
        {"dir:C=DEU", "exactly 2"},
        {"dns:", "empty DNS name"},
        {"dns:.", "ends with a dot"},
        {"dns:a.", "ends with a dot"},
        {"dns:.a", "empty label"},
        {"dns:a..b", "empty label"},
        {"dns:-a.b", "hyphen"},
        {"dns:a-.b", "hyphen"},
        {"dns:a_b.c", "underscore"},
        {"dns:a b", "the character"},
        {"dns:a/b", "the character"},
        {"dns:a\nb", "control character"},
        {"dns:b\xc3\xbc"
         "cher.example",
         "A-label"},
        {"dns:*", "`*` stands only alone"},
        {"dns:*a.example", "`*` stands only alone"},
        {"dns:a*.example", "`*` stands only alone"},
        {"dns:a.*.example", "`*` stands only alone"},
        {"dns:*.*.example", "`*` stands only alone"},
        {"dns:*.", "ends with a dot"},
        {"dns:10.0.0.1", "is a number"},
        {"dns:123", "is a number"},
        {"dns:*.1", "is a number"},
        {"dns:x" A63 ".example", "at most 63"},
        {"dns:" A63 "." A63 "." A63 "." A63, "at most 253"},
        {"ip:10.0.0", "not an IP"},
        {"ip:010.0.0.1", "not an IP"},
        {"ip:10.0.0.0/8", "not an IP"},
        {"ip:fe80::1%eth0", "not an IP"},
        {"ip:", "not an IP"},
        {"uri:relative/path", "absolute"},
        {"uri://host/path", "absolute"},
        {"uri:http:", "absolute"},
        {"uri:ht tp://a", "scheme"},
        {"uri:http://a b", "percent-encoded"},
        {"uri:http://\xc3\xbc", "outside ASCII"},
        {"email:a", "without @"},
        {"email:@b", "local part"},
        {"email:.a@b", "dot-atom"},
        {"email:a..b@c", "dot-atom"},
        {"email:\"a b\"@c", "dot-atom"},
        {"email:a@b@c", "the host of a mail address"},
        {"email:a@*.b", "the host of a mail address"},
        {"email:a@", "the host of a mail address"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_san san;
        assert_refused(cert_san_of_text(view_str(rows[i].text), *state, &san), ERR_BAD_NAME, rows[i].why);
    }
}

static void bad_objects_are_refused(void **state)
{
    static const char *const bad[] = {"rid:",
                                      "rid:1",
                                      "rid:1.40",
                                      "rid:1.2.3.",
                                      "rid:CN",
                                      "other:;0500",
                                      "other:1.2.3;",
                                      "other:1.2.3;05",
                                      "other:1.2.3;050005",
                                      "other:1.2.3;05000500",
                                      "other:1.2.3;0x",
                                      "other:1.2.3;0500;",
                                      "other:1;0500",
                                      "other:1.2.3;0101fe"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct cert_san san;
        assert_any_error(cert_san_of_text(view_str(bad[i]), *state, &san));
    }
}

static void a_nul_is_refused(void **state)
{
    struct cert_san san;
    assert_refused(cert_san_of_text(view_of("dns:a\0.example", 14), *state, &san), ERR_BAD_NAME, "NUL");
    assert_refused(cert_san_of_text(view_of("uri:http://a\0b", 14), *state, &san), ERR_BAD_NAME, "NUL");
    assert_refused(cert_san_of_text(view_of("email:a\0@b.c", 12), *state, &san), ERR_BAD_NAME, "NUL");
    assert_refused(cert_san_of_text(view_of("upn:a\0@b.c", 10), *state, &san), ERR_BAD_NAME, "NUL");
    assert_refused(cert_san_of_text(view_of("dir:CN=a\0,O=b", 13), *state, &san), ERR_BAD_NAME, "NUL");
    assert_refused(cert_san_of_text(view_of("rid:1.2\0.3", 10), *state, &san), ERR_BAD_NAME, "NUL");
    assert_refused(cert_san_of_text(view_of("ip:1.1.1.1\0", 11), *state, &san), ERR_BAD_NAME, "not an IP");
}

#define UPN "06{2b060104018237140203}"

static void bad_der_is_refused(void **state)
{
    static const struct {
        const char *der, *why;
        enum err_code code;
    } rows[] = {
        {"", "found the end", ERR_BAD_DER},
        {"3000", "is empty", ERR_BAD_EXTENSION},
        {"300382016100", "expected the end", ERR_BAD_DER},
        {"3003820261", "octets, only", ERR_BAD_DER},
        {"3003890161", "no GeneralName", ERR_BAD_DER},
        {"3003a20161", "no GeneralName", ERR_BAD_DER}, /* dNSName constructed */
        {"30023000", "no GeneralName", ERR_BAD_DER},
        {"3003870100", "1 octets", ERR_BAD_NAME},
        {"300a87080a000000ff000000", "8 octets", ERR_BAD_NAME}, /* a name constraint's */
        {"30{a4{30{}}}", "empty directoryName", ERR_BAD_NAME},
        {"30{a4{}}", "directoryName", ERR_BAD_DER},
        {"30{a4{30{31{}}}}", "empty Relative", ERR_BAD_NAME},
        {"30{a4{30{31{30{06{550403} 0c{61}}}} 00}}", "expected the end", ERR_BAD_DER},
        {"30{a4{30{31{30{06{550403} 0c{6100}}}}}}", "control", ERR_BAD_NAME},
        {"30{a4{31{30{06{550403} 0c{61}}}}}", "expected SEQUENCE", ERR_BAD_DER},
        {"30{88{}}", "registeredID", ERR_BAD_DER},
        {"30{88{2a80}}", "padded arc", ERR_BAD_DER},
        {"30{a8{2a03}}", "no GeneralName", ERR_BAD_DER},
        {"30{a3{30{}}}", "x400Address", ERR_BAD_NAME},
        {"30{a5{8101 61}}", "ediPartyName", ERR_BAD_NAME},
        {"30{a0{06{2a03} a0{0500}}}", "no user principal name", ERR_BAD_NAME},
        {"30{a0{06{2a03} 0500}}", "otherName", ERR_BAD_DER},
        {"30{a0{06{2a03}}}", "otherName", ERR_BAD_DER},
        {"30{a0{a0{0500}}}", "otherName", ERR_BAD_DER},
        {"30{a0{" UPN "a0{0c{614062}} 00}}", "expected the end", ERR_BAD_DER},
        {"30{a0{" UPN "a0{0c{614062} 00}}}", "expected the end", ERR_BAD_DER},
        {"30{a0{" UPN "a0{16{614062}}}}", "expected UTF8String", ERR_BAD_DER},
        {"30{a0{" UPN "a0{0c{61}}}}", "user@host", ERR_BAD_NAME},
        {"30{a0{" UPN "a0{0c{61004062}}}}", "without blanks", ERR_BAD_NAME},
        {"30058203610062", "NUL", ERR_BAD_NAME},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_san *sans = NULL;
        size_t n = 0;
        struct view der = fixture_nest(rows[i].der, *state);
        assert_refused(cert_san_read(der, NULL, *state, &sans, &n), rows[i].code, rows[i].why);
        assert_null(sans);
    }
}

static void the_name_at_fault_is_pointed_at(void **state)
{
    struct cert_san *sans = NULL;
    size_t n = 0;
    struct err *e = cert_san_read(fixture_hex("300682016182015f", *state), NULL, *state, &sans, &n);
    assert_string_equal(err_pointer(e), "/sans/1");
    err_free(e);
}

static void other_names_are_taken_where_allowed(void **state)
{
    struct cert_san *sans = NULL;
    size_t n = 0;
    struct view again, der = fixture_nest("30{a0{06{2a03} a0{30{0500}}} 82{61}}", *state);
    assert_ok(cert_san_read(der, &all_kinds, *state, &sans, &n));
    assert_int_equal(sans[0].kind, CERT_SAN_OTHER);
    assert_string_equal(cert_san_text(&sans[0], *state), "other:1.2.3;30020500");
    assert_ok(cert_san_write(sans, n, *state, &again));
    assert_bytes(again, der);
    der = fixture_nest("30{a0{06{2a03} a0{30{0501 00}}}}", *state);
    assert_refused(cert_san_read(der, &all_kinds, *state, &sans, &n), ERR_BAD_DER, "NULL with content");
}

static void openssl_writes_the_same(void **state)
{
    static const char *const texts[] = {"upn:a.b@corp.example", "other:1.2.3.4;0c0568656c6c6f", "rid:1.2.3.4",
                                        "dir:CN=a b,O=Acme,C=DE", "dns:a.example"};
    struct cert_san sans[COUNT(texts)];
    struct view der;
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_ok(cert_san_of_text(view_str(texts[i]), *state, &sans[i]));
    assert_ok(cert_san_write(sans, COUNT(sans), *state, &der));
    assert_bytes(der, fixture_ext("[d]\nC=DE\nO=Acme\nCN=a b\n", "subjectAltName",
                                  "otherName:msUPN;UTF8:a.b@corp.example,otherName:1.2.3.4;UTF8:hello,"
                                  "RID:1.2.3.4,dirName:d,DNS:a.example",
                                  *state));
}

static void a_directory_name_in_another_form_is_shown(void **state)
{
    struct cert_san *sans = NULL;
    size_t n = 0;
    struct view again, der = fixture_nest("30{a4{30{31{30{06{550403} 13{61}} 30{06{55040a} 0c{62}}}"
                                          "31{30{06{2a03} 0c{63}}}}}}",
                                          *state);
    assert_ok(cert_san_read(der, NULL, *state, &sans, &n));
    assert_string_equal(cert_san_text(&sans[0], *state), "dir:1.2.3=#0c0163,CN=a+O=b");
    assert_ok(cert_san_write(sans, n, *state, &again));
    assert_bytes(again, der);
}

static void the_number_is_limited(void **state)
{
    struct cert_san sans[LIMIT_SANS + 1], *read = NULL;
    struct view der;
    size_t n = 0;
    for (size_t i = 0; i < COUNT(sans); i++)
        assert_ok(cert_san_of_text(view_str("dns:a"), *state, &sans[i]));
    assert_ok(cert_san_write(sans, LIMIT_SANS, *state, &der));
    assert_ok(cert_san_read(der, NULL, *state, &read, &n));
    assert_int_equal(n, LIMIT_SANS);
    struct cert_san_limits limits = {.max = 5};
    assert_refused(cert_san_read(der, &limits, *state, &read, &n), ERR_TOO_MANY, "more than 5");
    assert_ok(cert_san_write(sans, LIMIT_SANS + 1, *state, &der));
    assert_refused(cert_san_read(der, NULL, *state, &read, &n), ERR_TOO_MANY, "more than 100");
}

static void repeated_names_are_dropped(void **state)
{
    static const char *const texts[] = {"dns:a", "dns:B", "dns:A", "email:a@b", "dns:b"};
    struct cert_san sans[COUNT(texts)];
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_ok(cert_san_of_text(view_str(texts[i]), *state, &sans[i]));
    assert_int_equal(cert_san_unique(sans, COUNT(texts)), 3);
    assert_string_equal(cert_san_text(&sans[1], *state), "dns:b");
    assert_string_equal(cert_san_text(&sans[2], *state), "email:a@b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(good_texts_go_both_ways),
        TEST(bad_texts_are_refused),
        TEST(a_nul_is_refused),
        TEST(bad_der_is_refused),
        TEST(the_name_at_fault_is_pointed_at),
        TEST(other_names_are_taken_where_allowed),
        TEST(openssl_writes_the_same),
        TEST(a_directory_name_in_another_form_is_shown),
        TEST(bad_objects_are_refused),
        TEST(the_number_is_limited),
        TEST(repeated_names_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
