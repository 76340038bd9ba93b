/* Which items share a group: who is alone goes at once, and a group is held open only for what is known to
 * come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "batch.h"
#include "scene.h"

enum { ITEMS = 8 };

struct group {
    struct loop *loop;
    struct batch *batch;
    struct batch_item items[ITEMS];
    size_t coming, finished, wanted;
    size_t groups[ITEMS], groups_n; /* how many were in each */
    int64_t began, took_ms;
};

static void write_nothing(void *arg, struct batch_item *first)
{
    (void)arg;
    (void)first;
}

static void finish(void *arg, struct batch_item *first)
{
    struct group *s = arg;
    for (; first; first = first->next) {
        s->groups[s->groups_n]++;
        s->finished++;
    }
    s->groups_n++;
    if (s->finished < s->wanted)
        return;
    s->took_ms = loop_now_ms(s->loop) - s->began;
    loop_stop(s->loop);
}

static size_t coming(void *arg)
{
    return ((const struct group *)arg)->coming;
}

static void begin(struct group *s, size_t n_coming)
{
    *s = (struct group){.coming = n_coming};
    OK(loop_new(&s->loop));
    OK(batch_start(&(struct batch_setup){.loop = s->loop,
                                         .name = "batch",
                                         .max = ITEMS,
                                         .queued_max = ITEMS,
                                         .write = write_nothing,
                                         .finish = finish,
                                         .coming = coming,
                                         .arg = s},
                   &s->batch));
    s->began = loop_now_ms(s->loop);
}

static void end(struct group *s)
{
    batch_stop(s->batch);
    loop_free(s->loop);
}

static void add_next(void *arg)
{
    struct group *s = arg;
    OK(batch_add(s->batch, &s->items[2]));
}

static void what_is_known_to_come_shares_the_group(void **state)
{
    (void)state;
    struct group s;
    begin(&s, 2);
    s.wanted = 2;
    OK(batch_add(s.batch, &s.items[1]));
    loop_post(s.loop, add_next, &s); /* a turn later */
    loop_run(s.loop);
    assert_int_equal(s.groups_n, 1);
    assert_int_equal(s.groups[0], 2);
    end(&s);
}

static void who_is_alone_goes_at_once(void **state)
{
    (void)state;
    struct group s;
    begin(&s, 1);
    s.wanted = 1;
    OK(batch_add(s.batch, &s.items[1]));
    loop_run(s.loop);
    assert_int_equal(s.groups_n, 1);
    end(&s);
}

static void what_never_comes_holds_nobody(void **state)
{
    (void)state;
    struct group s;
    begin(&s, ITEMS);
    s.wanted = 1;
    OK(batch_add(s.batch, &s.items[1]));
    loop_run(s.loop);
    assert_int_equal(s.groups[0], 1);
    assert_true(s.took_ms >= 4);
    end(&s);
}

static void stopping_writes_a_group_that_is_held_open(void **state)
{
    (void)state;
    struct group s;
    begin(&s, ITEMS);
    s.wanted = ITEMS;
    OK(batch_add(s.batch, &s.items[1]));
    batch_stop(s.batch);
    assert_int_equal(s.finished, 1);
    loop_free(s.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_to_come_shares_the_group),
        cmocka_unit_test(who_is_alone_goes_at_once),
        cmocka_unit_test(what_never_comes_holds_nobody),
        cmocka_unit_test(stopping_writes_a_group_that_is_held_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
