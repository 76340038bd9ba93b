/* Extensions by OID, typed values, directory attributes: OpenSSL reads the same; hostile DER is refused. */
#include "fixture.h"

#include "cert/ext_custom.h"

static void typed_values_go_both_ways(void **state)
{
    static const struct {
        const char *text, *openssl; /* as OpenSSL's ASN1_generate_v3 wants it; NULL: it cannot */
    } rows[] = {
        {"utf8:B\xc3\xbc"
         "cher: a,b",
         "FORMAT:UTF8,UTF8:B\xc3\xbc"
         "cher: a,b"},
        {"utf8:", "UTF8:"},
        {"ia5:a@b", "IA5:a@b"},
        {"printable:DE", "PRINTABLESTRING:DE"},
        {"integer:0", "INTEGER:0"},
        {"integer:-1", "INTEGER:-1"},
        {"integer:128", "INTEGER:128"},
        {"integer:-129", "INTEGER:-129"},
        {"integer:9223372036854775807", "INTEGER:9223372036854775807"},
        {"integer:-9223372036854775808", "INTEGER:-9223372036854775808"},
        {"boolean:true", "BOOLEAN:true"},
        {"boolean:false", "BOOLEAN:false"},
        {"oid:1.3.6.1.4.1.311", "OID:1.3.6.1.4.1.311"},
        {"octets:00ff", "FORMAT:HEX,OCTETSTRING:00ff"},
        {"octets:", "OCTETSTRING:"},
        {"time:2026-11-21T06:18:59Z", "GENTIME:20261121061859Z"},
        {"null", "NULL"},
        {"der:020900ffffffffffffffff", "INTEGER:18446744073709551615"},
        {"der:1e0400610062", "BMPSTRING:ab"},
        {"der:0c03610a62", NULL}, /* a control character is not shown */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct view der;
        assert_ok(cert_ext_der_of_text(rows[i].text, *state, &der));
        assert_string_equal(cert_ext_der_text(der, *state), rows[i].text);
        if (!rows[i].openssl)
            continue;
        ASN1_TYPE *theirs = ASN1_generate_v3(rows[i].openssl, NULL);
        assert_non_null(theirs);
        uint8_t *again = NULL;
        int n = i2d_ASN1_TYPE(theirs, &again);
        assert_bytes(der, view_of(again, (size_t)n));
        OPENSSL_free(again);
        ASN1_TYPE_free(theirs);
    }
}

static void bad_typed_values_are_refused(void **state)
{
    static const struct {
        const char *text, *why;
        enum err_code code;
    } rows[] = {
        {"", "is written utf8:", ERR_BAD_FIELD},
        {"hello", "is written utf8:", ERR_BAD_FIELD},
        {"null:", "is written utf8:", ERR_BAD_FIELD},
        {"UTF8:a", "is written utf8:", ERR_BAD_FIELD},
        {"utf8", "is written utf8:", ERR_BAD_FIELD},
        {"utf8:a\nb", "control character", ERR_BAD_FIELD},
        {"utf8:\xff", "character", ERR_BAD_FIELD},
        {"ia5:\xc3\xbc", "character", ERR_BAD_FIELD},
        {"printable:a@b", "character", ERR_BAD_FIELD},
        {"integer:", "decimal", ERR_BAD_FIELD},
        {"integer:-", "decimal", ERR_BAD_FIELD},
        {"integer:-0", "decimal", ERR_BAD_FIELD},
        {"integer:01", "leading zeros", ERR_BAD_FIELD},
        {"integer:+1", "decimal", ERR_BAD_FIELD},
        {"integer:1x", "decimal", ERR_BAD_FIELD},
        {"integer:9223372036854775808", "64 bits", ERR_BAD_FIELD},
        {"integer:-9223372036854775809", "64 bits", ERR_BAD_FIELD},
        {"boolean:yes", "true or false", ERR_BAD_FIELD},
        {"oid:1", "object identifier", ERR_BAD_DER},
        {"octets:0", "odd length", ERR_BAD_FIELD},
        {"time:yesterday", "time", ERR_BAD_FIELD},
        {"der:", "found the end", ERR_BAD_DER},
        {"der:0500ff", "", ERR_BAD_DER},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct view der;
        struct err *e = cert_ext_der_of_text(rows[i].text, *state, &der);
        assert_refused(e, rows[i].code, rows[i].why);
    }
}

