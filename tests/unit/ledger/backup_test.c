/* Backups: whole and in parts, checked to the last bit, replayed to any entry, and what holds after that. */
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
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger_backup.h"
#include "ledger_verify.h"
#include "scene.h"

struct places {
    char copy[96], made[96];
};

static struct places places_of(const struct scene *s)
{
    struct places p;
    snprintf(p.copy, sizeof(p.copy), "%s/backup", s->dir);
    snprintf(p.made, sizeof(p.made), "%s/made", s->dir);
    return p;
}

/* Every rule that replaying must keep: tokens, keys, ends of all kinds, holds, lists. 13 entries. */
static void fill(struct scene *s)
{
    struct ledger_entry token = scene_token(1, 9), intents[4];
    struct ledger_entry crl = {.kind = LEDGER_CRL,
                               .issuer = "issuing",
                               .body.crl = {.number = 7, .this_update = 1, .next_update = 2, .n = 4}};
    struct ledger_entry let_go = {
        .kind = LEDGER_RELEASE, .issuer = "issuing", .serial = scene_serial(1), .body.note.what = "found"};
    scene_put(s, &token);
    for (unsigned i = 0; i < 4; i++) {
        intents[i] = scene_intent(i + 1, "dns:a.example");
        intents[i].body.intent.token = scene_hash(1);
        intents[i].body.intent.idempotency = scene_hash((uint8_t)(0x80 + i));
        intents[i].body.intent.partition = i % 2;
        scene_put(s, &intents[i]); /* 2 to 5 */
    }
    struct ledger_entry after[] = {scene_record(2, 1), scene_record(3, 2),
                                   scene_revoke(2, 1), scene_close(4, LEDGER_SEALED_LOST),
                                   scene_revoke(1, 6), let_go,
                                   scene_revoke(1, 4)};
    after[3].body.close.n = 3;
    for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++)
        scene_put(s, &after[i]); /* 6 to 12 */
    crl.body.crl.sha256 = scene_hash(0);
    scene_put(s, &crl); /* 13 */
}

static void found(void *arg, uint64_t seq, const char *what)
{
    (void)arg;
    fail_msg("entry %llu: %s", (unsigned long long)seq, what);
}

static void agrees(struct ledger *l)
{
    struct ledger_verify_report report;
    const struct ledger_verify how = {.on_finding = found};
    OK(ledger_verify(l, &how, &report));
}

static struct ledger *restore(const struct places *p, uint64_t until, int64_t until_ms,
                              struct ledger_restored *ret)
{
    struct ledger *l = NULL;
    OK(ledger_restore(&(struct ledger_restore){p->copy, p->made, until, until_ms}, &l, ret));
    return l;
}

static void what_was_backed_up_is_restored_entry_for_entry(void **state)
{
    struct scene *s = *state;
    struct places p = places_of(s);
    struct ledger_backup_report made, checked;
    struct ledger_restored restored;
    struct ledger_head head;
    fill(s);
    OK(ledger_head(s->ledger, &head));
    OK(ledger_backup(s->ledger, p.copy, &made));
    assert_int_equal(made.from, 1);
    assert_int_equal(made.to, 13);
    OK(ledger_backup_check(p.copy, &checked));
    assert_int_equal(checked.to, 13);
    assert_memory_equal(checked.root, head.root, SHA256_BYTES);
    struct ledger *l = restore(&p, 0, 0, &restored);
    assert_int_equal(restored.entries, 13);
    assert_memory_equal(restored.root, head.root, SHA256_BYTES);
    assert_int_equal(restored.last_time_ms, head.last_time_ms);
    agrees(l);
    struct ledger_cert cert;
    OK(ledger_find(l, "issuing", scene_serial(2), s->arena, &cert));
    assert_int_equal(cert.state, LEDGER_STATE_REVOKED);
    ledger_close(l);
}

static void a_further_backup_adds_what_has_come_since(void **state)
{
    struct scene *s = *state;
    struct places p = places_of(s);
    struct ledger_backup_report made;
    struct ledger_restored restored;
    fill(s);
    OK(ledger_backup(s->ledger, p.copy, &made));
    OK(ledger_backup(s->ledger, p.copy, &made));
    assert_int_equal(made.files, 0);
    scene_issue(s, 20, "dns:later.example");
    OK(ledger_backup(s->ledger, p.copy, &made));
    assert_int_equal(made.from, 14);
    assert_int_equal(made.to, 15);
    OK(ledger_backup_check(p.copy, &made));
    assert_int_equal(made.files, 2);
    struct ledger *l = restore(&p, 0, 0, &restored);
    assert_int_equal(restored.entries, 15);
    agrees(l);
    ledger_close(l);
}

