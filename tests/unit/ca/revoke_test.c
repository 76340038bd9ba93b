/* Revocation: who may, what stands, and that it needs neither the vault nor a clock. */
#include <string.h>

#include "base/world.h"
#include "ca_revoke.h"
#include "cert/seal.h"
#include "house_scene.h"

static struct view serial_of(const struct house_issued *got)
{
    return view_of(got->serial_bytes, SERIAL_BYTES);
}

static void its_owner_revokes_it(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct house_revoked gone, again;
    struct ledger_status st;
    struct ledger_entry entry;
    struct ca_asker *asker = house_requester(h);
    struct ca_request r = house_request(h, asker, "server", house_csr_for(h, "o.example.internal"));
    assert_int_equal(house_issue(h, &r, &got), ERR__COUNT);
    assert_int_equal(house_revoke(h, asker, serial_of(&got), CERT_REASON_SUPERSEDED, &gone), ERR__COUNT);
    assert_false(gone.already);
    assert_int_equal(gone.reason, CERT_REASON_SUPERSEDED);
    assert_in_range(gone.at, world_now_s() - 2, world_now_s());
    OK(ledger_status(h->ledger, "issuing", serial_of(&got), &st));
    assert_int_equal(st.answer, LEDGER_REVOKED);
    assert_true(house_last(h, LEDGER_REVOKE, &entry));
    assert_string_equal(entry.actor, asker->id);
    /* once more: what stands, whatever is asked for now */
    assert_int_equal(house_revoke(h, asker, serial_of(&got), CERT_REASON_KEY_COMPROMISE, &again), ERR__COUNT);
    assert_true(again.already);
    assert_int_equal(again.reason, CERT_REASON_SUPERSEDED);
    assert_int_equal(again.at, gone.at);
}

static void a_hold_may_become_final(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct house_revoked gone;
    struct ca_asker *admin = house_asker(h, CA_ROLE_ADMIN, "roster:a");
    house_good(h, "h.example.internal", &got);
    assert_int_equal(house_revoke(h, admin, serial_of(&got), CERT_REASON_CERTIFICATE_HOLD, &gone),
                     ERR__COUNT);
    assert_int_equal(house_revoke(h, admin, serial_of(&got), CERT_REASON_KEY_COMPROMISE, &gone), ERR__COUNT);
    assert_false(gone.already);
    assert_int_equal(gone.reason, CERT_REASON_KEY_COMPROMISE);
}

/* For a requester there is no difference between another's certificate and none. */
static void what_is_another_s_is_not_there(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct house_revoked gone;
    uint8_t none[SERIAL_BYTES] = {0x40, 9};
    struct ca_asker *stranger = house_requester(h);
    house_good(h, "s.example.internal", &got);
    struct err *a = ca_revoke(h->ca, stranger, "issuing", serial_of(&got),
                              &(struct ca_revocation){CERT_REASON_SUPERSEDED, 0}, NULL, NULL);
    struct err *b = ca_revoke(h->ca, stranger, "issuing", view_of(none, SERIAL_BYTES),
                              &(struct ca_revocation){CERT_REASON_SUPERSEDED, 0}, NULL, NULL);
    struct err *c = ca_revoke(h->ca, stranger, "issuing", view_of(none, 4),
                              &(struct ca_revocation){CERT_REASON_SUPERSEDED, 0}, NULL, NULL);
    assert_true(a && b && c);
    assert_int_equal(err_code(a), ERR_NOT_FOUND);
    assert_int_equal(err_code(b), ERR_NOT_FOUND);
    assert_int_equal(err_code(c), ERR_NOT_FOUND);
    assert_string_equal(err_detail(a), err_detail(b));
    assert_string_equal(err_detail(a), err_detail(c));
    err_free(a);
    err_free(b);
    err_free(c);
    assert_int_equal(house_revoke(h, house_asker(h, CA_ROLE_AUDITOR, "roster:b"), serial_of(&got),
                                  CERT_REASON_SUPERSEDED, &gone),
                     ERR_FORBIDDEN);
    assert_int_equal(house_revoke(h, house_asker(h, CA_ROLE_OPERATOR, "roster:c"), serial_of(&got),
                                  CERT_REASON_SUPERSEDED, &gone),
                     ERR__COUNT);
}

