/*
 * The making half: responder keys and their renewal, answers, and that nothing on the shelf says `good` after
 * a revocation, whatever happens in between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "base/world.h"

static struct answers *makers(struct house *h)
{
    return h->more;
}

static int setup(void **state)
{
    static struct answers the_answers;
    struct house *h = answers_house(&the_answers);
    house_start(h);
    answers_ready(h);
    *state = h;
    return 0;
}

/* --- responder certificates --- */

static void each_issuer_has_one_and_the_ledger_says_so(void **state)
{
    struct house *h = *state;
    struct ledger_entry entry;
    assert_int_equal(makers(h)->certified, 2);
    assert_int_equal(house_entries(h, LEDGER_OCSP_KEY), 2);
    assert_true(house_last(h, LEDGER_OCSP_KEY, &entry));
    struct ocsp_state *s = maker_state(makers(h)->maker, entry.issuer);
    assert_true(view_eq(entry.body.note.hash, view_of(s->signer.key_sha256, SHA256_BYTES)));
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(makers(h)->maker->states[i].failures,
                         0); /* one after the other: none was turned away */
}

static void a_restart_takes_up_what_is_on_record(void **state)
{
    struct house *h = *state;
    uint8_t before[SERIAL_BYTES];
    memcpy(before, maker_state(makers(h)->maker, "issuing")->signer.serial, SERIAL_BYTES);
    house_front_close(h);
    house_front_open(h);
    house_attach(h);
    answers_ready(h);
    assert_memory_equal(before, maker_state(makers(h)->maker, "issuing")->signer.serial, SERIAL_BYTES);
    assert_int_equal(makers(h)->certified, 2);
    assert_int_equal(house_entries(h, LEDGER_OCSP_KEY), 2);
}

/* --- answers --- */

static void a_question_makes_an_answer(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h);
    assert_false(answers_of(h, serial, CERT_OCSP_SHA1).there); /* never made inside an issuance */
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_MADE);
    struct answer a = answers_of(h, serial, CERT_OCSP_SHA1);
    assert_true(a.there);
    assert_int_equal(a.status, CERT_OCSP_GOOD);
    assert_int_equal(a.next_update - a.this_update, ANSWERS_LIFETIME_S);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA256), WANT_MADE);
    assert_int_equal(answers_of(h, serial, CERT_OCSP_SHA256).status, CERT_OCSP_GOOD);
}

static void what_is_not_on_record_is_unknown(void **state)
{
    struct house *h = *state;
    const uint8_t never[SERIAL_BYTES] = {0x41, 9};
    unsigned long long signs = house_count(h, "token.C_Sign");
    assert_int_equal(answers_want(h, view_of(never, SERIAL_BYTES), CERT_OCSP_SHA1), WANT_UNKNOWN);
    assert_false(answers_of(h, view_of(never, SERIAL_BYTES), CERT_OCSP_SHA1).there);
    assert_int_equal(house_count(h, "token.C_Sign"), signs);
}

/* An intent is no certificate: nobody has one until it is recorded. */
static void what_is_under_way_is_unknown(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct ledger_entry intent;
    unsigned long long intents = house_count(h, "ca.intend.durable");
    struct ca_request r =
        house_request(h, house_requester(h), "server", house_csr_for(h, "w.example.internal"));
    house_hold(h);
    house_ask(h, &r, &got);
    house_passed(h, "ca.intend.durable", intents + 1);
    assert_true(house_last(h, LEDGER_INTENT, &intent));
    assert_int_equal(answers_want(h, intent.serial, CERT_OCSP_SHA1), WANT_UNKNOWN);
    house_release(h);
    house_await(h, &got.done);
    assert_int_equal(answers_want(h, intent.serial, CERT_OCSP_SHA1), WANT_MADE);
}

static void questions_for_one_answer_share_it(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h);
    unsigned long long signs = house_count(h, "token.C_Sign");
    struct want w = {.issuer = "issuing", .hash = CERT_OCSP_SHA1};
    memcpy(w.serial, serial.p, SERIAL_BYTES);
    house_hold(h);
    for (int i = 0; i < 50; i++)
        answer_make(makers(h)->maker, &w, ANSWER_ASKED, NULL, NULL);
    house_release(h);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_MADE);
    assert_int_equal(house_count(h, "token.C_Sign"), signs + 1);
}

