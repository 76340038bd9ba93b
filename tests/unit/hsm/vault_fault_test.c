/*
 * The vault when the world fails it: full disk, a sync that fails, a token that goes, a clock that leaps.
 * Linked with the test world; the page that steers it is made here, before this program starts anew with it.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/world.h"
#include "vault_scene.h"
#include "world_test.h"

static struct world_page *page;

static int rule(const char *name, enum world_action action, int64_t value, const char *path)
{
    struct world_rule like = {.action = action, .value = value};
    snprintf(like.name, sizeof like.name, "%s", name);
    snprintf(like.path, sizeof like.path, "%s", path);
    int ret = world_page_rule(page, &like);
    assert_true(ret >= 0);
    return ret;
}

static unsigned long long signs(void)
{
    return world_page_count(page, "token.C_Sign", NULL);
}

static int setup(void **state)
{
    world_page_clear(page, -1);
    atomic_store(&page->wall_offset_ms, 0);
    atomic_store(&page->mono_offset_ms, 0);
    return vault_scene_setup(state);
}

static int teardown(void **state)
{
    world_page_clear(page, -1);
    return vault_scene_teardown(state);
}

static enum err_code seal(struct vault_scene *s, int fd)
{
    uint64_t n;
    struct view tbs, signature;
    struct err *e = vault_scene_seal(s, fd, &tbs, &n, &signature);
    if (e)
        print_message("  (%s: %s)\n", err_row(err_code(e))->name, err_detail(e));
    return code_of(e);
}

static void a_full_disk_stops_the_seal_before_the_signature(void **state)
{
    struct vault_scene *s = *state;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    assert_int_equal(seal(s, fd), ERR__COUNT);
    unsigned long long before = signs();
    int full = rule("pwrite", WORLD_ERRNO, 28 /* ENOSPC */, "roll.der");
    assert_int_equal(seal(s, fd), ERR_NO_SPACE);
    assert_int_equal(signs(), before);
    assert_int_equal(vault_scene_roll_count(s), 3);
    world_page_clear(page, full);
    assert_int_equal(seal(s, fd), ERR__COUNT); /* and goes on by itself */
    assert_int_equal(vault_scene_roll_count(s), 4);
    close(fd);
}

static void a_short_write_leaves_no_half_entry(void **state)
{
    struct vault_scene *s = *state;
    struct world_rule like = {.action = WORLD_ERRNO, .value = 28, .after = 1, .times = 1, .name = "pwrite"};
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    assert_true(world_page_rule(page, &like) >= 0);
    rule("pwrite", WORLD_SHORT, 20, "roll.der");
    assert_int_equal(seal(s, fd), ERR_NO_SPACE);
    assert_int_equal(vault_scene_roll_count(s), 2);
    world_page_clear(page, -1);
    assert_int_equal(seal(s, fd), ERR__COUNT);
    assert_int_equal(vault_scene_roll_count(s), 3);
    close(fd);
}

static void a_failed_sync_shows_no_signature_and_loses_no_entry(void **state)
{
    struct vault_scene *s = *state;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    assert_int_equal(seal(s, fd), ERR__COUNT);
    int bad = rule("fdatasync", WORLD_ERRNO, 5 /* EIO */, "roll.der");
    assert_int_equal(seal(s, fd), ERR_IO);
    world_page_clear(page, bad);
    assert_int_equal(seal(s, fd), ERR__COUNT);
    assert_int_equal(vault_scene_roll_count(s), 5); /* two of the ceremony, three here: the lost one too */
    close(fd);
    vault_scene_stop(s);
    good(vault_scene_start(s));
}

static bool readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) == 1;
}

static void send_one(struct vault_scene *s, int fd)
{
    uint8_t serial[SERIAL_BYTES];
    vault_scene_lease(s, fd, "issuing", serial);
    struct cert_tbs tbs = vault_scene_tbs(s, serial);
    vault_scene_send(s, fd, FRAMES_SEAL_CERT,
                     vault_scene_cert_body(s, "issuing", "server", shape_bytes(&tbs, s->arena)), -1);
}

static void expect_one(struct vault_scene *s, int fd)
{
    uint64_t id;
    struct view body;
    assert_true(readable(fd, 10000));
    good(vault_scene_receive(s, fd, &id, &body));
}

static void wait_for(const char *what, unsigned long long n)
{
    for (int i = 0; i < 5000 && world_page_count(page, what, NULL) < n; i++)
        usleep(1000);
    assert_true(world_page_count(page, what, NULL) >= n);
}

static void the_roll_has_it_before_the_token_signs(void **state)
{
    struct vault_scene *s = *state;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    unsigned long long before = signs(), rolled = world_page_count(page, "vault.rolled", NULL);
    int stall = rule("vault.rolled", WORLD_STALL, 0, "");
    send_one(s, fd);
    wait_for("vault.rolled", rolled + 1);
    assert_int_equal(vault_scene_roll_count(s), 3);
    assert_int_equal(signs(), before);
    world_page_clear(page, stall);
    expect_one(s, fd);
    assert_int_equal(signs(), before + 1);
    close(fd);
}

