/* The index of files: terms, segments and their merging, walks against a plain scan, what becomes of files
 * that are torn, missing or of another log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "scene.h"

/* --- terms --- */

struct terms {
    uint64_t all[256];
    size_t n;
};

static void collect(void *arg, uint64_t term)
{
    struct terms *t = arg;
    assert_true(t->n < 256);
    t->all[t->n++] = term;
}

static bool has(const struct terms *t, uint64_t term)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->all[i] == term)
            return true;
    return false;
}

static struct terms terms_of_name(const char *name)
{
    struct terms t = {.n = 0};
    struct ledger_entry en = scene_intent(1, name);
    en.body.intent.subject = en.body.intent.template = "";
    term_each(&en, collect, &t);
    return t;
}

static void a_name_lies_under_each_domain_above_it(void **state)
{
    (void)state;
    struct terms t = terms_of_name("dns:a.pay.example");
    static const char *const yes[] = {"dns:", "dns:example", "dns:pay.example", "dns:a.pay.example"};
    static const char *const no[] = {"dns:xample", "dns:ay.example", "dns:a.pay", "email:example",
                                     "dns:b.a.pay.example"};
    for (size_t i = 0; i < 4; i++) {
        assert_true(has(&t, term_under(yes[i])));
        assert_true(term_lies_under("dns:a.pay.example", yes[i]));
    }
    for (size_t i = 0; i < 5; i++) {
        assert_false(has(&t, term_under(no[i])));
        assert_false(term_lies_under("dns:a.pay.example", no[i]));
    }
    t = terms_of_name("email:maria@pay.example");
    assert_true(has(&t, term_under("email:pay.example")));
    assert_true(has(&t, term_under("email:example")));
    assert_true(has(&t, term_under("email:maria@pay.example")));
}

static void a_name_of_very_many_labels_is_found_under_them_all(void **state)
{
    (void)state;
    const char *name = "dns:a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v";
    struct terms t = terms_of_name(name);
    for (const char *at = name + 4; at; at = strchr(at, '.') ? strchr(at, '.') + 1 : NULL) {
        char under[64];
        snprintf(under, sizeof(under), "dns:%s", at);
        assert_true(has(&t, term_under(under)));
    }
}

static void an_address_lies_in_its_networks(void **state)
{
    (void)state;
    struct term_net net;
    struct terms t = terms_of_name("ip:10.1.2.3");
    static const char *const yes[] = {"10.1.2.3",    "10.1.2.3/32", "10.1.2.0/25",
                                      "10.1.0.0/16", "10.0.0.0/9",  "0.0.0.0/0"};
    for (size_t i = 0; i < 6; i++) {
        assert_true(term_net_parse(yes[i], &net));
        assert_true(term_net_has(&net, "ip:10.1.2.3"));
        assert_true(has(&t, term_of_net(&net)));
    }
    assert_true(term_net_parse("10.1.2.128/25", &net));
    assert_false(term_net_has(&net, "ip:10.1.2.3"));
    assert_false(term_net_has(&net, "dns:10.1.2.3"));
    t = terms_of_name("ip:2001:db8::1");
    assert_true(term_net_parse("2001:db8::/33", &net));
    assert_true(term_net_has(&net, "ip:2001:db8::1"));
    assert_true(has(&t, term_of_net(&net)));
    assert_false(term_net_has(&net, "ip:10.1.2.3"));
    static const char *const bad[] = {"",       "10.1", "10.1.2.3/33", "10.1.2.3/", "10.1.2.3/-1",
                                      "::/129", "a/8",  "10.1.2.3/8x"};
    for (size_t i = 0; i < 8; i++)
        assert_false(term_net_parse(bad[i], &net));
}

static void days_cover_their_range(void **state)
{
    (void)state;
    enum { DAY = 86400 };
    static const int64_t ranges[][2] = {
        {0, 0}, {DAY, 40 * DAY}, {20700 * DAY, 20731 * DAY}, {31 * DAY, 3000 * DAY}, {0, INT64_MAX}};
    for (size_t i = 0; i < 5; i++) {
        uint64_t days[TERM_DAYS_MAX];
        size_t n = term_days(ranges[i][0], ranges[i][1], days);
        assert_in_range(n, 1, TERM_DAYS_MAX);
        for (int64_t day = 0; day < 3100; day++) {
            struct ledger_entry en = scene_intent(1, "dns:a");
            struct terms t = {.n = 0};
            en.body.intent.not_after = day * DAY + 5;
            term_each(&en, collect, &t);
            size_t in = 0;
            for (size_t k = 0; k < n; k++)
                in += has(&t, days[k]);
            bool within = day >= ranges[i][0] / DAY && day <= ranges[i][1] / DAY;
            assert_int_equal(in, within);
        }
    }
}