static void it_is_restored_to_an_entry_or_a_time(void **state)
{
    struct scene *s = *state;
    struct places p = places_of(s);
    struct ledger_backup_report made;
    struct ledger_restored restored;
    const struct ledger_entry *log;
    size_t n;
    fill(s);
    OK(ledger_backup(s->ledger, p.copy, &made));
    struct ledger *l = restore(&p, 7, 0, &restored);
    assert_int_equal(restored.entries, 7);
    agrees(l);
    struct ledger_cert cert;
    OK(ledger_find(l, "issuing", scene_serial(2), s->arena, &cert));
    assert_int_equal(cert.state, LEDGER_STATE_RECORDED);
    ledger_close(l);
    scene_remove(p.made);
    OK(ledger_log(s->ledger, 1, 100, s->arena, &log, &n));
    uint64_t want = 0;
    for (size_t i = 0; i < n; i++)
        want += log[i].time_ms <= log[8].time_ms;
    l = restore(&p, 0, log[8].time_ms, &restored);
    assert_int_equal(restored.entries, want);
    agrees(l);
    ledger_close(l);
    struct ledger *none = NULL;
    scene_remove(p.made);
    FAILS(ERR_NOT_FOUND, ledger_restore(&(struct ledger_restore){p.copy, p.made, 99, 0}, &none, &restored));
}

static void another_ledger_is_no_further_part_of_it(void **state)
{
    struct scene *s = *state, *other;
    struct places p = places_of(s);
    struct ledger_backup_report made;
    fill(s);
    OK(ledger_backup(s->ledger, p.copy, &made));
    assert_int_equal(scene_setup((void **)&other), 0);
    scene_issue(other, 1, "dns:other.example");
    FAILS(ERR_WRONG_STATE, ledger_backup(other->ledger, p.copy, &made));
    for (unsigned i = 2; i < 20; i++)
        scene_issue(other, i, "dns:other.example");
    FAILS(ERR_WRONG_STATE, ledger_backup(other->ledger, p.copy, &made));
    scene_teardown((void **)&other);
}

static void nothing_is_written_over_a_ledger(void **state)
{
    struct scene *s = *state;
    struct places p = places_of(s);
    struct ledger_backup_report made;
    struct ledger_restored restored;
    struct ledger *l = NULL;
    fill(s);
    OK(ledger_backup(s->ledger, p.copy, &made));
    FAILS(ERR_WRONG_STATE, ledger_restore(&(struct ledger_restore){p.copy, s->dir, 0, 0}, &l, &restored));
    assert_null(l);
}

/* The only file of the backup. */
static void file_of(const struct places *p, char ret[512])
{
    const struct dirent *entry;
    DIR *d = opendir(p->copy);
    assert_non_null(d);
    while ((entry = readdir(d)) != NULL)
        if (strstr(entry->d_name, ".entries"))
            snprintf(ret, 512, "%s/%s", p->copy, entry->d_name);
    closedir(d);
}

static void every_bit_that_flips_is_found(void **state)
{
    struct scene *s = *state;
    struct places p = places_of(s);
    struct ledger_backup_report made;
    struct stat st;
    char path[512];
    fill(s);
    OK(ledger_backup(s->ledger, p.copy, &made));
    file_of(&p, path);
    int fd = open(path, O_RDWR);
    assert_int_equal(fstat(fd, &st), 0);
    uint8_t *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(bytes != MAP_FAILED);
    close(fd);
    for (off_t i = 0; i < st.st_size; i++) {
        uint8_t bit = (uint8_t)(1u << (i % 8));
        bytes[i] ^= bit;
        struct err *e = ledger_backup_check(p.copy, &made);
        if (!e)
            fail_msg("a bit flipped at octet %lld was not found", (long long)i);
        assert_true(err_code(e) == ERR_CORRUPT || err_code(e) == ERR_WRONG_STATE);
        assert_non_null(strstr(err_detail(e), ".entries"));
        err_free(e);
        bytes[i] ^= bit;
    }
    munmap(bytes, (size_t)st.st_size);
    OK(ledger_backup_check(p.copy, &made));
}

static void one_that_is_cut_short_or_missing_is_found(void **state)
{
    struct scene *s = *state;
    struct places p = places_of(s);
    struct ledger_backup_report made;
    struct stat st;
    char path[512];
    fill(s);
    OK(ledger_backup(s->ledger, p.copy, &made));
    file_of(&p, path);
    scene_issue(s, 20, "dns:later.example");
    OK(ledger_backup(s->ledger, p.copy, &made));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size / 2), 0);
    FAILS(ERR_CORRUPT, ledger_backup_check(p.copy, &made));
    assert_int_equal(unlink(path), 0);
    FAILS(ERR_CORRUPT, ledger_backup_check(p.copy, &made));
}

/* --- after a restoration --- */

