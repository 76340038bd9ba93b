/* The seal roll: its form, its file, what is torn and what is changed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "roll_file.h"
#include "token_scene.h"

struct folder {
    char dir[32], path[64];
    struct arena *arena;
};

static int folder_setup(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    memcpy(f->dir, "/tmp/roll-XXXXXX", 17);
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof f->path, "%s/%s", f->dir, HSM_ROLL_FILE);
    f->arena = arena_new(16 << 20);
    *state = f;
    return 0;
}

static int folder_teardown(void **state)
{
    struct folder *f = *state;
    (void)unlink(f->path);
    (void)rmdir(f->dir);
    arena_free(f->arena);
    free(f);
    return 0;
}

static struct roll_file *open_roll(struct folder *f)
{
    struct roll_file *r = NULL;
    good(roll_file_open(f->dir, NULL, NULL, &r));
    return r;
}

static uint64_t add(struct roll_file *r, enum hsm_roll_kind kind, const char *key, uint8_t tag,
                    uint64_t extra)
{
    uint8_t hash[SHA256_BYTES], serial[SERIAL_BYTES] = {0x40, tag};
    memset(hash, tag, sizeof hash);
    struct hsm_roll_entry entry = {.key = view_str(key),
                                   .kind = kind,
                                   .serial = view_of(serial, kind == HSM_ROLL_CERT ? sizeof serial : 0),
                                   .template = view_str(kind == HSM_ROLL_CERT ? "server" : ""),
                                   .generation = 3,
                                   .tbs_sha256 = view_of(hash, sizeof hash),
                                   .extra = extra};
    return roll_file_add(r, &entry);
}

static void write_sync(struct roll_file *r)
{
    uint64_t n;
    good(roll_file_write(r));
    if (!roll_file_sync_begin(r))
        return;
    roll_file_sync_run(r);
    good(roll_file_sync_end(r, &n));
}

static void fill(struct folder *f, unsigned n)
{
    struct roll_file *r = open_roll(f);
    for (unsigned i = 0; i < n; i++)
        add(r, HSM_ROLL_CERT, "issuing", (uint8_t)(i + 1), 0);
    write_sync(r);
    roll_file_close(r);
}

static struct view content(struct folder *f)
{
    struct view ret;
    good(file_read(f->path, 16 << 20, f->arena, &ret));
    return ret;
}

static void put_content(struct folder *f, struct view bytes)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, file), bytes.n);
    fclose(file);
}

static void entries_come_back_as_they_were(void **state)
{
    struct folder *f = *state;
    struct roll_walk w;
    struct hsm_roll_entry entry;
    fill(f, 3);
    good(roll_walk_begin(content(f), &w));
    for (unsigned i = 1; i <= 3; i++) {
        good(roll_walk_next(&w, &entry));
        assert_int_equal(entry.n, i);
        assert_true(view_eq_str(entry.key, "issuing"));
        assert_int_equal(entry.kind, HSM_ROLL_CERT);
        assert_int_equal(entry.serial.p[1], i);
        assert_true(view_eq_str(entry.template, "server"));
        assert_int_equal(entry.generation, 3);
        assert_int_equal(entry.tbs_sha256.p[31], i);
    }
    assert_int_equal(w.left.n, 0);
}

static void numbers_and_chain_go_on_after_reopening(void **state)
{
    struct folder *f = *state;
    uint64_t n;
    uint8_t head[SHA256_BYTES];
    fill(f, 300);
    struct roll_file *r = open_roll(f);
    assert_int_equal(roll_file_n(r), 300);
    assert_int_equal(roll_file_synced(r), 300);
    assert_int_equal(add(r, HSM_ROLL_CERT, "issuing", 7, 0), 301);
    write_sync(r);
    roll_file_close(r);
    good(hsm_roll_verify(content(f), NULL, NULL, &n, head));
    assert_int_equal(n, 301);
}

static void every_flipped_octet_is_refused(void **state)
{
    struct folder *f = *state;
    fill(f, 4);
    struct view whole = content(f);
    for (size_t at = 0; at < whole.n; at++) {
        struct view bad = arena_dup(f->arena, whole);
        ((uint8_t *)(uintptr_t)bad.p)[at] ^= 0x04;
        struct err *e = hsm_roll_verify(bad, NULL, NULL, NULL, NULL);

        assert_int_equal(code_of(e), ERR_CORRUPT);
        put_content(f, bad);
        struct roll_file *r = NULL;
        e = roll_file_open(f->dir, NULL, NULL, &r);
        roll_file_close(r);
        if (!e)
            fail_msg("octet %zu flipped and the roll was opened", at);
        assert_int_equal(code_of(e), ERR_CORRUPT);
        assert_int_equal(content(f).n, whole.n); /* and left as it was */
    }
    put_content(f, whole);
    roll_file_close(open_roll(f)); /* the same file, unchanged, opens */
}