/* --- never good after a revocation --- */

static void a_revocation_is_answered_at_once(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_MADE);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA256), WANT_MADE);
    answers_revoke(h, serial, CERT_REASON_KEY_COMPROMISE);
    answers_await(h, serial, CERT_OCSP_SHA1, CERT_OCSP_REVOKED);
    answers_await(h, serial, CERT_OCSP_SHA256, CERT_OCSP_REVOKED);
    struct answer a = answers_of(h, serial, CERT_OCSP_SHA1);
    assert_int_equal(a.ocsp.data.singles[0].reason, CERT_REASON_KEY_COMPROMISE);
}

/* The vault stands with the `good` in hand while the revocation becomes durable. */
static void a_good_in_flight_never_lands(struct house *h, enum cert_ocsp_hash hash)
{
    struct view serial = answers_fresh(h);
    unsigned long long judged = house_count(h, "vault.judged");
    struct want w = {.issuer = "issuing", .hash = hash};
    memcpy(w.serial, serial.p, SERIAL_BYTES);
    int rule = house_rule(h, "vault.judged", WORLD_STALL, 0);
    answer_make(makers(h)->maker, &w, ANSWER_ASKED, NULL, NULL);
    house_passed(h, "vault.judged", judged + 1);
    answers_revoke(h, serial, CERT_REASON_SUPERSEDED);
    assert_false(answers_of(h, serial, hash).there);
    world_page_clear(h->page, rule);
    struct answer a = answers_of(h, serial, hash);
    for (int i = 0; i < 200 && !(a.there && a.status == CERT_OCSP_REVOKED); i++) {
        assert_false(a.there && a.status == CERT_OCSP_GOOD); /* at no moment */
        house_run(h, 1);
        a = answers_of(h, serial, hash);
    }
    house_quiet(h);
    assert_int_equal(answers_of(h, serial, hash).status, CERT_OCSP_REVOKED);
}

static void in_flight_by_sha1(void **state)
{
    a_good_in_flight_never_lands(*state, CERT_OCSP_SHA1);
}

static void in_flight_by_sha256(void **state)
{
    a_good_in_flight_never_lands(*state, CERT_OCSP_SHA256);
}

/* The shelf's commit of the `good` is under way when the revocation comes. */
static void a_good_on_its_way_to_the_disk_is_followed(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h);
    struct want w = {.issuer = "issuing", .hash = CERT_OCSP_SHA1};
    unsigned long long sealed = house_count(h, "ocsp.sealed");
    memcpy(w.serial, serial.p, SERIAL_BYTES);
    answer_make(makers(h)->maker, &w, ANSWER_ASKED, NULL, NULL);
    while (house_count(h, "ocsp.sealed") == sealed)
        house_run(h, 0);
    answers_revoke(h, serial, CERT_REASON_SUPERSEDED);
    answers_await(h, serial, CERT_OCSP_SHA1, CERT_OCSP_REVOKED);
    house_quiet(h);
    assert_int_equal(answers_of(h, serial, CERT_OCSP_SHA1).status, CERT_OCSP_REVOKED);
}

struct gone {
    struct house *h;
    struct view serial;
    enum cert_ocsp_hash hash;
};

static bool is_gone(void *arg)
{
    const struct gone *g = arg;
    return !answers_of(g->h, g->serial, g->hash).there;
}

static void await_gone(struct house *h, struct view serial, enum cert_ocsp_hash hash)
{
    struct gone g = {h, serial, hash};
    house_wait(h, is_gone, &g);
}

static void without_a_vault_the_old_answer_is_taken_off(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_MADE);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA256), WANT_MADE);
    house_drop(h);
    answers_revoke(h, serial, CERT_REASON_SUPERSEDED);
    await_gone(h, serial, CERT_OCSP_SHA1);
    await_gone(h, serial, CERT_OCSP_SHA256);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_NOT_NOW);
    house_attach(h);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_MADE);
    assert_int_equal(answers_of(h, serial, CERT_OCSP_SHA1).status, CERT_OCSP_REVOKED);
}

