/* Extensions: OpenSSL writes the same octets; what is read back is what was written; odd forms are refused.
 */
#include "fixture.h"

#include "cert/ext.h"

static void basic_constraints(void **state)
{
    static const struct {
        struct cert_basic basic;
        const char *text;
    } rows[] = {{{false, -1}, "CA:FALSE"},
                {{true, -1}, "CA:TRUE"},
                {{true, 0}, "CA:TRUE,pathlen:0"},
                {{true, 200}, "CA:TRUE,pathlen:200"}};
    struct cert_ext ext;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_basic basic;
        assert_ok(cert_ext_write_basic(rows[i].basic, true, *state, &ext));
        assert_bytes(ext.value, fixture_ext(NULL, "basicConstraints", rows[i].text, *state));
        assert_true(ext.critical);
        assert_ok(cert_ext_read_basic(ext.value, &basic));
        assert_int_equal(basic.ca, rows[i].basic.ca);
        assert_int_equal(basic.path_len, rows[i].basic.path_len);
    }
    assert_refused(cert_ext_write_basic((struct cert_basic){false, 1}, true, *state, &ext), ERR_BAD_EXTENSION,
                   "RFC 5280 4.2.1.9");
}

static void key_usage(void **state)
{
    struct cert_ext ext;
    for (unsigned mask = 1; mask < 512; mask++) {
        unsigned again = 0;
        char text[256] = "";
        for (unsigned bit = 0; bit < 9; bit++) {
            if (!(mask >> bit & 1))
                continue;
            size_t n = strlen(text);
            /* OpenSSL calls bit 1 nonRepudiation */
            const char *name = bit == 1 ? "nonRepudiation" : cert_ext_key_usage_name(bit);
            snprintf(text + n, sizeof text - n, "%s%s", n ? "," : "", name);
        }
        assert_ok(cert_ext_write_key_usage(mask, true, *state, &ext));
        assert_bytes(ext.value, fixture_ext(NULL, "keyUsage", text, *state));
        assert_ok(cert_ext_read_key_usage(ext.value, &again));
        assert_int_equal(again, mask);
    }
    assert_refused(cert_ext_write_key_usage(0, true, *state, &ext), ERR_BAD_EXTENSION, "RFC 5280 4.2.1.3");
    assert_refused(cert_ext_write_key_usage(512, true, *state, &ext), ERR_BAD_EXTENSION, "RFC 5280 4.2.1.3");
}

static void ext_key_usage(void **state)
{
    static const char *const names[] = {"serverAuth", "clientAuth", "OCSPSigning", "1.2.3.4"};
    struct view oids[COUNT(names)];
    struct cert_ext ext;
    struct cert_views read;
    for (size_t i = 0; i < COUNT(names); i++)
        assert_ok(cert_ext_eku_parse(names[i], *state, &oids[i]));
    assert_ok(cert_ext_write_eku((struct cert_views){oids, COUNT(names)}, false, *state, &ext));
    assert_bytes(ext.value,
                 fixture_ext(NULL, "extendedKeyUsage", "serverAuth,clientAuth,OCSPSigning,1.2.3.4", *state));
    assert_ok(cert_ext_read_eku(ext.value, *state, &read));
    assert_int_equal(read.n, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++)
        assert_string_equal(cert_ext_eku_text(read.v[i], *state), names[i]);
    assert_true(cert_ext_eku_has(read, "OCSPSigning"));
    assert_false(cert_ext_eku_has(read, "codeSigning"));
    oids[1] = oids[0];
    assert_ok(cert_ext_write_eku((struct cert_views){oids, 2}, false, *state, &ext));
    assert_refused(cert_ext_read_eku(ext.value, *state, &read), ERR_BAD_EXTENSION, "twice");
    assert_refused(cert_ext_eku_parse("tlsServer", *state, &oids[0]), ERR_BAD_FIELD, "serverAuth");
}

