/*
 * Certificates that people approve first: filed, waited for, made once they are approved, refused when they
 * are not; and that what was approved is what is made, judged by a real vault.
 */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/hex.h"
#include "base/world.h"
#include "ca_act.h"
#include "ca_pending.h"
#include "house_scene.h"
#include "wanted.h"

enum { DAY = 86400 };

struct scene {
    struct house *h;
    struct ca_asker *ann;
};

static int setup(void **state)
{
    static const char *const templates[] = {"approved", NULL}, *const names[] = {"dns:**.example.internal",
                                                                                 NULL};
    static struct scene s;
    if (house_setup(state) != 0)
        return 1;
    s.h = *state;
    s.ann = house_token(s.h, templates, names, 0);
    *state = &s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    *state = s->h;
    return house_teardown(state);
}

static struct ca_request asked(struct scene *s, const char *name)
{
    return house_request(s->h, s->ann, "approved", house_csr_for(s->h, name));
}

static struct view id_of(struct scene *s, const struct house_issued *is)
{
    struct view id;
    OK(hex_parse(s->h->arena, view_str(is->pending), &id));
    return id;
}

static void written(void *arg, struct err *e, uint64_t seq)
{
    (void)seq;
    OK(e);
    *(bool *)arg = true;
}

/* The administrator signs. */
static void answer(struct scene *s, struct view id, enum hsm_act_verb verb)
{
    struct house *h = s->h;
    struct ca_act act;
    struct hsm_act_signature signature = {.alg = CERT_ALG_ECDSA_SHA256};
    unsigned char *spki = NULL, der[256];
    size_t n = sizeof der;
    bool done = false;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    struct ca_asker *admin = house_asker(h, CA_ROLE_ADMIN, "roster:a");
    OK(ca_act_find(h->ca, h->roster, id, h->arena, &act));
    struct view text = hsm_act_statement(verb, act.book.request.act, h->arena);
    assert_int_equal(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, h->admin), 1);
    assert_int_equal(EVP_DigestSign(md, der, &n, text.p, text.n), 1);
    EVP_MD_CTX_free(md);
    int spki_n = i2d_PUBKEY(h->admin, &spki);
    signature.spki = arena_dup(h->arena, view_of(spki, (size_t)spki_n));
    signature.signature = view_of(der, n);
    OPENSSL_free(spki);
    OK(ca_act_sign(h->ca, admin, h->roster, id, verb, &signature, written, &done));
    house_await(h, &done);
}

static void a_request_waits_and_is_made_once_it_is_approved(void **state)
{
    struct scene *s = *state;
    struct house_issued first, again, made, later;
    const struct ca_request r = asked(s, "a.example.internal");
    size_t intents = house_entries(s->h, LEDGER_INTENT);
    assert_int_equal(house_issue(s->h, &r, &first), ERR_PENDING);
    assert_int_equal(house_issue(s->h, &r, &again), ERR_PENDING);
    assert_string_equal(first.pending, again.pending);
    assert_non_null(strstr(again.detail, "0 of 1 have approved"));
    house_quiet(s->h);
    assert_int_equal(house_entries(s->h, LEDGER_INTENT), intents);
    answer(s, id_of(s, &first), HSM_ACT_APPROVE);
    assert_int_equal(house_issue(s->h, &r, &made), ERR__COUNT);
    assert_false(made.replayed);
    assert_int_equal(house_issue(s->h, &r, &later), ERR__COUNT);
    assert_true(later.replayed);
    assert_string_equal(later.serial, made.serial);
}

/* The roll and the ledger agree about the act. */
static void what_was_done_is_noted(void **state)
{
    struct scene *s = *state;
    struct ledger_entry done, record;
    house_quiet(s->h);
    assert_true(house_last(s->h, LEDGER_ACT_DONE, &done));
    assert_true(house_last(s->h, LEDGER_RECORD, &record));
    assert_int_equal(done.body.note.number, record.body.record.n - 1);
}

/* Asked for twice at the same moment, made once. */
static void two_at_once_are_one(void **state)
{
    struct scene *s = *state;
    struct house_issued first, one, two;
    const struct ca_request r = asked(s, "b.example.internal");
    assert_int_equal(house_issue(s->h, &r, &first), ERR_PENDING);
    answer(s, id_of(s, &first), HSM_ACT_APPROVE);
    size_t records = house_entries(s->h, LEDGER_RECORD);
    house_ask(s->h, &r, &one);
    house_ask(s->h, &r, &two);
    house_await(s->h, &one.done);
    house_await(s->h, &two.done);
    assert_int_equal(one.code, ERR__COUNT);
    assert_true(two.code == ERR__COUNT || two.code == ERR_CONFLICT);
    house_quiet(s->h);
    assert_int_equal(house_entries(s->h, LEDGER_RECORD), records + 1);
}

static void a_denial_says_who(void **state)
{
    struct scene *s = *state;
    struct house_issued is;
    const struct ca_request r = asked(s, "c.example.internal");
    assert_int_equal(house_issue(s->h, &r, &is), ERR_PENDING);
    answer(s, id_of(s, &is), HSM_ACT_DENY);
    assert_int_equal(house_issue(s->h, &r, &is), ERR_FORBIDDEN);
    assert_non_null(strstr(is.detail, "was denied by roster:a at "));
}

