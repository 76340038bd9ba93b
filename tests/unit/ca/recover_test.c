/* What is left open: vaults lost at every moment, restarts, and who closes what. */
#include <string.h>

#include "base/world.h"
#include "house_scene.h"

static const char *const server[] = {"server", NULL}, *const any_name[] = {"dns:**.example.internal", NULL};

static struct ca_request keyed(struct house *h, struct ca_asker *asker, const char *key)
{
    struct ca_request r = house_request(h, asker, "server", house_csr_for(h, "r.example.internal"));
    r.idempotency_key = key;
    return r;
}

/* The last intent of all, as it stands now. */
static struct ledger_cert last_intent(struct house *h)
{
    struct ledger_entry entry;
    struct ledger_cert record;
    assert_true(house_last(h, LEDGER_INTENT, &entry));
    OK(ledger_cert_at(h->ledger, entry.seq, h->arena, &record));
    return record;
}

static size_t open_intents(struct house *h)
{
    struct ledger_head head;
    OK(ledger_head(h->ledger, &head));
    return head.open;
}

static enum ledger_answer status(struct house *h, struct view serial)
{
    struct ledger_status st;
    OK(ledger_status(h->ledger, "issuing", serial, &st));
    return st.answer;
}

static bool on_list(struct house *h, struct view serial)
{
    struct ledger_revoked *walk;
    struct ledger_revocation r;
    bool more = true, found = false;
    OK(ledger_revoked_open(h->ledger, "issuing", LEDGER_WHOLE, &walk));
    while (more) {
        OK(ledger_revoked_next(walk, &r, &more));
        found = found || (more && view_eq(r.serial, serial));
    }
    ledger_revoked_close(walk);
    return found;
}

/* --- lost before the vault read the question --- */

static void what_was_never_sealed_is_closed_as_that(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct ca_asker *asker = house_token(h, server, any_name, 1);
    struct ca_request r = keyed(h, asker, "k");
    unsigned long long intents = house_count(h, "ca.intend.durable");
    house_hold(h); /* it reads nothing */
    house_ask(h, &r, &got);
    house_passed(h, "ca.intend.durable", intents + 1);
    house_run(h, 20); /* sent */
    house_drop(h);
    house_await(h, &got.done);
    assert_int_equal(got.code, ERR_TOKEN_AWAY);
    assert_int_equal(open_intents(h), 1);
    house_release_attach(h);
    assert_int_equal(open_intents(h), 0);
    struct ledger_cert record = last_intent(h);
    assert_int_equal(record.state, LEDGER_STATE_NEVER_SEALED);
    assert_int_equal(status(h, record.serial), LEDGER_UNKNOWN);
    assert_false(on_list(h, record.serial));
    assert_int_equal(house_issue(h, &r, &got), ERR__COUNT); /* key and use are free again */
    assert_false(got.replayed);
}

/* --- lost with the seal in hand --- */

static void what_was_sealed_and_lost_counts_as_revoked(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct ca_asker *asker = house_token(h, server, any_name, 1);
    struct ca_request r = keyed(h, asker, "k");
    unsigned long long judged = house_count(h, "vault.judged");
    int rule = house_rule(h, "vault.judged", WORLD_STALL, 0);
    house_ask(h, &r, &got);
    house_passed(h, "vault.judged", judged + 1); /* it has the question, and will sign */
    house_drop(h);
    house_await(h, &got.done);
    assert_int_equal(got.code, ERR_TOKEN_AWAY);
    world_page_clear(h->page, rule);
    house_attach(h);
    struct ledger_cert record = last_intent(h);
    assert_int_equal(record.state, LEDGER_STATE_SEALED_LOST);
    assert_int_equal(status(h, record.serial), LEDGER_REVOKED);
    assert_true(on_list(h, record.serial));
    assert_int_equal(open_intents(h), 0);
    assert_int_equal(house_issue(h, &r, &got), ERR__COUNT);
}

/* --- left by an earlier life --- */

static uint64_t open_one(struct house *h, const uint8_t serial[SERIAL_BYTES])
{
    static const uint8_t spki[SHA256_BYTES] = {7};
    static const char *const names[] = {"dns:old.example.internal"};
    const struct ledger_entry entry = {
        .kind = LEDGER_INTENT,
        .actor = "token:old",
        .issuer = "issuing",
        .serial = view_of(serial, SERIAL_BYTES),
        .body.intent = {.template = "server",
                        .generation = 1,
                        .names = {1, names},
                        .subject = "",
                        .not_before = world_now_s(),
                        .not_after = world_now_s() + 86400,
                        .spki_sha256 = view_of(spki, sizeof spki),
                        .tbs = view_str("never sealed by anyone")},
    };
    return house_append(h, &entry);
}

static void a_start_closes_what_an_earlier_life_left(void **state)
{
    struct house *h = *state;
    struct ledger_entry entry;
    uint8_t serial[SERIAL_BYTES] = {0x41, 1};
    for (uint8_t i = 0; i < 20; i++) {
        serial[2] = i;
        (void)open_one(h, serial);
    }
    house_front_close(h);
    house_front_open(h);
    FAILS(ERR_TOKEN_AWAY, ca_ready(h->ca, NULL));
    house_attach(h);
    assert_null(ca_ready(h->ca, NULL));
    house_quiet(h);
    assert_int_equal(open_intents(h), 0);
    assert_true(house_last(h, LEDGER_RECOVERY, &entry));
    assert_int_equal(entry.body.note.number, 20);
}

