/* Distinguished names: read, written, shown; OpenSSL agrees; what hides or breaks the rules is refused. */
#include "fixture.h"

#include "base/der.h"
#include "base/limits.h"
#include "cert/name.h"

static const char *text_of(struct view der, struct arena *arena)
{
    struct cert_name name;
    assert_ok(cert_name_parse(der, arena, &name));
    return cert_name_text(&name, arena);
}

static void text_goes_both_ways(void **state)
{
    static const char *const texts[] = {
        "",
        "CN=a",
        "CN=a.example,OU=x\\, y,O=Acme GmbH,L=K\xc3\xb6ln,C=DE",
        "CN=\\#1 \\+ \\\"quoted\\\" \\<\\>\\;\\\\\\=",
        "CN=\\ blank at the edges\\ ",
        "DC=a,DC=example,UID=7",
        "emailAddress=a@b.example,serialNumber=12,CN=x",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct view der;
        assert_ok(cert_name_of_text(texts[i], *state, &der));
        assert_string_equal(text_of(der, *state), texts[i]);
    }
}

static void blanks_around_and_hex_escapes_are_read(void **state)
{
    struct view der;
    assert_ok(cert_name_of_text("  CN = a b , O=K\\C3\\B6ln ", *state, &der));
    assert_string_equal(text_of(der, *state), "CN=a b,O=K\xc3\xb6ln");
    assert_ok(cert_name_of_text("2.5.4.3=x,1.2.3.4=y", *state, &der));
    assert_string_equal(text_of(der, *state), "CN=x,1.2.3.4=#0c0179");
}

static void openssl_shows_the_same(void **state)
{
    const char *want = "CN=a.example,OU=x\\, y,O=Acme,DC=b,C=DE";
    struct view der;
    assert_ok(cert_name_of_text(want, *state, &der));
    const uint8_t *p = der.p;
    X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)der.n);
    assert_non_null(name);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) > 0);
    char *text = NULL;
    long n = BIO_get_mem_data(bio, &text);
    assert_int_equal(n, strlen(want));
    assert_memory_equal(text, want, strlen(want));
    BIO_free(bio);
    X509_NAME_free(name);
}

static void parts_are_written_in_order(void **state)
{
    const struct cert_name_part parts[] = {{"C", "DE"}, {"O", "Acme"}, {"CN", "Root"}};
    struct view der;
    struct cert_name name;
    assert_ok(cert_name_write(parts, 3, *state, &der));
    assert_bytes(der, fixture_hex("302b310b300906035504061302444531"
                                  "0d300b060355040a0c0441636d65310d300b06035504030c04526f6f74",
                                  *state));
    assert_ok(cert_name_parse(der, *state, &name));
    assert_int_equal(name.n, 3);
    assert_string_equal(cert_name_value(&name, "CN", *state), "Root");
    assert_null(cert_name_value(&name, "OU", *state));
    assert_int_equal(name.attrs[2].rdn, 2);
}

static void bad_texts_are_refused(void **state)
{
    static const struct {
        const char *text, *why;
        enum err_code code;
    } rows[] = {
        {"CN", "TYPE=value", ERR_BAD_NAME},
        {"=x", "TYPE=value", ERR_BAD_NAME},
        {"CN=", "empty attribute", ERR_BAD_NAME},
        {"CN=a,", "comma at the end", ERR_BAD_NAME},
        {"CN=a+O=b", "escaped", ERR_BAD_NAME},
        {"CN=\"a\"", "escaped", ERR_BAD_NAME},
        {"CN=#0c0161", "hexadecimal", ERR_BAD_NAME},
        {"CN=a\\", "backslash", ERR_BAD_NAME},
        {"CN=a\\zz", "backslash", ERR_BAD_NAME},
        {"CN=a\\00b", "NUL", ERR_BAD_NAME},
        {"FOO=a", "no such attribute type", ERR_BAD_NAME},
        {"C=Germany", "exactly 2", ERR_BAD_NAME},
        {"C=D", "exactly 2", ERR_BAD_NAME},
        {"CN=0123456789012345678901234567890123456789012345678901234567890123x", "at most 64", ERR_BAD_NAME},
        {"CN=a\nb", "U+000A", ERR_BAD_NAME},
        {"CN=a\xe2\x80\xae"
         "b",
         "U+202E", ERR_BAD_NAME},
        {"CN=a\xff", "not UTF-8", ERR_BAD_NAME},
        {"serialNumber=a_b", "U+005F", ERR_BAD_NAME},
        {"DC=\xc3\xb6", "U+00F6", ERR_BAD_NAME},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct view der;
        assert_refused(cert_name_of_text(rows[i].text, *state, &der), rows[i].code, rows[i].why);
    }
}