static void nothing_is_answered_before_the_roll_is_durable(void **state)
{
    struct vault_scene *s = *state;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    unsigned long long before = signs();
    int stall = rule("fdatasync", WORLD_STALL, 0, "roll.der");
    send_one(s, fd);
    wait_for("token.C_Sign", before + 1);
    assert_false(readable(fd, 100));
    /* what asks the roll waits too */
    struct der_out out;
    struct view body;
    der_out_init(&out, s->arena, 64);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, 1);
    der_put_uint(&out, 10);
    der_finish(&out, m);
    good(der_out_done(&out, &body));
    vault_scene_send(s, fd, FRAMES_ROLL_READ, body, -1);
    assert_false(readable(fd, 100));
    world_page_clear(page, stall);
    expect_one(s, fd);
    expect_one(s, fd);
    close(fd);
}

static void a_token_that_fails_is_away_and_comes_back(void **state)
{
    struct vault_scene *s = *state;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    enum err_code code = ERR_TOKEN_AWAY;
    assert_int_equal(seal(s, fd), ERR__COUNT);
    int gone = rule("token.C_SignInit", WORLD_RESULT, 0x32 /* CKR_DEVICE_REMOVED */, "");
    assert_int_equal(seal(s, fd), ERR_TOKEN_AWAY);
    uint64_t rolled = vault_scene_roll_count(s);
    assert_int_equal(seal(s, fd), ERR_TOKEN_AWAY);
    assert_int_equal(vault_scene_roll_count(s), rolled); /* known to be away: not even rolled */
    world_page_clear(page, gone);
    for (int i = 0; i < 100 && code == ERR_TOKEN_AWAY; i++) {
        usleep(100000);
        code = seal(s, fd);
    }
    assert_int_equal(code, ERR__COUNT);
    close(fd);
}

static void dates_are_held_to_the_vaults_clock(void **state)
{
    struct vault_scene *s = *state;
    uint8_t serial[SERIAL_BYTES];
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    vault_scene_lease(s, fd, "issuing", serial);
    struct cert_tbs tbs = vault_scene_tbs(s, serial);
    struct view body = vault_scene_cert_body(s, "issuing", "server", shape_bytes(&tbs, s->arena));
    atomic_store(&page->wall_offset_ms, (long long)25 * 3600 * 1000);
    assert_int_equal(code_of(vault_scene_ask(s, fd, FRAMES_SEAL_CERT, body, -1, NULL)), ERR_FLOOR);
    atomic_store(&page->wall_offset_ms, (long long)-3600 * 1000);
    assert_int_equal(code_of(vault_scene_ask(s, fd, FRAMES_SEAL_CERT, body, -1, NULL)), ERR_FLOOR);
    atomic_store(&page->wall_offset_ms, 0);
    good(vault_scene_ask(s, fd, FRAMES_SEAL_CERT, body, -1, NULL));
    close(fd);
}

static void do_reload(void *arg)
{
    struct vault_scene *s = arg;
    struct templates *templates = shape_templates();
    struct hsm_vault_config next = s->config;
    next.generation++;
    good(hsm_vault_prepare(s->v, &next, &templates));
    hsm_vault_commit(s->v);
}

static void the_generation_before_counts_for_a_minute(void **state)
{
    struct vault_scene *s = *state;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    vault_scene_run(s, do_reload, s);
    assert_int_equal(seal(s, fd), ERR__COUNT);
    atomic_store(&page->mono_offset_ms, 61 * 1000);
    assert_int_equal(seal(s, fd), ERR_GENERATION);
    s->config.generation++;
    assert_int_equal(seal(s, fd), ERR__COUNT);
    close(fd);
}

static void closing_with_seals_under_way_forgets_none(void **state)
{
    struct vault_scene *s = *state;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    unsigned long long before = signs();
    int slow = rule("fdatasync", WORLD_DELAY, 200, "roll.der");
    for (int i = 0; i < 5; i++)
        send_one(s, fd);
    wait_for("token.C_Sign", before + 1);
    vault_scene_stop(s);
    assert_true(vault_scene_roll_count(s) - 2 >= signs() - before);
    world_page_clear(page, slow);
    close(fd);
    good(vault_scene_start(s));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_full_disk_stops_the_seal_before_the_signature),
        TEST(a_short_write_leaves_no_half_entry),
        TEST(a_failed_sync_shows_no_signature_and_loses_no_entry),
        TEST(the_roll_has_it_before_the_token_signs),
        TEST(nothing_is_answered_before_the_roll_is_durable),
        TEST(a_token_that_fails_is_away_and_comes_back),
        TEST(dates_are_held_to_the_vaults_clock),
        TEST(the_generation_before_counts_for_a_minute),
        TEST(closing_with_seals_under_way_forgets_none),
    };
    char path[] = "/tmp/vault-page-XXXXXX";
    const char *made = getenv("CHANCERY_WORLD");
    (void)argc;
    if (!made) {
        int fd = mkstemp(path);
        if (fd < 0 || close(fd) != 0 || unlink(path) != 0 || !world_page_create(path))
            return 1;
        setenv("CHANCERY_WORLD", path, 1);
        execv("/proc/self/exe", argv);
        return 1;
    }
    page = world_page_open(made);
    (void)unlink(made);
    return page ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
