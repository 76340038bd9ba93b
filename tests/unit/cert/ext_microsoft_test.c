/* Microsoft's extensions: octets as Windows writes them; hostile forms are refused. */
#include "fixture.h"

#include "cert/ext_microsoft.h"

static void template_name(void **state)
{
    static const struct {
        const char *name, *hex;
    } rows[] = {
        {"SubCA", "1e0a00530075006200430041"}, {"\xc3\xbc\xe2\x82\xac", "1e0400fc20ac"}, {"a", "1e020061"}};
    struct cert_ext ext;
    const char *read = NULL;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_ok(cert_ext_write_ms_template_name(rows[i].name, *state, &ext));
        assert_false(ext.critical);
        assert_bytes(ext.value, fixture_hex(rows[i].hex, *state));
        assert_ok(cert_ext_read_ms_template_name(ext.value, *state, &read));
        assert_string_equal(read, rows[i].name);
        const uint8_t *p = ext.value.p;
        ASN1_BMPSTRING *theirs = d2i_ASN1_BMPSTRING(NULL, &p, (long)ext.value.n);
        uint8_t *utf8 = NULL;
        int n = ASN1_STRING_to_UTF8(&utf8, theirs);
        assert_true(n > 0);
        assert_bytes(view_of(utf8, (size_t)n), view_str(rows[i].name));
        OPENSSL_free(utf8);
        ASN1_BMPSTRING_free(theirs);
    }
    static const char *const bad_names[] = {"", "a\nb", "\xf0\x9f\x98\x80", "\xff", "a\xe2\x80\x8b"};
    for (size_t i = 0; i < COUNT(bad_names); i++)
        assert_refused(cert_ext_write_ms_template_name(bad_names[i], *state, &ext), ERR_BAD_EXTENSION,
                       "MS-WCCE 2.2.2.7.7.1");
    char long_name[257] = "";
    memset(long_name, 'x', 256);
    assert_refused(cert_ext_write_ms_template_name(long_name, *state, &ext), ERR_BAD_EXTENSION, "1 to 255");
    long_name[255] = '\0';
    assert_ok(cert_ext_write_ms_template_name(long_name, *state, &ext));
    static const char *const bad[] = {
        "1e00",         /* empty */
        "1e0161",       /* half a character */
        "1e02000a",     /* control */
        "1e020000",     /* NUL */
        "1e04d83dde00", /* surrogates */
        "0c0161",       /* UTF8String */
        "1e02006100",   /* something after it */
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_any_error(cert_ext_read_ms_template_name(fixture_hex(bad[i], *state), *state, &read));
}

#define TEMPLATE "06{2b06010401823715 08}"

static void template_information(void **state)
{
    static const struct {
        int64_t major, minor;
        const char *der;
    } rows[] = {{100, 3, "30{" TEMPLATE "020164 020103}"},
                {100, -1, "30{" TEMPLATE "020164}"},
                {-1, -1, "30{" TEMPLATE "}"},
                {UINT32_MAX, 0, "30{" TEMPLATE "020500ffffffff 020100}"}};
    struct view oid;
    assert_ok(der_oid_of_text("1.3.6.1.4.1.311.21.8", *state, &oid));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_ms_template read, t = {oid, rows[i].major, rows[i].minor};
        struct cert_ext ext;
        assert_ok(cert_ext_write_ms_template(&t, *state, &ext));
        assert_false(ext.critical);
        assert_bytes(ext.value, fixture_nest(rows[i].der, *state));
        assert_ok(cert_ext_read_ms_template(ext.value, &read));
        assert_bytes(read.oid, oid);
        assert_true(read.major == t.major && read.minor == t.minor);
    }
    struct cert_ext ext;
    struct cert_ms_template read, t = {oid, -1, 3};
    assert_refused(cert_ext_write_ms_template(&t, *state, &ext), ERR_BAD_EXTENSION, "without a major");
    t = (struct cert_ms_template){oid, INT64_C(1) << 32, 3};
    assert_refused(cert_ext_write_ms_template(&t, *state, &ext), ERR_BAD_EXTENSION, "32 bits");
    t = (struct cert_ms_template){view_str(""), 1, 3};
    assert_refused(cert_ext_write_ms_template(&t, *state, &ext), ERR_BAD_DER, "OBJECT IDENTIFIER");
    static const char *const bad[] = {
        "30{}",                              /* no OID */
        "30{06{2901} 0201ff}",               /* negative */
        "30{06{2901} 020101 020101 020101}", /* a third number */
        "30{06{2901} 02050100000000}",       /* 33 bits */
        "30{06{2901} 02020001}",             /* not minimal */
        "30{06{2901}} 00",                   /* something after it */
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_any_error(cert_ext_read_ms_template(fixture_nest(bad[i], *state), &read));
}