static void a_vault_lost_with_the_revoked_in_hand(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_MADE);
    unsigned long long judged = house_count(h, "vault.judged");
    int rule = house_rule(h, "vault.judged", WORLD_STALL, 0);
    answers_revoke(h, serial, CERT_REASON_SUPERSEDED);
    house_passed(h, "vault.judged", judged + 1);
    house_drop(h);
    await_gone(h, serial, CERT_OCSP_SHA1);
    world_page_clear(h->page, rule);
    house_attach(h);
    house_quiet(h);
    struct answer a = answers_of(h, serial, CERT_OCSP_SHA1);
    assert_true(!a.there || a.status == CERT_OCSP_REVOKED);
}

static void a_hold_that_becomes_final_says_so(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h);
    answers_revoke(h, serial, CERT_REASON_CERTIFICATE_HOLD);
    answers_await(h, serial, CERT_OCSP_SHA1, CERT_OCSP_REVOKED);
    answers_revoke(h, serial, CERT_REASON_KEY_COMPROMISE);
    house_quiet(h);
    struct answer a = answers_of(h, serial, CERT_OCSP_SHA1);
    assert_int_equal(a.ocsp.data.singles[0].reason, CERT_REASON_KEY_COMPROMISE);
}

/* --- what an earlier life did not get to --- */

/* A front that ended between the durable revocation and the answer. */
static struct view revoked_unseen(struct house *h, size_t notes)
{
    struct view serial = answers_fresh(h);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_MADE);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA256), WANT_MADE);
    makers(h)->sit_out = true;
    house_front_close(h);
    house_front_open(h);
    answers_revoke(h, serial, CERT_REASON_SUPERSEDED);
    const struct ledger_entry note = {.kind = LEDGER_NOTE, .actor = "test", .body.note = {.what = "x"}};
    for (size_t i = 0; i < notes; i++)
        OK(ledger_append(h->ledger, &note, NULL, NULL, NULL));
    assert_int_equal(answers_of(h, serial, CERT_OCSP_SHA1).status, CERT_OCSP_GOOD);
    makers(h)->sit_out = false;
    house_front_close(h);
    return serial;
}

static void a_start_takes_off_what_is_out_of_date_before_the_vault_is_there(void **state)
{
    struct house *h = *state;
    struct view serial = revoked_unseen(h, 0);
    house_front_open(h);
    await_gone(h, serial, CERT_OCSP_SHA1);
    await_gone(h, serial, CERT_OCSP_SHA256);
    house_attach(h);
    answers_ready(h);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_MADE);
    assert_int_equal(answers_of(h, serial, CERT_OCSP_SHA1).status, CERT_OCSP_REVOKED);
}

/* An orderly end, with a revocation in its last commit. */
static void what_is_revoked_at_the_very_end_is_caught_up_with(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_MADE);
    house_quiet(h);
    ocsp_maker_stop(makers(h)->maker);
    answers_revoke(h, serial, CERT_REASON_SUPERSEDED);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_NOT_NOW);
    house_quiet(h);
    assert_int_equal(answers_of(h, serial, CERT_OCSP_SHA1).status, CERT_OCSP_GOOD);
    house_front_close(h);
    house_front_open(h);
    await_gone(h, serial, CERT_OCSP_SHA1);
    house_attach(h);
    answers_ready(h);
}

/* So many entries since that the note would be written at the first of the new life. */
static void the_note_does_not_run_ahead_of_the_look_back(void **state)
{
    struct house *h = *state;
    struct view serial = revoked_unseen(h, 5000);
    house_front_open(h);
    await_gone(h, serial, CERT_OCSP_SHA1);
    house_attach(h);
    answers_ready(h);
}

static void a_note_that_cannot_be_read_means_all_is_looked_at(void **state)
{
    struct house *h = *state;
    struct view serial = revoked_unseen(h, 0);
    makers(h)->sit_out = true;
    house_front_open(h);
    const struct shelf_item item = {.bytes = view_str("no number"), .etag = ""};
    OK(shelf_put_blob(h->shelf, "ocsp/seen", &item, NULL, NULL));
    makers(h)->sit_out = false;
    house_front_close(h);
    house_front_open(h);
    await_gone(h, serial, CERT_OCSP_SHA1);
    house_attach(h);
    answers_ready(h);
}

/* --- kept fresh --- */

