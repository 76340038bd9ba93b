/* base/loop: posts, the end of the turn, timers, descriptors, signals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/world.h"

struct seen {
    struct loop *loop;
    struct loop_timer *timer, *other;
    struct loop_watch *watch;
    char text[64];
    int n;
    int64_t at;
};

static int setup(void **state)
{
    static struct seen s;
    memset(&s, 0, sizeof(s));
    *state = &s;
    return loop_new(&s.loop) ? -1 : 0;
}

static int teardown(void **state)
{
    struct seen *s = *state;
    loop_free(s->loop);
    return 0;
}

static void note(struct seen *s, char c)
{
    size_t n = strlen(s->text);
    assert_true(n + 1 < sizeof(s->text));
    s->text[n] = c;
}

static void note_a(void *arg)
{
    note(arg, 'a');
}

static void note_b(void *arg)
{
    note(arg, 'b');
}

static void stop(void *arg)
{
    struct seen *s = arg;
    note(s, '.');
    loop_stop(s->loop);
}

static void posts_run_in_order(void **state)
{
    struct seen *s = *state;
    loop_post(s->loop, note_a, s);
    loop_post(s->loop, note_b, s);
    loop_post(s->loop, note_a, s);
    loop_post(s->loop, stop, s);
    loop_run(s->loop);
    assert_string_equal(s->text, "aba.");
}

static void two_parts(void *arg)
{
    struct seen *s = arg;
    loop_after_turn(s->loop, note_b, s);
    note(s, 'a');
}

static void the_end_of_the_turn_comes_after_all_that_was_ready(void **state)
{
    struct seen *s = *state;
    loop_post(s->loop, two_parts, s);
    loop_post(s->loop, two_parts, s);
    loop_post(s->loop, stop, s);
    loop_run(s->loop);
    assert_string_equal(s->text, "aa.bb");
}

static void again(void *arg)
{
    struct seen *s = arg;
    note(s, 'a');
    if (++s->n == 3)
        loop_stop(s->loop);
    else
        loop_after_turn(s->loop, again, s);
}

static void an_end_of_turn_may_ask_for_another(void **state)
{
    struct seen *s = *state;
    loop_after_turn(s->loop, again, s);
    loop_run(s->loop);
    assert_string_equal(s->text, "aaa");
}

static void count(void *arg)
{
    struct seen *s = arg;
    if (++s->n == 4000)
        loop_stop(s->loop);
}

static void *post_counts(void *arg)
{
    struct seen *s = arg;
    for (int i = 0; i < 1000; i++)
        loop_post(s->loop, count, s);
    return NULL;
}

static void other_threads_may_post(void **state)
{
    struct seen *s = *state;
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, post_counts, s), 0);
    loop_run(s->loop);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(s->n, 4000);
}

static void timers_fire_in_order_of_time(void **state)
{
    struct seen *s = *state;
    struct loop_timer *c = loop_timer_new(s->loop, stop, s);
    struct loop_timer *b = loop_timer_new(s->loop, note_b, s);
    struct loop_timer *a = loop_timer_new(s->loop, note_a, s);
    int64_t start = world_mono_ms();
    loop_timer_set(c, 30);
    loop_timer_set(b, 20);
    loop_timer_set(a, 10);
    loop_run(s->loop);
    assert_string_equal(s->text, "ab.");
    assert_true(world_mono_ms() - start >= 30);
    loop_timer_free(a);
    loop_timer_free(b);
    loop_timer_free(c);
}

static void a_timer_pushed_out_fires_once_at_the_later_time(void **state)
{
    struct seen *s = *state;
    struct loop_timer *a = loop_timer_new(s->loop, note_a, s);
    struct loop_timer *b = loop_timer_new(s->loop, note_b, s);
    struct loop_timer *end = loop_timer_new(s->loop, stop, s);
    loop_timer_set(a, 5);
    loop_timer_set(a, 40); /* later */
    loop_timer_set(b, 60);
    loop_timer_set(b, 10); /* earlier */
    loop_timer_set(end, 80);
    loop_run(s->loop);
    assert_string_equal(s->text, "ba.");
    loop_timer_free(a);
    loop_timer_free(b);
    loop_timer_free(end);
}

static void a_cleared_timer_does_not_fire(void **state)
{
    struct seen *s = *state;
    struct loop_timer *a = loop_timer_new(s->loop, note_a, s);
    struct loop_timer *end = loop_timer_new(s->loop, stop, s);
    loop_timer_set(a, 1);
    loop_timer_set(end, 20);
    loop_timer_clear(a);
    loop_run(s->loop);
    assert_string_equal(s->text, ".");
    loop_timer_free(a);
    loop_timer_free(end);
}

static void frees_both(void *arg)
{
    struct seen *s = arg;
    note(s, 'f');
    loop_timer_free(s->timer);
    loop_timer_free(s->other);
    s->timer = s->other = NULL;
    loop_stop(s->loop);
}

