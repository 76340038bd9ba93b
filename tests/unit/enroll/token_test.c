/* Bearer tokens as they are made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/digest.h"
#include "enroll.h"

static void a_token_is_a_prefix_and_256_bits(void **state)
{
    char text[ENROLL_TOKEN_TEXT_BYTES], other[ENROLL_TOKEN_TEXT_BYTES];
    uint8_t id[32], expected[32];
    (void)state;
    enroll_token_make(text, id);
    assert_memory_equal(text, "chancery_", 9);
    assert_int_equal(strlen(text), 9 + 43); /* 32 octets in base64url */
    assert_int_equal(strspn(text + 9, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                     43);
    digest_sha256(view_str(text), expected);
    assert_memory_equal(id, expected, 32); /* of the whole text, prefix and all */
    enroll_token_make(other, id);
    assert_string_not_equal(text, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_token_is_a_prefix_and_256_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