static void the_holder_revokes_what_it_shows(void **state)
{
    struct house *h = *state;
    struct house_issued got, other;
    struct house_revoked gone;
    struct ledger_cert record;
    struct ca_asker *holder = house_asker(h, CA_ROLE_REQUESTER, "cert:issuing/1");
    house_good(h, "x.example.internal", &got);
    house_good(h, "y.example.internal", &other);
    OK(ledger_find(h->ledger, NULL, serial_of(&got), h->arena, &record));
    holder->shown = record.intent;
    assert_int_equal(house_revoke(h, holder, serial_of(&other), CERT_REASON_KEY_COMPROMISE, &gone),
                     ERR_NOT_FOUND);
    assert_int_equal(house_revoke(h, holder, serial_of(&got), CERT_REASON_KEY_COMPROMISE, &gone), ERR__COUNT);
}

/* As init puts it there. */
static void record_ca(struct house *h, const uint8_t serial[SERIAL_BYTES])
{
    static const uint8_t spki[SHA256_BYTES] = {3}, signature[8] = {1};
    struct cert_sealed sealed;
    OK(cert_seal_open(h->issuing, &sealed));
    struct ledger_entry entry = {.kind = LEDGER_INTENT,
                                 .actor = "local:0",
                                 .issuer = "issuing",
                                 .serial = view_of(serial, SERIAL_BYTES),
                                 .body.intent = {.template = "gone-since",
                                                 .generation = 1,
                                                 .subject = "",
                                                 .not_after = world_now_s() + 86400,
                                                 .spki_sha256 = view_of(spki, sizeof spki),
                                                 .tbs = sealed.tbs}};
    uint64_t intent = house_append(h, &entry);
    entry = (struct ledger_entry){
        .kind = LEDGER_RECORD,
        .actor = "local:0",
        .ref = intent,
        .body.record = {.n = 1, .alg = "ecdsa-sha256", .signature = view_of(signature, sizeof signature)}};
    house_append(h, &entry);
}

static void a_ca_s_certificate_is_an_administrator_s_to_revoke(void **state)
{
    struct house *h = *state;
    struct house_revoked gone;
    const uint8_t serial[SERIAL_BYTES] = {0x44, 4};
    record_ca(h, serial);
    assert_int_equal(house_revoke(h, house_asker(h, CA_ROLE_OPERATOR, "roster:c"),
                                  view_of(serial, SERIAL_BYTES), CERT_REASON_SUPERSEDED, &gone),
                     ERR_FORBIDDEN);
    assert_int_equal(house_revoke(h, house_asker(h, CA_ROLE_ADMIN, "roster:a"), view_of(serial, SERIAL_BYTES),
                                  CERT_REASON_SUPERSEDED, &gone),
                     ERR__COUNT);
}

static void what_was_never_handed_out_cannot_be(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct house_revoked gone;
    struct ledger_entry intent;
    unsigned long long intents = house_count(h, "ca.intend.durable");
    struct ca_request r =
        house_request(h, house_requester(h), "server", house_csr_for(h, "n.example.internal"));
    house_hold(h);
    house_ask(h, &r, &got);
    house_passed(h, "ca.intend.durable", intents + 1);
    assert_true(house_last(h, LEDGER_INTENT, &intent));
    assert_int_equal(house_revoke(h, house_asker(h, CA_ROLE_ADMIN, "roster:a"), intent.serial,
                                  CERT_REASON_SUPERSEDED, &gone),
                     ERR_WRONG_STATE);
    house_release(h);
    house_await(h, &got.done);
    assert_int_equal(got.code, ERR__COUNT);
}

static void without_vault_and_clock(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct house_revoked gone;
    house_good(h, "v.example.internal", &got);
    house_drop(h);
    house_leap(h, 3600 * 1000);
    FAILS(ERR_CLOCK, ca_ready(h->ca, NULL));
    assert_int_equal(house_revoke(h, house_asker(h, CA_ROLE_ADMIN, "roster:a"), serial_of(&got),
                                  CERT_REASON_KEY_COMPROMISE, &gone),
                     ERR__COUNT);
    house_leap(h, -3600 * 1000);
    ca_clock_confirm(h->ca);
    house_attach(h);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_owner_revokes_it),
        cmocka_unit_test(a_hold_may_become_final),
        cmocka_unit_test(what_is_another_s_is_not_there),
        cmocka_unit_test(the_holder_revokes_what_it_shows),
        cmocka_unit_test(a_ca_s_certificate_is_an_administrator_s_to_revoke),
        cmocka_unit_test(what_was_never_handed_out_cannot_be),
        cmocka_unit_test(without_vault_and_clock),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, house_setup, house_teardown);
}
