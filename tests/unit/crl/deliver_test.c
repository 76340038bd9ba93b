/* Lists on their way to an address: tried again, ever more slowly, counted, and an alert when it takes long.
 * The courier's other end is the test. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/metric.h"
#include "courier/errand.h"
#include "press.h"

enum { LOOK_S = 60, OVERDUE_S = 600 };

static const char *const name = "issuing.crl"; /* of all that comes, this one is looked at */

struct outside {
    struct house *h;
    struct courier *courier;
    struct channel *channel; /* the courier's end */
    enum errand_outcome says;
    int came;
    uint8_t body[4096];
    size_t body_n;
};

static struct outside the;

/* --- the courier's end --- */

static void on_frame(void *arg, struct frame *f)
{
    struct outside *o = arg;
    struct arena *arena = arena_new(1 << 16);
    struct courier_put put;
    struct frame answer = {.kind = ERRAND_DONE, .id = f->id, .fd = -1};
    OK(errand_put_read(f->body, arena, &put));
    if (strcmp(put.name, name) == 0) {
        ssize_t n = pread(f->fd, o->body, sizeof o->body, 0);
        assert_string_equal(put.issuer, "issuing");
        o->body_n = n > 0 ? (size_t)n : 0;
        o->came++;
    }
    OK(errand_done_write(o->says, o->says == ERRAND_WELL ? "" : "it answered with status 503", arena,
                         &answer.body));
    OK(channel_send(o->channel, &answer));
    arena_free(arena);
}

static void on_close(void *arg, struct err *why)
{
    struct outside *o = arg;
    err_free(why);
    channel_free(o->channel);
    o->channel = NULL;
}

static void attach(void)
{
    int p[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
    the.channel = channel_new(the.h->loop, p[1], (struct channel_events){on_frame, on_close, &the});
    courier_attach(the.courier, p[0]);
}

static int setup(void **state)
{
    assert_int_equal(press_setup(state), 0);
    the.h = *state;
    the.courier = courier_new(the.h->loop);
    crl_maker_courier(press(the.h)->maker, the.courier);
    struct crl_issuer to = press_like(the.h);
    to.put = "http://127.0.0.1:1/lists";
    press_change(the.h, &to);
    return 0;
}

static int teardown(void **state)
{
    channel_free(the.channel);
    courier_free(the.courier);
    return house_teardown(state);
}

/* --- waiting --- */

static bool has_come(void *arg)
{
    return the.came >= *(int *)arg;
}

static void await_came(int n)
{
    house_wait(the.h, has_come, &n);
    house_quiet(the.h); /* what was said of it is heard, so that time may pass */
    house_run(the.h, 30);
    assert_int_equal(the.came, n);
}

static bool is_overdue(void *arg)
{
    return (metric_get(METRIC_CRLS_OVERDUE) > 0) == *(bool *)arg;
}

static void await_alert(bool on)
{
    house_pass(the.h, LOOK_S + 1);
    house_wait(the.h, is_overdue, &on);
}

static void revoke_one(void)
{
    struct view serial = press_issue(the.h);
    house_quiet(the.h);
    the.came = 0;
    press_revoke(the.h, serial, CERT_REASON_SUPERSEDED);
}

/* --- the tests, in one life --- */

static void without_a_courier_it_waits_and_then_goes(void **state)
{
    (void)state;
    int64_t delivered = metric_get(METRIC_CRLS_DELIVERED);
    assert_true(metric_get(METRIC_CRL_DELIVERIES_FAILED) > 0);
    the.says = ERRAND_WELL;
    attach();
    await_came(1);
    house_quiet(the.h);
    assert_true(metric_get(METRIC_CRLS_DELIVERED) > delivered);
}

static void a_new_list_goes_at_once_as_it_is(void **state)
{
    (void)state;
    struct shelf_item item;
    revoke_one();
    await_came(1);
    house_quiet(the.h);
    OK(shelf_get_blob(the.h->shelf, "crl/issuing", the.h->arena, &item));
    assert_int_equal(the.body_n, item.bytes.n);
    assert_memory_equal(the.body, item.bytes.p, item.bytes.n);
}

static void what_fails_is_tried_again_ever_more_slowly(void **state)
{
    (void)state;
    int64_t failed = metric_get(METRIC_CRL_DELIVERIES_FAILED);
    the.says = ERRAND_FAILED;
    revoke_one();
    await_came(1);
    for (int i = 1; i < 5; i++) {
        house_pass(the.h, (1 << i) / 2 - 1); /* a little less than it waits: nothing */
        house_run(the.h, 30);
        assert_int_equal(the.came, i);
        house_pass(the.h, 1);
        await_came(i + 1);
    }
    assert_true(metric_get(METRIC_CRL_DELIVERIES_FAILED) >= failed + 5);
}

static void what_is_not_there_after_ten_minutes_is_an_alert_until_it_is(void **state)
{
    (void)state;
    await_alert(false);
    house_pass(the.h, OVERDUE_S);
    await_alert(true);
    house_quiet(the.h);
    the.says = ERRAND_WELL;
    the.came = 0;
    house_pass(the.h, OVERDUE_S); /* longer than any wait */
    await_came(1);
    await_alert(false);
}

static void one_that_came_meanwhile_follows_the_one_under_way(void **state)
{
    (void)state;
    struct shelf_item item;
    the.says = ERRAND_WELL;
    for (int i = 0; i < 3; i++)
        revoke_one();
    house_quiet(the.h);
    OK(shelf_get_blob(the.h->shelf, "crl/issuing", the.h->arena, &item));
    assert_int_equal(the.body_n, item.bytes.n);
    assert_memory_equal(the.body, item.bytes.p, item.bytes.n);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_courier_it_waits_and_then_goes),
        cmocka_unit_test(a_new_list_goes_at_once_as_it_is),
        cmocka_unit_test(what_fails_is_tried_again_ever_more_slowly),
        cmocka_unit_test(what_is_not_there_after_ten_minutes_is_an_alert_until_it_is),
        cmocka_unit_test(one_that_came_meanwhile_follows_the_one_under_way),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, setup, teardown);
}
