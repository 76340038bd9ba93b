/*
 * A fleet: devices come with a token each, and from there on renew themselves when they are told to, for two
 * years of a clock that is steered. In the middle the issuing CA rolls over, and later all that the old one
 * has made is revoked. At no moment is a device without a certificate that holds. 60 devices; with
 * CHANCERY_LONG=1 ten thousand.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/world.h"
#include "ca_many.h"
#include "house_scene.h"
#include "hsm_info.h"

enum { DAY_S = 86400, DAYS = 730, ROLL_OVER = 365, REVOKED = 480, AT_ONCE = 48, NEW_KEY_EACH = 3 };

struct device {
    EVP_PKEY *key;
    const char *name;
    char issuer[64];
    uint8_t serial[SERIAL_BYTES];
    int64_t not_after, renew_after;
    unsigned renewals;
};

/* One on its way. */
struct asking {
    struct device *device;
    EVP_PKEY *key; /* what the certificate will be for */
    struct house_issued got;
};

struct fleet {
    struct house *h;
    struct device *devices;
    size_t n, issued;
    struct asking asking[AT_ONCE];
    size_t asking_n;
    struct ca_issuer issuers[3];
    struct ca_setup setup;
};

/* --- asking --- */

static void take(struct fleet *f, struct asking *a)
{
    struct device *d = a->device;
    if (a->got.code != ERR__COUNT)
        fail_msg("%s, renewal %u: %s", d->name, d->renewals, a->got.detail);
    const struct ca_certificate cert = {.serial = a->got.serial,
                                        .template = a->got.template,
                                        .not_before = a->got.not_before,
                                        .not_after = a->got.not_after};
    memcpy(d->serial, a->got.serial_bytes, SERIAL_BYTES);
    snprintf(d->issuer, sizeof d->issuer, "%s", a->got.issuer);
    d->not_after = a->got.not_after;
    d->renew_after = ca_renew_after(&f->setup, &cert);
    if (a->key != d->key)
        EVP_PKEY_free(d->key);
    d->key = a->key;
    f->issued++;
}

static bool all_done(void *arg)
{
    const struct fleet *f = arg;
    for (size_t i = 0; i < f->asking_n; i++)
        if (!f->asking[i].got.done)
            return false;
    return true;
}

static void await_all(struct fleet *f)
{
    house_wait(f->h, all_done, f);
    for (size_t i = 0; i < f->asking_n; i++)
        take(f, &f->asking[i]);
    f->asking_n = 0;
}

static void ask(struct fleet *f, struct device *d, EVP_PKEY *key, const struct ca_request *request)
{
    struct asking *a = &f->asking[f->asking_n++];
    a->device = d;
    a->key = key;
    house_ask(f->h, request, &a->got);
    if (f->asking_n == AT_ONCE)
        await_all(f);
}

static struct view csr_of(struct fleet *f, const struct device *d, EVP_PKEY *key)
{
    return house_csr(f->h, key, d->name, arena_printf(f->h->arena, "DNS:%s", d->name));
}

static void bootstrap(struct fleet *f, struct device *d)
{
    static const char *const templates[] = {"fleet", NULL};
    const char **names = arena_array(f->h->arena, 2, sizeof *names);
    d->name = arena_printf(f->h->arena, "d%zu.example.internal", (size_t)(d - f->devices));
    names[0] = arena_printf(f->h->arena, "dns:%s", d->name);
    EVP_PKEY *key = house_key();
    struct ca_asker *asker = house_token(f->h, templates, names, 1);
    asker->bounded = true;
    const struct ca_request request = house_request(f->h, asker, "fleet", csr_of(f, d, key));
    ask(f, d, key, &request);
}

/* As the doors make it of the certificate that is shown. */
static void renew(struct fleet *f, struct device *d)
{
    struct house *h = f->h;
    struct ledger_cert *record = ARENA_NEW(h->arena, struct ledger_cert);
    static const char *const templates[] = {"fleet"};
    OK(ledger_find(h->ledger, d->issuer, view_of(d->serial, SERIAL_BYTES), h->arena, record));
    struct ca_asker *asker =
        house_asker(h, CA_ROLE_REQUESTER,
                    arena_printf(h->arena, "cert:%s/%s", d->issuer, hex_of(h->arena, record->serial)));
    asker->key = record->decision.spki_sha256.p;
    asker->shown = record->intent;
    asker->grant = (struct ca_grant){.templates = templates,
                                     .templates_n = 1,
                                     .names = record->decision.names.items,
                                     .names_n = record->decision.names.n};
    EVP_PKEY *key = ++d->renewals % NEW_KEY_EACH == 0 ? house_key() : d->key;
    struct ca_request request = house_request(h, asker, "fleet", csr_of(f, d, key));
    request.renews = true;
    request.replaces = record->serial;
    ask(f, d, key, &request);
}

/* --- the authority's own events --- */

static void roll_over(struct fleet *f)
{
    memcpy(f->issuers, f->h->issuers, sizeof f->h->issuers);
    f->issuers[2] = house_another_issuer(f->h, "second", f->h->second);
    f->issuers[1].issue = false;
    f->setup.issuers = f->issuers;
    f->setup.issuers_n = 3;
    f->setup.default_issuer = "second";
    ca_setup_set(f->h->ca, &f->setup);
}

