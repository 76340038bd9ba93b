/* The last look before a connection: at the very address, whatever was judged before. */
#include "transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "outside.h"

struct trial {
    struct loop *loop;
    bool allow;
    size_t asked;
    struct in6_addr about;
    enum transfer_end end;
    int status;
};

static bool may(void *arg, const struct in6_addr *address)
{
    struct trial *t = arg;
    t->asked++;
    t->about = *address;
    return t->allow;
}

static void got(void *arg, const struct transfer_got *g)
{
    struct trial *t = arg;
    t->end = g->end;
    t->status = g->status;
    loop_stop(t->loop);
}

/* A URL whose own host is somewhere else: the address given is what counts. */
static struct trial fetch(struct outside *o, const char *pinned, bool allow)
{
    struct trial t = {.loop = o->loop, .allow = allow};
    struct transfers *all;
    struct transfer *one;
    struct in6_addr address;
    char url[128];
    snprintf(url, sizeof url, "http://203.0.113.7:%u/x/s404", o->http);
    assert_true(net_address(pinned, &address));
    const struct transfer_get get = {.url = url,
                                     .address = &address,
                                     .max_bytes = 100,
                                     .connect_ms = 2000,
                                     .whole_ms = 4000,
                                     .may_connect = may};
    assert_null(transfers_new(o->loop, &all));
    assert_null(transfers_get(all, &get, got, &t, &one));
    loop_run(o->loop);
    transfers_free(all);
    assert_int_equal(t.asked, 1);
    assert_memory_equal(&t.about, &address, sizeof address);
    return t;
}

static void the_connection_goes_to_the_address_that_was_judged(void **state)
{
    struct outside *o = *state;
    struct trial t = fetch(o, "127.0.0.1", true);
    assert_int_equal(t.end, TRANSFER_ANSWERED);
    assert_int_equal(t.status, 404);
    t = fetch(o, "::1", true);
    assert_int_equal(t.end, TRANSFER_ANSWERED);
}

static void an_address_that_may_not_be_is_not_connected_to(void **state)
{
    struct outside *o = *state;
    size_t before = outside_seen(o, "http");
    struct trial t = fetch(o, "127.0.0.1", false);
    assert_int_equal(t.end, TRANSFER_NOT_ALLOWED);
    assert_int_equal(outside_seen(o, "http"), before);
}

static void urls_are_read_as_the_library_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host;
        unsigned port;
    } cases[] = {
        {"http://A.example/x", "a.example", 80},
        {"https://a.example", "a.example", 443},
        {"http://[::1]:5002/", "::1", 5002},
        {"http://0x7f.1/", "127.0.0.1", 80},
        {"http://2130706433/", "127.0.0.1", 80},
        {"http://0177.0.0.1/", "127.0.0.1", 80},
        {"ftp://a.example/", NULL, 0},
        {"http://u@a.example/", NULL, 0},
        {"/x", NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *arena = arena_new(1 << 16);
        struct transfer_url u;
        bool well = transfer_url_read(cases[i].url, arena, &u);
        if (well != (cases[i].host != NULL))
            fail_msg("%s", cases[i].url);
        if (well) {
            assert_string_equal(u.host, cases[i].host);
            assert_int_equal(u.port, cases[i].port);
        }
        arena_free(arena);
    }
}

static int begin(void **state)
{
    *state = outside_new("", false);
    return 0;
}

static int end(void **state)
{
    outside_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_connection_goes_to_the_address_that_was_judged),
        cmocka_unit_test(an_address_that_may_not_be_is_not_connected_to),
        cmocka_unit_test(urls_are_read_as_the_library_reads_them),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
