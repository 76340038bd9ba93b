/* certs-only messages: read back by OpenSSL, in the order they were given. */
#include "fixture.h"

#include <openssl/cms.h>

#include "cert/cms.h"

static void opens_as(struct view message, const struct view *ders, size_t n)
{
    const unsigned char *p = message.p;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)message.n);
    assert_non_null(cms);
    assert_true(p == message.p + message.n);
    assert_int_equal(CMS_get0_SignerInfos(cms) ? sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)) : 0, 0);
    STACK_OF(X509) *certs = CMS_get1_certs(cms);
    assert_int_equal(certs ? sk_X509_num(certs) : 0, n);
    for (size_t i = 0; i < n; i++) {
        unsigned char *der = NULL;
        int der_n = i2d_X509(sk_X509_value(certs, (int)i), &der);
        assert_bytes(view_of(der, (size_t)der_n), ders[i]);
        OPENSSL_free(der);
    }
    sk_X509_pop_free(certs, X509_free);
    CMS_ContentInfo_free(cms);
}

static void openssl_reads_them(void **state)
{
    struct view ders[3], message;
    for (size_t i = 0; i < COUNT(ders); i++) {
        struct cert_tbs tbs = fixture_tbs(*state);
        tbs.not_after += (int64_t)i;
        ders[i] = fixture_issue(&tbs, "p256", *state);
    }
    for (size_t n = 0; n <= COUNT(ders); n++) {
        assert_ok(cert_cms_certs_only(ders, n, *state, &message));
        opens_as(message, ders, n);
    }
}

static void what_is_too_big_is_refused(void **state)
{
    struct view big = view_of(arena_alloc(*state, 1024 * 1024), 1024 * 1024), message;
    assert_refused(cert_cms_certs_only(&big, 1, *state, &message), ERR_TOO_LARGE, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(openssl_reads_them),
        TEST(what_is_too_big_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