static void nothing_open_is_nothing_to_do(void **state)
{
    struct house *h = *state;
    size_t before = house_entries(h, LEDGER_RECOVERY);
    house_drop(h);
    house_attach(h);
    house_quiet(h);
    assert_int_equal(house_entries(h, LEDGER_RECOVERY), before);
}

/* --- channels that come and go while it runs --- */

static void a_recovery_of_a_lost_channel_lets_nothing_through(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    uint8_t serial[SERIAL_BYTES] = {0x42, 1};
    struct ca_request r = keyed(h, house_requester(h), NULL);
    (void)open_one(h, serial);
    house_drop(h);
    unsigned long long writes = house_count(h, "ledger.write");
    int rule = house_rule(h, "ledger.write", WORLD_STALL, 0);
    house_connect(h);
    house_passed(h, "ledger.write", writes + 1); /* the closing waits for the disk */
    h->recover_code = ERR__COUNT;
    house_drop(h);
    assert_int_equal(h->recover_code, ERR_TOKEN_AWAY); /* whoever waited has been told */
    house_connect(h);
    house_run(h, 30); /* drained, and asked to recover once more */
    assert_true(hsm_ready(h->hsm));
    FAILS(ERR_STARTING, ca_ready(h->ca, NULL));
    assert_false(h->recovered);
    world_page_clear(h->page, rule);
    house_await(h, &h->recovered);
    assert_null(ca_ready(h->ca, NULL));
    house_quiet(h);
    assert_int_equal(open_intents(h), 0);
    assert_int_equal(house_issue(h, &r, &got), ERR__COUNT);
}

struct told {
    int times;
    enum err_code code;
};

static void on_told(void *arg, struct err *e)
{
    struct told *t = arg;
    t->times++;
    t->code = house_code(e);
}

static bool both_told(void *arg)
{
    const struct told *t = arg;
    return t[0].times && t[1].times;
}

static void asked_twice_each_is_told_once(void **state)
{
    struct house *h = *state;
    struct told told[2] = {{0}, {0}};
    ca_recover(h->ca, h->hsm, on_told, &told[0]);
    assert_int_equal(told[0].times, 0);
    ca_recover(h->ca, h->hsm, on_told, &told[1]);
    house_wait(h, both_told, told);
    house_run(h, 20);
    assert_int_equal(told[0].times, 1);
    assert_int_equal(told[0].code, ERR_CANCELLED);
    assert_int_equal(told[1].times, 1);
    assert_int_equal(told[1].code, ERR__COUNT);
}

/* --- in mid-life --- */

static void what_is_in_hand_is_left_alone(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct told told = {0};
    struct ca_request r = keyed(h, house_requester(h), NULL);
    unsigned long long intents = house_count(h, "ca.intend.durable");
    house_hold(h);
    house_ask(h, &r, &got);
    house_passed(h, "ca.intend.durable", intents + 1);
    ca_recover(h->ca, h->hsm, on_told, &told);
    house_release(h);
    house_await(h, &got.done);
    assert_int_equal(got.code, ERR__COUNT);
    while (!told.times)
        house_run(h, 5);
    assert_int_equal(told.code, ERR__COUNT);
    assert_int_equal(last_intent(h).state, LEDGER_STATE_RECORDED);
}

static bool none_open(void *arg)
{
    return open_intents(arg) == 0;
}

/* The token fails after the roll has the seal: nobody knows better than the roll. */
static void a_stray_is_closed_by_the_roll_while_others_go_on(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct ca_request r = keyed(h, house_requester(h), NULL), next = keyed(h, house_requester(h), NULL);
    struct world_rule broken = {
        .action = WORLD_RESULT, .value = 0x05 /* CKR_GENERAL_ERROR */, .name = "token.C_Sign"};
    int rule = world_page_rule(h->page, &broken);
    enum err_code code = house_issue(h, &r, &got);
    world_page_clear(h->page, rule);
    assert_int_not_equal(code, ERR__COUNT);
    assert_int_equal(open_intents(h), 1);
    house_wait(h, none_open, h);
    assert_int_equal(last_intent(h).state, LEDGER_STATE_SEALED_LOST);
    while (!hsm_ready(h->hsm) || house_issue(h, &next, &got) != ERR__COUNT)
        house_run(h, 100); /* the vault opens its token again by itself */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_never_sealed_is_closed_as_that),
        cmocka_unit_test(what_was_sealed_and_lost_counts_as_revoked),
        cmocka_unit_test(a_start_closes_what_an_earlier_life_left),
        cmocka_unit_test(nothing_open_is_nothing_to_do),
        cmocka_unit_test(a_recovery_of_a_lost_channel_lets_nothing_through),
        cmocka_unit_test(asked_twice_each_is_told_once),
        cmocka_unit_test(what_is_in_hand_is_left_alone),
        cmocka_unit_test(a_stray_is_closed_by_the_roll_while_others_go_on),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, house_setup, house_teardown);
}