struct job {
    struct fleet *f;
    const struct ca_asker *operator;
    char id[CA_MANY_ID_BYTES];
};

static bool is_over(void *arg)
{
    const struct job *job = arg;
    const struct ca_many_report *report;
    OK(ca_many_find(job->f->h->ca, job->operator, job->id, &report));
    return report->state != CA_MANY_RUNNING;
}

/* Everything of the old issuer, the expired too. */
static void revoke_the_old(struct fleet *f)
{
    const struct ledger_query query = {.issuer = "issuing", .template = "fleet"};
    struct job job = {.f = f, .operator= house_asker(f->h, CA_ROLE_OPERATOR, "roster:o")};
    const struct ca_many_report *report;
    const struct ca_many_ask what = {.asker = job.operator,
                                     .source = CA_MANY_QUERY,
                                     .query = &query,
                                     .what = {.reason = CERT_REASON_SUPERSEDED},
                                     .question = "issuer=issuing template=fleet"};
    OK(ca_many_start(f->h->ca, &what, &report));
    snprintf(job.id, sizeof job.id, "%s", report->id);
    house_wait(f->h, is_over, &job);
    OK(ca_many_find(f->h->ca, job.operator, job.id, &report));
    assert_int_equal(report->state, CA_MANY_DONE);
    assert_true(report->hit >= f->n);
}

/* --- a day --- */

static void told(void *arg, struct err *e, struct view groups)
{
    (void)groups;
    OK(e);
    *(bool *)arg = true;
}

/* The vault looks after its token once a while. It must be done with that before the next day: a look that
 * takes days is a module that hangs. What it tells of itself is told behind that look. */
static void pass_a_day(struct house *h)
{
    bool done = false;
    house_pass(h, DAY_S);
    for (int i = 0; i < 2; i++) { /* its loop has turned, and the timers that are due have run */
        house_hold(h);
        house_release(h);
    }
    OK(hsm_info(h->hsm, told, &done, NULL));
    house_await(h, &done);
}

static size_t renew_the_due(struct fleet *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++)
        if (f->devices[i].renew_after <= world_now_s()) {
            renew(f, &f->devices[i]);
            n++;
        }
    await_all(f);
    return n;
}

static void no_gap(struct fleet *f)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct device *d = &f->devices[i];
        struct ledger_status status;
        if (d->not_after <= world_now_s())
            fail_msg("%s has been without a certificate since %lld", d->name, (long long)d->not_after);
        OK(ledger_status(f->h->ledger, d->issuer, view_of(d->serial, SERIAL_BYTES), &status));
        assert_int_equal(status.answer, LEDGER_GOOD);
    }
}

/* The newest leads back to the token's, one by one. */
static unsigned length_of_line(struct fleet *f, const struct device *d)
{
    struct ledger_cert record;
    unsigned n = 0;
    OK(ledger_find(f->h->ledger, d->issuer, view_of(d->serial, SERIAL_BYTES), f->h->arena, &record));
    for (; record.decision.replaces; n++)
        OK(ledger_cert_at(f->h->ledger, record.decision.replaces, f->h->arena, &record));
    return n;
}

static void two_years_without_a_gap(void **state)
{
    struct fleet *f = *state;
    size_t busiest = 0;
    for (size_t i = 0; i < f->n; i++)
        bootstrap(f, &f->devices[i]);
    await_all(f);
    for (int day = 0; day < DAYS; day++) {
        pass_a_day(f->h);
        if (day == ROLL_OVER)
            roll_over(f);
        if (day == REVOKED)
            revoke_the_old(f);
        no_gap(f);
        size_t n = renew_the_due(f);
        busiest = n > busiest ? n : busiest;
    }
    for (size_t i = 0; i < f->n; i++) {
        assert_string_equal(f->devices[i].issuer, "second");
        assert_in_range(f->devices[i].renewals, 9, 13);
        if (i % 16 == 0)
            assert_int_equal(length_of_line(f, &f->devices[i]), f->devices[i].renewals);
    }
    print_message("%zu devices, %zu certificates, %zu on the busiest day\n", f->n, f->issued, busiest);
    assert_true(busiest * 4 < f->n); /* made in one hour, and yet they do not come back in one */
    assert_int_equal(house_entries(f->h, LEDGER_ALARM), 0);
}

/* --- the fleet --- */

static int fleet_setup(void **state)
{
    struct fleet *f = calloc(1, sizeof *f);
    const char *is_long = getenv("CHANCERY_LONG");
    f->n = is_long && strcmp(is_long, "1") == 0 ? 10000 : 60;
    f->devices = calloc(f->n, sizeof *f->devices);
    f->h = house_build();
    house_start(f->h);
    f->setup = f->h->setup;
    *state = f;
    return 0;
}

static int fleet_teardown(void **state)
{
    struct fleet *f = *state;
    void *h = f->h;
    for (size_t i = 0; i < f->n; i++)
        EVP_PKEY_free(f->devices[i].key);
    house_quiet(f->h);
    int ret = house_teardown(&h);
    free(f->devices);
    free(f);
    return ret;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_years_without_a_gap)};
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, fleet_setup, fleet_teardown);
}