static void key_identifiers(void **state)
{
    struct cert_ext ext;
    struct view id, want = fixture_hex("00112233445566778899aabbccddeeff00112233", *state);
    assert_ok(cert_ext_write_ski(want, *state, &ext));
    assert_bytes(ext.value, fixture_ext(NULL, "subjectKeyIdentifier",
                                        "00112233445566778899aabbccddeeff00112233", *state));
    assert_ok(cert_ext_read_ski(ext.value, &id));
    assert_bytes(id, want);
    assert_ok(cert_ext_write_aki(want, *state, &ext));
    assert_ok(cert_ext_read_aki(ext.value, &id));
    assert_bytes(id, want);
    assert_bytes(ext.value, fixture_hex("3016801400112233445566778899aabbccddeeff00112233", *state));
    assert_refused(cert_ext_write_ski(view_of(NULL, 0), *state, &ext), ERR_BAD_EXTENSION, "RFC 5280 4.2.1.2");
}

static void points(void **state)
{
    struct view ocsp[] = {view_str("http://a/ocsp")},
                ca[] = {view_str("http://a/ca"), view_str("http://b/ca")};
    struct cert_aia aia = {.ocsp = {ocsp, 1}, .ca_issuers = {ca, 2}}, read_aia;
    struct cert_ext ext;
    struct cert_views uris;
    assert_ok(cert_ext_write_aia(&aia, *state, &ext));
    assert_bytes(ext.value,
                 fixture_ext(NULL, "authorityInfoAccess",
                             "OCSP;URI:http://a/ocsp,caIssuers;URI:http://a/ca,caIssuers;URI:http://b/ca",
                             *state));
    assert_ok(cert_ext_read_aia(ext.value, *state, &read_aia));
    assert_int_equal(read_aia.ocsp.n, 1);
    assert_bytes(read_aia.ca_issuers.v[1], ca[1]);

    assert_ok(cert_ext_write_cdp((struct cert_views){ca, 2}, *state, &ext));
    assert_bytes(ext.value,
                 fixture_ext(NULL, "crlDistributionPoints", "URI:http://a/ca,URI:http://b/ca", *state));
    assert_ok(cert_ext_read_cdp(ext.value, *state, &uris));
    assert_int_equal(uris.n, 2);
    assert_bytes(uris.v[0], ca[0]);

    ca[0] = view_str("no uri");
    assert_refused(cert_ext_write_cdp((struct cert_views){ca, 2}, *state, &ext), ERR_BAD_NAME, "RFC 3986");
    assert_refused(cert_ext_write_cdp((struct cert_views){ca, 0}, *state, &ext), ERR_BAD_EXTENSION,
                   "one point");
    struct view directory = fixture_ext(NULL, "crlDistributionPoints", "RID:1.2.3", *state);
    assert_refused(cert_ext_read_cdp(directory, *state, &uris), ERR_BAD_DER, "cRLDistributionPoints");
}

static void issuing_distribution_point(void **state)
{
    struct cert_idp read, idp = {.uri = view_str("http://a/1.crl"), .only_user = true};
    struct cert_ext ext;
    assert_ok(cert_ext_write_idp(&idp, *state, &ext));
    assert_true(ext.critical);
    const uint8_t *p = ext.value.p;
    ISSUING_DIST_POINT *theirs = d2i_ISSUING_DIST_POINT(NULL, &p, (long)ext.value.n);
    assert_non_null(theirs);
    assert_true(theirs->onlyuser > 0 && theirs->onlyCA <= 0);
    ISSUING_DIST_POINT_free(theirs);
    assert_ok(cert_ext_read_idp(ext.value, &read));
    assert_bytes(read.uri, idp.uri);
    assert_true(read.only_user && !read.only_ca);
    idp = (struct cert_idp){.only_user = true, .only_ca = true};
    assert_refused(cert_ext_write_idp(&idp, *state, &ext), ERR_BAD_EXTENSION, "RFC 5280 5.2.5");
    /* indirect CRL */
    assert_refused(cert_ext_read_idp(fixture_hex("30038401ff", *state), &read), ERR_BAD_DER,
                   "expected the end");
    assert_refused(cert_ext_read_idp(fixture_hex("3003810100", *state), &read), ERR_BAD_EXTENSION, "TRUE");
    assert_refused(cert_ext_read_idp(fixture_hex("3000", *state), &read), ERR_BAD_EXTENSION, "say something");
}

