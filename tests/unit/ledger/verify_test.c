/* Verification: an untouched ledger passes; each kind of damage is found, at its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core.h"
#include "ledger_verify.h"
#include "scene.h"

enum { SEALS_MAX = 32 };

struct books {
    struct ledger_seal seals[SEALS_MAX];
    uint8_t hashes[SEALS_MAX][SHA256_BYTES];
    size_t n, at;
    uint64_t seq; /* of the last finding */
    char what[512];
    struct ledger_verify_report report;
};

static struct err *next_seal(void *arg, struct ledger_seal *ret, bool *ret_more)
{
    struct books *b = arg;
    *ret_more = b->at < b->n;
    if (*ret_more)
        *ret = b->seals[b->at++];
    return NULL;
}

static void found(void *arg, uint64_t seq, const char *what)
{
    struct books *b = arg;
    b->seq = seq;
    snprintf(b->what, sizeof(b->what), "%s", what);
}

static uint64_t verify(struct scene *s, struct books *b, bool roll, bool live)
{
    struct ledger_verify how = {
        .next_seal = roll ? next_seal : NULL, .on_finding = found, .arg = b, .live = live};
    b->at = 0;
    OK(ledger_verify(s->ledger, &how, &b->report));
    return b->report.findings;
}

static void seal(struct books *b, unsigned kind, const struct ledger_entry *intent)
{
    struct ledger_seal *to = &b->seals[b->n];
    uint8_t *hash = b->hashes[b->n++];
    *to = (struct ledger_seal){
        .n = b->n, .kind = kind, .issuer = view_str("issuing"), .serial = intent->serial};
    digest_sha256(intent->body.intent.tbs, hash);
    to->tbs_sha256 = view_of(hash, SHA256_BYTES);
}

/* Entries 1 to 12: a token; four intents, each sealed but the fourth; recorded, revoked, lost, never sealed,
 * open; a list. In the roll: 1, 2, 3 certificates, 4 a list, 5 an answer. */
static void fill(struct scene *s, struct books *b)
{
    static const struct ledger_entry list = {
        .kind = LEDGER_CRL,
        .issuer = "issuing",
        .body.crl = {.number = 1, .this_update = 1, .next_update = 2, .n = 4}};
    struct ledger_entry token = scene_token(1, 9), crl = list, intents[5];
    scene_put(s, &token); /* 1 */
    for (unsigned i = 0; i < 5; i++) {
        static const char *const names[] = {"dns:a.example", "dns:b.example", "dns:c.example",
                                            "dns:d.example", "dns:e.example"};
        intents[i] = scene_intent(i + 1, names[i]);
        intents[i].body.intent.token = scene_hash(1);
        intents[i].body.intent.idempotency = scene_hash((uint8_t)(0x80 + i));
        intents[i].request = "marker-in-the-header";
        scene_put(s, &intents[i]); /* 2 to 6 */
        if (i < 3)
            seal(b, LEDGER_SEAL_CERT, &intents[i]);
    }
    struct ledger_entry after[] = {scene_record(2, 1), scene_record(3, 2), scene_revoke(2, 1),
                                   scene_close(4, LEDGER_SEALED_LOST), scene_close(5, LEDGER_NEVER_SEALED)};
    after[3].body.close.n = 3;
    after[0].body.record.alg = "marker-in-the-body";
    for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++)
        scene_put(s, &after[i]); /* 7 to 11 */
    crl.body.crl.sha256 = scene_hash(0);
    scene_put(s, &crl); /* 12 */
    seal(b, LEDGER_SEAL_CRL, &intents[0]);
    seal(b, LEDGER_SEAL_OCSP, &intents[0]);
}

