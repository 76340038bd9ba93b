/* base/digest: known answers (FIPS 180-4 examples), parts and streams give the same. */
#include "expect.h"

#include "base/digest.h"
#include "base/hex.h"

static void known_answers(void **state)
{
    (void)state;
    uint8_t sha256[SHA256_BYTES], sha1[SHA1_BYTES];
    char text[2 * SHA256_BYTES + 1];
    digest_sha256(view_str("abc"), sha256);
    hex_put(text, view_of(sha256, sizeof sha256));
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha256(view_of(NULL, 0), sha256);
    hex_put(text, view_of(sha256, sizeof sha256));
    assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_sha1(view_str("abc"), sha1);
    hex_put(text, view_of(sha1, sizeof sha1));
    assert_string_equal(text, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void parts_and_streams_agree_with_the_whole(void **state)
{
    (void)state;
    uint8_t whole[SHA256_BYTES], other[SHA256_BYTES];
    struct view parts[] = {view_str("a"), view_of(NULL, 0), view_str("bc")};
    digest_sha256(view_str("abc"), whole);
    digest_sha256_parts(parts, 3, other);
    assert_true(digest_eq(whole, other, sizeof whole));
    struct digest *d = digest_new();
    digest_add(d, view_str("ab"));
    digest_add(d, view_of(NULL, 0));
    digest_add(d, view_str("c"));
    digest_done(d, other);
    assert_true(digest_eq(whole, other, sizeof whole));
    other[31] ^= 1;
    assert_false(digest_eq(whole, other, sizeof whole));
    digest_free(digest_new());
    digest_free(NULL);
}

static void an_hmac_is_that_of_the_standard(void **state)
{
    (void)state;
    uint8_t mac[SHA256_BYTES];
    char text[2 * SHA256_BYTES + 1];
    digest_hmac_sha256(view_str("Jefe"), view_str("what do ya want for nothing?"), mac); /* RFC 4231 4.3 */
    hex_put(text, view_of(mac, sizeof mac));
    assert_string_equal(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(parts_and_streams_agree_with_the_whole),
        cmocka_unit_test(an_hmac_is_that_of_the_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