static void small_ones(void **state)
{
    struct cert_ext ext;
    uint64_t number = 0;
    int64_t when = 0;
    assert_ok(cert_ext_write_no_check(*state, &ext));
    assert_bytes(ext.value, fixture_ext(NULL, "noCheck", "ignored", *state));
    assert_ok(cert_ext_read_no_check(ext.value));
    assert_refused(cert_ext_read_no_check(fixture_hex("050000", *state)), ERR_BAD_DER, "ocspNoCheck");
    assert_ok(cert_ext_write_crl_number(UINT64_MAX, *state, &ext));
    assert_ok(cert_ext_read_crl_number(ext.value, &number));
    assert_true(number == UINT64_MAX);
    assert_ok(cert_ext_read_invalidity(fixture_hex("180f32303236313132313036323134335a", *state), &when));
    assert_int_equal(when, 1795242103);
}

static void odd_values_are_refused(void **state)
{
    struct cert_basic basic;
    assert_refused(cert_ext_read_basic(fixture_hex("3003010100", *state), &basic), ERR_BAD_EXTENSION,
                   "written out");
    assert_refused(cert_ext_read_basic(fixture_hex("3003020100", *state), &basic), ERR_BAD_EXTENSION,
                   "without cA");
    assert_refused(cert_ext_read_basic(fixture_hex("30060101ff0201ff", *state), &basic), ERR_BAD_DER,
                   "negative");
    assert_refused(cert_ext_read_basic(fixture_hex("300030", *state), &basic), ERR_BAD_DER,
                   "expected the end");
    assert_refused(cert_ext_read_basic(fixture_hex("3003010101", *state), &basic), ERR_BAD_DER, "BOOLEAN");
    assert_ok(cert_ext_read_basic(fixture_hex("30060101ff020100", *state), &basic));
}

static void odd_bits_are_refused(void **state)
{
    static const char *const bad[] = {
        "030100",     /* no octet */
        "0302068000", /* something after it */
        "03020680",   /* a zero bit at the end */
        "03020781",   /* an unused bit set */
        "0303000001", /* bit 15 */
        "03030480f0", /* bits 9 to 11 */
        "04020780",   /* OCTET STRING */
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        unsigned mask;
        assert_any_error(cert_ext_read_key_usage(fixture_hex(bad[i], *state), &mask));
    }
}

static void lists_are_judged(void **state)
{
    static const struct {
        const char *hex, *why;
        enum err_code code;
    } rows[] = {
        {"3000", "empty list", ERR_BAD_EXTENSION},
        {"300a3008060355040304010030", "", ERR_BAD_DER},
        {"300d300b0603550403010100040100", "written out", ERR_BAD_DER},
        {"300c300a06035504030401000500", "expected the end", ERR_BAD_DER},
        {"301430080603551d0e0401003008"
         "0603551d0e040100",
         "subjectKeyIdentifier stands there twice", ERR_BAD_EXTENSION},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_ext *exts = NULL;
        size_t n = 0;
        struct view in = fixture_hex(rows[i].hex, *state);
        struct err *e = cert_ext_list_read(&in, *state, &exts, &n);
        assert_refused(e ? e : der_end(in), rows[i].code, rows[i].why);
    }
}

/* To the oldest OpenSSL that is supported. */
static bool is_unknown_to_openssl(const char *oid)
{
    return strcmp(oid, "2.5.29.56") == 0 || strncmp(oid, "1.3.6.1.4.1.311.", 16) == 0;
}

static void ids_and_oids_belong_together(void **state)
{
    (void)state;
    for (int i = 0; i < CERT_EXT__COUNT; i++) {
        struct view oid = cert_ext_oid((enum cert_ext_id)i);
        assert_int_equal(cert_ext_id_of(oid), i);
        const char *text = der_oid_text(oid, *state);
        ASN1_OBJECT *object = OBJ_txt2obj(text, 1);
        assert_non_null(object);
        assert_true(OBJ_obj2nid(object) != NID_undef || is_unknown_to_openssl(text));
        ASN1_OBJECT_free(object);
    }
    assert_int_equal(cert_ext_id_of(view_str("x")), CERT_EXT__COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(basic_constraints),
        TEST(key_usage),
        TEST(ext_key_usage),
        TEST(key_identifiers),
        TEST(points),
        TEST(issuing_distribution_point),
        TEST(small_ones),
        TEST(odd_values_are_refused),
        TEST(odd_bits_are_refused),
        TEST(lists_are_judged),
        TEST(ids_and_oids_belong_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