#define SID "S-1-5-21-3419697060-3810377854-678604692-1104"

static void security_identifier(void **state)
{
    struct cert_ext ext;
    const char *read = NULL;
    assert_ok(cert_ext_write_ms_security(SID, *state, &ext));
    assert_false(ext.critical);
    assert_string_equal(der_oid_text(ext.oid, *state), "1.3.6.1.4.1.311.25.2");
    assert_ok(cert_ext_read_ms_security(ext.value, *state, &read));
    assert_string_equal(read, SID);
    /* OpenSSL reads GeneralNames with one otherName in it */
    const uint8_t *p = ext.value.p;
    GENERAL_NAMES *names = d2i_GENERAL_NAMES(NULL, &p, (long)ext.value.n);
    assert_non_null(names);
    assert_int_equal(sk_GENERAL_NAME_num(names), 1);
    ASN1_OBJECT *type = NULL;
    ASN1_TYPE *value = NULL;
    assert_int_equal(GENERAL_NAME_get0_otherName(sk_GENERAL_NAME_value(names, 0), &type, &value), 1);
    char text[64];
    OBJ_obj2txt(text, sizeof text, type, 1);
    assert_string_equal(text, "1.3.6.1.4.1.311.25.2.1");
    assert_int_equal(value->type, V_ASN1_OCTET_STRING);
    assert_bytes(view_of(value->value.octet_string->data, (size_t)value->value.octet_string->length),
                 view_str(SID));
    GENERAL_NAMES_free(names);
}

static void bad_identifiers_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "S-1",
                                      "S-1-5",
                                      "S-1-5-",
                                      "S-2-5-21",
                                      "s-1-5-21",
                                      "S-1-5-021",
                                      "S-1-5-4294967296",
                                      "S-1-5-99999999999999999999999",
                                      "S-1-5-21x",
                                      "S-1-5--21",
                                      " S-1-5-21",
                                      "S-1-0x10-21",
                                      "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16"};
    struct cert_ext ext;
    const char *read = NULL;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_refused(cert_ext_write_ms_security(bad[i], *state, &ext), ERR_BAD_EXTENSION,
                       "MS-DTYP 2.4.2.1");
    assert_ok(cert_ext_write_ms_security("S-1-5-0-4294967295", *state, &ext));
    uint8_t *der = (uint8_t *)arena_dup(*state, ext.value).p;
    for (size_t n = 0; n < ext.value.n; n++)
        assert_any_error(cert_ext_read_ms_security(view_of(der, n), *state, &read));
    der[15] ^= 1; /* the last arc of the type: no SID */
    assert_refused(cert_ext_read_ms_security(view_of(der, ext.value.n), *state, &read), ERR_BAD_EXTENSION,
                   "no SID");
    der[15] ^= 1;
    der[ext.value.n - 1] = 0;
    assert_refused(cert_ext_read_ms_security(view_of(der, ext.value.n), *state, &read), ERR_BAD_EXTENSION,
                   "MS-DTYP");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(template_name),
        TEST(template_information),
        TEST(security_identifier),
        TEST(bad_identifiers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
