/* The frames of a check: what goes in comes out; what is not of its form does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "errand_check.h"

static const struct courier_check whole = {
    .kind = COURIER_CAA,
    .identifier = "a.example.internal",
    .wildcard = true,
    .account = "https://ca.example/acme/account/7",
    .method = "dns-01",
};

static struct err *through(const struct courier_check *c, struct arena *arena, struct courier_check *ret)
{
    struct view body;
    assert_null(errand_check_write(c, arena, &body));
    return errand_check_read(body, arena, ret);
}

static void a_check_comes_out_as_it_went_in(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 16);
    struct courier_check c;
    assert_null(through(&whole, arena, &c));
    assert_int_equal(c.kind, COURIER_CAA);
    assert_true(c.wildcard && !c.ip);
    assert_string_equal(c.identifier, whole.identifier);
    assert_string_equal(c.account, whole.account);
    assert_string_equal(c.method, whole.method);
    assert_string_equal(c.token, "");
    arena_free(arena);
}

static void what_could_lead_elsewhere_is_refused(void **state)
{
    (void)state;
    static const struct courier_check wrong[] = {
        {.kind = COURIER_HTTP_01, .identifier = "a.example", .token = "../x", .key_authorization = "a.b"},
        {.kind = COURIER_HTTP_01, .identifier = "a.example", .token = "", .key_authorization = "a.b"},
        {.kind = COURIER_HTTP_01, .identifier = "a.example", .token = "t", .key_authorization = ""},
        {.kind = COURIER_HTTP_01, .identifier = "a.example/x", .token = "t", .key_authorization = "a.b"},
        {.kind = COURIER_HTTP_01, .identifier = "a.example:81", .token = "t", .key_authorization = "a.b"},
        {.kind = COURIER_HTTP_01, .identifier = "u@a.example", .token = "t", .key_authorization = "a.b"},
        {.kind = COURIER_HTTP_01, .identifier = "*.a.example", .token = "t", .key_authorization = "a.b"},
        {.kind = COURIER_HTTP_01, .identifier = "A.example", .token = "t", .key_authorization = "a.b"},
        {.kind = COURIER_HTTP_01, .identifier = "a.example.", .token = "t", .key_authorization = "a.b"},
        {.kind = COURIER_HTTP_01, .identifier = "a..example", .token = "t", .key_authorization = "a.b"},
        {.kind = COURIER_HTTP_01, .identifier = "127.0.0.1", .token = "t", .key_authorization = "a.b"},
        {.kind = COURIER_HTTP_01,
         .identifier = "a.example",
         .ip = true,
         .token = "t",
         .key_authorization = "a.b"},
        {.kind = COURIER_HTTP_01,
         .identifier = "a.example",
         .wildcard = true,
         .token = "t",
         .key_authorization = "a.b"},
        {.kind = COURIER_DNS_01, .identifier = "10.0.0.1", .ip = true, .key_authorization = "a.b"},
        {.kind = COURIER_DNS_PERSIST, .identifier = "a.example", .account = ""},
        {.kind = COURIER_DNS_PERSIST, .identifier = "a.example", .account = "a; policy=wildcard"},
        {.kind = COURIER_CAA, .identifier = "a.example", .account = "u", .method = ""},
        {.kind = COURIER_TLS_ALPN_01, .identifier = "", .key_authorization = "a.b"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct arena *arena = arena_new(1 << 16);
        struct courier_check c;
        struct err *e = through(&wrong[i], arena, &c);
        if (!e)
            fail_msg("case %zu was taken", i);
        assert_int_equal(err_code(e), ERR_PROTOCOL);
        err_free(e);
        arena_free(arena);
    }
}

static void a_finding_says_what_is_wrong_or_is_none(void **state)
{
    (void)state;
    static const struct {
        struct courier_finding f;
        bool well;
    } cases[] = {
        {{COURIER_VALID, COURIER_NO_PROBLEM, ""}, true},
        {{COURIER_INVALID, COURIER_TLS, "no"}, true},
        {{COURIER_UNTRIED, COURIER_NO_PROBLEM, "busy"}, true},
        {{COURIER_INVALID, COURIER_NO_PROBLEM, "no"}, false},
        {{COURIER_VALID, COURIER_TLS, "no"}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *arena = arena_new(1 << 16);
        struct courier_finding f;
        struct view body;
        assert_null(errand_found_write(&cases[i].f, arena, &body));
        struct err *e = errand_found_read(body, arena, &f);
        assert_int_equal(e == NULL, cases[i].well);
        if (!e)
            assert_string_equal(f.detail, cases[i].f.detail);
        err_free(e);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_check_comes_out_as_it_went_in),
        cmocka_unit_test(what_could_lead_elsewhere_is_refused),
        cmocka_unit_test(a_finding_says_what_is_wrong_or_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
