/* base/ticket: a late completion finds nothing, never somebody else's object. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/ticket.h"

static void a_ticket_finds_its_object(void **state)
{
    (void)state;
    int a, b;
    struct ticket_table *t = ticket_table_new(100);
    ticket_id ta = ticket_put(t, &a);
    ticket_id tb = ticket_put(t, &b);
    assert_true(ta != 0 && tb != 0 && ta != tb);
    assert_ptr_equal(ticket_find(t, ta), &a);
    assert_ptr_equal(ticket_find(t, tb), &b);
    assert_int_equal(ticket_count(t), 2);
    ticket_table_free(t);
}

static void a_taken_ticket_is_stale_even_where_its_slot_is_used_again(void **state)
{
    (void)state;
    int a, b;
    struct ticket_table *t = ticket_table_new(1);
    ticket_id ta = ticket_put(t, &a);
    assert_ptr_equal(ticket_take(t, ta), &a);
    assert_null(ticket_take(t, ta));
    ticket_id tb = ticket_put(t, &b);
    assert_true(tb != 0 && tb != ta);
    assert_null(ticket_find(t, ta));
    assert_ptr_equal(ticket_find(t, tb), &b);
    ticket_table_free(t);
}

static void a_full_table_gives_zero(void **state)
{
    (void)state;
    int o;
    struct ticket_table *t = ticket_table_new(20);
    ticket_id first = ticket_put(t, &o);
    for (int i = 1; i < 20; i++)
        assert_true(ticket_put(t, &o) != 0);
    assert_true(ticket_put(t, &o) == 0);
    assert_non_null(ticket_take(t, first));
    assert_true(ticket_put(t, &o) != 0);
    ticket_table_free(t);
}

static void zero_and_nonsense_find_nothing(void **state)
{
    (void)state;
    int o;
    struct ticket_table *t = ticket_table_new(4);
    assert_null(ticket_find(t, 0));
    assert_null(ticket_find(t, 1));
    ticket_id id = ticket_put(t, &o);
    assert_null(ticket_find(t, id + 1));
    assert_null(ticket_find(t, id + (1ull << 32)));
    assert_null(ticket_find(t, UINT64_MAX));
    ticket_table_free(t);
}

struct take_all {
    struct ticket_table *t;
    int seen;
};

static void take_it(void *arg, ticket_id id, void *obj)
{
    struct take_all *all = arg;
    assert_ptr_equal(ticket_take(all->t, id), obj);
    all->seen++;
}

static void each_may_take_what_it_is_shown(void **state)
{
    (void)state;
    int o;
    struct take_all all = {ticket_table_new(50), 0};
    for (int i = 0; i < 50; i++)
        assert_true(ticket_put(all.t, &o) != 0);
    ticket_each(all.t, take_it, &all);
    assert_int_equal(all.seen, 50);
    assert_int_equal(ticket_count(all.t), 0);
    ticket_table_free(all.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_finds_its_object),
        cmocka_unit_test(a_taken_ticket_is_stale_even_where_its_slot_is_used_again),
        cmocka_unit_test(a_full_table_gives_zero),
        cmocka_unit_test(zero_and_nonsense_find_nothing),
        cmocka_unit_test(each_may_take_what_it_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
