/* Issuance through the whole engine: a real vault, a real ledger. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/metric.h"
#include "base/world.h"
#include "cert/chain.h"
#include "cert/pem.h"
#include "house_scene.h"

/* --- what is handed out --- */

static void a_certificate_chains_and_stands_on_record(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct cert_chain_cert leaf, parent;
    struct ledger_cert record;
    house_good(h, "a.example.internal", &got);
    OK(cert_chain_read(view_of(got.der, got.der_n), h->arena, &leaf));
    OK(cert_chain_read(h->issuing, h->arena, &parent));
    OK(cert_chain_link(&leaf, &parent, 0, world_now_s()));
    assert_string_equal(got.issuer, "issuing");
    OK(ledger_find(h->ledger, "issuing", view_of(got.serial_bytes, SERIAL_BYTES), h->arena, &record));
    assert_int_equal(record.state, LEDGER_STATE_RECORDED);
    assert_string_equal(record.decision.names.items[0], "dns:a.example.internal");
    assert_true(view_eq(record.decision.tbs, leaf.sealed.tbs)); /* what was intended is what was signed */
    assert_true(record.intent < record.record);
    assert_true(record.seal.n > record.decision.roll_floor);
}

static void pem_is_taken_as_der(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    const char *pem =
        cert_pem_write("CERTIFICATE REQUEST", house_csr_for(h, "pem.example.internal"), h->arena);
    struct ca_request r = house_request(h, house_requester(h), "server", view_str(pem));
    r.validity_s = 3600;
    assert_int_equal(house_issue(h, &r, &got), ERR__COUNT);
    assert_in_range(got.not_after, world_now_s() + 3590, world_now_s() + 3601);
}

static void names_beside_the_csr_take_its_place(void **state)
{
    static const char *const sans[] = {"dns:other.example.internal"};
    struct house *h = *state;
    struct house_issued got;
    struct ledger_cert record;
    struct ca_request r =
        house_request(h, house_requester(h), "server", house_csr_for(h, "csr.example.internal"));
    r.has_sans = true;
    r.sans = sans;
    r.sans_n = 1;
    assert_int_equal(house_issue(h, &r, &got), ERR__COUNT);
    OK(ledger_find(h->ledger, "issuing", view_of(got.serial_bytes, SERIAL_BYTES), h->arena, &record));
    assert_int_equal(record.decision.names.n, 1);
    assert_string_equal(record.decision.names.items[0], "dns:other.example.internal");
}

/* --- Idempotency-Key --- */

static struct ca_request keyed(struct house *h, const struct ca_asker *asker, struct view csr,
                               const char *key, uint8_t body)
{
    struct ca_request r = house_request(h, asker, "server", csr);
    r.idempotency_key = key;
    memset(r.body_hash, body, sizeof r.body_hash);
    return r;
}

static void the_same_key_and_body_give_the_same_certificate(void **state)
{
    struct house *h = *state;
    struct house_issued first, second, other;
    struct ca_asker *asker = house_requester(h);
    struct ca_request r = keyed(h, asker, house_csr_for(h, "i.example.internal"), "k1", 1);
    assert_int_equal(house_issue(h, &r, &first), ERR__COUNT);
    assert_false(first.replayed);
    unsigned long long signs = house_count(h, "token.C_Sign");
    assert_int_equal(house_issue(h, &r, &second), ERR__COUNT);
    assert_true(second.replayed);
    assert_int_equal(house_count(h, "token.C_Sign"), signs);
    assert_true(view_eq(view_of(first.der, first.der_n), view_of(second.der, second.der_n)));
    assert_string_equal(first.issuer, second.issuer);
    r.body_hash[0] = 2;
    assert_int_equal(house_issue(h, &r, &other), ERR_IDEMPOTENCY);
}