static void a_fingerprint_is_the_certificates_own(void **state)
{
    struct scene *s = *state;
    static const uint8_t tbs[] = {0x30, 0x0f, 0xa0, 3, 2, 1, 2, 2, 1, 7, 0x30, 5, 6, 3, 42, 3, 4};
    static const uint8_t cert[] = {0x30, 0x1d, 0x30, 0x0f, 0xa0, 3, 2, 1,  2, 2, 1, 7, 0x30, 5, 6, 3,
                                   42,   3,    4,    0x30, 5,    6, 3, 42, 3, 4, 3, 3, 0,    9, 9};
    uint8_t have[SHA256_BYTES], want[SHA256_BYTES];
    digest_sha256(view_of(cert, sizeof(cert)), want);
    assert_true(term_fingerprint(view_of(tbs, sizeof(tbs)), view_of("\t\t", 2), s->arena, have));
    assert_memory_equal(have, want, SHA256_BYTES);
    assert_false(term_fingerprint(view_of(tbs, 5), view_of("\t\t", 2), s->arena, have));
}

/* --- the finder alone: entries out of the air, terms chosen by arithmetic --- */

enum { MANY = 150000 };

static struct err *some_leaf(void *arg, uint64_t seq, uint8_t ret[SHA256_BYTES])
{
    memset(ret, *(int *)arg, SHA256_BYTES);
    memcpy(ret, &seq, sizeof(seq));
    return NULL;
}

struct air {
    char dir[256];
    struct finder *f;
    int log; /* which one's leaves */
};

static void air_open(struct air *a, const struct scene *s, uint64_t entries, bool threaded)
{
    snprintf(a->dir, sizeof(a->dir), "%s/air", s->dir);
    OK(finder_open(
        &(struct finder_setup){
            .dir = a->dir, .threaded = threaded, .entries = entries, .leaf_of = some_leaf, .arg = &a->log},
        &a->f));
}

/* Every third entry is a note; actors and templates repeat at different paces. */
static bool is_intent(uint64_t seq)
{
    return seq % 3 != 0;
}

static void air_add(struct air *a, uint64_t until)
{
    for (uint64_t seq = finder_next_entry(a->f); seq <= until; seq++) {
        char actor[32], template[32];
        struct ledger_entry en = {.kind = LEDGER_NOTE};
        if (is_intent(seq)) {
            en = scene_intent((unsigned)seq, "dns:a.example");
            snprintf(actor, sizeof(actor), "a%llu", (unsigned long long)seq % 7);
            snprintf(template, sizeof(template), "t%llu", (unsigned long long)seq % 1000);
            en.actor = actor;
            en.body.intent.template = template;
            en.body.intent.spki_sha256 = view_of(&seq, sizeof(seq)); /* a term of its own */
        }
        en.seq = seq;
        OK(some_leaf(&a->log, seq, en.leaf));
        finder_add(a->f, &en, NULL);
    }
}

static void expect_walk(struct scene *s, struct finder *f, unsigned actor, unsigned template, uint64_t last)
{
    char text[2][32];
    uint64_t terms[2], below = UINT64_MAX, seq, want = last + 1;
    bool stopped;
    snprintf(text[0], 32, "a%u", actor);
    snprintf(text[1], 32, "t%u", template);
    terms[0] = term_of(TERM_ACTOR, view_str(text[0]));
    terms[1] = term_of(TERM_TEMPLATE, view_str(text[1]));
    const struct finder_terms conds[] = {{&terms[0], 1}, {&terms[1], 1}};
    struct finder_walk *w = finder_walk_open(f, conds, 2, s->arena);
    do {
        do
            want--;
        while (want > 0 && !(is_intent(want) && want % 7 == actor && want % 1000 == template));
        OK(finder_walk_next(w, below, &seq, &stopped));
        assert_false(stopped);
        assert_int_equal(seq, want);
        below = seq;
    } while (seq);
}

