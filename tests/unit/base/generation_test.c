/* Generations: there and back, and what is refused. */
#include "base/generation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/der.h"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(8 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct generation sample(void)
{
    static const struct generation_file files[] = {
        {"chancery.yaml", {(const uint8_t *)"a: b\n", 5}},
        {"templates/server.yaml", {(const uint8_t *)"\0\xff", 2}},
        {"roster.yaml", {NULL, 0}},
    };
    return (struct generation){.number = 3, .n = 3, .files = files};
}

static void sealed_and_opened_it_is_the_same(void **state)
{
    (void)state;
    struct generation g = sample(), back;
    uint8_t sealed[SHA256_BYTES], opened[SHA256_BYTES];
    int fd = -1;

    assert_null(generation_seal(&g, sealed, &fd));
    assert_int_equal(write(fd, "x", 1), -1);
    assert_null(generation_open(fd, arena, &back, opened));
    assert_memory_equal(sealed, opened, SHA256_BYTES);
    assert_int_equal(back.number, 3);
    assert_int_equal(back.n, 3);
    assert_true(view_eq(generation_find(&back, "templates/server.yaml")->bytes, g.files[1].bytes));
    assert_int_equal(generation_find(&back, "roster.yaml")->bytes.n, 0);
    assert_null(generation_find(&back, "server.yaml"));
    close(fd);
}

static void what_is_not_sealed_is_refused(void **state)
{
    (void)state;
    struct generation g = sample(), back;
    uint8_t sha[SHA256_BYTES];
    struct view der;
    int fd = memfd_create("x", MFD_ALLOW_SEALING | MFD_CLOEXEC);

    assert_null(generation_encode(&g, arena, &der));
    assert_int_equal(write(fd, der.p, der.n), (ssize_t)der.n);
    struct err *e = generation_open(fd, arena, &back, sha);
    assert_non_null(e);
    err_free(e);
    close(fd);
}

static void odd_names_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"",     "/etc/passwd", "../x",     "a/../b", "a//b",
                                        "a/",   ".hidden",     "a/.b",     "a b",    "a\nb",
                                        "a\\b", "\xc3\xa4",    "roster:1", "a*"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct generation_file f = {names[i], {NULL, 0}};
        struct generation g = {.number = 1, .n = 1, .files = &f};
        struct view der;
        struct err *e = generation_encode(&g, arena, &der);
        if (!e)
            fail_msg("accepted: '%s'", names[i]);
        assert_int_equal(err_code(e), ERR_CONFIG);
        err_free(e);
    }
}

static void a_name_stands_once(void **state)
{
    (void)state;
    const struct generation_file files[] = {{"a", {NULL, 0}}, {"b", {NULL, 0}}, {"a", {NULL, 0}}};
    struct generation g = {.number = 1, .n = 3, .files = files};
    struct view der;
    struct err *e = generation_encode(&g, arena, &der);
    assert_non_null(e);
    assert_non_null(strstr(err_detail(e), "'a'"));
    err_free(e);
}

static struct view by_hand(uint64_t version, const char *first, const char *second, bool tail)
{
    struct der_out out;
    struct view der = {0};
    der_out_init(&out, arena, 4096);
    size_t whole = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, version);
    der_put_uint(&out, 9);
    size_t files = der_begin(&out, DER_SEQUENCE);
    for (int i = 0; i < 2; i++) {
        size_t file = der_begin(&out, DER_SEQUENCE);
        der_put_text(&out, i == 0 ? first : second);
        der_put_octets(&out, view_str("x"));
        der_finish(&out, file);
    }
    der_finish(&out, files);
    if (tail)
        der_put_null(&out);
    der_finish(&out, whole);
    assert_null(der_out_done(&out, &der));
    return der;
}

static void reading_is_as_strict_as_writing(void **state)
{
    (void)state;
    struct generation g;
    assert_null(generation_decode(by_hand(1, "a", "b", false), arena, &g)); /* the control */
    const struct view bad[] = {by_hand(2, "a", "b", false), by_hand(1, "a", "a", false),
                               by_hand(1, "a", "../b", false), by_hand(1, "a", "b", true)};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err *e = generation_decode(bad[i], arena, &g);
        assert_non_null(e);
        err_free(e);
    }
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    struct generation g = sample(), back;
    struct view der;
    assert_null(generation_encode(&g, arena, &der));
    for (size_t n = 0; n < der.n; n++) {
        struct err *e = generation_decode(view_of(der.p, n), arena, &back);
        assert_non_null(e);
        err_free(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sealed_and_opened_it_is_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_sealed_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(odd_names_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_stands_once, setup, teardown),
        cmocka_unit_test_setup_teardown(reading_is_as_strict_as_writing, setup, teardown),
        cmocka_unit_test_setup_teardown(every_cut_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
