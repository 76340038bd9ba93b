/* Lists of every kind, together and apart: what each says, and which of them a revocation makes anew. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/world.h"
#include "cert/ext.h"
#include "cert/pem.h"
#include "cert/tbs.h"
#include "press.h"

enum { SIZE = 3, DELTA_S = 900 };

static uint64_t number_of(struct house *h, const char *name)
{
    return press_list(h, name).crl.number;
}

static void says(struct view uri, const char *want)
{
    assert_int_equal(uri.n, strlen(want));
    assert_memory_equal(uri.p, want, uri.n);
}

static void is_partition(struct house *h, const char *name, const char *path)
{
    struct press_list l = press_list(h, name);
    assert_true(l.crl.has_idp && !l.crl.is_delta && !l.crl.freshest.p);
    assert_false(l.crl.idp.only_ca || l.crl.idp.only_user);
    says(l.crl.idp.uri, arena_printf(h->arena, "%s%s", h->issuers[1].facts.base_url, path));
}

static struct crl_issuer with_delta(struct house *h)
{
    struct crl_issuer to = press_like(h);
    to.delta_s = DELTA_S;
    return to;
}

static struct crl_issuer apart(struct house *h)
{
    struct crl_issuer to = press_like(h);
    to.full = false;
    return to;
}

static void back(struct house *h)
{
    struct crl_issuer plain = press_like(h);
    press_partition(h, 0);
    press_change(h, &plain);
}

/* --- partitions --- */

static void its_list_is_there_with_the_first_certificate(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct cert_tbs tbs;
    struct cert_views uris;
    struct cert_sealed sealed;
    press_partition(h, SIZE);
    assert_false(press_has(h, "issuing/1"));
    house_good(h, "first.example.internal", &got);
    press_await_above(h, "issuing/1", 0);
    is_partition(h, "issuing/1", "/crl/issuing/1.crl");
    assert_int_equal(press_list(h, "issuing/1").n, 0); /* an empty list is a list */
    OK(cert_seal_open(view_of(got.der, got.der_n), &sealed));
    OK(cert_tbs_read(sealed.tbs, h->arena, &tbs));
    OK(cert_ext_read_cdp(cert_tbs_ext(&tbs, CERT_EXT_CDP)->value, h->arena, &uris));
    assert_int_equal(uris.n, 1);
    says(uris.v[0], arena_printf(h->arena, "%s/crl/issuing/1.crl", h->issuers[1].facts.base_url));
}

static void a_revocation_costs_its_partition_and_nothing_else(void **state)
{
    struct house *h = *state;
    struct view one = press_issue(h), two = press_issue(h), three = press_issue(h); /* 1, 1, 2 */
    press_await_above(h, "issuing/2", 0);
    uint64_t whole = number_of(h, "issuing"), first = number_of(h, "issuing/1");
    press_revoke(h, three, CERT_REASON_SUPERSEDED);
    press_await(h, "issuing/2", three);
    assert_int_equal(number_of(h, "issuing/1"), first);
    assert_int_equal(number_of(h, "issuing"), whole);
    press_revoke(h, one, CERT_REASON_KEY_COMPROMISE);
    press_await(h, "issuing/1", one);
    assert_true(number_of(h, "issuing/1") > number_of(h, "issuing/2")); /* one numbering for all */
    assert_false(press_finds(h, "issuing/1", two, NULL));
    assert_false(press_finds(h, "issuing/2", one, NULL));
    house_pass(h, PRESS_EVERY_S + 1);
    press_await_above(h, "issuing", whole); /* the list of everything follows its clock */
    assert_true(press_finds(h, "issuing", one, NULL) && press_finds(h, "issuing", three, NULL));
}

