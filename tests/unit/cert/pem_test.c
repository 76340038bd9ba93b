/* PEM: what we write OpenSSL reads, and the other way round; hidden or broken parts are refused. */
#include "fixture.h"

#include "cert/pem.h"

#include <openssl/pem.h>

#define BLOCK "-----BEGIN X-----\nAQID\n-----END X-----\n"

static void written_and_read_again(void **state)
{
    uint8_t bytes[200];
    for (size_t n = 1; n < sizeof bytes; n++) {
        struct view der;
        memset(bytes, (int)n, sizeof bytes);
        const char *pem = cert_pem_write("X", view_of(bytes, n), *state);
        assert_ok(cert_pem_read(view_str(pem), "X", *state, &der));
        assert_bytes(der, view_of(bytes, n));
    }
}

static void openssl_writes_the_same(void **state)
{
    struct cert_tbs tbs = fixture_tbs(*state);
    struct view again, der = fixture_issue(&tbs, "p256", *state);
    X509 *x = fixture_x509(der);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(bio, x), 1);
    char *text = NULL;
    size_t n = (size_t)BIO_get_mem_data(bio, &text);
    assert_bytes(view_str(cert_pem_write("CERTIFICATE", der, *state)), view_of(text, n));
    assert_ok(cert_pem_read(view_of(text, n), "CERTIFICATE", *state, &again));
    assert_bytes(again, der);
    BIO_free(bio);
    X509_free(x);
}

static void other_line_ends_and_text_around_are_taken(void **state)
{
    static const char *const texts[] = {
        "-----BEGIN X-----\r\nAQID\r\n-----END X-----\r\n",
        "-----BEGIN X-----\nAQ\nID\n-----END X-----",
        "subject=CN = a\n" BLOCK "that was it\n",
        "-----BEGIN X-----\nAQID  \n\n-----END X-----\n",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct view der;
        assert_true(cert_pem_is(view_str(texts[i])));
        assert_ok(cert_pem_read(view_str(texts[i]), "X", *state, &der));
        assert_bytes(der, view_of("\1\2\3", 3));
    }
    assert_false(cert_pem_is(view_str("  -----BEGIN X-----")));
}

static void broken_ones_are_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "no PEM block"},
        {"AQID", "no PEM block"},
        {"-----BEGIN X-----\nAQID\n", "without its end"},
        {"-----BEGIN X-----\nAQID\n-----END Y-----\n", "different labels"},
        {"-----BEGIN X----\nAQID\n-----END X-----\n", "bad first line"},
        {"-----BEGIN X-----\n-----END X-----\n", "empty"},
        {"-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAQID\n-----END X-----\n", "headers"},
        {"-----BEGIN X-----\nAQ ID\n-----END X-----\n", "PEM"},
        {"-----BEGIN X-----\nAQI\n-----END X-----\n", "PEM"},
        {"-----BEGIN X-----\nA*ID\n-----END X-----\n", "PEM"},
        {"-----BEGIN X-----\nAQ-D\n-----END X-----\n", "dash"},
        {"-----BEGIN X-----\nAQID\n-----BEGIN X-----\nAQID\n-----END X-----\n", "dash"},
        {BLOCK BLOCK, "more than 1"},
        {"-----BEGIN Y-----\nAQID\n-----END Y-----\n", "no X"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct view der;
        struct err *e = cert_pem_read(view_str(rows[i].text), "X", *state, &der);
        assert_non_null(e);
        if (!strstr(err_detail(e), rows[i].why))
            print_error("row %zu: %s\n", i, err_detail(e));
        assert_non_null(strstr(err_detail(e), rows[i].why));
        err_free(e);
    }
}

static void bundles_are_read_in_order(void **state)
{
    struct view *ders = NULL;
    size_t n = 0;
    const char *text = BLOCK "-----BEGIN X-----\nBAUG\n-----END X-----\n";
    assert_ok(cert_pem_read_all(view_str(text), "X", 2, *state, &ders, &n));
    assert_int_equal(n, 2);
    assert_bytes(ders[1], view_of("\4\5\6", 3));
}

static void a_long_bundle_costs_what_it_is_long(void **state)
{
    enum { BLOCKS = 2000 };
    struct view *ders = NULL, block = view_str(BLOCK);
    size_t n = 0;
    uint8_t *text = arena_alloc(*state, BLOCKS * block.n);
    for (size_t i = 0; i < BLOCKS; i++)
        memcpy(text + i * block.n, block.p, block.n);
    struct arena *small = arena_new(64 * 1024);
    assert_ok(cert_pem_read_all(view_of(text, BLOCKS * block.n), "X", BLOCKS, small, &ders, &n));
    assert_int_equal(n, BLOCKS);
    arena_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(written_and_read_again),
        TEST(openssl_writes_the_same),
        TEST(other_line_ends_and_text_around_are_taken),
        TEST(broken_ones_are_refused),
        TEST(bundles_are_read_in_order),
        TEST(a_long_bundle_costs_what_it_is_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