static void keys_of_different_askers_never_meet(void **state)
{
    struct house *h = *state;
    struct house_issued first, second;
    struct ca_request r = keyed(h, house_requester(h), house_csr_for(h, "i.example.internal"), "k2", 1);
    assert_int_equal(house_issue(h, &r, &first), ERR__COUNT);
    r = keyed(h, house_requester(h), house_csr_for(h, "i.example.internal"), "k2", 1);
    assert_int_equal(house_issue(h, &r, &second), ERR__COUNT);
    assert_false(second.replayed);
    assert_string_not_equal(first.serial, second.serial);
}

static void a_key_under_way_is_a_conflict(void **state)
{
    struct house *h = *state;
    struct house_issued first, second;
    struct ca_request r = keyed(h, house_requester(h), house_csr_for(h, "i.example.internal"), "k3", 1);
    unsigned long long intents = house_count(h, "ca.intend.durable");
    house_hold(h);
    house_ask(h, &r, &first);
    house_passed(h, "ca.intend.durable", intents + 1);
    assert_int_equal(house_issue(h, &r, &second), ERR_CONFLICT);
    assert_false(first.done);
    house_release(h);
    house_await(h, &first.done);
    assert_int_equal(first.code, ERR__COUNT);
}

static void what_was_revoked_since_is_what_stands(void **state)
{
    struct house *h = *state;
    struct house_issued first, second;
    struct house_revoked gone;
    struct ca_asker *asker = house_requester(h);
    struct ca_request r = keyed(h, asker, house_csr_for(h, "i.example.internal"), "k4", 1);
    assert_int_equal(house_issue(h, &r, &first), ERR__COUNT);
    assert_int_equal(
        house_revoke(h, asker, view_of(first.serial_bytes, SERIAL_BYTES), CERT_REASON_SUPERSEDED, &gone),
        ERR__COUNT);
    assert_int_equal(house_issue(h, &r, &second), ERR__COUNT);
    assert_true(second.replayed);
    assert_string_equal(first.serial, second.serial);
}

/* The vault knows no generation 9: it refuses after the intent is on record. */
static void a_closed_intent_frees_the_key_and_the_use(void **state)
{
    static const char *const templates[] = {"server", NULL}, *const names[] = {"dns:**.example.internal",
                                                                               NULL};
    struct house *h = *state;
    struct house_issued first, second;
    struct ca_setup later = h->setup;
    struct ledger_entry closed;
    struct ca_request r =
        keyed(h, house_token(h, templates, names, 1), house_csr_for(h, "i.example.internal"), "k5", 1);
    later.generation = 9;
    ca_setup_set(h->ca, &later);
    assert_int_equal(house_issue(h, &r, &first), ERR_GENERATION);
    ca_setup_set(h->ca, &h->setup);
    house_quiet(h);
    assert_true(house_last(h, LEDGER_CLOSE, &closed));
    assert_int_equal(closed.body.close.reason, LEDGER_REFUSED);
    assert_int_equal(house_issue(h, &r, &second), ERR__COUNT); /* its one use was given back */
    assert_false(second.replayed);
}

/* --- tokens --- */

static void uses_are_counted(void **state)
{
    static const char *const templates[] = {"server", NULL}, *const names[] = {"dns:**.example.internal",
                                                                               NULL};
    struct house *h = *state;
    struct house_issued got[3];
    struct ca_asker *asker = house_token(h, templates, names, 2);
    for (int i = 0; i < 3; i++) { /* all three at once */
        struct ca_request r = house_request(h, asker, "server", house_csr_for(h, "u.example.internal"));
        house_ask(h, &r, &got[i]);
    }
    size_t good = 0, used = 0;
    for (int i = 0; i < 3; i++) {
        house_await(h, &got[i].done);
        good += got[i].code == ERR__COUNT;
        used += got[i].code == ERR_TOKEN_USED;
    }
    assert_int_equal(good, 2);
    assert_int_equal(used, 1);
}