struct newer {
    struct house *h;
    struct view serial;
    int64_t than;
};

static bool is_newer(void *arg)
{
    const struct newer *n = arg;
    struct answer a = answers_of(n->h, n->serial, CERT_OCSP_SHA1);
    return a.there && a.this_update > n->than;
}

static void half_its_life_later_it_is_made_anew(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_MADE);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA256), WANT_MADE);
    struct newer n = {h, serial, answers_of(h, serial, CERT_OCSP_SHA1).this_update};
    assert_false(answers_of(h, serial, CERT_OCSP_SHA1).ocsp.data.singles[0].has_archive_cutoff);
    house_pass(h, ANSWERS_LIFETIME_S / 3);
    house_run(h, 50);
    house_quiet(h);
    assert_false(is_newer(&n));
    house_pass(h, ANSWERS_LIFETIME_S / 4);
    house_wait(h, is_newer, &n);
    house_quiet(h);
    assert_true(answers_of(h, serial, CERT_OCSP_SHA256).this_update > n.than);
}

static void what_has_expired_is_not_kept_fresh(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct ca_request r =
        house_request(h, house_requester(h), "server", house_csr_for(h, "short.example.internal"));
    r.validity_s = ANSWERS_LIFETIME_S / 4;
    assert_int_equal(house_issue(h, &r, &got), ERR__COUNT);
    struct view serial = view_of(got.serial_bytes, SERIAL_BYTES);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_MADE);
    house_pass(h, ANSWERS_LIFETIME_S * 2 / 3);
    await_gone(h, serial, CERT_OCSP_SHA1);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_MADE); /* asked, it is answered */
    house_quiet(h);
    const struct cert_ocsp_single one = answers_of(h, serial, CERT_OCSP_SHA1).ocsp.data.singles[0];
    assert_true(one.has_archive_cutoff); /* for since its issuer's first day it is kept */
    assert_int_equal(one.archive_cutoff, maker_state(makers(h)->maker, "issuing")->not_before);
}

/* --- renewal --- */

struct renewed {
    struct house *h;
    uint8_t before[SHA256_BYTES];
};

static bool is_renewed(void *arg)
{
    const struct renewed *r = arg;
    const struct ocsp_signer *s = &maker_state(makers(r->h)->maker, "issuing")->signer;
    return signer_holds(s) && memcmp(r->before, s->key_sha256, SHA256_BYTES) != 0;
}

static struct renewed current(struct house *h)
{
    struct renewed r = {.h = h};
    memcpy(r.before, maker_state(makers(h)->maker, "issuing")->signer.key_sha256, SHA256_BYTES);
    return r;
}

static void a_certificate_is_renewed_with_a_new_key_ahead_of_its_end(void **state)
{
    struct house *h = *state;
    struct renewed r = current(h);
    struct view serial = answers_fresh(h);
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_MADE);
    struct answer old = answers_of(h, serial, CERT_OCSP_SHA1);
    size_t keys = house_entries(h, LEDGER_OCSP_KEY);
    house_pass(h, 9 * 86400);
    house_run(h, 50);
    house_quiet(h);
    assert_false(is_renewed(&r));
    house_pass(h, 86400); /* of 14 days */
    house_wait(h, is_renewed, &r);
    answers_ready(h);
    assert_in_range(house_entries(h, LEDGER_OCSP_KEY), keys + 1, keys + 2); /* of both issuers */
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_MADE);
    struct answer new = answers_of(h, serial, CERT_OCSP_SHA1);
    assert_false(view_eq(old.ocsp.certs[0], new.ocsp.certs[0]));
}

/* Its key is given up: it is not used again, and a fresh one takes its place. */
static void a_compromised_responder_key_is_replaced(void **state)
{
    struct house *h = *state;
    house_pass(h, 2 * 3600); /* the vault spaces keys an hour apart */
    house_run(h, 50);
    answers_ready(h);
    struct renewed r = current(h);
    uint8_t serial[SERIAL_BYTES];
    memcpy(serial, maker_state(makers(h)->maker, "issuing")->signer.serial, SERIAL_BYTES);
    answers_revoke(h, view_of(serial, SERIAL_BYTES), CERT_REASON_KEY_COMPROMISE);
    house_wait(h, is_renewed, &r);
    answers_ready(h);
}