static void a_start_makes_anew_only_what_has_changed(void **state)
{
    struct house *h = *state;
    struct view serial = press_issue(h); /* in 2 */
    house_quiet(h);
    uint64_t first = number_of(h, "issuing/1");
    house_drop(h);
    press_revoke(h, serial, CERT_REASON_SUPERSEDED);
    house_front_close(h);
    house_front_open(h);
    house_attach(h);
    press_await(h, "issuing/2", serial);
    assert_int_equal(number_of(h, "issuing/1"), first);
}

/* Of certificates that name no partition, where there is no list of everything. */
static void apart_the_first_address_lists_the_rest(void **state)
{
    struct house *h = *state;
    struct crl_issuer to = apart(h);
    press_partition(h, 0);
    struct view before = press_issue(h);
    press_change(h, &to);
    press_partition(h, SIZE);
    is_partition(h, "issuing", "/crl/issuing.crl");
    assert_int_equal(press_list(h, "issuing").n, 0);
    struct view after = press_issue(h);
    press_revoke(h, before, CERT_REASON_SUPERSEDED);
    press_revoke(h, after, CERT_REASON_SUPERSEDED);
    press_await(h, "issuing/2", after);
    press_await(h, "issuing", before);
    assert_int_equal(press_list(h, "issuing").n, 1);
    back(h);
    assert_false(press_list(h, "issuing").crl.has_idp);
    assert_true(press_finds(h, "issuing", after, NULL));
}

/* --- delta lists --- */

static void a_revocation_is_on_the_delta_at_once(void **state)
{
    struct house *h = *state;
    struct crl_issuer to = with_delta(h);
    press_change(h, &to);
    house_pass(h, PRESS_EVERY_S + 1);
    press_await_above(h, "issuing", number_of(h, "issuing"));
    struct press_list whole = press_list(h, "issuing"), delta = press_list(h, "-delta/issuing");
    says(whole.crl.freshest,
         arena_printf(h->arena, "%s/crl/issuing-delta.crl", h->issuers[1].facts.base_url));
    assert_true(delta.crl.is_delta && !delta.crl.has_idp && !delta.crl.freshest.p);
    assert_true(delta.crl.base <= whole.crl.number);
    struct view serial = press_issue(h);
    press_revoke(h, serial, CERT_REASON_SUPERSEDED);
    press_await(h, "-delta/issuing", serial);
    delta = press_list(h, "-delta/issuing");
    assert_int_equal(number_of(h, "issuing"), whole.crl.number);
    assert_true(delta.crl.base <= whole.crl.number && delta.crl.number > whole.crl.number);
}

/* A client may keep the list it has until nextUpdate; a delta that fits only a newer one would tell it
 * nothing. */
static void it_fits_every_list_that_still_holds(void **state)
{
    struct house *h = *state;
    uint64_t kept = number_of(h, "issuing");
    int64_t kept_until = press_list(h, "issuing").crl.next_update;
    struct view serial = press_issue(h);
    press_revoke(h, serial, CERT_REASON_SUPERSEDED);
    press_await(h, "-delta/issuing", serial);
    while (world_now_s() + PRESS_EVERY_S < kept_until) {
        house_pass(h, DELTA_S + 1);
        press_await_above(h, "-delta/issuing", number_of(h, "-delta/issuing"));
        assert_true(press_list(h, "-delta/issuing").crl.base <= kept);
        assert_true(press_finds(h, "-delta/issuing", serial, NULL));
    }
    assert_true(number_of(h, "issuing") > kept);
    house_pass(h,
               2 * PRESS_EVERY_S); /* it is over: the delta moves on, and no longer says what the lists say */
    press_await_above(h, "-delta/issuing", number_of(h, "-delta/issuing"));
    assert_true(press_list(h, "-delta/issuing").crl.base > kept);
    assert_true(press_finds(h, "issuing", serial, NULL));
}