static void a_revoked_token_asks_no_more(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct ca_asker *asker = house_requester(h);
    const struct ledger_entry entry = {.kind = LEDGER_TOKEN_REVOKE,
                                       .actor = "test",
                                       .body.token_revoke.id = view_of(asker->token, SHA256_BYTES)};
    house_append(h, &entry);
    struct ca_request r = house_request(h, asker, "server", house_csr_for(h, "u.example.internal"));
    assert_int_equal(house_issue(h, &r, &got), ERR_UNAUTHENTICATED);
    assert_int_equal(ca_under_way(h->ca), 0);
}

/* --- one key, one owner --- */

static struct ca_request with_key(struct house *h, const struct ca_asker *asker, EVP_PKEY *key)
{
    return house_request(h, asker, "server", house_csr(h, key, NULL, "DNS:key.example.internal"));
}

static void a_key_may_be_certified_again_for_its_owner(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct ca_asker *asker = house_requester(h);
    EVP_PKEY *key = house_key();
    struct ca_request r = with_key(h, asker, key);
    assert_int_equal(house_issue(h, &r, &got), ERR__COUNT);
    assert_int_equal(house_issue(h, &r, &got), ERR__COUNT);
    r.asker = house_requester(h);
    assert_int_equal(house_issue(h, &r, &got), ERR_BAD_KEY);
    assert_string_equal(got.pointer, "/csr");
    EVP_PKEY_free(key);
}

static void two_askers_cannot_share_a_key_at_once(void **state)
{
    struct house *h = *state;
    struct house_issued a, b;
    EVP_PKEY *key = house_key();
    struct ca_request ra = with_key(h, house_requester(h), key), rb = with_key(h, house_requester(h), key);
    house_ask(h, &ra, &a);
    house_ask(h, &rb, &b);
    house_await(h, &a.done);
    house_await(h, &b.done);
    assert_int_equal(a.code, ERR__COUNT);
    assert_int_equal(b.code, ERR_BAD_KEY);
    EVP_PKEY_free(key);
}

/* With a certificate that was shown, its key may be certified over and over, whoever asked first. */
static void a_holder_renews_with_its_own_key(void **state)
{
    static const char *const templates[] = {"server"}, *const names[] = {"dns:key.example.internal"};
    struct house *h = *state;
    struct house_issued got;
    EVP_PKEY *key = house_key(), *foreign = house_key();
    struct ca_request r = with_key(h, house_requester(h), key);
    for (int i = 0; i < 3; i++) {
        struct ledger_cert *record = ARENA_NEW(h->arena, struct ledger_cert);
        assert_int_equal(house_issue(h, &r, &got), ERR__COUNT);
        OK(ledger_find(h->ledger, NULL, view_of(got.serial_bytes, SERIAL_BYTES), h->arena, record));
        struct ca_asker *holder = house_asker(h, CA_ROLE_REQUESTER, arena_printf(h->arena, "cert:%d", i));
        holder->key = record->decision.spki_sha256.p;
        holder->shown = record->intent;
        holder->grant =
            (struct ca_grant){.templates = templates, .templates_n = 1, .names = names, .names_n = 1};
        r = with_key(h, holder, key);
    }
    struct ca_request owner = with_key(h, house_requester(h), foreign);
    assert_int_equal(house_issue(h, &owner, &got), ERR__COUNT);
    owner.asker = r.asker; /* showing one key says nothing of another */
    assert_int_equal(house_issue(h, &owner, &got), ERR_BAD_KEY);
    EVP_PKEY_free(key);
    EVP_PKEY_free(foreign);
}

/* --- a reload while it is under way --- */

struct borrowed {
    struct ca_setup setup;
    struct ca_issuer issuers[2];
    char names[2][16];
};