static void key_made(void *arg, struct err *e, struct view spki)
{
    (void)spki;
    OK(e);
    *(bool *)arg = true;
}

static size_t objects(const struct house *h)
{
    char command[160], line[32] = "";
    snprintf(command, sizeof command, "find '%s' -name '*.object' | wc -l", h->dir);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    pclose(f);
    return strtoul(line, NULL, 10);
}

struct objects_want {
    const struct house *h;
    size_t n;
};

static bool has_so_many(void *arg)
{
    const struct objects_want *want = arg;
    return objects(want->h) == want->n;
}

/* Eight of an issuer's stay, so that answers sealed under an older one can still be given a nonce. */
static void the_ninth_responder_key_takes_the_first_one_s_place(void **state)
{
    struct house *h = *state;
    struct objects_want want = {.h = h};
    for (int i = 0; i < 10; i++) {
        bool made = false;
        house_pass(h, 3601);
        house_run(h, 30);
        answers_ready(h);
        want.n = objects(h);
        OK(hsm_ocsp_key(h->hsm, "issuing", true, key_made, &made, NULL));
        house_await(h, &made);
        if (i < 8)
            house_run(h, 200); /* earlier tests made some: one of them goes */
        else
            house_wait(h, has_so_many, &want); /* two objects came and two went */
    }
}

/* An answer never outlives the certificate that it was sealed under. */
static void answers_end_with_their_certificate(void **state)
{
    struct house *h = *state;
    const struct ocsp_signer *s = &maker_state(makers(h)->maker, "issuing")->signer;
    struct view serial = answers_fresh(h);
    struct ocsp_issuer longer[2] = {makers(h)->issuers[0], makers(h)->issuers[1]};
    longer[1].lifetime_s = INT64_C(7) * 86400;
    ocsp_maker_set(makers(h)->maker, 1, longer, 2);
    makers(h)->no_vault_yet = true;
    ((struct ocsp_signer *)(uintptr_t)s)->not_after =
        world_now_s() + 100; /* as if renewal had failed so long */
    assert_int_equal(answers_want(h, serial, CERT_OCSP_SHA1), WANT_MADE);
    assert_in_range(answers_of(h, serial, CERT_OCSP_SHA1).next_update, world_now_s() + 90,
                    world_now_s() + 100);
    ocsp_maker_set(makers(h)->maker, 1, makers(h)->issuers, 2);
    makers(h)->no_vault_yet = false;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_issuer_has_one_and_the_ledger_says_so),
        cmocka_unit_test(a_restart_takes_up_what_is_on_record),
        cmocka_unit_test(a_question_makes_an_answer),
        cmocka_unit_test(what_is_not_on_record_is_unknown),
        cmocka_unit_test(what_is_under_way_is_unknown),
        cmocka_unit_test(questions_for_one_answer_share_it),
        cmocka_unit_test(a_revocation_is_answered_at_once),
        cmocka_unit_test(in_flight_by_sha1),
        cmocka_unit_test(in_flight_by_sha256),
        cmocka_unit_test(a_good_on_its_way_to_the_disk_is_followed),
        cmocka_unit_test(without_a_vault_the_old_answer_is_taken_off),
        cmocka_unit_test(a_vault_lost_with_the_revoked_in_hand),
        cmocka_unit_test(a_hold_that_becomes_final_says_so),
        cmocka_unit_test(a_start_takes_off_what_is_out_of_date_before_the_vault_is_there),
        cmocka_unit_test(what_is_revoked_at_the_very_end_is_caught_up_with),
        cmocka_unit_test(the_note_does_not_run_ahead_of_the_look_back),
        cmocka_unit_test(a_note_that_cannot_be_read_means_all_is_looked_at),
        cmocka_unit_test(half_its_life_later_it_is_made_anew),
        cmocka_unit_test(what_has_expired_is_not_kept_fresh),
        cmocka_unit_test(a_certificate_is_renewed_with_a_new_key_ahead_of_its_end),
        cmocka_unit_test(a_compromised_responder_key_is_replaced),
        cmocka_unit_test(answers_end_with_their_certificate),
        cmocka_unit_test(the_ninth_responder_key_takes_the_first_one_s_place),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, setup, house_teardown);
}
