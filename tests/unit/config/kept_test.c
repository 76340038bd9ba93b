/* Kept generations: the newest first, none twice in a row, no more than so many, read back as they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_kept.h"

struct scene {
    char run[64];
    struct arena *arena;
};

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    snprintf(s->run, sizeof s->run, "/tmp/chancery-kept-XXXXXX");
    s->arena = arena_new((size_t)1 << 30);
    *state = s;
    return mkdtemp(s->run) ? 0 : 1;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    char folder[128];
    const struct config_kept *all;
    size_t n = 0;
    err_free(config_kept_list(s->run, s->arena, &all, &n));
    for (size_t i = 0; i < n; i++)
        unlink(all[i].path);
    snprintf(folder, sizeof folder, "%s/generations", s->run);
    rmdir(folder);
    rmdir(s->run);
    arena_free(s->arena);
    free(s);
    return 0;
}

static void ok(struct err *e)
{
    if (e)
        fail_msg("%s", err_detail(e));
}

static void keep(struct scene *s, uint32_t number, const char *text, int64_t at)
{
    const struct generation_file files[] = {{"chancery.yaml", view_str("demo: true\n")},
                                            {"templates/server.yaml", view_str(text)}};
    const struct generation g = {number, 2, files};
    ok(config_kept_add(s->run, &g, at, s->arena));
}

static void the_newest_comes_first_and_reads_back(void **state)
{
    struct scene *s = *state;
    const struct config_kept *all;
    struct generation g;
    size_t n;
    ok(config_kept_list(s->run, s->arena, &all, &n));
    assert_int_equal(n, 0);
    keep(s, 1, "a", 1000);
    keep(s, 2, "b", 2000);
    ok(config_kept_list(s->run, s->arena, &all, &n));
    assert_int_equal(n, 2);
    assert_int_equal(all[0].at, 2000);
    assert_int_equal(strlen(all[0].id), CONFIG_KEPT_ID);
    ok(config_kept_read(&all[0], s->arena, &g));
    assert_int_equal(g.number, 2);
    assert_true(view_eq_str(generation_find(&g, "templates/server.yaml")->bytes, "b"));
}

/* A restart counts generations anew; the files are what makes one. */
static void the_same_files_are_one_generation(void **state)
{
    struct scene *s = *state;
    const struct config_kept *all;
    size_t n;
    keep(s, 1, "a", 1000);
    keep(s, 7, "a", 2000);
    ok(config_kept_list(s->run, s->arena, &all, &n));
    assert_int_equal(n, 1);
    keep(s, 2, "b", 3000);
    keep(s, 3, "a", 4000);
    ok(config_kept_list(s->run, s->arena, &all, &n));
    assert_int_equal(n, 3);
    assert_string_equal(all[0].id, all[2].id);
    assert_string_not_equal(all[0].id, all[1].id);
}

static void the_oldest_go_and_a_clock_may_go_back(void **state)
{
    struct scene *s = *state;
    const struct config_kept *all;
    size_t n;
    for (int i = 0; i < CONFIG_KEPT_MAX + 5; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        keep(s, 1, text, 1000 + i);
    }
    ok(config_kept_list(s->run, s->arena, &all, &n));
    assert_int_equal(n, CONFIG_KEPT_MAX);
    assert_int_equal(all[n - 1].at, 1005);
    keep(s, 1, "last", 10);
    ok(config_kept_list(s->run, s->arena, &all, &n));
    struct generation g;
    ok(config_kept_read(&all[0], s->arena, &g));
    assert_true(view_eq_str(generation_find(&g, "templates/server.yaml")->bytes, "last"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest_comes_first_and_reads_back, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_files_are_one_generation, setup, teardown),
        cmocka_unit_test_setup_teardown(the_oldest_go_and_a_clock_may_go_back, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