static void expect_all(struct scene *s, struct finder *f, uint64_t last)
{
    for (unsigned i = 0; i < 20; i++)
        expect_walk(s, f, i % 8, i * 37 % 1001, last);
    for (uint64_t seq = 1; seq <= last; seq += last / 50 + 1) {
        uint64_t first;
        OK(finder_first(f, term_of(TERM_SPKI, view_of(&seq, sizeof(seq))), 0, &first));
        assert_int_equal(first, is_intent(seq) ? seq : 0);
        OK(finder_first(f, term_of(TERM_ACTOR, view_str("a3")), seq, &first));
        uint64_t want = seq + 1;
        while (want <= last && !(is_intent(want) && want % 7 == 3))
            want++;
        assert_int_equal(first, want > last ? 0 : want);
    }
}

static void walks_find_what_a_scan_finds_across_merges_and_restarts(void **state)
{
    struct scene *s = *state;
    struct air a = {.log = 1};
    static const uint64_t at[] = {10, FINDER_ENTRIES - 1, FINDER_ENTRIES, 3 * FINDER_ENTRIES + 5, MANY};
    air_open(&a, s, 0, false);
    for (size_t i = 0; i < 5; i++) {
        air_add(&a, at[i]);
        expect_all(s, a.f, at[i]);
    }
    uint64_t pairs = finder_pairs(a.f);
    finder_close(a.f);
    air_open(&a, s, MANY, false);
    assert_true(finder_next_entry(a.f) > MANY - FINDER_ENTRIES && finder_next_entry(a.f) <= MANY);
    air_add(&a, MANY);
    assert_int_equal(finder_pairs(a.f), pairs);
    expect_all(s, a.f, MANY);
    OK(finder_settle(a.f));
    expect_all(s, a.f, MANY);
    finder_close(a.f);
}

static void a_thread_of_its_own_changes_nothing(void **state)
{
    struct scene *s = *state;
    struct air a = {.log = 1};
    air_open(&a, s, 0, true);
    air_add(&a, MANY / 2);
    expect_all(s, a.f, MANY / 2);
    finder_close(a.f);
    air_open(&a, s, MANY / 2, true);
    air_add(&a, MANY / 2);
    expect_all(s, a.f, MANY / 2);
    finder_close(a.f);
}

static void a_union_meets_a_condition(void **state)
{
    struct scene *s = *state;
    struct air a = {.log = 1};
    uint64_t seq, n = 0, below = UINT64_MAX;
    bool stopped;
    air_open(&a, s, 0, false);
    air_add(&a, 2 * FINDER_ENTRIES + 100);
    const uint64_t any[] = {term_of(TERM_ACTOR, view_str("a1")), term_of(TERM_ACTOR, view_str("a9")),
                            term_of(TERM_ACTOR, view_str("a2"))};
    const uint64_t one[] = {term_of(TERM_TEMPLATE, view_str("t5"))};
    const struct finder_terms conds[] = {{any, 3}, {one, 1}};
    struct finder_walk *w = finder_walk_open(a.f, conds, 2, s->arena);
    for (;; below = seq, n++) {
        OK(finder_walk_next(w, below, &seq, &stopped));
        if (!seq)
            break;
        assert_true(is_intent(seq) && seq % 1000 == 5 && (seq % 7 == 1 || seq % 7 == 2));
    }
    uint64_t want = 0;
    for (uint64_t i = 1; i <= 2 * FINDER_ENTRIES + 100; i++)
        want += is_intent(i) && i % 1000 == 5 && (i % 7 == 1 || i % 7 == 2);
    assert_int_equal(n, want);
    finder_close(a.f);
}

static void two_long_lists_that_never_meet_are_given_up_and_taken_up_again(void **state)
{
    struct scene *s = *state;
    struct air a = {.log = 1};
    uint64_t seq = 0, below = UINT64_MAX;
    unsigned rounds = 0;
    bool stopped;
    air_open(&a, s, 0, false);
    air_add(&a, MANY);
    const uint64_t x[] = {term_of(TERM_ACTOR, view_str("a1"))}, y[] = {term_of(TERM_ACTOR, view_str("a2"))};
    const struct finder_terms conds[] = {{x, 1}, {y, 1}, {x, 1}, {y, 1}, {x, 1}, {y, 1}};
    do {
        struct finder_walk *w = finder_walk_open(a.f, conds, 6, s->arena);
        OK(finder_walk_next(w, below, &seq, &stopped));
        assert_true(!stopped || (seq > 0 && seq < below));
        below = seq + 1;
        assert_true(++rounds < 100);
    } while (stopped);
    assert_int_equal(seq, 0);
    finder_close(a.f);
}

/* --- files --- */

