/* When the wall clock is trusted: pure, and as the engine lives with it over a restart. */
#include "clock.h"

#include <string.h>

#include "base/world.h"
#include "house_scene.h"

static const char *why(struct clock_watch *c)
{
    static char text[256];
    struct err *e = clock_check(c);
    text[0] = '\0';
    if (e) {
        assert_int_equal(err_code(e), ERR_CLOCK);
        strncpy(text, err_detail(e), sizeof text - 1);
    }
    err_free(e);
    return text;
}

static void one_that_runs_is_trusted(void **state)
{
    struct clock_watch c;
    (void)state;
    clock_start(&c, world_now_ms() - 1000);
    assert_string_equal(why(&c), "");
    clock_start(&c, 0);
    assert_string_equal(why(&c), "");
    assert_false(c.untold);
}

static void behind_the_last_entry_it_is_not(void **state)
{
    struct clock_watch c;
    (void)state;
    clock_start(&c, world_now_ms() + CLOCK_BEHIND_MS - 1000); /* within what two clocks may differ */
    assert_string_equal(why(&c), "");
    clock_start(&c, world_now_ms() + 3600 * 1000);
    assert_true(c.untold);
    assert_non_null(strstr(why(&c), "behind the ledger's last entry"));
    assert_non_null(strstr(why(&c), "chancery clock confirm"));
}

static void falling_behind_while_it_runs_is_seen(void **state)
{
    struct house *h = *state;
    struct clock_watch c;
    clock_start(&c, 0);
    clock_saw(&c, world_now_ms());
    assert_string_equal(why(&c), "");
    house_leap(h, -20 * 1000); /* no leap by the other rule */
    assert_non_null(strstr(why(&c), "behind"));
    house_leap(h, 20 * 1000);
    assert_non_null(strstr(why(&c), "behind")); /* until a person says so */
    clock_confirm(&c);
    assert_string_equal(why(&c), "");
}

static void a_leap_is_seen_and_remembered(void **state)
{
    struct house *h = *state;
    struct clock_watch c;
    clock_start(&c, 0);
    house_leap(h, CLOCK_LEAP_MS - 1000);
    assert_string_equal(why(&c), ""); /* drift is followed */
    house_leap(h, CLOCK_LEAP_MS + 1000);
    assert_non_null(strstr(why(&c), "leapt"));
    house_leap(h, -2 * CLOCK_LEAP_MS);
    assert_non_null(strstr(why(&c), "leapt"));
    clock_confirm(&c);
    assert_string_equal(why(&c), "");
}

/* --- in the house --- */

static enum err_code try(struct house *h)
{
    struct house_issued got;
    const struct ca_request r =
        house_request(h, house_requester(h), "server", house_csr_for(h, "clock.example.internal"));
    return house_issue(h, &r, &got);
}

static void confirm(struct house *h)
{
    const struct ledger_entry entry = {.kind = LEDGER_CLOCK,
                                       .actor = "local:0",
                                       .body.note = {.what = "right", .number = CA_CLOCK_CONFIRMED}};
    house_append(h, &entry);
    ca_clock_confirm(h->ca);
}

static void a_leap_stops_issuance_alone_until_confirmed(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct house_revoked gone;
    struct ledger_entry entry;
    house_good(h, "before.example.internal", &got);
    size_t before = house_entries(h, LEDGER_CLOCK);
    house_leap(h, 3600 * 1000);
    assert_int_equal(try(h), ERR_CLOCK);
    assert_int_equal(try(h), ERR_CLOCK);
    assert_int_equal(house_revoke(h, house_asker(h, CA_ROLE_ADMIN, "roster:a"),
                                  view_of(got.serial_bytes, SERIAL_BYTES), CERT_REASON_SUPERSEDED, &gone),
                     ERR__COUNT);
    house_quiet(h);
    assert_int_equal(house_entries(h, LEDGER_CLOCK), before + 1); /* once, not for each refusal */
    assert_true(house_last(h, LEDGER_CLOCK, &entry));
    assert_int_equal(entry.body.note.number, CA_CLOCK_DISTRUSTED);
    assert_non_null(strstr(entry.body.note.what, "leapt by"));
    confirm(h);
    assert_int_equal(try(h), ERR__COUNT);
}

static void a_restart_does_not_heal_it(void **state)
{
    struct house *h = *state;
    house_leap(h, -50 * 60 * 1000);
    house_front_close(h); /* writes an entry with the wrong time, before anyone has looked */
    house_front_open(h);
    house_attach(h);
    assert_int_equal(try(h), ERR_CLOCK);
    house_front_close(h);
    house_front_open(h); /* the last entry is not ahead any more */
    house_attach(h);
    assert_int_equal(try(h), ERR_CLOCK);
    confirm(h);
    assert_int_equal(try(h), ERR__COUNT);
    house_front_close(h);
    house_front_open(h);
    house_attach(h);
    assert_int_equal(try(h), ERR__COUNT);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_runs_is_trusted),
        cmocka_unit_test(behind_the_last_entry_it_is_not),
        cmocka_unit_test(falling_behind_while_it_runs_is_seen),
        cmocka_unit_test(a_leap_is_seen_and_remembered),
        cmocka_unit_test(a_leap_stops_issuance_alone_until_confirmed),
        cmocka_unit_test(a_restart_does_not_heal_it),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, house_setup, house_teardown);
}