static void a_custom_extension_is_one_element(void **state)
{
    struct view oid, der;
    struct cert_ext ext;
    assert_ok(der_oid_of_text("1.3.6.1.4.1.99999.1", *state, &oid));
    assert_ok(cert_ext_der_of_text("utf8:hello", *state, &der));
    assert_ok(cert_ext_write_custom(oid, true, der, &ext));
    assert_true(ext.critical);
    assert_bytes(ext.oid, oid);
    assert_bytes(ext.value, der);
    assert_ok(cert_ext_read_custom(ext.value));
    static const struct {
        const char *der, *why; /* NULL: taken */
    } rows[] = {
        {"30{0101ff 020105 0500 a0{}}", NULL},
        {"a0{30{020101}}", NULL},
        {"80{616263}", NULL},
        {"28{020101 020101}", NULL}, /* EXTERNAL, whatever it says */
        {"31{}", NULL},
        {"17{3236313132313036313835395a}", NULL},
        {"", "found the end"},
        {"05", "found the end"},
        {"0500 0500", "expected the end"},
        {"0000", "end-of-contents"},
        {"3080 020101 0000", "indefinite"},
        {"3081020500", "not minimal"},
        {"30{020201}", "only"},
        {"30{0200}", "without content"},
        {"30{02020001}", "not minimal"},
        {"30{010101}", "neither 00 nor FF"},
        {"30{0100}", "neither 00 nor FF"},
        {"30{0501ff}", "NULL with content"},
        {"30{06{2980}}", "arc"},
        {"30{0c{ff}}", "UTF-8"},
        {"30{0302 0701}", "unused bits"},
        {"24{0401 61}", "constructed string"},
        {"2c{0c01 61}", "constructed string"},
        {"22{020101}", "constructed string"},
        {"1000", "not constructed"},
        {"1100", "not constructed"},
        {"1f8100", "more than one octet"},
        {"30{3005 61}", "only"},
        {"a0{020261}", "only"}, /* inside what is tagged too */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct view bytes = fixture_nest(rows[i].der, *state);
        struct err *e = cert_ext_write_custom(oid, false, bytes, &ext);
        if (!rows[i].why) {
            assert_ok(e);
            assert_ok(cert_ext_read_custom(bytes));
            continue;
        }
        assert_refused(e, ERR_BAD_DER, rows[i].why);
        assert_any_error(cert_ext_read_custom(bytes));
    }
    assert_refused(cert_ext_write_custom(view_str(""), false, der, &ext), ERR_BAD_DER, "OBJECT IDENTIFIER");
    assert_refused(cert_ext_write_custom(view_str("*\x80\x01"), false, der, &ext), ERR_BAD_DER, "padded arc");
}

static void nesting_is_bounded(void **state)
{
    struct view der = fixture_hex("0500", *state), oid = fixture_hex("2a03", *state);
    struct cert_ext ext;
    for (int depth = 1; depth <= 15; depth++) {
        der = fixture_wrap(DER_SEQUENCE, der, *state);
        assert_ok(cert_ext_write_custom(oid, false, der, &ext));
    }
    der = fixture_wrap(DER_SEQUENCE, der, *state);
    assert_refused(cert_ext_write_custom(oid, false, der, &ext), ERR_BAD_DER, "nested more than 15");
}

static struct view typed(const char *text, struct arena *arena)
{
    struct view der;
    assert_ok(cert_ext_der_of_text(text, arena, &der));
    return der;
}