static void an_untouched_ledger_passes(void **state)
{
    struct scene *s = *state;
    struct books b = {0};
    struct ledger_head head;
    fill(s, &b);
    if (verify(s, &b, true, false) != 0)
        fail_msg("%llu: %s", (unsigned long long)b.seq, b.what);
    OK(ledger_head(s->ledger, &head));
    assert_memory_equal(b.report.root, head.root, SHA256_BYTES);
    assert_int_equal(b.report.entries, 12);
    assert_int_equal(b.report.intents, 5);
    assert_int_equal(b.report.records, 2);
    assert_int_equal(b.report.closed, 2);
    assert_int_equal(b.report.closed_sealed, 1);
    assert_int_equal(b.report.open, 1);
    assert_int_equal(b.report.revoked, 2);
    assert_int_equal(b.report.seals, 5);
    assert_int_equal(b.report.seals_cert, 3);
    assert_int_equal(b.report.seals_ocsp, 1);
    assert_int_equal(b.report.sealed_open, 0);
}

static void an_empty_ledger_passes(void **state)
{
    struct scene *s = *state;
    struct books b = {0};
    assert_int_equal(verify(s, &b, true, false), 0);
    assert_int_equal(b.report.entries, 0);
}

/* Flips one bit in each copy of the text that lies in the file. */
static void flip(const struct scene *s, const char *text)
{
    char path[128];
    struct stat st;
    size_t n = strlen(text), hits = 0;
    snprintf(path, sizeof(path), "%s/data.mdb", s->dir);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    uint8_t *p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(p != MAP_FAILED);
    for (uint8_t *at = p; (at = memmem(at, (size_t)(p + st.st_size - at), text, n)) != NULL; at += n, hits++)
        at[n / 2] ^= 1;
    munmap(p, (size_t)st.st_size);
    close(fd);
    assert_true(hits > 0);
}

static void a_flipped_bit_in_a_body_is_found_at_its_entry(void **state)
{
    struct scene *s = *state;
    struct books b = {0};
    fill(s, &b);
    flip(s, "marker-in-the-body");
    struct ledger_verify how = {.arg = &b};
    OK(ledger_verify(s->ledger, &how, &b.report));
    assert_true(b.report.findings > 0);
    struct ledger_cert cert;
    FAILS(ERR_CORRUPT, ledger_cert_at(s->ledger, 2, s->arena, &cert));
}

static void first(void *arg, uint64_t seq, const char *what)
{
    struct books *b = arg;
    if (b->seq == 0)
        found(b, seq, what);
}

static void the_first_finding_names_the_entry(void **state)
{
    struct scene *s = *state;
    struct books b = {0};
    fill(s, &b);
    flip(s, "marker-in-the-body");
    struct ledger_verify how = {.on_finding = first, .arg = &b};
    OK(ledger_verify(s->ledger, &how, &b.report));
    assert_int_equal(b.seq, 7);
}

static void a_flipped_bit_in_a_header_is_found_at_its_entry(void **state)
{
    struct scene *s = *state;
    struct books b = {0};
    struct ledger_entry note = {.kind = LEDGER_NOTE, .actor = "a-single-marker", .body.note.what = "x"};
    fill(s, &b);
    scene_put(s, &note);
    flip(s, "a-single-marker");
    struct ledger_verify how = {.on_finding = first, .arg = &b};
    OK(ledger_verify(s->ledger, &how, &b.report));
    assert_int_equal(b.seq, 13);
    assert_int_equal(b.report.findings, 2); /* the leaf, and the tree */
}

static void opening_looks_at_the_tail(void **state)
{
    struct scene *s = *state;
    struct books b = {0};
    struct ledger *again = NULL;
    struct ledger_options o = {.map_bytes = s->map_bytes};
    struct ledger_entry note = {.kind = LEDGER_NOTE, .actor = "a-single-marker", .body.note.what = "x"};
    fill(s, &b);
    scene_put(s, &note);
    ledger_close(s->ledger);
    s->ledger = NULL;
    flip(s, "a-single-marker");
    FAILS(ERR_CORRUPT, ledger_open(s->dir, &o, s->loop, &again));
}

/* --- indexes --- */

