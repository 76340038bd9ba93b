/* What lists are made of: partitions that fill and stay, changes since a list, which list was the last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/world.h"
#include "ledger_verify.h"
#include "scene.h"

static uint64_t next_partition(struct scene *s, uint64_t size)
{
    uint64_t partition;
    OK(ledger_partition(s->ledger, "issuing", size, &partition));
    return partition;
}

/* A certificate in the partition where the next one goes. */
static uint64_t issue(struct scene *s, unsigned serial, uint64_t size)
{
    struct ledger_entry en = scene_intent(serial, "dns:a");
    en.body.intent.partition = next_partition(s, size);
    en.body.intent.not_after = 1000 + serial;
    struct ledger_entry record = scene_record(scene_put(s, &en), serial);
    scene_put(s, &record);
    return en.body.intent.partition;
}

static uint64_t revoke(struct scene *s, unsigned serial, unsigned reason)
{
    struct ledger_entry en = scene_revoke(serial, reason);
    return scene_put(s, &en);
}

static size_t revoked(struct scene *s, uint64_t scope)
{
    struct ledger_revoked *r;
    struct ledger_revocation one;
    bool more;
    size_t n = 0;
    OK(ledger_revoked_open(s->ledger, "issuing", scope, &r));
    for (;; n++) {
        OK(ledger_revoked_next(r, &one, &more));
        if (!more)
            break;
    }
    ledger_revoked_close(r);
    return n;
}

static struct ledger_entry list(unsigned kind, uint64_t number, int64_t this_update, uint64_t upto)
{
    return (struct ledger_entry){.kind = kind,
                                 .issuer = "issuing",
                                 .body.crl = {.number = number,
                                              .this_update = this_update,
                                              .next_update = this_update + 100,
                                              .upto = upto,
                                              .sha256 = scene_hash(1)}};
}

static void partitions_fill_one_after_the_other(void **state)
{
    struct scene *s = *state;
    static const uint64_t want[] = {1, 1, 1, 2, 2, 2, 3};
    const struct ledger_partition_state *all;
    size_t n;
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(issue(s, i + 1, 3), want[i]);
    scene_reopen(s);
    assert_int_equal(next_partition(s, 3), 3);
    assert_int_equal(next_partition(s, 1), 4); /* a smaller bound holds from now on */
    OK(ledger_partitions(s->ledger, "issuing", 2, s->arena, &all, &n));
    assert_int_equal(n, 2);
    assert_int_equal(all[0].partition, 2);
    assert_int_equal(all[0].certificates, 3);
    assert_int_equal(all[0].not_after, 1006);
    assert_int_equal(all[1].certificates, 1);
    OK(ledger_partitions(s->ledger, "root", 0, s->arena, &all, &n));
    assert_int_equal(n, 0);
}

/* Intents that wait for the disk together: the bound holds for them too. */
static void the_bound_holds_for_what_is_under_way(void **state)
{
    struct scene *s = *state;
    const struct ledger_partition_state *all;
    struct scene_end ends[10];
    size_t left = 10, n;
    for (unsigned i = 0; i < 10; i++) {
        struct ledger_entry en = scene_intent(i + 1, "dns:a");
        en.body.intent.partition = next_partition(s, 4);
        ends[i] = (struct scene_end){.scene = s, .left = &left};
        OK(ledger_append(s->ledger, &en, scene_done, &ends[i], NULL));
    }
    loop_run(s->loop);
    OK(ledger_partitions(s->ledger, "issuing", 0, s->arena, &all, &n));
    assert_int_equal(n, 3);
    assert_int_equal(all[0].certificates, 4);
    assert_int_equal(all[1].certificates, 4);
    assert_int_equal(all[2].certificates, 2);
}

static void a_partition_lists_its_own_and_the_whole_all(void **state)
{
    struct scene *s = *state;
    for (unsigned i = 1; i <= 5; i++)
        issue(s, i, 2);
    scene_issue(s, 6, "dns:before");
    for (unsigned i = 1; i <= 6; i++)
        revoke(s, i, 1);
    assert_int_equal(revoked(s, LEDGER_WHOLE), 6);
    assert_int_equal(revoked(s, 0), 1); /* without a partition */
    assert_int_equal(revoked(s, 1), 2);
    assert_int_equal(revoked(s, 2), 2);
    assert_int_equal(revoked(s, 3), 1);
    assert_int_equal(revoked(s, 4), 0);
}

/* Expiry counts by the lists of the same scope. */
static void an_entry_leaves_each_scope_by_its_own_lists(void **state)
{
    struct scene *s = *state;
    issue(s, 1, 10);
    uint64_t seq = revoke(s, 1, 1);
    struct ledger_entry part = list(LEDGER_CRL_PART, 1, 5000, seq), whole = list(LEDGER_CRL, 2, 5000, seq);
    part.body.crl.partition = 1;
    scene_put(s, &part);
    assert_int_equal(revoked(s, 1), 0);
    assert_int_equal(revoked(s, LEDGER_WHOLE), 1);
    scene_put(s, &whole);
    assert_int_equal(revoked(s, LEDGER_WHOLE), 0);
}

