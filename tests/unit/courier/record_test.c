/* What records say: CAA (RFC 8659, RFC 8657), the lasting record of an account, and which addresses are
 * reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "caa.h"
#include "persist.h"
#include "reach.h"

#define ACCOUNT "https://ca.example/acme/account/7"

static const char *const ours[] = {"ca.example", "ca2.example"};

/* "0 issue ca.example" as a property's octets. */
static struct view property(const char *text, struct arena *arena)
{
    unsigned flags;
    char tag[32];
    int n;
    assert_int_equal(sscanf(text, "%u %31s %n", &flags, tag, &n), 2);
    return view_str(arena_printf(arena, "%c%c%s%s", flags ? 0x80 : 0x01, (int)strlen(tag), tag, text + n));
}

struct caa_case {
    const char *records[4];
    bool wildcard;
    enum caa_answer says;
};

static const struct caa_case caa_cases[] = {
    {{NULL}, false, CAA_PERMITS},
    {{"0 iodef mailto:a@b"}, false, CAA_PERMITS},
    {{"0 issue ca.example"}, false, CAA_PERMITS},
    {{"0 issue CA2.example."}, false, CAA_PERMITS},
    {{"0 ISSUE ca.example"}, false, CAA_PERMITS},
    {{"0 issue other.example"}, false, CAA_OTHERS},
    {{"0 issue ;"}, false, CAA_OTHERS},
    {{"0 issue other.example", "0 issue ca.example"}, false, CAA_PERMITS},
    {{"0 issue ca.example", "0 issue other.example"}, false, CAA_PERMITS},
    {{"0 issue xca.example"}, false, CAA_OTHERS},
    {{"0 issue ca.example x"}, false, CAA_OTHERS}, /* not of the form */
    {{"0 issue ca.example; a"}, false, CAA_OTHERS},
    {{"0 issue ca.example; accounturi=" ACCOUNT}, false, CAA_PERMITS},
    {{"0 issue ca.example; accounturi=" ACCOUNT "1"}, false, CAA_PARAMETERS},
    {{"0 issue ca.example; accounturi=" ACCOUNT "; accounturi=" ACCOUNT}, false, CAA_PARAMETERS},
    {{"0 issue ca.example; validationmethods=dns-01"}, false, CAA_PARAMETERS},
    {{"0 issue ca.example; validationmethods=dns-01,http-01"}, false, CAA_PERMITS},
    {{"0 issue ca.example; validationmethods=http-01"}, false, CAA_PERMITS},
    {{"0 issue ca.example; validationmethods="}, false, CAA_PARAMETERS},
    {{"0 issue ca.example;unknown=1"}, false, CAA_PERMITS},
    {{"0 issue ca.example; accounturi=x", "0 issue ca.example; validationmethods=http-01"},
     false,
     CAA_PERMITS},
    /* wildcards: issuewild goes before issue, for them alone */
    {{"0 issue ca.example"}, true, CAA_PERMITS},
    {{"0 issue ca.example", "0 issuewild other.example"}, true, CAA_OTHERS},
    {{"0 issue other.example", "0 issuewild ca.example"}, true, CAA_PERMITS},
    {{"0 issuewild other.example"}, false, CAA_PERMITS},
    {{"0 issue other.example", "0 issuewild ca.example"}, false, CAA_OTHERS},
    /* critical */
    {{"128 new x", "0 issue ca.example"}, false, CAA_CRITICAL},
    {{"0 issue ca.example", "128 new x"}, false, CAA_CRITICAL},
    {{"0 new x", "0 issue ca.example"}, false, CAA_PERMITS},
    {{"128 issue ca.example"}, false, CAA_PERMITS},
};

static void caa_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof caa_cases / sizeof *caa_cases; i++) {
        const struct caa_case *c = &caa_cases[i];
        struct arena *arena = arena_new(1 << 16);
        struct caa_asked asked = {c->wildcard, ACCOUNT, "http-01", ours, 2};
        struct view rdata[4];
        size_t n = 0;
        for (; n < 4 && c->records[n]; n++)
            rdata[n] = property(c->records[n], arena);
        enum caa_answer says = caa_judge(rdata, n, &asked);
        if (says != c->says)
            fail_msg("case %zu, '%s': %d, not %d", i, c->records[0], says, c->says);
        arena_free(arena);
    }
}

static void a_property_that_cannot_be_read_forbids(void **state)
{
    (void)state;
    static const struct {
        const char *octets;
        size_t n;
    } wrong[] = {{"", 0},
                 {"\0", 1},
                 {"\0\0", 2},
                 {"\0\5issu", 6},
                 {"\0\5is.ue;", 8},
                 {"\0\xff"
                  "issue",
                  7}};
    const struct caa_asked asked = {false, ACCOUNT, "http-01", ours, 2};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct view rdata = view_of(wrong[i].octets, wrong[i].n);
        assert_int_equal(caa_judge(&rdata, 1, &asked), CAA_MALFORMED);
    }
}