static void a_hold_that_became_final_is_on_it_once(void **state)
{
    struct house *h = *state;
    struct cert_crl_entry entry;
    struct view serial = press_issue(h);
    press_revoke(h, serial, CERT_REASON_CERTIFICATE_HOLD);
    press_await(h, "-delta/issuing", serial);
    uint64_t before = number_of(h, "-delta/issuing");
    press_revoke(h, serial, CERT_REASON_KEY_COMPROMISE);
    press_await_above(h, "-delta/issuing", before);
    assert_true(press_finds(h, "-delta/issuing", serial, &entry));
    assert_int_equal(entry.reason, CERT_REASON_KEY_COMPROMISE);
}

static void a_hold_that_was_let_go_is_taken_off(void **state)
{
    struct house *h = *state;
    struct cert_crl_entry entry;
    struct view serial = press_issue(h);
    const struct ledger_entry release = {.kind = LEDGER_RELEASE,
                                         .actor = "roster:a",
                                         .issuer = "issuing",
                                         .serial = serial,
                                         .body.note = {.what = "found again"}};
    press_revoke(h, serial, CERT_REASON_CERTIFICATE_HOLD);
    press_await(h, "-delta/issuing", serial);
    uint64_t before = number_of(h, "-delta/issuing");
    house_append(h, &release);
    press_await_above(h, "-delta/issuing", before);
    assert_true(press_finds(h, "-delta/issuing", serial, &entry));
    assert_int_equal(entry.reason, CERT_REASON_REMOVE_FROM_CRL); /* RFC 5280 5.3.1 */
    house_pass(h, PRESS_EVERY_S + 1);
    press_await_above(h, "issuing", number_of(h, "issuing"));
    assert_false(press_finds(h, "issuing", serial, NULL));
}

static void together_all_three_say_it(void **state)
{
    struct house *h = *state;
    uint64_t partition;
    press_partition(h, SIZE);
    OK(ledger_partition(h->ledger, "issuing", SIZE, &partition));
    struct view serial = press_issue(h);
    uint64_t whole = number_of(h, "issuing");
    press_revoke(h, serial, CERT_REASON_SUPERSEDED);
    press_await(h, "-delta/issuing", serial);
    press_await(h, arena_printf(h->arena, "issuing/%llu", (unsigned long long)partition), serial);
    assert_int_equal(number_of(h, "issuing"), whole);
    back(h);
}

/* --- large ones, and other forms --- */

static void a_large_list_is_a_file_from_the_ledger_to_the_shelf(void **state)
{
    struct house *h = *state;
    struct shelf_item item, gz;
    struct view *blocks;
    size_t n;
    press(h)->maker->small_bytes = 512;
    for (int i = 0; i < 30; i++) {
        struct view serial = press_issue(h);
        press_revoke(h, serial, CERT_REASON_SUPERSEDED);
        press_await(h, "issuing", serial);
    }
    struct press_list l = press_list(h, "issuing");
    assert_non_null(l.item.file);
    assert_true(l.n >= 30);
    OK(shelf_get_blob(h->shelf, "gz/crl/issuing", h->arena, &gz));
    assert_string_equal(gz.etag, arena_printf(h->arena, "%s-gz", l.item.etag));
    OK(shelf_get_blob(h->shelf, "crl-chain/issuing", h->arena, &item));
    struct view bundle = press_bytes(h, &item);
    OK(cert_pem_read_all(bundle, "X509 CRL", 8, h->arena, &blocks, &n));
    assert_true(n >= 2 && view_eq(blocks[0], l.item.bytes));
}

/* --- numbers --- */

struct told {
    bool done;
    uint64_t number;
};

static void floor_told(void *arg, struct err *e, uint64_t number)
{
    struct told *t = arg;
    OK(e);
    *t = (struct told){true, number};
}

static void sealed(void *arg, struct err *e, uint64_t n, struct view signature)
{
    (void)n, (void)signature;
    OK(e);
    *(bool *)arg = true;
}

