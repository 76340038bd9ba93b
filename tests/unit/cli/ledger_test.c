/* `chancery ledger verify` over the books of a real house: they agree, and what is missing or changed is
 * found. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli.h"
#include "house_scene.h"

static struct {
    char roll[128];
    int spoiled;
} the;

static int setup(void **state)
{
    house_setup(state);
    struct house *h = *state;
    snprintf(the.roll, sizeof the.roll, "%s/roll/roll.der", h->dir);
    for (int i = 0; i < 5; i++) {
        struct house_issued got;
        struct house_revoked gone;
        house_good(h, "v.example.internal", &got);
        if (i == 0)
            house_revoke(h, house_asker(h, CA_ROLE_ADMIN, "roster:a"),
                         view_of(got.serial_bytes, SERIAL_BYTES), CERT_REASON_SUPERSEDED, &gone);
    }
    house_quiet(h);
    return 0;
}

/* What the command says, with its output kept out of the test's. */
static struct err *verify(struct house *h, const char *roll, json_t **ret)
{
    char *argv[] = {(char *)"--ledger", h->ledger_dir, (char *)"--roll", (char *)(uintptr_t)roll, NULL};
    struct cli c = {.json = true, .config_path = "/nonexistent", .arena = arena_new(64u << 20)};
    char path[128];
    snprintf(path, sizeof path, "%s/out", h->dir);
    fflush(stdout);
    int kept = dup(1), out = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(out, 1);
    struct err *e = ledger_verify_run(&c, 4, argv);
    fflush(stdout);
    dup2(kept, 1);
    close(kept);
    close(out);
    *ret = json_load_file(path, 0, NULL);
    arena_free(c.arena);
    return e;
}

static json_int_t number(json_t *json, const char *member)
{
    json_t *value = json_object_get(json, member);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

/* The three CA certificates of the ceremony stand in the roll alone: this scene's ledger began with the
 * front.
 */
static void the_books_of_a_house(void **state)
{
    struct house *h = *state;
    json_t *json;
    struct err *e = verify(h, the.roll, &json);
    err_free(e);
    assert_non_null(json);
    assert_int_equal(number(json, "intents"), 5);
    assert_int_equal(number(json, "records"), 5);
    assert_int_equal(number(json, "open"), 0);
    assert_int_equal(number(json, "revoked"), 1);
    assert_int_equal(number(json, "seals_cert"), 8);
    size_t i;
    json_t *finding;
    json_array_foreach(json_object_get(json, "findings"), i, finding)
    {
        print_message("  (%s)\n", json_string_value(json_object_get(finding, "what")));
    }
    assert_int_equal(json_array_size(json_object_get(json, "findings")),
                     4); /* each of the three, and the sum */
    json_decref(json);
}

/* A copy of the roll, changed. */
static const char *spoil(struct house *h, void (*how)(uint8_t *bytes, size_t *n))
{
    struct view file;
    char *path = arena_printf(h->arena, "%s/spoiled-%d", h->dir, the.spoiled++);
    OK(file_read(the.roll, 1 << 20, h->arena, &file));
    uint8_t *bytes = arena_alloc(h->arena, file.n);
    memcpy(bytes, file.p, file.n);
    size_t n = file.n;
    how(bytes, &n);
    OK(file_write(path, view_of(bytes, n), 0600));
    return path;
}

static void flip(uint8_t *bytes, size_t *n)
{
    bytes[*n / 2] ^= 1;
}

static void cut_an_entry(uint8_t *bytes, size_t *n)
{
    (void)bytes;
    *n = *n * 2 / 3; /* the last whole entry is read, what is recorded above it is missing in the roll */
}

static void a_changed_roll_is_no_roll(void **state)
{
    json_t *json;
    struct err *e = verify(*state, spoil(*state, flip), &json);
    assert_non_null(e);
    assert_int_equal(err_code(e), ERR_CORRUPT);
    err_free(e);
    json_decref(json);
}

static void a_roll_that_lost_its_end_is_found(void **state)
{
    json_t *json;
    struct err *e = verify(*state, spoil(*state, cut_an_entry), &json);
    assert_non_null(e);
    if (json)
        assert_true(json_array_size(json_object_get(json, "findings")) > 2);
    err_free(e);
    json_decref(json);
}

static void what_is_not_there(void **state)
{
    json_t *json;
    struct err *e = verify(*state, "/nonexistent/roll.der", &json);
    assert_non_null(e);
    err_free(e);
    json_decref(json);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_books_of_a_house),
        cmocka_unit_test(a_changed_roll_is_no_roll),
        cmocka_unit_test(a_roll_that_lost_its_end_is_found),
        cmocka_unit_test(what_is_not_there),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, setup, house_teardown);
}