static struct borrowed *borrowed_new(const struct house *h)
{
    struct borrowed *b = calloc(1, sizeof *b);
    b->setup = h->setup;
    for (int i = 0; i < 2; i++) {
        b->issuers[i] = h->issuers[i];
        snprintf(b->names[i], sizeof b->names[i], "%s", h->issuers[i].name);
        b->issuers[i].name = b->issuers[i].facts.name = b->names[i];
    }
    b->setup.issuers = b->issuers;
    b->setup.default_issuer = b->names[1];
    return b;
}

static void a_replaced_configuration_may_go_while_one_is_under_way(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct borrowed *b = borrowed_new(h);
    unsigned long long intents = house_count(h, "ca.intend.durable");
    struct ca_request r =
        house_request(h, house_requester(h), "server", house_csr_for(h, "reload.example.internal"));
    ca_setup_set(h->ca, &b->setup);
    house_hold(h);
    house_ask(h, &r, &got);
    house_passed(h, "ca.intend.durable", intents + 1);
    ca_setup_set(h->ca, &h->setup);
    memset(b, 0xee, sizeof *b);
    free(b);
    house_release(h);
    house_await(h, &got.done);
    assert_int_equal(got.code, ERR__COUNT);
    assert_string_equal(got.issuer, "issuing");
}

/* --- issuers --- */

static void a_new_issuer_stands_in_the_ledger_once(void **state)
{
    struct house *h = *state;
    struct ca_setup more = h->setup;
    struct ca_issuer issuers[3] = {h->issuers[0], h->issuers[1], h->issuers[1]};
    struct ledger_entry entry;
    house_quiet(h);
    size_t before = house_entries(h, LEDGER_ISSUER);
    assert_int_equal(before, 2); /* of an authority whose ledger began with this front */
    issuers[2].name = "second";
    more.issuers = issuers;
    more.issuers_n = 3;
    ca_setup_set(h->ca, &more);
    house_quiet(h);
    ca_setup_set(h->ca, &more);
    house_quiet(h);
    ca_setup_set(h->ca, &h->setup);
    assert_int_equal(house_entries(h, LEDGER_ISSUER), before + 1);
    assert_true(house_last(h, LEDGER_ISSUER, &entry));
    assert_string_equal(entry.issuer, "second");
    assert_true(view_eq(entry.body.issuer.certificate, h->issuing));
}

static void look_ups(void **state)
{
    struct house *h = *state;
    struct view chain[4];
    assert_ptr_equal(ca_issuer_find(&h->setup, "issuing"), &h->issuers[1]);
    assert_null(ca_issuer_find(&h->setup, "issuin"));
    assert_null(ca_issuer_find(&h->setup, NULL));
    assert_int_equal(ca_chain(&h->setup, "issuing", chain, 4), 1);
    assert_true(view_eq(chain[0], h->issuing));
    assert_int_equal(ca_chain(&h->setup, "root", chain, 4), 0);
    assert_int_equal(ca_chain(&h->setup, "issuing", chain, 0), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_chains_and_stands_on_record),
        cmocka_unit_test(pem_is_taken_as_der),
        cmocka_unit_test(names_beside_the_csr_take_its_place),
        cmocka_unit_test(the_same_key_and_body_give_the_same_certificate),
        cmocka_unit_test(keys_of_different_askers_never_meet),
        cmocka_unit_test(a_key_under_way_is_a_conflict),
        cmocka_unit_test(what_was_revoked_since_is_what_stands),
        cmocka_unit_test(a_closed_intent_frees_the_key_and_the_use),
        cmocka_unit_test(uses_are_counted),
        cmocka_unit_test(a_revoked_token_asks_no_more),
        cmocka_unit_test(a_key_may_be_certified_again_for_its_owner),
        cmocka_unit_test(two_askers_cannot_share_a_key_at_once),
        cmocka_unit_test(a_holder_renews_with_its_own_key),
        cmocka_unit_test(a_replaced_configuration_may_go_while_one_is_under_way),
        cmocka_unit_test(a_new_issuer_stands_in_the_ledger_once),
        cmocka_unit_test(look_ups),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, house_setup, house_teardown);
}