static void a_torn_end_is_cut_wherever_it_tore(void **state)
{
    struct folder *f = *state;
    fill(f, 2);
    struct view two = arena_dup(f->arena, content(f));
    unlink(f->path);
    fill(f, 2);
    struct roll_file *r = open_roll(f);
    two = content(f);
    add(r, HSM_ROLL_CERT, "issuing", 9, 0);
    write_sync(r);
    roll_file_close(r);
    struct view three = content(f);
    for (size_t n = two.n + 1; n < three.n; n++) {
        put_content(f, view_of(three.p, n));
        r = open_roll(f);
        assert_int_equal(roll_file_n(r), 2);
        roll_file_close(r);
        assert_true(view_eq(content(f), two));
    }
    put_content(f, three);
    r = open_roll(f);
    assert_int_equal(roll_file_n(r), 3);
    roll_file_close(r);
}

static void zeros_of_a_lost_page_are_cut(void **state)
{
    struct folder *f = *state;
    fill(f, 3);
    struct view whole = content(f);
    uint8_t *bytes = arena_alloc(f->arena, whole.n + 4096);
    memcpy(bytes, whole.p, whole.n);
    put_content(f, view_of(bytes, whole.n + 4096));
    struct roll_file *r = open_roll(f);
    assert_int_equal(roll_file_n(r), 3);
    roll_file_close(r);
    memset(bytes + whole.n - 50, 0, 50); /* the last entry's own end too */
    put_content(f, view_of(bytes, whole.n));
    r = open_roll(f);
    assert_int_equal(roll_file_n(r), 2);
    roll_file_close(r);
}

static void an_entry_left_out_is_refused(void **state)
{
    struct folder *f = *state;
    struct roll_walk w;
    struct hsm_roll_entry entry;
    fill(f, 3);
    struct view whole = content(f);
    good(roll_walk_begin(whole, &w));
    size_t first = w.at;
    good(roll_walk_next(&w, &entry));
    size_t second = w.at;
    uint8_t *bytes = arena_alloc(f->arena, whole.n);
    memcpy(bytes, whole.p, first);
    memcpy(bytes + first, whole.p + second, whole.n - second);
    assert_int_equal(
        code_of(hsm_roll_verify(view_of(bytes, whole.n - (second - first)), NULL, NULL, NULL, NULL)),
        ERR_CORRUPT);
}

static void a_newer_version_is_refused_by_name(void **state)
{
    struct folder *f = *state;
    fill(f, 1);
    struct view whole = arena_dup(f->arena, content(f));
    uint8_t *version = memmem(whole.p, whole.n, "chancery-roll\x02\x01\x01", 16);
    assert_non_null(version);
    version[15] = 2;
    struct err *e = hsm_roll_verify(whole, NULL, NULL, NULL, NULL);
    assert_non_null(strstr(err_detail(e), "version 2"));
    assert_int_equal(code_of(e), ERR_CORRUPT);
}

static void a_roll_that_is_not_ours_is_left_alone(void **state)
{
    struct folder *f = *state;
    struct roll_file *r = NULL;
    put_content(f, view_str("this is a text of more than thirty-two octets, and no roll"));
    assert_int_equal(code_of(roll_file_open(f->dir, NULL, NULL, &r)), ERR_CORRUPT);
}

