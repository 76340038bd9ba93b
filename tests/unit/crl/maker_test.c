/* Lists: made at the start, on their clock and at once on a revocation; complete whatever breaks off. */
#include "maker.h"

#include <string.h>
#include <unistd.h>

#include "base/world.h"
#include "cert/chain.h"
#include "cert/key.h"
#include "cert/pem.h"
#include "press.h"

static void each_issuer_has_a_list_from_the_start(void **state)
{
    struct house *h = *state;
    static const char *const names[] = {"root", "issuing"};
    for (int i = 0; i < 2; i++) {
        struct press_list l = press_list(h, names[i]);
        struct cert_chain_cert issuer;
        struct ledger_crl last;
        OK(cert_chain_read(h->issuers[i].certificate, h->arena, &issuer));
        OK(cert_key_verify(&issuer.key, l.sealed.alg, l.sealed.tbs, l.sealed.sig));
        assert_true(view_eq(l.crl.issuer, h->issuers[i].facts.subject));
        assert_true(view_eq(l.crl.aki, h->issuers[i].facts.key_id));
        assert_int_equal(l.crl.next_update - l.crl.this_update, PRESS_LIFETIME_S);
        assert_int_equal(l.item.next_update, l.crl.next_update);
        OK(ledger_crl_last(h->ledger, names[i], &last));
        assert_int_equal(last.number, l.crl.number);
    }
    assert_null(crl_maker_ready(press(h)->maker));
}

static void certificates_and_bundles_lie_beside_them(void **state)
{
    struct house *h = *state;
    struct shelf_item item;
    struct view *blocks;
    size_t n;
    OK(shelf_get_blob(h->shelf, "ca/issuing", h->arena, &item));
    assert_true(view_eq(item.bytes, h->issuing));
    OK(shelf_get_blob(h->shelf, "ca-pem/root", h->arena, &item));
    OK(cert_pem_read_all(item.bytes, "CERTIFICATE", 4, h->arena, &blocks, &n));
    assert_int_equal(n, 1);
    assert_true(view_eq(blocks[0], h->root));
    OK(shelf_get_blob(h->shelf, "roots/pem", h->arena, &item));
    OK(cert_pem_read_all(item.bytes, "CERTIFICATE", 4, h->arena, &blocks, &n));
    assert_int_equal(n, 1);
    OK(shelf_get_blob(h->shelf, "crl-chain/issuing", h->arena, &item));
    OK(cert_pem_read_all(item.bytes, "X509 CRL", 4, h->arena, &blocks, &n));
    assert_int_equal(n, 2);
    assert_true(view_eq(blocks[0], press_list(h, "issuing").item.bytes));
    assert_true(view_eq(blocks[1], press_list(h, "root").item.bytes));
}

static void a_revocation_is_on_the_next_list_at_once(void **state)
{
    struct house *h = *state;
    struct cert_crl_entry entry;
    struct shelf_item bundle;
    struct view *blocks;
    size_t n;
    struct view serial = press_issue(h), other = press_issue(h);
    uint64_t before = press_list(h, "issuing").crl.number;
    press_revoke(h, serial, CERT_REASON_KEY_COMPROMISE);
    press_await_listed(h, serial);
    assert_true(press_lists(h, serial, &entry));
    assert_int_equal(entry.reason, CERT_REASON_KEY_COMPROMISE);
    assert_in_range(entry.revoked_at, world_now_s() - 5, world_now_s());
    assert_false(press_lists(h, other, NULL));
    assert_true(press_list(h, "issuing").crl.number > before);
    OK(shelf_get_blob(h->shelf, "crl-chain/issuing", h->arena, &bundle));
    OK(cert_pem_read_all(bundle.bytes, "X509 CRL", 4, h->arena, &blocks, &n));
    assert_true(view_eq(blocks[0], press_list(h, "issuing").item.bytes)); /* the bundle too */
}

static void what_comes_while_one_is_made_is_on_the_next(void **state)
{
    struct house *h = *state;
    struct view a = press_issue(h), b = press_issue(h), c = press_issue(h);
    uint64_t before = press_list(h, "issuing").crl.number;
    house_hold(h); /* the first list waits for its seal */
    press_revoke(h, a, CERT_REASON_SUPERSEDED);
    house_run(h, 20);
    press_revoke(h, b, CERT_REASON_SUPERSEDED);
    press_revoke(h, c, CERT_REASON_SUPERSEDED);
    house_release(h);
    press_await_listed(h, c);
    assert_true(press_lists(h, a, NULL) && press_lists(h, b, NULL));
    assert_int_equal(press_list(h, "issuing").crl.number, before + 2); /* two lists for three revocations */
}