static void bad_der_is_refused(void **state)
{
    static const struct {
        const char *hex, *why;
        enum err_code code;
    } rows[] = {
        {"", "found the end", ERR_BAD_DER},
        {"3100", "expected SEQUENCE", ERR_BAD_DER},
        {"300000", "expected the end", ERR_BAD_DER},
        {"30023100", "empty RelativeDistinguishedName", ERR_BAD_NAME},
        {"300c310a3008060355040314017a", "tag 14", ERR_BAD_NAME},      /* TeletexString */
        {"300d310b300906035504031e02007a", "tag 1e", ERR_BAD_NAME},    /* BMPString */
        {"300d310b300906035504030c02c080", "not UTF-8", ERR_BAD_NAME}, /* overlong NUL */
        {"300c310a300806035504031301"
         "2a",
         "U+002A", ERR_BAD_NAME}, /* * in PrintableString */
        {"300e310c300a06035504030c017a0500", "expected the end", ERR_BAD_DER},
        {"301631143008060355040513016130080603550403130161", "out of order", ERR_BAD_DER},
        {"3016311430080603550403130161"
         "30080603550403130161",
         "out of order", ERR_BAD_DER}, /* twice */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_name name;
        struct view der = fixture_hex(rows[i].hex, *state);
        assert_refused(cert_name_parse(der, *state, &name), rows[i].code, rows[i].why);
    }
}

static void several_attributes_of_one_rdn_are_kept(void **state)
{
    struct cert_name name;
    struct view der = fixture_hex("301631143008060355040313016130080603550405130162", *state);
    assert_ok(cert_name_parse(der, *state, &name));
    assert_int_equal(name.n, 2);
    assert_int_equal(name.attrs[1].rdn, 0);
    assert_string_equal(cert_name_text(&name, *state), "CN=a+serialNumber=b");
}

static void limits_hold(void **state)
{
    struct cert_name_part parts[LIMIT_RDNS + 1];
    struct view der;
    for (size_t i = 0; i < COUNT(parts); i++)
        parts[i] = (struct cert_name_part){"OU", "x"};
    assert_ok(cert_name_write(parts, LIMIT_RDNS, *state, &der));
    assert_refused(cert_name_write(parts, LIMIT_RDNS + 1, *state, &der), ERR_TOO_MANY, "20 attributes");

    struct cert_name name;
    struct view rdn = fixture_hex("310a300806035504030c0161", *state), all = rdn;
    for (int i = 0; i < LIMIT_RDNS; i++)
        all = fixture_join(*state, 2, (struct view[]){all, rdn});
    assert_refused(cert_name_parse(fixture_wrap(0x30, all, *state), *state, &name), ERR_TOO_MANY,
                   "20 attributes");

    uint8_t *big = arena_alloc(*state, LIMIT_NAME_BYTES + 1);
    assert_refused(cert_name_parse(view_of(big, LIMIT_NAME_BYTES + 1), *state, &name), ERR_TOO_LARGE, "4096");
    memset(big, 'a', 300);
    struct view value = fixture_wrap(DER_UTF8_STRING, view_of(big, 300), *state);
    value = fixture_join(*state, 2, (struct view[]){fixture_hex("0603550403", *state), value});
    value = fixture_wrap(0x30, fixture_wrap(0x31, fixture_wrap(0x30, value, *state), *state), *state);
    assert_refused(cert_name_parse(value, *state, &name), ERR_TOO_LARGE, "at most 256");
}

static void a_refused_part_is_pointed_at(void **state)
{
    const struct cert_name_part parts[] = {{"CN", "a"}, {"C", "DEU"}};
    struct view der;
    struct err *e = cert_name_write(parts, 2, *state, &der);
    assert_string_equal(err_pointer(e), "/1");
    err_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(text_goes_both_ways),
        TEST(blanks_around_and_hex_escapes_are_read),
        TEST(openssl_shows_the_same),
        TEST(parts_are_written_in_order),
        TEST(bad_texts_are_refused),
        TEST(bad_der_is_refused),
        TEST(several_attributes_of_one_rdn_are_kept),
        TEST(limits_hold),
        TEST(a_refused_part_is_pointed_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