static void numbers_rise_over_all_scopes(void **state)
{
    struct scene *s = *state;
    struct ledger_entry a = list(LEDGER_CRL, 3, 10, 0), b = list(LEDGER_CRL_PART, 4, 20, 0),
                        c = list(LEDGER_CRL_DELTA, 5, 30, 0), late = list(LEDGER_CRL, 5, 40, 0);
    struct ledger_crl last;
    uint64_t number;
    b.body.crl.partition = 7;
    c.body.crl.base = 3;
    scene_put(s, &a);
    scene_put(s, &b);
    scene_put(s, &c);
    assert_int_equal(scene_append(s, &late).code, ERR_WRONG_STATE);
    scene_reopen(s);
    OK(ledger_list_number(s->ledger, "issuing", &number));
    assert_int_equal(number, 5);
    OK(ledger_crl_last(s->ledger, "issuing", &last));
    assert_int_equal(last.number, 3);
    OK(ledger_list_last(s->ledger, "issuing", 7, &last));
    assert_int_equal(last.number, 4);
    assert_int_equal(last.partition, 7);
    OK(ledger_list_last(s->ledger, "issuing", LEDGER_DELTA, &last));
    assert_int_equal(last.base, 3);
    OK(ledger_list_last(s->ledger, "issuing", 6, &last));
    assert_int_equal(last.number, 0);
}

/* A client may keep a list until its nextUpdate: the delta fits the oldest of these. */
static void a_delta_builds_on_the_oldest_list_that_holds(void **state)
{
    struct scene *s = *state;
    struct ledger_crl base;
    for (uint64_t i = 1; i <= 4; i++) {
        struct ledger_entry en = list(LEDGER_CRL, i, (int64_t)i * 40, i);
        scene_put(s, &en);
    }
    OK(ledger_list_base(s->ledger, "issuing", 170, &base)); /* they end at 140, 180, 220, 260 */
    assert_int_equal(base.number, 2);
    OK(ledger_list_base(s->ledger, "issuing", 219, &base));
    assert_int_equal(base.number, 3);
    OK(ledger_list_base(s->ledger, "issuing", 260, &base));
    assert_int_equal(base.number, 0);
}

struct changes {
    unsigned n;
    struct ledger_change all[16];
};

static struct err *gather(void *arg, const struct ledger_change *change)
{
    struct changes *to = arg;
    assert_true(to->n < 16);
    to->all[to->n++] = *change;
    return NULL;
}

static void changes_come_in_their_order_as_they_stand_now(void **state)
{
    struct scene *s = *state;
    struct changes got = {0};
    uint64_t upto;
    for (unsigned i = 1; i <= 3; i++)
        issue(s, i, 2);
    uint64_t first = revoke(s, 3, 1);
    revoke(s, 1, 6);
    uint64_t last = revoke(s, 1, 4);
    OK(ledger_changes(s->ledger, "issuing", 0, gather, &got, &upto));
    assert_int_equal(got.n, 3);
    assert_int_equal(upto, last);
    assert_memory_equal(got.all[0].serial, scene_serial(3).p, SERIAL_BYTES);
    assert_int_equal(got.all[0].partition, 2);
    assert_true(got.all[0].revoked);
    assert_int_equal(got.all[1].reason, 4); /* held, and final since */
    assert_int_equal(got.all[1].partition, 1);
    got.n = 0;
    OK(ledger_changes(s->ledger, "issuing", first, gather, &got, &upto));
    assert_int_equal(got.n, 2);
    got.n = 0;
    OK(ledger_changes(s->ledger, "issuin", 0, gather, &got, &upto));
    assert_int_equal(got.n, 0);
}

static void note(void *arg, uint64_t seq, const char *what)
{
    (void)arg;
    print_message("entry %llu: %s\n", (unsigned long long)seq, what);
}

static void verification_knows_all_of_it(void **state)
{
    struct scene *s = *state;
    struct ledger_verify how = {.on_finding = note};
    struct ledger_verify_report report;
    for (unsigned i = 1; i <= 5; i++)
        issue(s, i, 2);
    uint64_t seq = revoke(s, 4, 6);
    revoke(s, 4, 1);
    struct ledger_entry a = list(LEDGER_CRL_PART, 1, 10, seq), b = list(LEDGER_CRL_DELTA, 2, 10, seq);
    a.body.crl.partition = 2;
    scene_put(s, &a);
    scene_put(s, &b);
    OK(ledger_verify(s->ledger, &how, &report));
    assert_int_equal(report.findings, 0);
    assert_int_equal(report.crls, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(partitions_fill_one_after_the_other),
        TEST(the_bound_holds_for_what_is_under_way),
        TEST(a_partition_lists_its_own_and_the_whole_all),
        TEST(an_entry_leaves_each_scope_by_its_own_lists),
        TEST(numbers_rise_over_all_scopes),
        TEST(a_delta_builds_on_the_oldest_list_that_holds),
        TEST(changes_come_in_their_order_as_they_stand_now),
        TEST(verification_knows_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