static uint64_t open_intent(struct house *h, const uint8_t serial[SERIAL_BYTES])
{
    static const uint8_t spki[SHA256_BYTES] = {7};
    const struct ledger_entry entry = {.kind = LEDGER_INTENT,
                                       .actor = "token:old",
                                       .issuer = "issuing",
                                       .serial = view_of(serial, SERIAL_BYTES),
                                       .body.intent = {.template = "server",
                                                       .generation = 1,
                                                       .subject = "",
                                                       .not_after = world_now_s() + 86400,
                                                       .spki_sha256 = view_of(spki, sizeof spki),
                                                       .tbs = view_str("tbs")}};
    return house_append(h, &entry);
}

static void close_intent(struct house *h, uint64_t intent, enum ledger_close_reason reason)
{
    const struct ledger_entry entry = {.kind = LEDGER_CLOSE,
                                       .actor = "test",
                                       .ref = intent,
                                       .body.close = {.reason = reason, .n = reason == LEDGER_SEALED_LOST}};
    house_append(h, &entry);
}

static void what_was_sealed_and_lost_is_listed_and_nothing_else_makes_lists(void **state)
{
    struct house *h = *state;
    const uint8_t refused[SERIAL_BYTES] = {0x42, 1}, lost[SERIAL_BYTES] = {0x42, 2};
    uint64_t before = press_list(h, "issuing").crl.number;
    close_intent(h, open_intent(h, refused), LEDGER_REFUSED);
    house_run(h, 50);
    house_quiet(h);
    assert_int_equal(press_list(h, "issuing").crl.number, before);
    close_intent(h, open_intent(h, lost), LEDGER_SEALED_LOST);
    press_await_listed(h, view_of(lost, SERIAL_BYTES));
    assert_int_equal(press_list(h, "issuing").crl.number, before + 1);
    assert_false(press_lists(h, view_of(refused, SERIAL_BYTES), NULL));
}

static void the_clock_makes_one_without_any_revocation(void **state)
{
    struct house *h = *state;
    uint64_t before = press_list(h, "root").crl.number;
    house_pass(h, PRESS_EVERY_S - 60);
    house_run(h, 30);
    house_quiet(h);
    assert_int_equal(press_list(h, "root").crl.number, before);
    house_pass(h, 61);
    press_await_above(h, "root", before);
}

/* The timer looks each hour; what it sees is the wall clock too. */
static void a_wall_clock_that_moved_makes_one_too(void **state)
{
    struct house *h = *state;
    struct press *p = press(h);
    const struct ledger_entry right = {
        .kind = LEDGER_CLOCK, .actor = "test", .body.note = {.what = "right", .number = CA_CLOCK_CONFIRMED}};
    p->issuers[0].every_s = 3 * PRESS_EVERY_S;
    crl_maker_set(p->maker, 1, p->issuers, 2);
    uint64_t before = press_list(h, "root").crl.number;
    house_leap(h, 2 * PRESS_EVERY_S * 1000);
    house_pass(h, PRESS_EVERY_S +
                      1); /* an hour later the list is three hours old by the wall, one by the timer */
    press_await_above(h, "root", before);
    p->issuers[0].every_s = PRESS_EVERY_S;
    house_append(h, &right);
    ca_clock_confirm(h->ca);
}

static void an_issuer_that_is_over_makes_one_last_list(void **state)
{
    struct house *h = *state;
    struct press *p = press(h);
    int64_t left = p->issuers[1].not_after - world_now_s();
    uint64_t before = press_list(h, "issuing").crl.number;
    house_leap(h, (left + 60) * 1000);
    house_pass(h, PRESS_EVERY_S + 1);
    press_await_above(h, "issuing", before);
    struct press_list last = press_list(h, "issuing");
    assert_int_equal(last.crl.next_update, CRL_FOR_EVER);
    house_pass(h, 3 * PRESS_EVERY_S);
    house_run(h, 30);
    house_quiet(h);
    assert_int_equal(press_list(h, "issuing").crl.number, last.crl.number);
}

/* Due while the vault is away: made when it is back, though nothing was revoked. */
static void one_that_falls_due_without_a_vault_is_made_later(void **state)
{
    struct house *h = *state;
    uint64_t before = press_list(h, "issuing").crl.number;
    house_drop(h);
    house_pass(h, PRESS_LIFETIME_S + 1);
    house_run(h, 30);
    struct err *e = crl_maker_ready(press(h)->maker);
    assert_non_null(e);
    assert_non_null(strstr(err_detail(e), "overdue"));
    err_free(e);
    house_attach(h);
    press_await_above(h, "issuing", before);
    press_await_above(h, "root", 1);
    assert_null(crl_maker_ready(press(h)->maker));
}

static void a_revocation_without_a_vault_is_listed_when_it_is_back(void **state)
{
    struct house *h = *state;
    struct view serial = press_issue(h);
    house_drop(h);
    press_revoke(h, serial, CERT_REASON_SUPERSEDED);
    house_run(h, 30);
    assert_false(press_lists(h, serial, NULL));
    house_attach(h);
    press_await_listed(h, serial);
}

