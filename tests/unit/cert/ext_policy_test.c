/* Policies: OpenSSL writes the same octets; hostile forms are refused. */
#include "fixture.h"

#include "cert/ext_policy.h"

static struct view oid(const char *dotted, struct arena *arena)
{
    struct view body;
    assert_ok(der_oid_of_text(dotted, arena, &body));
    return body;
}

static struct err *write_and_read(struct cert_policies policies, struct arena *arena, struct cert_ext *ext)
{
    struct err *e = NULL;
    struct cert_policies read;
    struct cert_ext again;
    TRY(cert_ext_write_policies(policies, true, arena, ext));
    assert_ok(cert_ext_read_policies(ext->value, arena, &read));
    assert_int_equal(read.n, policies.n);
    assert_ok(cert_ext_write_policies(read, true, arena, &again));
    assert_bytes(again.value, ext->value);
out:
    return e;
}

static void policies_as_openssl_writes_them(void **state)
{
    struct cert_policy_qualifier qualifiers[] = {{false, view_str("http://a/cps")},
                                                 {false, view_str("http://b/cps")},
                                                 {true, view_str("B\xc3\xbc"
                                                                 "cher, nur f\xc3\xbcr uns")}};
    struct cert_policy policies[] = {{oid("1.2.3.4", *state), qualifiers, COUNT(qualifiers)},
                                     {oid("2.5.29.32.0", *state), NULL, 0}};
    struct cert_ext ext;
    assert_ok(write_and_read((struct cert_policies){policies, 2}, *state, &ext));
    assert_true(ext.critical);
    assert_bytes(ext.value, fixture_ext("[p]\npolicyIdentifier=1.2.3.4\nCPS.1=http://a/cps\n"
                                        "CPS.2=http://b/cps\nuserNotice.1=@n\n"
                                        "[n]\nexplicitText=UTF8:B\xc3\xbc"
                                        "cher, nur f\xc3\xbcr uns\n",
                                        "certificatePolicies", "@p,2.5.29.32.0", *state));
    assert_true(cert_ext_policy_is_any(policies[1].oid));
    assert_false(cert_ext_policy_is_any(policies[0].oid));
}

static void what_no_policy_may_say_is_not_written(void **state)
{
    char long_text[CERT_NOTICE_MAX + 2];
    struct cert_policy_qualifier q = {true, view_str("x")};
    struct cert_policy policies[] = {{oid("1.2.3.4", *state), &q, 1}, {oid("1.2.3.4", *state), NULL, 0}};
    struct cert_ext ext;
    assert_refused(write_and_read((struct cert_policies){policies, 2}, *state, &ext), ERR_BAD_EXTENSION,
                   "the same policy twice (RFC 5280 4.2.1.4)");
    assert_refused(write_and_read((struct cert_policies){policies, 0}, *state, &ext), ERR_BAD_EXTENSION,
                   "1 to 32");
    memset(long_text, 'x', sizeof long_text);
    q.text = view_of(long_text, CERT_NOTICE_MAX + 1);
    assert_refused(write_and_read((struct cert_policies){policies, 1}, *state, &ext), ERR_BAD_EXTENSION,
                   "1 to 200");
    q.text = view_of(long_text, CERT_NOTICE_MAX);
    assert_ok(write_and_read((struct cert_policies){policies, 1}, *state, &ext));
    static const char *const bad_texts[] = {"", "a\nb", "a\xe2\x80\xae z", "\xff"};
    for (size_t i = 0; i < COUNT(bad_texts); i++) {
        q.text = view_str(bad_texts[i]);
        assert_refused(write_and_read((struct cert_policies){policies, 1}, *state, &ext), ERR_BAD_EXTENSION,
                       "explicitText");
    }
    q = (struct cert_policy_qualifier){false, view_str("no uri")};
    assert_refused(write_and_read((struct cert_policies){policies, 1}, *state, &ext), ERR_BAD_NAME,
                   "RFC 3986");
}

#define CPS    "06{2b06010505070201}"
#define NOTICE "06{2b06010505070202}"

static void hostile_policies_are_refused(void **state)
{
    static const struct {
        const char *der, *why;
        enum err_code code;
    } rows[] = {
        {"", "found the end", ERR_BAD_DER},
        {"30{}", "1 to 32", ERR_BAD_EXTENSION},
        {"30{} 00", "expected the end", ERR_BAD_DER},
        {"30{30{}}", "found the end", ERR_BAD_DER},
        {"30{30{06{}}}", "without content", ERR_BAD_DER},
        {"30{30{06{2981}}}", "within an arc", ERR_BAD_DER},
        {"30{30{06{2901} 0500}}", "expected the end", ERR_BAD_DER},
        {"30{30{06{2901}} 30{06{2901}}}", "twice", ERR_BAD_EXTENSION},
        {"30{30{06{2901} 30{}}}", "empty list of qualifiers", ERR_BAD_EXTENSION},
        {"30{30{06{2901} 30{30{06{2902} 0500}}}}", "other than CPS", ERR_BAD_EXTENSION},
        {"30{30{06{2901} 30{30{" CPS "0c{613a62}}}}}", "expected IA5String", ERR_BAD_DER},
        {"30{30{06{2901} 30{30{" CPS "16{61}}}}}", "absolute", ERR_BAD_NAME},
        {"30{30{06{2901} 30{30{" CPS "16{613a62} 00}}}}", "expected the end", ERR_BAD_DER},
        {"30{30{06{2901} 30{30{" NOTICE "30{30{0c{61} 30{020101}} 0c{61}}}}}}", "noticeRef",
         ERR_BAD_EXTENSION},
        {"30{30{06{2901} 30{30{" NOTICE "30{1e{0061}}}}}}", "as UTF8String", ERR_BAD_EXTENSION},
        {"30{30{06{2901} 30{30{" NOTICE "30{}}}}}", "as UTF8String", ERR_BAD_EXTENSION},
        {"30{30{06{2901} 30{30{" NOTICE "30{0c{610a}}}}}}", "control", ERR_BAD_EXTENSION},
        {"30{30{06{2901} 30{30{" NOTICE "30{0c{}}}}}}", "1 to 200", ERR_BAD_EXTENSION},
        {"30{30{06{2901} 30{30{" NOTICE "30{0c{61} 0c{61}}}}}}", "expected the end", ERR_BAD_DER},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_policies policies = {NULL, 0};
        assert_refused(cert_ext_read_policies(fixture_nest(rows[i].der, *state), *state, &policies),
                       rows[i].code, rows[i].why);
        assert_null(policies.v);
    }
}