static const struct {
    const char *text;
    bool wildcard;
    enum persist_answer says;
} persist_cases[] = {
    {"ca.example; accounturi=" ACCOUNT, false, PERSIST_FITS},
    {"CA.example.;accounturi=" ACCOUNT, false, PERSIST_FITS},
    {"other.example; accounturi=" ACCOUNT, false, PERSIST_OTHERS},
    {"v=spf1 -all", false, PERSIST_MALFORMED},
    {"", false, PERSIST_OTHERS},
    {"ca.example", false, PERSIST_MALFORMED},
    {"ca.example; accounturi=" ACCOUNT "8", false, PERSIST_ACCOUNT},
    {"ca.example; accounturi=" ACCOUNT "; accounturi=" ACCOUNT, false, PERSIST_MALFORMED},
    {"ca.example; accounturi=" ACCOUNT, true, PERSIST_WILDCARD},
    {"ca.example; accounturi=" ACCOUNT "; policy=wildcard", true, PERSIST_FITS},
    {"ca.example; accounturi=" ACCOUNT "; policy=Wildcard", false, PERSIST_FITS},
    {"ca.example; accounturi=" ACCOUNT "; persistUntil=1000", false, PERSIST_FITS},
    {"ca.example; accounturi=" ACCOUNT "; persistUntil=999", false, PERSIST_ENDED},
    {"ca.example; accounturi=" ACCOUNT "; persistUntil=-1", false, PERSIST_MALFORMED},
    {"ca.example; accounturi=" ACCOUNT "; persistUntil=9999999999999999999", false, PERSIST_MALFORMED},
    {"ca.example; accounturi=" ACCOUNT "; new=1", false, PERSIST_FITS},
};

static void the_lasting_record_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof persist_cases / sizeof *persist_cases; i++) {
        struct persist_asked asked = {persist_cases[i].wildcard, ACCOUNT, ours, 2, 1000};
        enum persist_answer says = persist_judge(view_str(persist_cases[i].text), &asked);
        if (says != persist_cases[i].says)
            fail_msg("'%s': %d, not %d", persist_cases[i].text, says, persist_cases[i].says);
    }
}

static void what_is_told_to_be_written_fits(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 16);
    struct persist_asked asked = {true, ACCOUNT, ours, 2, 1000};
    assert_int_equal(
        persist_judge(view_str(courier_persist_text("ca.example", ACCOUNT, true, arena)), &asked),
        PERSIST_FITS);
    const char *target = courier_persist_target("ca2.example", ACCOUNT, arena);
    assert_int_equal(strlen(target), 32 + strlen(".ca2.example"));
    assert_true(persist_is_target(target, &asked, arena));
    assert_false(persist_is_target(courier_persist_target("ca.example", ACCOUNT "8", arena), &asked, arena));
    assert_false(persist_is_target(courier_persist_target("other.example", ACCOUNT, arena), &asked, arena));
    arena_free(arena);
}

/* --- addresses --- */

static struct net net_of(const char *text)
{
    struct net n;
    assert_true(net_parse(text, &n));
    return n;
}

static bool reached(const struct courier_checking *how, const char *text)
{
    struct in6_addr a;
    assert_true(net_address(text, &a));
    return reach_allowed(how, &a);
}

static void what_is_not_to_be_reached_is_denied(void **state)
{
    (void)state;
    static const char *const never[] = {
        "127.0.0.1",        "127.9.9.9",       "::1",         "0.0.0.0",         "::",
        "169.254.169.254",  "169.254.1.1",     "fe80::1",     "224.0.0.1",       "255.255.255.255",
        "ff02::1",          "fd00:ec2::254",   "fec0::1",     "100.100.100.200", "168.63.129.16",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "::127.0.0.1", "2002:7f00:1::",   "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1"};
    static const char *const well[] = {"10.1.2.3", "192.168.1.1", "172.16.0.9",      "fd00::1",
                                       "8.8.8.8",  "2a00::1",     "64:ff9b::a01:203"};
    const struct courier_checking how = {.trial = false};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (reached(&how, never[i]))
            fail_msg("reached: %s", never[i]);
    for (size_t i = 0; i < sizeof well / sizeof *well; i++)
        if (!reached(&how, well[i]))
            fail_msg("not reached: %s", well[i]);
}

static void a_trial_reaches_this_machine_and_nothing_else_more(void **state)
{
    (void)state;
    const struct courier_checking how = {.trial = true};
    assert_true(reached(&how, "127.0.0.1") && reached(&how, "::1"));
    assert_false(reached(&how, "169.254.169.254"));
    assert_false(reached(&how, "fe80::1"));
}

static void deny_goes_before_allow_before_the_default(void **state)
{
    (void)state;
    const struct net allow[] = {net_of("127.0.0.0/8"), net_of("10.0.0.0/8")},
                     deny[] = {net_of("10.9.0.0/16"), net_of("127.0.0.9")};
    const struct courier_checking how = {.allow = allow, .allow_n = 2, .deny = deny, .deny_n = 2};
    assert_true(reached(&how, "127.0.0.1"));
    assert_false(reached(&how, "127.0.0.9"));
    assert_false(reached(&how, "10.9.1.1"));
    assert_false(reached(&how, "64:ff9b::a09:101"));
    assert_true(reached(&how, "10.8.1.1"));
    assert_false(reached(&how, "::1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caa_says),
        cmocka_unit_test(a_property_that_cannot_be_read_forbids),
        cmocka_unit_test(the_lasting_record_says),
        cmocka_unit_test(what_is_told_to_be_written_fits),
        cmocka_unit_test(what_is_not_to_be_reached_is_denied),
        cmocka_unit_test(a_trial_reaches_this_machine_and_nothing_else_more),
        cmocka_unit_test(deny_goes_before_allow_before_the_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
