/*
 * A year of OCSP on a clock that is moved: certificates come, are revoked and expire, responder certificates
 * are renewed, the clock goes back once. Every answer on the shelf is looked at on each day of it: verified,
 * of the right status, and never near its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "base/world.h"

enum {
    HOUR_S = 3600,
    DAY_S = 24 * HOUR_S,
    LIFE_S = 3 * DAY_S,
    STEP_S = DAY_S,
    STEPS = 366 * DAY_S / STEP_S,
    SAMPLES = 160,
    ISSUE_EVERY = 6, /* steps */
    REVOKE_EVERY = 14,
    BACK_AT = STEPS / 2, /* the clock goes back, and comes right a day later */
};

struct sample {
    uint8_t serial[SERIAL_BYTES];
    int64_t not_after;
    bool revoked;
    enum cert_reason reason;
    int64_t seen; /* thisUpdate of the answer that was looked at last */
};

static struct {
    struct answers answers;
    struct sample samples[SAMPLES];
    size_t n, revoked, checked, lapsed;
} the;

static struct view serial_of(const struct sample *s)
{
    return view_of(s->serial, SERIAL_BYTES);
}

static void issue(struct house *h)
{
    struct house_issued got;
    char name[64];
    struct sample *s = &the.samples[the.n];
    snprintf(name, sizeof name, "y%zu.example.internal", the.n);
    struct ca_request r = house_request(h, house_requester(h), "server", house_csr_for(h, name));
    r.validity_s = (INT64_C(10) + INT64_C(20) * (int64_t)(the.n % 5)) * DAY_S;
    assert_int_equal(house_issue(h, &r, &got), ERR__COUNT);
    *s = (struct sample){.not_after = got.not_after};
    memcpy(s->serial, got.serial_bytes, SERIAL_BYTES);
    the.n++;
    assert_int_equal(answers_want(h, serial_of(s), CERT_OCSP_SHA1), WANT_MADE);
    if (the.n % 3 == 0)
        assert_int_equal(answers_want(h, serial_of(s), CERT_OCSP_SHA256), WANT_MADE);
}

static struct sample *one_to_revoke(void)
{
    for (size_t i = the.n; i > 0; i--)
        if (!the.samples[i - 1].revoked && the.samples[i - 1].not_after > world_now_s() + DAY_S)
            return &the.samples[i - 1];
    return NULL;
}

static void revoke(struct house *h)
{
    struct sample *s = one_to_revoke();
    assert_non_null(s);
    s->revoked = true;
    s->reason = the.revoked % 2 ? CERT_REASON_KEY_COMPROMISE : CERT_REASON_SUPERSEDED;
    the.revoked++;
    answers_revoke(h, serial_of(s), s->reason);
    answers_await(h, serial_of(s), CERT_OCSP_SHA1, CERT_OCSP_REVOKED);
}

/* --- what every answer is held to --- */

static void check_dates(const struct answer *a, int64_t now)
{
    assert_true(a->this_update <= now && now < a->next_update);
    assert_true(a->next_update - now >= LIFE_S / 2 - STEP_S);
    assert_int_equal(a->ocsp.data.produced_at, a->this_update);
    assert_true(a->signer.tbs.not_before <= now && a->next_update <= a->signer.tbs.not_after);
}

static void check_one(struct house *h, struct sample *s, enum cert_ocsp_hash hash, bool clock_right)
{
    int64_t now = world_now_s();
    struct answer a = answers_of(h, serial_of(s), hash); /* verified there */
    if (!a.there) {
        assert_true(hash == CERT_OCSP_SHA256 || s->not_after < now);
        the.lapsed++;
        return;
    }
    assert_int_equal(a.status, s->revoked ? CERT_OCSP_REVOKED : CERT_OCSP_GOOD);
    assert_int_equal(a.ocsp.data.singles[0].reason, s->revoked ? s->reason : CERT_REASON_UNSPECIFIED);
    if (clock_right && s->not_after >= now)
        check_dates(&a, now);
    if (hash == CERT_OCSP_SHA1) {
        assert_true(a.this_update >= s->seen || !clock_right);
        s->seen = a.this_update;
    }
    the.checked++;
}

static void check_all(struct house *h, bool clock_right)
{
    for (size_t i = 0; i < the.n; i++)
        for (int hash = CERT_OCSP_SHA1; hash <= CERT_OCSP_SHA256; hash++)
            check_one(h, &the.samples[i], (enum cert_ocsp_hash)hash, clock_right);
}

/* What expired is off the shelf; asked for, it is answered still, and says since when. */
static void check_expired(struct house *h)
{
    struct sample *s = &the.samples[0];
    while (s->not_after >= world_now_s())
        s++;
    assert_int_equal(answers_want(h, serial_of(s), CERT_OCSP_SHA1), WANT_MADE);
    struct answer a = answers_of(h, serial_of(s), CERT_OCSP_SHA1);
    assert_int_equal(a.status, s->revoked ? CERT_OCSP_REVOKED : CERT_OCSP_GOOD);
    assert_true(a.ocsp.data.singles[0].has_archive_cutoff);
}

/* --- the year --- */

/* Nothing under way: what was made lies on the shelf. */
static bool is_done(void *arg)
{
    struct house *h = arg;
    return ca_under_way(h->ca) == 0 && h->is_quiet(h);
}

static void pass(struct house *h)
{
    house_pass(h, STEP_S);
    ocsp_maker_go(the.answers.maker); /* what an hourly look does */
    house_wait(h, is_done, h);
    sweep_tick(the.answers.maker);
    house_wait(h, is_done, h);
}

/* A day of a wrong clock: statuses stay right, and nothing is made that the vault would not make. */
static void clock_back(struct house *h)
{
    house_leap(h, -INT64_C(30) * HOUR_S * 1000);
    pass(h);
    check_all(h, false);
    house_leap(h, INT64_C(30) * HOUR_S * 1000);
    ca_clock_confirm(h->ca);
}

static void a_year(void **state)
{
    struct house *h = *state;
    struct arena *arena = h->arena, *daily = arena_new(256u << 20);
    struct ocsp_issuer issuers[2] = {the.answers.issuers[0], the.answers.issuers[1]};
    issuers[0].lifetime_s = issuers[1].lifetime_s = LIFE_S;
    ocsp_maker_set(the.answers.maker, 1, issuers, 2);
    h->arena = daily;
    for (int step = 0; step < STEPS; step++) {
        if (step % ISSUE_EVERY == 0)
            issue(h);
        if (step % REVOKE_EVERY == REVOKE_EVERY - 1)
            revoke(h);
        if (step == BACK_AT)
            clock_back(h);
        pass(h);
        check_all(h, true);
        arena_reset(daily);
    }
    check_expired(h);
    h->arena = arena;
    arena_free(daily);
    ocsp_maker_set(the.answers.maker, 1, the.answers.issuers, 2);
    print_message("  (%zu certificates, %zu revoked, %zu answers looked at, %zu responder keys)\n", the.n,
                  the.revoked, the.checked, house_entries(h, LEDGER_OCSP_KEY));
    assert_true(the.n > 55 && the.revoked > 20 && the.checked > 3000 && the.lapsed > 1000);
    assert_in_range(house_entries(h, LEDGER_OCSP_KEY), 2 * 35,
                    2 * 45); /* each nine or ten days, for both issuers */
}

static int setup(void **state)
{
    struct house *h = answers_house(&the.answers);
    house_start(h);
    answers_ready(h);
    *state = h;
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_year)};
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, setup, house_teardown);
}