static void directory_attributes(void **state)
{
    struct view countries[] = {typed("printable:NO", *state), typed("printable:DE", *state)};
    struct view birth = typed("time:1985-01-01T12:00:00Z", *state);
    struct cert_directory_attr attrs[] = {{.values = {&birth, 1}}, {.values = {countries, 2}}};
    struct cert_directory read;
    struct cert_ext ext, again;
    assert_ok(cert_ext_directory_parse("dateOfBirth", *state, &attrs[0].oid));
    assert_ok(cert_ext_directory_parse("1.3.6.1.5.5.7.9.4", *state, &attrs[1].oid));
    assert_string_equal(cert_ext_directory_text(attrs[1].oid, *state), "countryOfCitizenship");
    assert_ok(cert_ext_write_directory((struct cert_directory){attrs, 2}, *state, &ext));
    assert_false(ext.critical);
    assert_ok(cert_ext_read_directory(ext.value, *state, &read));
    assert_int_equal(read.n, 2);
    assert_bytes(read.v[1].values.v[0], countries[1]); /* DE before NO */
    assert_ok(cert_ext_write_directory(read, *state, &again));
    assert_bytes(again.value, ext.value);
    /* OpenSSL's X509_ATTRIBUTE is the same type */
    const uint8_t *p = view_from(ext.value, 2).p;
    for (size_t i = 0; i < 2; i++) {
        X509_ATTRIBUTE *attr = d2i_X509_ATTRIBUTE(NULL, &p, (long)(ext.value.p + ext.value.n - p));
        assert_non_null(attr);
        assert_int_equal(X509_ATTRIBUTE_count(attr), attrs[i].values.n);
        X509_ATTRIBUTE_free(attr);
    }
    assert_ptr_equal(p, ext.value.p + ext.value.n);
    attrs[1].oid = attrs[0].oid;
    assert_refused(cert_ext_write_directory((struct cert_directory){attrs, 2}, *state, &ext),
                   ERR_BAD_EXTENSION, "the same attribute twice (RFC 5280 4.2.1.8)");
    countries[1] = countries[0];
    assert_refused(cert_ext_write_directory((struct cert_directory){attrs + 1, 1}, *state, &ext),
                   ERR_BAD_EXTENSION, "the same value twice");
    countries[1] = view_str("x");
    assert_any_error(cert_ext_write_directory((struct cert_directory){attrs + 1, 1}, *state, &ext));
    assert_refused(cert_ext_directory_parse("birthday", *state, &attrs[0].oid), ERR_BAD_FIELD, "RFC 3739");
}

static void hostile_directories_are_refused(void **state)
{
    static const struct {
        const char *der, *why;
        enum err_code code;
    } rows[] = {
        {"30{}", "1 to 16", ERR_BAD_EXTENSION},
        {"30{30{06{2901} 31{}}}", "1 to 8 values", ERR_BAD_EXTENSION},
        {"30{30{06{2901} 31{0500 0500}}}", "out of order", ERR_BAD_EXTENSION},
        {"30{30{06{2901} 31{020102 020101}}}", "out of order", ERR_BAD_EXTENSION},
        {"30{30{06{2901} 31{010101}}}", "neither 00", ERR_BAD_DER},
        {"30{30{06{2901} 31{0500}} 30{06{2901} 31{0500}}}", "twice", ERR_BAD_EXTENSION},
        {"30{30{06{2901}}}", "found the end", ERR_BAD_DER},
        {"30{30{06{2901} 31{0500} 00}}", "expected the end", ERR_BAD_DER},
        {"30{30{06{2901} 31{0500}}} 00", "expected the end", ERR_BAD_DER},
        {"30{30{06{2901} 31{020101 020102 020103 020104 020105 020106 020107 020108 020109}}}", "more than 8",
         ERR_TOO_MANY},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_directory read;
        struct err *e = cert_ext_read_directory(fixture_nest(rows[i].der, *state), *state, &read);
        assert_refused(e, rows[i].code, rows[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(typed_values_go_both_ways),
        TEST(bad_typed_values_are_refused),
        TEST(a_custom_extension_is_one_element),
        TEST(nesting_is_bounded),
        TEST(directory_attributes),
        TEST(hostile_directories_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