/* Three in an hour: the buckets hold what is filed; whoever looks again takes nothing. */
static void looking_takes_nothing_from_the_bucket(void **state)
{
    struct scene *s = *state;
    struct house_issued is;
    struct scene own = *s;
    static const char *const templates[] = {"approved", NULL}, *const names[] = {"dns:**.example.internal",
                                                                                 NULL};
    own.ann = house_token(s->h, templates, names, 0);
    const struct ca_request r = asked(&own, "d.example.internal");
    for (int i = 0; i < 6; i++)
        assert_int_equal(house_issue(s->h, &r, &is), ERR_PENDING);
    for (int i = 0; i < 2; i++) {
        const struct ca_request more = asked(&own, "e.example.internal");
        assert_int_equal(house_issue(s->h, &more, &is), ERR_PENDING);
    }
    const struct ca_request over = asked(&own, "f.example.internal");
    assert_int_equal(house_issue(s->h, &over, &is), ERR_RATE);
}

static void a_request_is_its_askers_alone(void **state)
{
    struct scene *s = *state;
    static const char *const templates[] = {"approved", NULL}, *const names[] = {"dns:**.example.internal",
                                                                                 NULL};
    struct house_issued is;
    struct ca_request again;
    struct ca_asker *bob = house_token(s->h, templates, names, 0);
    s->ann = house_token(s->h, templates, names, 0);
    const struct ca_request r = asked(s, "g.example.internal");
    assert_int_equal(house_issue(s->h, &r, &is), ERR_PENDING);
    OK(ca_pending_request(s->h->ca, s->ann, id_of(s, &is), s->h->arena, &again));
    assert_string_equal(again.template, "approved");
    assert_true(view_eq(again.csr, r.csr));
    struct err *e = ca_pending_request(s->h->ca, bob, id_of(s, &is), s->h->arena, &again);
    assert_int_equal(err_code(e), ERR_NOT_FOUND);
    err_free(e);
}

/* The wall clock goes on by so much; the other stays, so that nothing under way is late. */
static void later(struct scene *s, int64_t seconds)
{
    struct house_issued is;
    const struct ca_request r = asked(s, "clock.example.internal");
    const struct ledger_entry entry = {.kind = LEDGER_CLOCK,
                                       .actor = "local:0",
                                       .body.note = {.what = "right", .number = CA_CLOCK_CONFIRMED}};
    house_leap(s->h, seconds * 1000);
    assert_int_equal(house_issue(s->h, &r, &is), ERR_CLOCK);
    house_append(s->h, &entry);
    ca_clock_confirm(s->h->ca);
}

static void a_request_expires_and_may_be_made_anew(void **state)
{
    struct scene *s = *state;
    struct house_issued first, is;
    const struct ca_request r = asked(s, "h.example.internal");
    assert_int_equal(house_issue(s->h, &r, &first), ERR_PENDING);
    later(s, 7 * DAY + 60);
    assert_int_equal(house_issue(s->h, &r, &is), ERR_FORBIDDEN);
    assert_non_null(strstr(is.detail, "expired at "));
    later(s, DAY + 60);
    struct ca_request standing = r;
    standing.standing = true;
    assert_int_equal(house_issue(s->h, &standing, &is), ERR_NOT_FOUND);
    assert_int_equal(house_issue(s->h, &r, &is), ERR_PENDING);
    assert_string_not_equal(is.pending, first.pending);
}

/* --- the form of a request --- */

static void a_request_is_read_as_it_was_written(void **state)
{
    struct scene *s = *state;
    static const struct templates_rdn subject[] = {{"CN", "a"}, {"O", "b"}};
    static const char *const sans[] = {"dns:a", "ip:10.0.0.1"};
    const struct cert_ext ext = {view_of("\x55\x1d\x0f", 3), true, view_of("\x03\x02\x07\x80", 4)};
    struct view der, twice;
    struct ca_request back;
    const struct ca_request r = {.template = "t",
                                 .issuer = "i",
                                 .not_after = 7,
                                 .validity_s = 0,
                                 .has_subject = true,
                                 .subject = subject,
                                 .subject_n = 2,
                                 .has_sans = true,
                                 .sans = sans,
                                 .sans_n = 2,
                                 .exts = &ext,
                                 .exts_n = 1,
                                 .replaces = view_of("\1\2", 2)};
    OK(wanted_write(&r, view_str("csr"), s->h->arena, &der));
    OK(wanted_read(der, s->h->arena, &back));
    assert_string_equal(back.subject[1].value, "b");
    assert_string_equal(back.sans[1], "ip:10.0.0.1");
    assert_int_equal(back.not_after, 7);
    OK(wanted_write(&back, back.csr, s->h->arena, &twice));
    assert_true(view_eq(der, twice));
    for (size_t n = 0; n < der.n; n++) {
        struct err *e = wanted_read(view_of(der.p, n), s->h->arena, &back);
        assert_non_null(e);
        err_free(e);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    house_world(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_waits_and_is_made_once_it_is_approved),
        cmocka_unit_test(what_was_done_is_noted),
        cmocka_unit_test(two_at_once_are_one),
        cmocka_unit_test(a_denial_says_who),
        cmocka_unit_test(looking_takes_nothing_from_the_bucket),
        cmocka_unit_test(a_request_is_its_askers_alone),
        cmocka_unit_test(a_request_is_read_as_it_was_written),
        cmocka_unit_test(a_request_expires_and_may_be_made_anew),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