static void a_revocation_that_an_earlier_life_did_not_list(void **state)
{
    struct house *h = *state;
    struct view serial = press_issue(h);
    house_drop(h);
    press_revoke(h, serial, CERT_REASON_SUPERSEDED);
    house_front_close(h);
    house_front_open(h);
    assert_false(press_lists(h, serial, NULL));
    house_attach(h);
    press_await_listed(h, serial);
}

static void sealed(void *arg, struct err *e, uint64_t n, struct view signature)
{
    (void)n, (void)signature;
    OK(e);
    *(bool *)arg = true;
}

/* As a crash between seal and record leaves it: the roll has the next number, the ledger has not. */
static void a_number_that_is_spent_is_passed_over(void **state)
{
    struct house *h = *state;
    struct list_built built;
    bool done = false;
    struct view serial = press_issue(h);
    uint64_t number = press_list(h, "issuing").crl.number + 1;
    struct cert_crl crl = {.alg = h->issuers[1].facts.alg,
                           .issuer = h->issuers[1].facts.subject,
                           .aki = h->issuers[1].facts.key_id,
                           .number = number,
                           .this_update = world_now_s(),
                           .next_update = world_now_s() + 3600};
    OK(list_build(&(struct list_want){h->ledger, h->shelf, "issuing", LEDGER_WHOLE, 72, 1 << 16}, &crl,
                  &built));
    OK(hsm_seal_crl(h->hsm, 1, "issuing", built.file.fd, built.at, sealed, &done, NULL));
    house_await(h, &done);
    list_drop(h->shelf, &built);
    press_revoke(h, serial, CERT_REASON_SUPERSEDED);
    press_await_listed(h, serial);
    assert_int_equal(press_list(h, "issuing").crl.number, number + 1);
}

static void a_vault_lost_with_a_list_in_hand(void **state)
{
    struct house *h = *state;
    struct view serial = press_issue(h);
    uint64_t before = press_list(h, "issuing").crl.number;
    unsigned long long judged = house_count(h, "vault.judged");
    int rule = house_rule(h, "vault.judged", WORLD_STALL, 0);
    press_revoke(h, serial, CERT_REASON_SUPERSEDED);
    house_passed(h, "vault.judged", judged + 1);
    house_drop(h);
    world_page_clear(h->page, rule);
    house_attach(h);
    press_await_listed(h, serial);
    assert_int_equal(press_list(h, "issuing").crl.number, before + 2);
}

static void a_reload_that_adds_an_issuer_makes_its_list(void **state)
{
    struct house *h = *state;
    struct press *p = press(h);
    uint64_t before = press_list(h, "root").crl.number;
    house_front_close(h);
    house_front_open(h);
    crl_maker_set(p->maker, 1, &p->issuers[1], 1); /* the root is not ours for a while */
    house_attach(h);
    house_quiet(h);
    assert_int_equal(press_list(h, "root").crl.number, before);
    crl_maker_set(p->maker, 1, p->issuers, 2);
    press_await_above(h, "root", before);
}

static void a_shorter_rhythm_takes_effect_at_once(void **state)
{
    struct house *h = *state;
    struct press *p = press(h);
    uint64_t before = press_list(h, "root").crl.number;
    house_pass(h, 1000);
    p->issuers[0].every_s = 900;
    crl_maker_set(p->maker, 1, p->issuers, 2);
    press_await_above(h, "root", before);
    p->issuers[0].every_s = PRESS_EVERY_S;
    crl_maker_set(p->maker, 1, p->issuers, 2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_issuer_has_a_list_from_the_start),
        cmocka_unit_test(certificates_and_bundles_lie_beside_them),
        cmocka_unit_test(a_revocation_is_on_the_next_list_at_once),
        cmocka_unit_test(what_comes_while_one_is_made_is_on_the_next),
        cmocka_unit_test(what_was_sealed_and_lost_is_listed_and_nothing_else_makes_lists),
        cmocka_unit_test(the_clock_makes_one_without_any_revocation),
        cmocka_unit_test(a_wall_clock_that_moved_makes_one_too),
        cmocka_unit_test(one_that_falls_due_without_a_vault_is_made_later),
        cmocka_unit_test(a_revocation_without_a_vault_is_listed_when_it_is_back),
        cmocka_unit_test(a_revocation_that_an_earlier_life_did_not_list),
        cmocka_unit_test(a_number_that_is_spent_is_passed_over),
        cmocka_unit_test(a_vault_lost_with_a_list_in_hand),
        cmocka_unit_test(a_reload_that_adds_an_issuer_makes_its_list),
        cmocka_unit_test(a_shorter_rhythm_takes_effect_at_once),
        cmocka_unit_test(an_issuer_that_is_over_makes_one_last_list), /* the clock stays there */
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, press_setup, house_teardown);
}