/* As when a backup was restored: the roll is far ahead of all that the ledger knows. */
static void numbers_go_on_above_what_the_roll_has(void **state)
{
    struct house *h = *state;
    struct list_built built;
    struct told told = {.done = false};
    bool done = false;
    uint64_t far = number_of(h, "issuing") + 1000;
    struct cert_crl crl = {.alg = h->issuers[1].facts.alg,
                           .issuer = h->issuers[1].facts.subject,
                           .aki = h->issuers[1].facts.key_id,
                           .number = far,
                           .this_update = world_now_s(),
                           .next_update = world_now_s() + 3600};
    OK(list_build(&(struct list_want){h->ledger, h->shelf, "issuing", LEDGER_WHOLE, 72, 1 << 16}, &crl,
                  &built));
    OK(hsm_seal_crl(h->hsm, 1, "issuing", built.file.fd, built.at, sealed, &done, NULL));
    house_await(h, &done);
    list_drop(h->shelf, &built);
    OK(hsm_crl_floor(h->hsm, 1, "issuing", floor_told, &told, NULL));
    house_await(h, &told.done);
    assert_int_equal(told.number, far);
    house_front_close(h);
    house_front_open(h);
    house_attach(h);
    press_await_above(h, "issuing", far);
    assert_in_range(number_of(h, "issuing"), far + 1, far + 4); /* it is one of the first few made anew */
}

/* --- a ledger put back from a copy --- */

static void copy_ledger(struct house *h, const char *from, const char *to)
{
    char command[300];
    (void)h;
    snprintf(command, sizeof command, "rm -rf '%s' && cp -a '%s' '%s'", to, from, to);
    assert_int_equal(system(command), 0);
}

/* What the world was told stays so: it stands on the lists and on record, with its date and reason. */
static void what_the_ledger_forgot_is_taken_from_the_lists(void **state)
{
    struct house *h = *state;
    struct ledger_status status;
    struct cert_crl_entry before, after;
    const char *copy = arena_printf(h->arena, "%s/ledger.copy", h->dir);
    struct view kept = press_issue(h), lost = press_issue(h);
    house_front_close(h);
    copy_ledger(h, h->ledger_dir, copy);
    house_front_open(h);
    house_attach(h);
    press_revoke(h, lost, CERT_REASON_KEY_COMPROMISE);
    press_await_listed(h, lost);
    assert_true(press_lists(h, lost, &before));
    uint64_t number = number_of(h, "issuing");
    house_front_close(h);
    copy_ledger(h, copy, h->ledger_dir);
    house_front_open(h);
    house_attach(h);
    press_await_above(h, "issuing", number);
    assert_true(press_lists(h, lost, &after));
    assert_int_equal(after.revoked_at, before.revoked_at);
    assert_int_equal(after.reason, CERT_REASON_KEY_COMPROMISE);
    OK(ledger_status(h->ledger, "issuing", lost, &status));
    assert_int_equal(status.answer, LEDGER_REVOKED);
    assert_false(press_lists(h, kept, NULL));
    OK(ledger_status(h->ledger, "issuing", kept, &status));
    assert_int_equal(status.answer, LEDGER_GOOD);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_list_is_there_with_the_first_certificate),
        cmocka_unit_test(a_revocation_costs_its_partition_and_nothing_else),
        cmocka_unit_test(a_start_makes_anew_only_what_has_changed),
        cmocka_unit_test(apart_the_first_address_lists_the_rest),
        cmocka_unit_test(a_revocation_is_on_the_delta_at_once),
        cmocka_unit_test(it_fits_every_list_that_still_holds),
        cmocka_unit_test(a_hold_that_became_final_is_on_it_once),
        cmocka_unit_test(a_hold_that_was_let_go_is_taken_off),
        cmocka_unit_test(together_all_three_say_it),
        cmocka_unit_test(what_the_ledger_forgot_is_taken_from_the_lists),
        cmocka_unit_test(a_large_list_is_a_file_from_the_ledger_to_the_shelf),
        cmocka_unit_test(numbers_go_on_above_what_the_roll_has),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, press_setup, house_teardown);
}
