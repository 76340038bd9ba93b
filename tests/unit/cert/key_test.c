/* Public keys: acceptable ones are taken and verify what they signed; weak and odd ones are refused by name.
 */
#include "fixture.h"

#include "base/hex.h"
#include "cert/key.h"

#include <openssl/bn.h>

static const char *const good_keys[] = {"p256", "p384", "p521", "ed25519", "rsa2048"};

static void acceptable_keys_are_read(void **state)
{
    static const unsigned bits[] = {256, 384, 521, 256, 2048};
    for (size_t i = 0; i < COUNT(good_keys); i++) {
        struct cert_key key;
        assert_ok(cert_key_parse(fixture_spki(good_keys[i], *state), &key));
        assert_int_equal(key.bits, bits[i]);
    }
}

/* Both ways of verifying must come to the same. */
static void assert_verifies(struct cert_key_desk *desk, const struct cert_key *key, enum cert_alg alg,
                            struct view data, struct view sig)
{
    assert_ok(cert_key_verify(key, alg, data, sig));
    assert_ok(cert_key_desk_verify(desk, key, alg, data, sig));
}

static void assert_not_verified(struct cert_key_desk *desk, const struct cert_key *key, enum cert_alg alg,
                                struct view data, struct view sig, const char *why)
{
    assert_refused(cert_key_verify(key, alg, data, sig), ERR_BAD_SIGNATURE, why);
    assert_refused(cert_key_desk_verify(desk, key, alg, data, sig), ERR_BAD_SIGNATURE, why);
}

static void every_algorithm_verifies(void **state)
{
    struct cert_key_desk *desk = cert_key_desk_new();
    struct view data = view_str("what is signed");
    for (size_t i = 0; i < COUNT(good_keys); i++) {
        struct cert_key key;
        assert_ok(cert_key_parse(fixture_spki(good_keys[i], *state), &key));
        for (int a = 0; a < CERT_ALG__COUNT; a++) {
            enum cert_alg alg = (enum cert_alg)a;
            if (!cert_alg_fits(alg, key.kind)) {
                assert_not_verified(desk, &key, alg, data, data, "does not fit");
                continue;
            }
            struct view sig = fixture_sign(good_keys[i], alg, data, *state);
            assert_verifies(desk, &key, alg, data, sig);
            assert_not_verified(desk, &key, alg, view_str("What is signed"), sig, "verify");
            assert_not_verified(desk, &key, alg, data, view_of(sig.p, sig.n - 1), "verify");
            assert_verifies(desk, &key, alg, data, sig);
        }
    }
    cert_key_desk_free(desk);
}

static void another_key_does_not_verify(void **state)
{
    struct cert_key_desk *desk = cert_key_desk_new();
    struct cert_key key, other;
    struct view data = view_str("x"), sig = fixture_sign("p256", CERT_ALG_ECDSA_SHA256, data, *state);
    assert_ok(cert_key_parse(fixture_spki("p256", *state), &key));
    assert_ok(cert_key_parse(fixture_spki("p256b", *state), &other));
    assert_verifies(desk, &key, CERT_ALG_ECDSA_SHA256, data, sig);
    assert_not_verified(desk, &other, CERT_ALG_ECDSA_SHA256, data, sig, "verify");
    cert_key_desk_free(desk);
}

static void parts_verify_as_the_whole(void **state)
{
    struct cert_key key;
    struct cert_key_verifier *v = NULL;
    struct view sig = fixture_sign("p256", CERT_ALG_ECDSA_SHA256, view_str("abcdef"), *state);
    assert_ok(cert_key_parse(fixture_spki("p256", *state), &key));
    for (int wrong = 0; wrong < 2; wrong++) {
        assert_ok(cert_key_verify_begin(&key, CERT_ALG_ECDSA_SHA256, &v));
        cert_key_verify_add(v, view_str("abc"));
        cert_key_verify_add(v, view_str(wrong ? "deF" : "def"));
        struct err *e = cert_key_verify_done(&v, sig);
        assert_null(v);
        if (wrong)
            assert_refused(e, ERR_BAD_SIGNATURE, "verify");
        else
            assert_ok(e);
    }
}

static void writing_gives_what_openssl_writes(void **state)
{
    for (size_t i = 0; i < COUNT(good_keys); i++) {
        struct cert_key key;
        struct view again, spki = fixture_spki(good_keys[i], *state);
        assert_ok(cert_key_parse(spki, &key));
        if (key.kind == CERT_KEY_RSA)
            assert_ok(cert_key_write_rsa(key.modulus, key.exponent, *state, &again));
        else
            assert_ok(cert_key_write(key.kind, key.public, *state, &again));
        assert_bytes(again, spki);
    }
}

static void digests_are_openssls(void **state)
{
    struct cert_key key;
    uint8_t ours[SHA1_BYTES], theirs[SHA1_BYTES];
    struct view spki = fixture_spki("p256", *state);
    assert_ok(cert_key_parse(spki, &key));
    cert_key_sha1(&key, ours);
    const uint8_t *p = spki.p;
    X509_PUBKEY *pub = d2i_X509_PUBKEY(NULL, &p, (long)spki.n);
    X509 *x = X509_new();
    assert_int_equal(X509_set_pubkey(x, X509_PUBKEY_get0(pub)), 1);
    assert_int_equal(X509_pubkey_digest(x, EVP_sha1(), theirs, NULL), 1);
    assert_memory_equal(ours, theirs, sizeof ours);
    X509_free(x);
    X509_PUBKEY_free(pub);
}

