/* Requests made by OpenSSL are read and their signature verified; bad ones are refused by the rule they
 * break. */
#include "fixture.h"

#include "base/limits.h"
#include "cert/csr.h"
#include "cert/pem.h"

static const char *const server[] = {
    "subjectAltName=DNS:A.example.internal,DNS:*.b.example.internal,IP:10.0.0.1,IP:::1,"
    "URI:spiffe://x/y,email:ops@example.internal,otherName:msUPN;UTF8:ops@example.internal,"
    "otherName:1.2.3;UTF8:a,RID:1.2.3",
    "keyUsage=critical,digitalSignature", "basicConstraints=CA:TRUE", NULL};

static void every_kind_of_key_is_parsed_and_verified(void **state)
{
    static const struct {
        const char *key, *digest;
    } rows[] = {{"p256", "SHA256"},    {"p384", "SHA384"}, {"p521", "SHA512"}, {"rsa2048", "SHA256"},
                {"rsa2048", "SHA512"}, {"ed25519", NULL},  {"p256", "SHA512"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_csr csr;
        struct view der = fixture_csr(rows[i].key, "a.example.internal", server, rows[i].digest, *state);
        assert_ok(cert_csr_parse(der, *state, &csr));
        assert_ok(cert_csr_verify(&csr));
        assert_bytes(csr.key.spki, fixture_spki(rows[i].key, *state));
    }
}

static void fields_are_what_was_asked_for(void **state)
{
    static const char *const want[] = {"dns:a.example.internal",
                                       "dns:*.b.example.internal",
                                       "ip:10.0.0.1",
                                       "ip:::1",
                                       "uri:spiffe://x/y",
                                       "email:ops@example.internal",
                                       "upn:ops@example.internal",
                                       "other:1.2.3;0c0161",
                                       "rid:1.2.3"};
    struct cert_csr csr;
    assert_ok(cert_csr_parse(fixture_csr("p256", "web", server, "SHA256", *state), *state, &csr));
    assert_string_equal(cert_name_text(&csr.subject, *state), "CN=web");
    assert_int_equal(csr.san_count, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_string_equal(cert_san_text(&csr.sans[i], *state), want[i]);
        assert_int_equal(csr.sans[i].wildcard, i == 1);
    }
    assert_int_equal(csr.ext_count, 3);
    assert_non_null(cert_ext_find(csr.exts, csr.ext_count, CERT_EXT_BASIC_CONSTRAINTS));
    assert_true(cert_ext_find(csr.exts, csr.ext_count, CERT_EXT_KEY_USAGE)->critical);
}

static void a_bare_request_has_nothing(void **state)
{
    struct cert_csr csr;
    assert_ok(cert_csr_parse(fixture_csr("p256", NULL, NULL, "SHA256", *state), *state, &csr));
    assert_int_equal(csr.subject.n, 0);
    assert_int_equal(csr.san_count, 0);
    assert_int_equal(csr.ext_count, 0);
}

static void pem_of_both_labels_is_taken(void **state)
{
    static const char *const labels[] = {"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"};
    struct view der = fixture_csr("p256", "web", NULL, "SHA256", *state);
    for (size_t i = 0; i < COUNT(labels); i++) {
        struct cert_csr csr;
        assert_ok(cert_csr_parse(view_str(cert_pem_write(labels[i], der, *state)), *state, &csr));
        assert_bytes(csr.der, der);
    }
    struct cert_csr csr;
    const char *pem = cert_pem_write("CERTIFICATE", der, *state);
    assert_refused(cert_csr_parse(view_str(pem), *state, &csr), ERR_BAD_CSR, "no CERTIFICATE REQUEST");
    pem = cert_pem_write(labels[0], der, *state);
    pem = arena_printf(*state, "%s%s", pem, pem);
    assert_refused(cert_csr_parse(view_str(pem), *state, &csr), ERR_BAD_CSR, "more than one");
    assert_refused(cert_csr_parse(view_str("hello"), *state, &csr), ERR_BAD_CSR, "no CERTIFICATE REQUEST");
    assert_refused(cert_csr_parse(view_str(""), *state, &csr), ERR_BAD_CSR, "no CERTIFICATE REQUEST");
}

static void a_changed_request_does_not_verify(void **state)
{
    struct cert_csr csr;
    struct view der = fixture_csr("p256", "web", NULL, "SHA256", *state);
    uint8_t *bad = (uint8_t *)arena_str(*state, der);
    uint8_t *at = memmem(bad, der.n, "web", 3);
    *at = 'W';
    assert_ok(cert_csr_parse(view_of(bad, der.n), *state, &csr));
    assert_refused(cert_csr_verify(&csr), ERR_BAD_SIGNATURE, "RFC 2986 4.2");
}

static void weak_digests_are_refused(void **state)
{
    struct cert_csr csr;
    struct view der = fixture_csr("rsa2048", "web", NULL, "SHA1", *state);
    assert_refused(cert_csr_parse(der, *state, &csr), ERR_BAD_SIGNATURE, "SHA-1");
    der = fixture_csr("p256", "web", NULL, "SHA1", *state);
    assert_refused(cert_csr_parse(der, *state, &csr), ERR_BAD_SIGNATURE, "SHA-1");
    der = fixture_csr("rsa2048", "web", NULL, "MD5", *state);
    assert_refused(cert_csr_parse(der, *state, &csr), ERR_BAD_SIGNATURE, "MD5");
}

/* --- requests put together by hand --- */

struct parts {
    const char *version, *subject; /* DER in hex */
    struct view spki;
    struct view attributes; /* content of [0]; p == NULL: left out */
    const char *after;      /* more of the CertificationRequestInfo */
};

static struct view put_together(struct parts p, struct arena *arena)
{
    struct view attributes = p.attributes.p ? fixture_wrap(0xa0, p.attributes, arena) : p.attributes;
    struct view cri = fixture_join(arena, 5,
                                   (struct view[]){fixture_hex(p.version ? p.version : "020100", arena),
                                                   fixture_hex(p.subject ? p.subject : "3000", arena),
                                                   p.spki.n ? p.spki : fixture_spki("p256", arena),
                                                   attributes, fixture_hex(p.after ? p.after : "", arena)});
    cri = fixture_wrap(0x30, cri, arena);
    struct view sig = fixture_sign("p256", CERT_ALG_ECDSA_SHA256, cri, arena);
    struct view bits = fixture_join(arena, 2, (struct view[]){fixture_hex("00", arena), sig});
    struct view all[] = {cri, cert_alg_der(CERT_ALG_ECDSA_SHA256), fixture_wrap(0x03, bits, arena)};
    return fixture_wrap(0x30, fixture_join(arena, 3, all), arena);
}

static struct view attribute(const char *oid, struct view values, struct arena *arena)
{
    struct view both[] = {fixture_hex(oid, arena), fixture_wrap(0x31, values, arena)};
    return fixture_wrap(0x30, fixture_join(arena, 2, both), arena);
}

#define EXTENSION_REQUEST "06092a864886f70d01090e"
#define CHALLENGE         "06092a864886f70d010907"

static struct view twice(struct view v, struct arena *arena)
{
    return fixture_join(arena, 2, (struct view[]){v, v});
}

static void attributes_are_judged(void **state)
{
    struct arena *a = *state;
    struct cert_csr csr;
    struct view usage = fixture_hex("300b0603551d0f040403020780", a); /* keyUsage */
    struct view request = attribute(EXTENSION_REQUEST, fixture_wrap(0x30, usage, a), a);
    struct view challenge = attribute(CHALLENGE, fixture_hex("0c03616263", a), a);
    struct view both = fixture_join(a, 2, (struct view[]){challenge, request});
    struct view none = fixture_hex("", a);

    assert_ok(cert_csr_parse(put_together((struct parts){.attributes = both}, a), a, &csr));
    assert_int_equal(csr.ext_count, 1);
    assert_ok(cert_csr_parse(put_together((struct parts){.attributes = none}, a), a, &csr));
    assert_ok(cert_csr_parse(put_together((struct parts){.subject = NULL}, a), a, &csr)); /* [0] left out */
    assert_ok(cert_csr_verify(&csr));

    struct view bad = put_together((struct parts){.attributes = twice(request, a)}, a);
    assert_refused(cert_csr_parse(bad, a, &csr), ERR_BAD_CSR, "stands there twice");
    bad = attribute(EXTENSION_REQUEST, fixture_wrap(0x30, twice(usage, a), a), a);
    bad = put_together((struct parts){.attributes = bad}, a);
    assert_refused(cert_csr_parse(bad, a, &csr), ERR_BAD_EXTENSION, "keyUsage stands there twice");
    bad = attribute(EXTENSION_REQUEST, twice(fixture_wrap(0x30, usage, a), a), a);
    bad = put_together((struct parts){.attributes = bad}, a);
    assert_refused(cert_csr_parse(bad, a, &csr), ERR_BAD_DER, "expected the end");
    bad = put_together((struct parts){.attributes = attribute(CHALLENGE, none, a)}, a);
    assert_refused(cert_csr_parse(bad, a, &csr), ERR_BAD_CSR, "without a value");
}

static void shape_is_judged(void **state)
{
    struct arena *a = *state;
    struct cert_csr csr;
    struct view good = put_together((struct parts){.subject = NULL}, a);
    assert_ok(cert_csr_parse(good, a, &csr));
    struct view bad = put_together((struct parts){.version = "020101"}, a);
    assert_refused(cert_csr_parse(bad, a, &csr), ERR_BAD_CSR, "version 1");
    bad = put_together((struct parts){.after = "0500"}, a);
    assert_refused(cert_csr_parse(bad, a, &csr), ERR_BAD_DER, "expected the end");
    bad = fixture_join(a, 2, (struct view[]){good, fixture_hex("00", a)});
    assert_refused(cert_csr_parse(bad, a, &csr), ERR_BAD_DER, "expected the end");
    bad = put_together((struct parts){.spki = fixture_spki("rsa2048", a)}, a);
    assert_refused(cert_csr_parse(bad, a, &csr), ERR_BAD_SIGNATURE, "does not fit the key");
    bad = put_together((struct parts){.subject = "300c310a300806035504030c0100"}, a); /* CN = NUL */
    assert_refused(cert_csr_parse(bad, a, &csr), ERR_BAD_NAME, "U+0000");
    uint8_t *long_length =
        (uint8_t *)arena_str(a, fixture_join(a, 2, (struct view[]){view_str("0\203"), good}));
    long_length[2] = 0;
    memcpy(long_length + 3, good.p + 2, good.n - 2);
    assert_refused(cert_csr_parse(view_of(long_length, good.n + 1), a, &csr), ERR_BAD_DER, "not minimal");
}

static void size_is_judged_first(void **state)
{
    struct cert_csr csr;
    uint8_t *big = arena_alloc(*state, 3 * LIMIT_CSR_BYTES);
    memset(big, ' ', 3 * LIMIT_CSR_BYTES);
    assert_refused(cert_csr_parse(view_of(big, 3 * LIMIT_CSR_BYTES), *state, &csr), ERR_TOO_LARGE,
                   "at most 65536");
    big[0] = 0x30;
    assert_refused(cert_csr_parse(view_of(big, LIMIT_CSR_BYTES + 1), *state, &csr), ERR_TOO_LARGE,
                   "at most 65536");
}

static void many_names_are_refused(void **state)
{
    struct arena *a = *state;
    struct cert_csr csr;
    struct view names = view_of(NULL, 0), name = fixture_hex("820361616d", a);
    for (int i = 0; i < 101; i++)
        names = fixture_join(a, 2, (struct view[]){names, name});
    struct view value = fixture_wrap(0x04, fixture_wrap(0x30, names, a), a);
    struct view ext =
        fixture_wrap(0x30, fixture_join(a, 2, (struct view[]){fixture_hex("0603551d11", a), value}), a);
    struct view der = attribute(EXTENSION_REQUEST, fixture_wrap(0x30, ext, a), a);
    der = put_together((struct parts){.attributes = der}, a);
    assert_refused(cert_csr_parse(der, a, &csr), ERR_TOO_MANY, "100 names");
}

static void cut_anywhere_it_is_refused(void **state)
{
    struct view der = fixture_csr("p256", "web", server, "SHA256", *state);
    for (size_t n = 0; n < der.n; n++) {
        struct cert_csr csr;
        struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
        assert_any_error(cert_csr_parse(arena_dup(arena, view_of(der.p, n)), arena, &csr));
        arena_free(arena);
    }
}

static void with_any_bit_flipped_it_never_verifies(void **state)
{
    struct view der = fixture_csr("p256", "web", server, "SHA256", *state);
    for (size_t bit = 0; bit < der.n * 8; bit++) {
        struct cert_csr csr;
        struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
        uint8_t *bad = arena_alloc(arena, der.n);
        memcpy(bad, der.p, der.n);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct err *e = cert_csr_parse(view_of(bad, der.n), arena, &csr);
        assert_any_error(e ? e : cert_csr_verify(&csr));
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_key_is_parsed_and_verified),
        TEST(fields_are_what_was_asked_for),
        TEST(a_bare_request_has_nothing),
        TEST(pem_of_both_labels_is_taken),
        TEST(a_changed_request_does_not_verify),
        TEST(weak_digests_are_refused),
        TEST(attributes_are_judged),
        TEST(shape_is_judged),
        TEST(size_is_judged_first),
        TEST(many_names_are_refused),
        TEST(cut_anywhere_it_is_refused),
        TEST(with_any_bit_flipped_it_never_verifies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
