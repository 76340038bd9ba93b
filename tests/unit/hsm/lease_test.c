/* Serials on lease: each once, for its issuer, by its channel; bounded. */
#include "base/world.h"
#include "lease.h"
#include "token_scene.h"

static const char issuing[] = "issuing", other[] = "other";

static void grant(struct lease *l, const char *issuer, size_t n, uint8_t (*ret)[SERIAL_BYTES])
{
    good(lease_grant(l, view_str(issuer), n, ret));
}

static enum err_code check(struct lease *l, const char *issuer, const uint8_t *serial)
{
    return code_of(lease_check(l, view_str(issuer), view_of(serial, SERIAL_BYTES)));
}

static void serials_are_positive_and_differ(void **state)
{
    uint8_t s[64][SERIAL_BYTES];
    struct lease *l = lease_new();
    (void)state;
    grant(l, issuing, 64, s);
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(s[i][0] & 0xc0, 0x40);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(s[i], s[k], SERIAL_BYTES);
    }
    lease_free(l);
}

/* So that the newest lie side by side in every index. */
static void serials_begin_with_the_time(void **state)
{
    uint8_t s[1][SERIAL_BYTES];
    struct lease *l = lease_new();
    (void)state;
    uint32_t before = (uint32_t)(world_now_s() / 4), at;
    grant(l, issuing, 1, s);
    at = (uint32_t)s[0][0] << 24 | (uint32_t)s[0][1] << 16 | (uint32_t)s[0][2] << 8 | s[0][3];
    assert_in_range(at - 0x40000000u, before, world_now_s() / 4);
    lease_free(l);
}

static void a_lease_is_used_once(void **state)
{
    uint8_t s[2][SERIAL_BYTES];
    struct lease *l = lease_new();
    (void)state;
    grant(l, issuing, 2, s);
    assert_int_equal(check(l, issuing, s[0]), ERR__COUNT);
    lease_use(l, view_str(issuing), view_of(s[0], SERIAL_BYTES));
    assert_int_equal(check(l, issuing, s[0]), ERR_SERIAL);
    assert_int_equal(check(l, issuing, s[1]), ERR__COUNT);
    lease_free(l);
}

static void a_lease_is_for_its_issuer_and_channel(void **state)
{
    uint8_t s[1][SERIAL_BYTES];
    struct lease *l = lease_new(), *of_another_channel = lease_new();
    (void)state;
    grant(l, issuing, 1, s);
    assert_int_equal(check(l, issuing, s[0]), ERR__COUNT);
    assert_int_equal(check(l, other, s[0]), ERR_SERIAL);
    assert_int_equal(check(of_another_channel, issuing, s[0]), ERR_SERIAL);
    lease_free(l);
    lease_free(of_another_channel);
}

static void a_made_up_serial_is_refused(void **state)
{
    uint8_t s[1][SERIAL_BYTES];
    struct lease *l = lease_new();
    (void)state;
    grant(l, issuing, 1, s);
    assert_int_equal(code_of(lease_check(l, view_str(issuing), view_of(s[0], SERIAL_BYTES - 1))), ERR_SERIAL);
    s[0][15] ^= 1;
    assert_int_equal(check(l, issuing, s[0]), ERR_SERIAL);
    lease_free(l);
}

static void the_oldest_gives_way_within_its_issuer(void **state)
{
    static uint8_t first[1][SERIAL_BYTES], s[LEASE_MAX_AT_ONCE][SERIAL_BYTES], quiet[1][SERIAL_BYTES];
    struct lease *l = lease_new();
    (void)state;
    grant(l, other, 1, quiet);
    grant(l, issuing, 1, first);
    for (int i = 0; i < LEASE_MAX / LEASE_MAX_AT_ONCE; i++)
        grant(l, issuing, LEASE_MAX_AT_ONCE, s);
    assert_int_equal(lease_count(l, view_str(issuing)), LEASE_MAX);
    assert_int_equal(check(l, issuing, first[0]), ERR_SERIAL);
    assert_int_equal(check(l, issuing, s[0]), ERR__COUNT);
    assert_int_equal(check(l, other, quiet[0]), ERR__COUNT);
    lease_free(l);
}

static void using_up_in_any_order_loses_none(void **state)
{
    static uint8_t s[16][LEASE_MAX_AT_ONCE][SERIAL_BYTES];
    struct lease *l = lease_new();
    (void)state;
    for (size_t i = 0; i < 16; i++)
        grant(l, issuing, LEASE_MAX_AT_ONCE, s[i]);
    for (size_t k = 0; k < LEASE_MAX_AT_ONCE; k += 2)
        for (size_t i = 0; i < 16; i++)
            lease_use(l, view_str(issuing), view_of(s[i][k], SERIAL_BYTES));
    for (size_t k = 0; k < LEASE_MAX_AT_ONCE; k++)
        for (size_t i = 0; i < 16; i++)
            assert_int_equal(check(l, issuing, s[i][k]), k % 2 ? ERR__COUNT : ERR_SERIAL);
    assert_int_equal(lease_count(l, view_str(issuing)), 16 * LEASE_MAX_AT_ONCE / 2);
    lease_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serials_are_positive_and_differ),
        cmocka_unit_test(serials_begin_with_the_time),
        cmocka_unit_test(a_lease_is_used_once),
        cmocka_unit_test(a_lease_is_for_its_issuer_and_channel),
        cmocka_unit_test(a_made_up_serial_is_refused),
        cmocka_unit_test(the_oldest_gives_way_within_its_issuer),
        cmocka_unit_test(using_up_in_any_order_loses_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
