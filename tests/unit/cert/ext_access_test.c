/* Accesses, freshest lists, TLS features, no revocation information: as OpenSSL writes them. */
#include "fixture.h"

#include "cert/ext_access.h"

static void subject_information(void **state)
{
    static const char *const names[] = {"caRepository", "timeStamping", "ocsp", "1.2.3.4"};
    struct cert_access list[COUNT(names)];
    struct cert_accesses read;
    struct cert_ext ext;
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_ok(cert_ext_access_parse(names[i], *state, &list[i].method));
        assert_string_equal(cert_ext_access_text(list[i].method, *state), names[i]);
        list[i].uri = view_str(arena_printf(*state, "http://a/%zu", i));
    }
    assert_ok(cert_ext_write_sia((struct cert_accesses){list, COUNT(list)}, *state, &ext));
    assert_false(ext.critical);
    assert_bytes(ext.value,
                 fixture_ext(NULL, "subjectInfoAccess",
                             "caRepository;URI:http://a/0,ad_timestamping;URI:http://a/1,OCSP;URI:http://a/2,"
                             "1.2.3.4;URI:http://a/3",
                             *state));
    assert_ok(cert_ext_read_sia(ext.value, *state, &read));
    assert_int_equal(read.n, COUNT(list));
    for (size_t i = 0; i < read.n; i++) {
        assert_bytes(read.v[i].method, list[i].method);
        assert_bytes(read.v[i].uri, list[i].uri);
    }
    assert_refused(cert_ext_access_parse("repository", *state, &list[0].method), ERR_BAD_FIELD,
                   "caRepository");
    list[1].uri = view_str("relative");
    assert_refused(cert_ext_write_sia((struct cert_accesses){list, 2}, *state, &ext), ERR_BAD_NAME,
                   "absolute");
    assert_refused(cert_ext_write_sia((struct cert_accesses){list, 0}, *state, &ext), ERR_BAD_EXTENSION,
                   "RFC 5280 4.2.2.2");
}

static void hostile_subject_information(void **state)
{
    struct cert_accesses read;
    static const char *const bad[] = {
        "3000",                                     /* none */
        "30023000",                                 /* an empty one */
        "300a300806032901028601",                   /* cut */
        "300930070603290102820161",                 /* dNSName */
        "3012301006032901028609687474703a2f2f6120", /* longer than it is */
        "300b3009060329010286020061",               /* no URI */
        "300730050603290102",                       /* no location */
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_any_error(cert_ext_read_sia(fixture_hex(bad[i], *state), *state, &read));
    struct cert_access one = {.uri = view_str("http://a")}, many[CERT_ACCESSES_MAX + 1];
    assert_ok(cert_ext_access_parse("caRepository", *state, &one.method));
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = one;
    struct cert_ext ext;
    assert_refused(cert_ext_write_sia((struct cert_accesses){many, COUNT(many)}, *state, &ext),
                   ERR_BAD_EXTENSION, "1 to 16");
}

static void freshest_crl(void **state)
{
    struct view uris[] = {view_str("http://a/d.crl"), view_str("http://b/d.crl")};
    struct cert_views read;
    struct cert_ext ext;
    assert_ok(cert_ext_write_freshest((struct cert_views){uris, 2}, *state, &ext));
    assert_false(ext.critical);
    assert_bytes(ext.value,
                 fixture_ext(NULL, "freshestCRL", "URI:http://a/d.crl,URI:http://b/d.crl", *state));
    assert_ok(cert_ext_read_freshest(ext.value, *state, &read));
    assert_int_equal(read.n, 2);
    assert_bytes(read.v[1], uris[1]);
    assert_refused(cert_ext_write_freshest((struct cert_views){uris, 0}, *state, &ext), ERR_BAD_EXTENSION,
                   "RFC 5280 4.2.1.15");
    assert_refused(cert_ext_read_freshest(fixture_hex("3000", *state), *state, &read), ERR_BAD_EXTENSION,
                   "RFC 5280 4.2.1.15");
}

static void tls_features(void **state)
{
    struct cert_tls_features read,
        list = {.v = {CERT_TLS_STATUS_REQUEST, CERT_TLS_STATUS_REQUEST_V2, 300}, .n = 3};
    struct cert_ext ext;
    unsigned feature = 0;
    assert_ok(cert_ext_write_tls_features(list, *state, &ext));
    assert_false(ext.critical);
    assert_bytes(ext.value, fixture_ext(NULL, "tlsfeature", "status_request,status_request_v2,300", *state));
    assert_ok(cert_ext_read_tls_features(ext.value, &read));
    assert_int_equal(read.n, 3);
    assert_int_equal(read.v[2], 300);
    assert_ok(cert_ext_tls_feature_parse(view_str("status_request"), &feature));
    assert_int_equal(feature, CERT_TLS_STATUS_REQUEST);
    assert_string_equal(cert_ext_tls_feature_name(17), "status_request_v2");
    assert_null(cert_ext_tls_feature_name(6));
    assert_refused(cert_ext_tls_feature_parse(view_str("stapling"), &feature), ERR_BAD_FIELD, "RFC 7633");
    static const char *const bad[] = {
        "3000",                                                       /* none */
        "300302010500",                                               /* something after it */
        "3006020105020105",                                           /* twice */
        "3006020111020105",                                           /* descending */
        "3005020300ffff00",                                           /* more than it says */
        "30050203010000",                                             /* 65536 */
        "301b020101020102020103020104020105020106020107020108020109", /* nine */
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_any_error(cert_ext_read_tls_features(fixture_hex(bad[i], *state), &read));
    }
}

static void no_revocation_information(void **state)
{
    struct cert_ext ext;
    assert_ok(cert_ext_write_no_rev_avail(*state, &ext));
    assert_false(ext.critical);
    assert_bytes(ext.value, fixture_hex("0500", *state));
    assert_string_equal(der_oid_text(ext.oid, *state), "2.5.29.56");
    assert_ok(cert_ext_read_no_rev_avail(ext.value));
    assert_refused(cert_ext_read_no_rev_avail(fixture_hex("050000", *state)), ERR_BAD_DER, "RFC 9608");
    assert_refused(cert_ext_read_no_rev_avail(fixture_hex("3000", *state)), ERR_BAD_DER, "RFC 9608");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(subject_information), TEST(hostile_subject_information), TEST(freshest_crl),
        TEST(tls_features),        TEST(no_revocation_information),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