static void other_kinds_are_refused(void **state)
{
    static const struct {
        const char *key, *text;
    } rows[] = {
        {"rsa1024", "1024 bits"},
        {"p224", "P-256, P-384 or P-521"},
        {"k256", "P-256"},
        {"ed448", "not supported"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_key key;
        assert_refused(cert_key_parse(fixture_spki(rows[i].key, *state), &key), ERR_BAD_KEY, rows[i].text);
    }
}

static void an_explicit_curve_is_refused(void **state)
{
    (void)state;
    struct cert_key key;
    EVP_PKEY *pkey = EVP_PKEY_dup(fixture_key("p256"));
    assert_int_equal(EVP_PKEY_set_utf8_string_param(pkey, "encoding", "explicit"), 1);
    uint8_t *der = NULL;
    int n = i2d_PUBKEY(pkey, &der);
    assert_true(n > 200);
    assert_refused(cert_key_parse(view_of(der, (size_t)n), &key), ERR_BAD_KEY, "must be named");
    OPENSSL_free(der);
    EVP_PKEY_free(pkey);
}

static struct view ec_spki(struct view point, struct arena *arena)
{
    struct view alg = fixture_hex("301306072a8648ce3d020106082a8648ce3d030107", arena);
    struct view bits = fixture_join(arena, 2, (struct view[]){fixture_hex("00", arena), point});
    return fixture_wrap(0x30, fixture_join(arena, 2, (struct view[]){alg, fixture_wrap(0x03, bits, arena)}),
                        arena);
}

static void odd_points_are_refused(void **state)
{
    struct cert_key good, key;
    assert_ok(cert_key_parse(fixture_spki("p256", *state), &good));
    uint8_t point[66];
    memcpy(point, good.public.p, 65);
    assert_ok(cert_key_parse(ec_spki(view_of(point, 65), *state), &key));
    assert_refused(cert_key_parse(ec_spki(view_of(point, 64), *state), &key), ERR_BAD_KEY, "65 octets");
    assert_refused(cert_key_parse(ec_spki(view_of(point, 66), *state), &key), ERR_BAD_KEY, "65 octets");
    assert_refused(cert_key_parse(ec_spki(view_of("", 1), *state), &key), ERR_BAD_KEY,
                   "65 octets"); /* infinity */
    assert_refused(cert_key_parse(ec_spki(view_of("", 0), *state), &key), ERR_BAD_KEY, "65 octets");
    point[0] = 2;
    assert_refused(cert_key_parse(ec_spki(view_of(point, 33), *state), &key), ERR_BAD_KEY, "compressed");
    point[0] = 6; /* hybrid */
    assert_refused(cert_key_parse(ec_spki(view_of(point, 65), *state), &key), ERR_BAD_KEY, "04, X, Y");
    point[0] = 4;
    point[64] ^= 1;
    assert_refused(cert_key_parse(ec_spki(view_of(point, 65), *state), &key), ERR_BAD_KEY,
                   "not on the curve");
    memset(point + 1, 0xff, 64); /* not reduced */
    assert_refused(cert_key_parse(ec_spki(view_of(point, 65), *state), &key), ERR_BAD_KEY,
                   "not on the curve");
}

/* What stood at the desk before is no help to a point that cannot be set. */
static void a_desk_takes_no_point_that_is_off_the_curve(void **state)
{
    struct cert_key_desk *desk = cert_key_desk_new();
    struct cert_key key, off;
    struct view data = view_str("x"), sig = fixture_sign("p256", CERT_ALG_ECDSA_SHA256, data, *state);
    assert_ok(cert_key_parse(fixture_spki("p256", *state), &key));
    assert_ok(cert_key_desk_verify(desk, &key, CERT_ALG_ECDSA_SHA256, data, sig));
    uint8_t point[65];
    memcpy(point, key.public.p, sizeof point);
    point[64] ^= 1;
    assert_ok(cert_key_read(ec_spki(view_of(point, sizeof point), *state), &off));
    assert_refused(cert_key_desk_verify(desk, &off, CERT_ALG_ECDSA_SHA256, data, sig), ERR_BAD_SIGNATURE,
                   "verify");
    cert_key_desk_free(desk);
}

static struct err *ed25519(const char *hex, struct arena *arena)
{
    struct view spki;
    return cert_key_write(CERT_KEY_ED25519, fixture_hex(hex, arena), arena, &spki);
}

static void ed25519_points_of_small_order_are_refused(void **state)
{
    static const char *const bad[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_refused(ed25519(bad[i], *state), ERR_BAD_KEY, "RFC 8032");
    assert_refused(ed25519("00", *state), ERR_BAD_KEY, "32 octets");
}

static struct view number(const BIGNUM *n, struct arena *arena)
{
    uint8_t *to = arena_alloc(arena, 1200);
    return view_of(to, (size_t)BN_bn2bin(n, to));
}

static struct err *rsa(const BIGNUM *modulus, unsigned long exponent, struct arena *arena)
{
    struct view spki;
    BIGNUM *e = BN_new();
    BN_set_word(e, exponent);
    struct err *err = cert_key_write_rsa(number(modulus, arena), number(e, arena), arena, &spki);
    BN_free(e);
    return err;
}

static void weak_rsa_keys_are_refused(void **state)
{
    BIGNUM *n = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(fixture_key("rsa2048"), "n", &n), 1);
    assert_ok(rsa(n, 65537, *state));
    assert_ok(rsa(n, 0xffffffffffffffff, *state));
    assert_refused(rsa(n, 3, *state), ERR_BAD_KEY, "exponent");
    assert_refused(rsa(n, 1, *state), ERR_BAD_KEY, "exponent");
    assert_refused(rsa(n, 65536, *state), ERR_BAD_KEY, "exponent");
    assert_refused(rsa(n, 65539 - 1, *state), ERR_BAD_KEY, "exponent");
    BN_add_word(n, 1);
    assert_refused(rsa(n, 65537, *state), ERR_BAD_KEY, "even");
    BN_sub_word(n, 1);
    for (unsigned long prime = 3; prime < 752; prime += 748) { /* the first and the last one tried */
        BN_sub_word(n, BN_mod_word(n, prime));
        if (!BN_is_odd(n))
            BN_sub_word(n, prime);
        assert_refused(rsa(n, 65537, *state), ERR_BAD_KEY, "small factor");
    }
    BN_rshift1(n, n);
    assert_refused(rsa(n, 65537, *state), ERR_BAD_KEY, "2047 bits");
    BN_set_bit(n, 8192);
    assert_refused(rsa(n, 65537, *state), ERR_BAD_KEY, "8193 bits");
    BN_free(n);
}

/* n = 65537^k modulo the primes that mark such keys, and no small factor. */
static void roca_keys_are_refused(void **state)
{
    static const unsigned marks[] = {11, 13, 17,  19,  37,  53,  61,  71, 73,
                                     79, 97, 103, 107, 109, 127, 151, 157};
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *product = BN_new(), *n = BN_new();
    BN_set_word(product, 2);
    for (size_t i = 0; i < COUNT(marks); i++)
        BN_mul_word(product, marks[i]);
    BN_set_bit(n, 2047);
    BN_div(NULL, n, n, product, ctx);
    BIGNUM *k = BN_new();
    BN_set_bit(k, 2047);
    BN_sub(n, k, n); /* a multiple of the product */
    BN_add_word(n, 65537);
    struct err *e = NULL;
    for (int i = 0; i < 2000; i++) { /* until none of the other primes divides it */
        BN_add(n, n, product);
        e = rsa(n, 65537, *state);
        if (!e || !strstr(err_detail(e), "small factor"))
            break;
        err_free(e);
        e = NULL;
    }
    assert_refused(e, ERR_BAD_KEY, "CVE-2017-15361");
    BN_free(k);
    BN_free(n);
    BN_free(product);
    BN_CTX_free(ctx);
}

static void truncated_and_flipped_keys_never_crash(void **state)
{
    for (size_t i = 0; i < COUNT(good_keys); i++) {
        struct cert_key key;
        struct view spki = fixture_spki(good_keys[i], *state);
        for (size_t n = 0; n < spki.n; n++)
            assert_any_error(cert_key_parse(arena_dup(*state, view_of(spki.p, n)), &key));
        for (size_t bit = 0; bit < spki.n * 8; bit += 3) {
            uint8_t *bad = (uint8_t *)arena_str(*state, spki);
            bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
            err_free(cert_key_parse(view_of(bad, spki.n), &key));
        }
    }
}

static void kinds_have_names(void **state)
{
    struct cert_key key;
    for (int i = 0; i < CERT_KEY__COUNT; i++) {
        enum cert_key_kind kind = CERT_KEY__COUNT;
        assert_ok(cert_key_kind_parse(view_str(cert_key_kind_name((enum cert_key_kind)i)), &kind));
        assert_int_equal(kind, i);
    }
    assert_ok(cert_key_parse(fixture_spki("rsa2048", *state), &key));
    assert_string_equal(cert_key_text(&key, *state), "rsa-2048");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(acceptable_keys_are_read),
        TEST(every_algorithm_verifies),
        TEST(another_key_does_not_verify),
        TEST(a_desk_takes_no_point_that_is_off_the_curve),
        TEST(parts_verify_as_the_whole),
        TEST(writing_gives_what_openssl_writes),
        TEST(digests_are_openssls),
        TEST(other_kinds_are_refused),
        TEST(an_explicit_curve_is_refused),
        TEST(odd_points_are_refused),
        TEST(ed25519_points_of_small_order_are_refused),
        TEST(weak_rsa_keys_are_refused),
        TEST(roca_keys_are_refused),
        TEST(truncated_and_flipped_keys_never_crash),
        TEST(kinds_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