static unsigned files(const char *dir)
{
    unsigned n = 0;
    const struct dirent *d;
    DIR *open = opendir(dir);
    while ((d = readdir(open)) != NULL)
        n += d->d_name[0] != '.';
    closedir(open);
    return n;
}

static void files_of_another_log_are_thrown_away(void **state)
{
    struct scene *s = *state;
    struct air a = {.log = 1};
    air_open(&a, s, 0, false);
    air_add(&a, 3 * FINDER_ENTRIES);
    finder_close(a.f);
    assert_int_equal(files(a.dir), 3);
    air_open(&a, s, 2 * FINDER_ENTRIES + 1,
             false); /* an older copy of the log: the last file is past its end */
    assert_int_equal(finder_next_entry(a.f), 2 * FINDER_ENTRIES + 1);
    finder_close(a.f);
    assert_int_equal(files(a.dir), 2);
    a.log = 2;
    air_open(&a, s, 2 * FINDER_ENTRIES, false);
    assert_int_equal(finder_next_entry(a.f), 1);
    finder_close(a.f);
    assert_int_equal(files(a.dir), 0);
}

static void a_torn_file_is_thrown_away_and_so_is_what_follows(void **state)
{
    struct scene *s = *state;
    struct air a = {.log = 1};
    char path[512];
    air_open(&a, s, 0, false);
    air_add(&a, 3 * FINDER_ENTRIES);
    finder_close(a.f);
    snprintf(path, sizeof(path), "%s/%016x-%016x", a.dir, FINDER_ENTRIES + 1, 2 * FINDER_ENTRIES);
    assert_int_equal(truncate(path, 5000), 0);
    snprintf(path, sizeof(path), "%s/new", a.dir);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    air_open(&a, s, 3 * FINDER_ENTRIES, false);
    assert_int_equal(finder_next_entry(a.f), FINDER_ENTRIES + 1);
    assert_int_equal(files(a.dir), 1);
    air_add(&a, 3 * FINDER_ENTRIES);
    expect_all(s, a.f, 3 * FINDER_ENTRIES);
    finder_close(a.f);
}

static void a_disk_that_is_full_costs_no_answer(void **state)
{
    struct scene *s = *state;
    struct air a = {.log = 1};
    air_open(&a, s, 0, false);
    air_add(&a, FINDER_ENTRIES);
    char aside[300];
    snprintf(aside, sizeof(aside), "%s.aside", a.dir);
    assert_int_equal(rename(a.dir, aside), 0);
    air_add(&a, 3 * FINDER_ENTRIES);
    expect_all(s, a.f, 3 * FINDER_ENTRIES);
    assert_int_equal(files(aside), 1);
    assert_int_equal(rename(aside, a.dir), 0);
    air_add(&a, 4 * FINDER_ENTRIES);
    expect_all(s, a.f, 4 * FINDER_ENTRIES);
    assert_int_equal(files(a.dir), 4);
    finder_close(a.f);
}

/* --- within the ledger --- */

static void a_ledger_finds_the_same_after_its_index_was_lost(void **state)
{
    struct scene *s = *state;
    char dir[300];
    for (unsigned i = 1; i <= 50; i++)
        scene_issue(s, i, i % 2 ? "dns:odd.example" : "dns:even.example");
    ledger_close(s->ledger);
    snprintf(dir, sizeof(dir), "%s/index", s->dir);
    scene_remove(dir);
    OK(core_open(&store_lmdb, s->dir, &(struct ledger_options){.map_bytes = s->map_bytes}, s->loop,
                 &s->ledger));
    struct ledger_page page;
    OK(ledger_search(s->ledger, &(struct ledger_query){.name = "dns:odd.example"}, s->arena, &page));
    assert_int_equal(page.n, 25);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_lies_under_each_domain_above_it),
        cmocka_unit_test(a_name_of_very_many_labels_is_found_under_them_all),
        cmocka_unit_test(an_address_lies_in_its_networks),
        cmocka_unit_test(days_cover_their_range),
        TEST(a_fingerprint_is_the_certificates_own),
        TEST(walks_find_what_a_scan_finds_across_merges_and_restarts),
        TEST(a_thread_of_its_own_changes_nothing),
        TEST(a_union_meets_a_condition),
        TEST(two_long_lists_that_never_meet_are_given_up_and_taken_up_again),
        TEST(files_of_another_log_are_thrown_away),
        TEST(a_torn_file_is_thrown_away_and_so_is_what_follows),
        TEST(a_disk_that_is_full_costs_no_answer),
        TEST(a_ledger_finds_the_same_after_its_index_was_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
