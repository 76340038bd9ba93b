/* The key behind the front's own certificate. */
#include "own_cert_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "cert/csr.h"

static void the_request_is_signed_with_the_key(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct secret *pem = NULL;
    struct view der, spki;
    struct cert_csr csr;

    assert_null(own_cert_key_make(&pem, arena, &der));
    assert_null(cert_csr_parse(der, arena, &csr));
    assert_null(cert_csr_verify(&csr));
    assert_int_equal(csr.key.kind, CERT_KEY_P256);
    assert_null(own_cert_key_spki(secret_view(pem), arena, &spki));
    assert_true(view_eq(spki, csr.key.spki));
    secret_free(pem);
    arena_free(arena);
}

static void two_keys_differ(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct secret *a = NULL, *b = NULL;
    struct view der;

    assert_null(own_cert_key_make(&a, arena, &der));
    assert_null(own_cert_key_make(&b, arena, &der));
    assert_false(view_eq(secret_view(a), secret_view(b)));
    secret_free(a);
    secret_free(b);
    arena_free(arena);
}

static void what_is_no_key_is_refused(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct view spki;
    static const char *const texts[] = {"", "x",
                                        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"};

    for (size_t i = 0; i < 3; i++) {
        struct err *e = own_cert_key_spki(view_str(texts[i]), arena, &spki);
        assert_non_null(e);
        err_free(e);
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_is_signed_with_the_key),
        cmocka_unit_test(two_keys_differ),
        cmocka_unit_test(what_is_no_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