static void a_timer_may_free_itself_and_another_that_is_due(void **state)
{
    struct seen *s = *state;
    s->timer = loop_timer_new(s->loop, frees_both, s);
    s->other = loop_timer_new(s->loop, note_a, s);
    loop_timer_set(s->timer, 1);
    loop_timer_set(s->other, 2);
    usleep(5000);
    loop_run(s->loop);
    assert_string_equal(s->text, "f");
}

static void many_timers_keep_their_order(void **state)
{
    struct seen *s = *state;
    struct loop_timer *t[200];
    for (int i = 0; i < 200; i++) {
        t[i] = loop_timer_new(s->loop, i == 0 ? stop : note_a, s);
        loop_timer_set(t[i], i == 0 ? 20 : 100000 + i * 7919 % 1009);
    }
    for (int i = 1; i < 200; i += 2)
        loop_timer_set(t[i], 1 + i % 5);
    for (int i = 4; i < 200; i += 4) {
        loop_timer_free(t[i]);
        t[i] = NULL;
    }
    s->text[0] = '\0';
    for (int i = 1; i < 200; i += 2)
        if (i > 40) {
            loop_timer_free(t[i]);
            t[i] = NULL;
        }
    loop_run(s->loop);
    assert_string_equal(s->text, "aaaaaaaaaaaaaaaaaaaa.");
    for (int i = 0; i < 200; i++)
        loop_timer_free(t[i]);
}

static void two_turns(void *arg)
{
    struct seen *s = arg;
    if (s->n++ == 0) {
        s->at = loop_now_ms(s->loop);
        usleep(3000);
        assert_true(loop_now_ms(s->loop) == s->at); /* still this turn */
        loop_post(s->loop, two_turns, s);
        return;
    }
    assert_true(loop_now_ms(s->loop) > s->at);
    loop_stop(s->loop);
}

static void now_stands_still_within_a_turn(void **state)
{
    struct seen *s = *state;
    loop_post(s->loop, two_turns, s);
    loop_run(s->loop);
}

static void reads_one(void *arg, int ready)
{
    struct seen *s = arg;
    char c;
    assert_int_equal(ready, LOOP_READ);
    assert_int_equal(read((int)s->at, &c, 1), 1);
    note(s, c);
    if (c == '!') {
        loop_unwatch(s->watch);
        loop_stop(s->loop);
    }
}

static void a_watch_is_level_triggered_and_may_end_itself(void **state)
{
    struct seen *s = *state;
    int p[2];
    assert_int_equal(pipe(p), 0);
    s->at = p[0];
    assert_int_equal(write(p[1], "xyz!", 4), 4);
    s->watch = loop_watch(s->loop, p[0], LOOP_READ, reads_one, s);
    loop_run(s->loop);
    assert_string_equal(s->text, "xyz!");
    close(p[0]);
    close(p[1]);
}

static void paused(void *arg, int ready)
{
    (void)ready;
    struct seen *s = arg;
    note(s, 'r');
    loop_watch_set(s->watch, 0);
}

static void resumed(void *arg)
{
    struct seen *s = arg;
    note(s, '|');
    loop_watch_set(s->watch, LOOP_READ);
    loop_timer_set(s->other, 5);
}

static void a_paused_watch_is_silent(void **state)
{
    struct seen *s = *state;
    int p[2];
    assert_int_equal(pipe(p), 0);
    assert_int_equal(write(p[1], "x", 1), 1);
    s->watch = loop_watch(s->loop, p[0], 0, paused, s);
    s->timer = loop_timer_new(s->loop, resumed, s);
    s->other = loop_timer_new(s->loop, stop, s);
    loop_timer_set(s->timer, 5);
    loop_run(s->loop);
    assert_string_equal(s->text, "|r.");
    loop_unwatch(s->watch);
    loop_timer_free(s->timer);
    loop_timer_free(s->other);
    close(p[0]);
    close(p[1]);
}

static void got_signal(void *arg, int signo)
{
    struct seen *s = arg;
    s->n = signo;
    loop_stop(s->loop);
}

static void signals_come_on_the_loop(void **state)
{
    struct seen *s = *state;
    loop_signal(s->loop, SIGUSR1, got_signal, s);
    raise(SIGUSR1);
    loop_run(s->loop);
    assert_int_equal(s->n, SIGUSR1);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(posts_run_in_order),
        test(the_end_of_the_turn_comes_after_all_that_was_ready),
        test(an_end_of_turn_may_ask_for_another),
        test(other_threads_may_post),
        test(timers_fire_in_order_of_time),
        test(a_timer_pushed_out_fires_once_at_the_later_time),
        test(a_cleared_timer_does_not_fire),
        test(a_timer_may_free_itself_and_another_that_is_due),
        test(many_timers_keep_their_order),
        test(now_stands_still_within_a_turn),
        test(a_watch_is_level_triggered_and_may_end_itself),
        test(a_paused_watch_is_silent),
        test(signals_come_on_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