static void their_number_is_limited(void **state)
{
    struct cert_policy policies[CERT_POLICIES_MAX + 1];
    struct cert_policy_qualifier q[CERT_POLICY_QUALIFIERS_MAX + 1];
    struct view parts[CERT_POLICIES_MAX + 1];
    struct cert_ext ext;
    for (size_t i = 0; i < COUNT(q); i++)
        q[i] = (struct cert_policy_qualifier){true, view_str("x")};
    for (size_t i = 0; i < COUNT(policies); i++) {
        policies[i] = (struct cert_policy){oid(arena_printf(*state, "1.2.%zu", i), *state), NULL, 0};
        parts[i] = fixture_wrap(DER_SEQUENCE, fixture_wrap(DER_OID, policies[i].oid, *state), *state);
    }
    struct view many = fixture_wrap(DER_SEQUENCE, fixture_join(*state, COUNT(parts), parts), *state);
    struct cert_policies read;
    assert_refused(cert_ext_read_policies(many, *state, &read), ERR_TOO_MANY, "more than 32");
    assert_ok(write_and_read((struct cert_policies){policies, CERT_POLICIES_MAX}, *state, &ext));
    policies[0].qualifiers = q;
    policies[0].n = COUNT(q);
    assert_refused(write_and_read((struct cert_policies){policies, 1}, *state, &ext), ERR_TOO_MANY,
                   "more than 4");
}

static void policy_constraints(void **state)
{
    static const struct {
        struct cert_policy_constraints c;
        const char *text;
    } rows[] = {{{0, -1}, "requireExplicitPolicy:0"},
                {{-1, 127}, "inhibitPolicyMapping:127"},
                {{128, 255}, "requireExplicitPolicy:128,inhibitPolicyMapping:255"}};
    struct cert_ext ext;
    struct cert_policy_constraints read;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_ok(cert_ext_write_policy_constraints(rows[i].c, *state, &ext));
        assert_true(ext.critical);
        assert_bytes(ext.value, fixture_ext(NULL, "policyConstraints", rows[i].text, *state));
        assert_ok(cert_ext_read_policy_constraints(ext.value, &read));
        assert_int_equal(read.require_explicit, rows[i].c.require_explicit);
        assert_int_equal(read.inhibit_mapping, rows[i].c.inhibit_mapping);
    }
    assert_refused(cert_ext_write_policy_constraints((struct cert_policy_constraints){-1, -1}, *state, &ext),
                   ERR_BAD_EXTENSION, "RFC 5280 4.2.1.11");
    assert_refused(cert_ext_write_policy_constraints((struct cert_policy_constraints){256, -1}, *state, &ext),
                   ERR_BAD_EXTENSION, "RFC 5280 4.2.1.11");
    static const char *const bad[] = {
        "30{}",                     /* nothing */
        "30{80{}}",                 /* no content */
        "30{80{ff}}",               /* negative */
        "30{80{0001}}",             /* not minimal */
        "30{80{0100}}",             /* 256 */
        "30{80{000100}}",           /* 256 */
        "30{81{00} 80{00}}",        /* out of order */
        "30{80{00} 80{00}}",        /* twice */
        "30{0201 00}",              /* untagged */
        "30{80{00}} 00",            /* something after it */
        "30{80{00} 81{00} 82{00}}", /* a third */
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_any_error(cert_ext_read_policy_constraints(fixture_nest(bad[i], *state), &read));
}

static void inhibit_any_policy(void **state)
{
    struct cert_ext ext;
    int skip = -1;
    for (int i = 0; i < 256; i += 15) {
        assert_ok(cert_ext_write_inhibit_any(i, *state, &ext));
        assert_true(ext.critical);
        assert_bytes(ext.value, fixture_ext(NULL, "inhibitAnyPolicy", arena_printf(*state, "%d", i), *state));
        assert_ok(cert_ext_read_inhibit_any(ext.value, &skip));
        assert_int_equal(skip, i);
    }
    assert_refused(cert_ext_write_inhibit_any(-1, *state, &ext), ERR_BAD_EXTENSION, "RFC 5280 4.2.1.14");
    assert_refused(cert_ext_write_inhibit_any(256, *state, &ext), ERR_BAD_EXTENSION, "RFC 5280 4.2.1.14");
    assert_refused(cert_ext_read_inhibit_any(fixture_hex("0201ff", *state), &skip), ERR_BAD_DER, "negative");
    assert_refused(cert_ext_read_inhibit_any(fixture_hex("02010000", *state), &skip), ERR_BAD_DER,
                   "inhibitAnyPolicy");
    assert_refused(cert_ext_read_inhibit_any(fixture_hex("02020100", *state), &skip), ERR_BAD_DER, "over");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(policies_as_openssl_writes_them),
        TEST(what_no_policy_may_say_is_not_written),
        TEST(hostile_policies_are_refused),
        TEST(their_number_is_limited),
        TEST(policy_constraints),
        TEST(inhibit_any_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
