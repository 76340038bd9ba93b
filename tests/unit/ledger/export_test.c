/* An export: what was written reads back and verifies; a bit flipped anywhere in it is found, and mostly with
 * its place; an end that is missing, entries that are left out, and a head of the roll over another tree are
 * found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "ledger_export.h"
#include "scene.h"

enum { FILE_BYTES = 64 * 1024 };

struct file {
    uint8_t b[FILE_BYTES];
    size_t n;
};

static struct err *give(void *arg, struct view octets)
{
    struct file *f = arg;
    assert_true(f->n + octets.n <= sizeof f->b);
    memcpy(f->b + f->n, octets.p, octets.n);
    f->n += octets.n;
    return NULL;
}

struct said {
    uint64_t findings, placed;
    char last[512];
};

static void found(void *arg, uint64_t seq, const char *what)
{
    struct said *s = arg;
    s->findings++;
    s->placed += seq != 0;
    snprintf(s->last, sizeof s->last, "%s", what);
}

static void verify(const struct file *f, const struct ledger_export_head *heads, size_t n, struct said *ret)
{
    struct ledger_export_file x;
    struct ledger_verify_report report;
    *ret = (struct said){0};
    struct err *e = ledger_export_open(view_of(f->b, f->n), &x);
    const struct ledger_verify_export how = {
        .how = {.on_finding = found, .arg = ret}, .heads = heads, .heads_n = n};
    if (!e)
        e = ledger_verify_export(&x, &how, &report);
    if (e)
        found(ret, 1, err_detail(e));
    err_free(e);
}

/* A token, three certificates (one revoked, one open), a list. */
static struct file *exported(struct scene *s)
{
    struct file *f = calloc(1, sizeof *f);
    struct ledger_head head;
    assert_non_null(f);
    struct ledger_entry token = scene_token(1, 9), revoke = scene_revoke(1, 4),
                        open = scene_intent(3, "dns:c.example");
    scene_put(s, &token);
    scene_issue(s, 1, "dns:a.example");
    scene_issue(s, 2, "dns:b.example");
    scene_put(s, &revoke);
    scene_put(s, &open);
    OK(ledger_head(s->ledger, &head));
    const struct ledger_export x = {.entries = head.entries, .now_ms = 1700000000000, .give = give, .arg = f};
    OK(ledger_export(s->ledger, &x));
    return f;
}

static void what_was_written_verifies(void **state)
{
    struct scene *s = *state;
    struct said said;
    struct ledger_export_head heads[2] = {{.n = 1, .size = 3}, {.n = 2, .size = 7}};
    struct tree t = {0};
    struct file *f = exported(s);
    verify(f, NULL, 0, &said);
    if (said.findings)
        fail_msg("%s", said.last);
    const struct ledger_entry *entries;
    size_t n;
    OK(ledger_log(s->ledger, 1, 10, s->arena, &entries, &n));
    assert_int_equal(n, 7);
    for (size_t i = 0; i < n; i++) {
        tree_add(&t, entries[i].leaf);
        if (i == 2)
            tree_root(&t, heads[0].root);
    }
    tree_root(&t, heads[1].root);
    verify(f, heads, 2, &said);
    assert_int_equal(said.findings, 0);
    heads[0].root[3] ^= 1;
    verify(f, heads, 2, &said);
    assert_int_equal(said.findings, 1);
    assert_int_equal(said.placed, 1);
    heads[0].root[3] ^= 1;
    heads[1].size = 8;
    verify(f, heads, 2, &said);
    assert_int_equal(said.findings, 1);
    assert_non_null(strstr(said.last, "taken back"));
    free(f);
}

static void each_flipped_bit_is_found(void **state)
{
    struct said said;
    struct file *f = exported(*state);
    uint64_t placed = 0;
    for (size_t i = 0; i < f->n; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            f->b[i] ^= (uint8_t)(1u << bit);
            verify(f, NULL, 0, &said);
            f->b[i] ^= (uint8_t)(1u << bit);
            if (said.findings == 0)
                fail_msg("bit %u of octet %zu", bit, i);
            placed += said.placed > 0;
        }
    assert_true(placed > f->n * 8 * 9 / 10); /* the rest are the head's time and the end */
    free(f);
}

static void what_is_cut_off_is_found(void **state)
{
    struct said said;
    struct file *f = exported(*state);
    for (size_t n = f->n; n-- > 0;) {
        f->n = n;
        verify(f, NULL, 0, &said);
        assert_true(said.findings > 0);
    }
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_written_verifies, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(each_flipped_bit_is_found, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(what_is_cut_off_is_found, scene_setup, scene_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