static void put(struct scene *s, enum table table, struct view key, struct view value)
{
    struct store_txn *t;
    OK(s->ledger->ops->begin(s->ledger->store, true, &t));
    if (value.p)
        OK(s->ledger->ops->put(t, table, key, value, STORE_PUT));
    else
        OK(s->ledger->ops->del(t, table, key));
    OK(s->ledger->ops->commit(t));
}

static const struct view nothing = {(const uint8_t *)"", 0}, gone = {NULL, 0};

static void a_missing_or_surplus_row_is_found(void **state)
{
    struct scene *s = *state;
    struct books b = {0};
    fill(s, &b);
    struct {
        enum table table;
        struct key key;
        uint64_t seq;
    } rows[] = {{TABLE_SERIAL, key_serial("issuing", scene_serial(1)), 2},
                {TABLE_CERT, key_seq(3), 3},
                {TABLE_GONE, key_seq(3), 3},
                {TABLE_OPEN, key_seq(6), 6},
                {TABLE_REVOKED, key_serial("issuing", scene_serial(3)), 4},
                {TABLE_LEAF, key_seq(9), 9},
                {TABLE_IDEM, key_bytes(scene_hash(0x80)), 2},
                {TABLE_TOKEN, key_bytes(scene_hash(1)), 1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct store_txn *t;
        struct view was;
        OK(s->ledger->ops->begin(s->ledger->store, false, &t));
        OK(s->ledger->ops->get(t, rows[i].table, key_view(&rows[i].key), &was));
        assert_non_null(was.p);
        was = arena_dup(s->arena, was);
        s->ledger->ops->abort(t);
        put(s, rows[i].table, key_view(&rows[i].key), gone);
        b.seq = 0;
        struct ledger_verify how = {.on_finding = first, .arg = &b};
        OK(ledger_verify(s->ledger, &how, &b.report));
        assert_int_equal(b.seq, rows[i].seq);
        put(s, rows[i].table, key_view(&rows[i].key), was);
        assert_int_equal(verify(s, &b, true, false), 0);
    }
    struct key more = key_seq(2);
    put(s, TABLE_GONE, key_view(&more), nothing);
    assert_int_equal(verify(s, &b, true, false), 1);
}

static void what_the_index_of_files_lacks_or_makes_up_is_found(void **state)
{
    struct scene *s = *state;
    struct books b = {0};
    fill(s, &b);
    struct finder *whole = s->ledger->finder;
    OK(finder_open(&(struct finder_setup){.dir = s->dir, .readonly = true}, &s->ledger->finder));
    struct ledger_entry none = {.kind = LEDGER_NOTE};
    while (finder_next_entry(s->ledger->finder) < finder_next_entry(whole)) {
        none.seq = finder_next_entry(s->ledger->finder);
        finder_add(s->ledger->finder, &none, NULL);
    }
    assert_true(verify(s, &b, true, false) >= 5); /* each intent and record, and the count */
    finder_close(s->ledger->finder);
    s->ledger->finder = whole;
    assert_int_equal(verify(s, &b, true, false), 0);
}

static void a_changed_status_is_found(void **state)
{
    struct scene *s = *state;
    struct books b = {0};
    fill(s, &b);
    struct key k = key_seq(3); /* it is revoked */
    struct cert_row row = {.state = LEDGER_STATE_RECORDED, .record = 8, .not_after = 2000000000};
    struct row_bytes bytes = rows_pack(&row, sizeof(row));
    put(s, TABLE_CERT, key_view(&k), view_of(bytes.b, bytes.n));
    assert_int_equal(verify(s, &b, true, false), 1);
    assert_int_equal(b.seq, 3);
}

/* --- the roll --- */

static void a_seal_without_an_intent_is_found(void **state)
{
    struct scene *s = *state;
    struct books b = {0};
    struct ledger_entry other = scene_intent(99, "dns:z.example");
    fill(s, &b);
    seal(&b, LEDGER_SEAL_CERT, &other);
    assert_true(verify(s, &b, true, false) > 0);
    assert_non_null(strstr(b.what, "seals, but") ? b.what : strstr(b.what, "no intent"));
}

static void a_seal_that_is_older_than_its_intent_is_found(void **state)
{
    struct scene *s = *state;
    struct books b = {0};
    fill(s, &b);
    struct ledger_entry late = scene_intent(50, "dns:late.example");
    late.body.intent.roll_floor = 6;
    uint64_t seq = scene_put(s, &late);
    seal(&b, LEDGER_SEAL_CERT, &late); /* number 6 */
    assert_int_equal(verify(s, &b, true, false), 1);
    assert_int_equal(b.seq, seq);
}

static void sealed_twice_is_found(void **state)
{
    struct scene *s = *state;
    struct books b = {0};
    fill(s, &b);
    struct ledger_entry same = scene_intent(5, "dns:e.example");
    seal(&b, LEDGER_SEAL_CERT, &same);
    assert_int_equal(verify(s, &b, true, false), 0); /* an open intent that was sealed */
    assert_int_equal(b.report.sealed_open, 1);
    seal(&b, LEDGER_SEAL_CERT, &same);
    assert_true(verify(s, &b, true, false) > 0);
}

static void never_sealed_but_in_the_roll_is_found(void **state)
{
    struct scene *s = *state;
    struct books b = {0};
    fill(s, &b);
    struct ledger_entry same = scene_intent(4, "dns:d.example");
    seal(&b, LEDGER_SEAL_CERT, &same);
    assert_int_equal(verify(s, &b, true, false), 1);
    assert_int_equal(b.seq, 5);
}

static void a_record_without_a_seal_is_found_unless_the_roll_is_older(void **state)
{
    struct scene *s = *state;
    struct books b = {0};
    fill(s, &b);
    uint64_t seq = scene_issue(s, 60, "dns:new.example"); /* its record names seal 60 */
    assert_true(verify(s, &b, true, false) > 0);
    assert_int_equal(b.report.newer, 0);
    struct ledger_verify how = {.next_seal = next_seal, .on_finding = first, .arg = &b};
    b.at = 0;
    b.seq = 0;
    OK(ledger_verify(s->ledger, &how, &b.report));
    assert_int_equal(b.seq, seq);
    assert_int_equal(verify(s, &b, true, true), 0);
    assert_int_equal(b.report.newer, 1);
    assert_int_equal(b.report.newest[0], 60);
}

static void a_record_with_the_wrong_number_is_found(void **state)
{
    struct scene *s = *state;
    struct books b = {0};
    fill(s, &b);
    struct ledger_seal second = b.seals[1];
    b.seals[1].tbs_sha256 = b.seals[0].tbs_sha256;
    b.seals[1].serial = b.seals[0].serial;
    b.seals[0].tbs_sha256 = second.tbs_sha256;
    b.seals[0].serial = second.serial;
    assert_int_equal(verify(s, &b, true, false), 2);
}

static void a_gap_in_the_roll_is_found(void **state)
{
    struct scene *s = *state;
    struct books b = {0};
    fill(s, &b);
    b.seals[4].n = 6;
    assert_int_equal(verify(s, &b, true, false), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_untouched_ledger_passes),
        TEST(an_empty_ledger_passes),
        TEST(a_flipped_bit_in_a_body_is_found_at_its_entry),
        TEST(the_first_finding_names_the_entry),
        TEST(a_flipped_bit_in_a_header_is_found_at_its_entry),
        TEST(opening_looks_at_the_tail),
        TEST(a_missing_or_surplus_row_is_found),
        TEST(what_the_index_of_files_lacks_or_makes_up_is_found),
        TEST(a_changed_status_is_found),
        TEST(a_seal_without_an_intent_is_found),
        TEST(a_seal_that_is_older_than_its_intent_is_found),
        TEST(sealed_twice_is_found),
        TEST(never_sealed_but_in_the_roll_is_found),
        TEST(a_record_without_a_seal_is_found_unless_the_roll_is_older),
        TEST(a_record_with_the_wrong_number_is_found),
        TEST(a_gap_in_the_roll_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