static struct ledger_entry unrecorded(unsigned serial)
{
    return (struct ledger_entry){
        .kind = LEDGER_UNRECORDED,
        .issuer = "issuing",
        .serial = scene_serial(serial),
        .body.stray = {
            .n = serial, .sealed_at = 1000, .template = "server", .tbs_sha256 = scene_hash((uint8_t)serial)}};
}

static void a_loss_waits_until_it_is_accepted(void **state)
{
    struct scene *s = *state;
    struct places p = places_of(s);
    struct ledger_backup_report made;
    struct ledger_restored restored;
    struct ledger_head head;
    fill(s);
    OK(ledger_backup(s->ledger, p.copy, &made));
    struct ledger *l = restore(&p, 0, 0, &restored);
    assert_int_equal(ledger_restored_by(l), 14);
    struct ledger_entry accept = {.kind = LEDGER_ACCEPT_LOSS, .ref = 13, .body.note.what = "why"};
    FAILS(ERR_WRONG_STATE, ledger_append_wait(l, &accept, NULL));
    ledger_close(l);
    OK(ledger_open(p.made, NULL, NULL, &l));
    OK(ledger_head(l, &head));
    assert_int_equal(head.restored, 14);
    assert_int_equal(ledger_restored_by(l), 14);
    accept.ref = 14;
    OK(ledger_append_wait(l, &accept, NULL));
    assert_int_equal(ledger_restored_by(l), 0);
    FAILS(ERR_WRONG_STATE, ledger_append_wait(l, &accept, NULL));
    agrees(l);
    ledger_close(l);
}

static void what_the_roll_alone_knows_is_listed_and_revocable(void **state)
{
    struct scene *s = *state;
    struct ledger_entry first = unrecorded(50), second = unrecorded(51), revoke = scene_revoke(50, 1);
    struct ledger_query q = {.status = LEDGER_IS_UNRECORDED};
    struct ledger_page page;
    struct ledger_status status;
    fill(s);
    scene_put(s, &first);
    scene_put(s, &second);
    OK(ledger_search(s->ledger, &q, s->arena, &page));
    assert_int_equal(page.n, 2);
    OK(ledger_status(s->ledger, "issuing", scene_serial(50), &status));
    assert_int_equal(status.answer, LEDGER_UNKNOWN);
    scene_put(s, &revoke);
    OK(ledger_status(s->ledger, "issuing", scene_serial(50), &status));
    assert_int_equal(status.answer, LEDGER_REVOKED);
    OK(ledger_search(s->ledger, &q, s->arena, &page));
    assert_int_equal(page.n, 1);
    assert_int_equal(page.certs[0].seal.n, 51);
    assert_int_equal(scene_append(s, &second).code, ERR_SERIAL);
    scene_reopen(s);
    agrees(s->ledger);
}

static void a_hold_of_one_that_the_roll_alone_knows_ends_where_it_began(void **state)
{
    struct scene *s = *state;
    struct ledger_entry first = unrecorded(50), hold = scene_revoke(50, 6);
    struct ledger_entry let_go = {
        .kind = LEDGER_RELEASE, .issuer = "issuing", .serial = scene_serial(50), .body.note.what = "found"};
    struct ledger_cert cert;
    scene_put(s, &first);
    scene_put(s, &hold);
    scene_put(s, &let_go);
    OK(ledger_find(s->ledger, "issuing", scene_serial(50), s->arena, &cert));
    assert_int_equal(cert.state, LEDGER_STATE_UNRECORDED);
    agrees(s->ledger);
}

static void lists_are_numbered_above_the_published_ones(void **state)
{
    struct scene *s = *state;
    struct ledger_entry floor = {
        .kind = LEDGER_LIST_FLOOR, .issuer = "issuing", .body.note = {.what = "published", .number = 41}};
    uint64_t number;
    fill(s);
    OK(ledger_list_number(s->ledger, "issuing", &number));
    assert_int_equal(number, 7);
    scene_put(s, &floor);
    floor.body.note.number = 12;
    scene_put(s, &floor);
    OK(ledger_list_number(s->ledger, "issuing", &number));
    assert_int_equal(number, 41);
    agrees(s->ledger);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_backed_up_is_restored_entry_for_entry),
        TEST(a_further_backup_adds_what_has_come_since),
        TEST(it_is_restored_to_an_entry_or_a_time),
        TEST(another_ledger_is_no_further_part_of_it),
        TEST(nothing_is_written_over_a_ledger),
        TEST(every_bit_that_flips_is_found),
        TEST(one_that_is_cut_short_or_missing_is_found),
        TEST(a_loss_waits_until_it_is_accepted),
        TEST(what_the_roll_alone_knows_is_listed_and_revocable),
        TEST(a_hold_of_one_that_the_roll_alone_knows_ends_where_it_began),
        TEST(lists_are_numbered_above_the_published_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