static void crl_floors_are_kept_by_key(void **state)
{
    struct folder *f = *state;
    struct roll_file *r = open_roll(f);
    assert_int_equal(roll_file_crl_floor(r, view_str("issuing")), 0);
    add(r, HSM_ROLL_CRL, "issuing", 1, 17);
    add(r, HSM_ROLL_CRL, "root", 2, 4);
    add(r, HSM_ROLL_CRL, "issuing", 3, 18);
    write_sync(r);
    assert_int_equal(roll_file_crl_floor(r, view_str("issuing")), 18);
    roll_file_close(r);
    r = open_roll(f);
    assert_int_equal(roll_file_crl_floor(r, view_str("issuing")), 18);
    assert_int_equal(roll_file_crl_floor(r, view_str("root")), 4);
    roll_file_close(r);
}

static void nothing_is_durable_before_the_sync(void **state)
{
    struct folder *f = *state;
    struct roll_file *r = open_roll(f);
    uint64_t n;
    add(r, HSM_ROLL_CERT, "issuing", 1, 0);
    assert_false(roll_file_sync_begin(r)); /* not even written */
    good(roll_file_write(r));
    assert_int_equal(roll_file_synced(r), 0);
    assert_true(roll_file_sync_begin(r));
    assert_false(roll_file_sync_begin(r));
    add(r, HSM_ROLL_CERT, "issuing", 2, 0);
    good(roll_file_write(r));
    roll_file_sync_run(r);
    good(roll_file_sync_end(r, &n));
    assert_int_equal(n, 1); /* what came while it ran waits for the next */
    assert_int_equal(roll_file_synced(r), 1);
    write_sync(r);
    assert_int_equal(roll_file_synced(r), 2);
    roll_file_close(r);
}

static void reading_goes_on_where_it_stopped(void **state)
{
    struct folder *f = *state;
    uint64_t from = 250, next, seen = 0;
    fill(f, 700);
    struct roll_file *r = open_roll(f);
    while (from) {
        struct view entries;
        struct hsm_roll_entry entry;
        good(roll_file_read(r, from, 1000, 3000, f->arena, &entries, &next));
        for (; entries.n > 0; seen++) {
            good(hsm_roll_entry_read(&entries, &entry));
            assert_int_equal(entry.n, 250 + seen);
        }
        from = next;
    }
    assert_int_equal(seen, 451);
    struct view none;
    good(roll_file_read(r, 701, 10, 1000, f->arena, &none, &next));
    assert_int_equal(none.n, 0);
    roll_file_close(r);
}

static void a_hash_is_found_at_or_after_a_number(void **state)
{
    struct folder *f = *state;
    struct arena *arena = arena_new(16 << 20);
    uint8_t here[SHA256_BYTES], nowhere[SHA256_BYTES];
    memset(here, 5, sizeof here); /* entries 5, 261, 517: the tag is an octet */
    memset(nowhere, 0, sizeof nowhere);
    nowhere[0] = 1;
    const struct view hashes[] = {view_of(here, 32), view_of(nowhere, 32)};
    fill(f, 600);
    struct roll_file *r = open_roll(f);
    uint64_t ns[2] = {0}, next;
    good(roll_file_find(r, 1, hashes, 2, ns, arena, &next));
    assert_int_equal(ns[0], 5);
    assert_int_equal(ns[1], 0);
    assert_int_equal(next, 0);
    ns[0] = 0;
    good(roll_file_find(r, 300, hashes, 2, ns, arena, &next));
    assert_int_equal(ns[0], 517);
    roll_file_close(r);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)
        TEST(entries_come_back_as_they_were),     TEST(numbers_and_chain_go_on_after_reopening),
        TEST(every_flipped_octet_is_refused),     TEST(a_torn_end_is_cut_wherever_it_tore),
        TEST(zeros_of_a_lost_page_are_cut),       TEST(an_entry_left_out_is_refused),
        TEST(a_newer_version_is_refused_by_name), TEST(a_roll_that_is_not_ours_is_left_alone),
        TEST(crl_floors_are_kept_by_key),         TEST(nothing_is_durable_before_the_sync),
        TEST(reading_goes_on_where_it_stopped),   TEST(a_hash_is_found_at_or_after_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
