/* Networks: what is one, and what lies in it. */
#include "base/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static bool covers(const char *network, const char *address)
{
    struct net n;
    struct in6_addr a;
    assert_true(net_parse(network, &n));
    assert_true(net_address(address, &a));
    return net_covers(&n, &a);
}

static void a_network_covers_what_shares_its_prefix(void **state)
{
    (void)state;
    assert_true(covers("10.0.0.0/8", "10.255.1.2"));
    assert_false(covers("10.0.0.0/8", "11.0.0.0"));
    assert_true(covers("192.0.2.7", "192.0.2.7"));
    assert_false(covers("192.0.2.7", "192.0.2.6"));
    assert_true(covers("10.8.0.0/13", "10.15.0.1"));
    assert_false(covers("10.8.0.0/13", "10.16.0.1"));
    assert_true(covers("fe80::/10", "febf::1"));
    assert_false(covers("fe80::/10", "fec0::1"));
    assert_true(covers("0.0.0.0/0", "203.0.113.9"));
    assert_false(covers("0.0.0.0/0", "fd00::1"));
    assert_true(covers("::/0", "203.0.113.9"));
}

static void ipv4_and_its_mapped_form_are_one(void **state)
{
    (void)state;
    assert_true(covers("127.0.0.0/8", "::ffff:127.0.0.1"));
    assert_true(covers("::ffff:127.0.0.1", "127.0.0.1"));
}

static void what_is_no_network_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",           "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/",   "10.0.0.0/08", "10.0.0", "fe80::/129",
        "fe80::1/64", "localhost",  "10.0.0.0/+8", "10.0.0.0/8 ", "/8",          "::1%lo", "10.0.0.0/8/8"};
    struct net n;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (net_parse(wrong[i], &n))
            fail_msg("taken: '%s'", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_covers_what_shares_its_prefix),
        cmocka_unit_test(ipv4_and_its_mapped_form_are_one),
        cmocka_unit_test(what_is_no_network_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
