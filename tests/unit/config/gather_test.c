/* What belongs to a generation, read from a folder. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

struct house {
    struct arena *arena;
    char dir[64];
};

static void put(struct house *h, const char *name, const char *text)
{
    struct err *e = file_write(arena_printf(h->arena, "%s/%s", h->dir, name), view_str(text), 0600);
    assert_null(e);
}

static void folder(struct house *h, const char *name)
{
    struct err *e = file_mkdir(arena_printf(h->arena, "%s/%s", h->dir, name), 0700);
    assert_null(e);
}

static int setup(void **state)
{
    struct house *h = calloc(1, sizeof *h);
    h->arena = arena_new(8 << 20);
    snprintf(h->dir, sizeof h->dir, "/tmp/chancery-gather-XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    folder(h, "templates");
    folder(h, "issuers");
    put(h, "chancery.yaml", config_example());
    put(h, "roster.yaml", "quorum: 1\n");
    put(h, "issuers/root.pem", "root");
    put(h, "issuers/issuing.pem", "issuing");
    put(h, "templates/server.yaml", "description: x\n");
    put(h, "templates/.hidden.yaml", "no");
    put(h, "templates/README", "no");
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"templates/server.yaml",
                                        "templates/.hidden.yaml",
                                        "templates/README",
                                        "templates/odd name.yaml",
                                        "issuers/root.pem",
                                        "issuers/issuing.pem",
                                        "roster.yaml",
                                        "roster.sigs",
                                        "chancery.yaml",
                                        "templates",
                                        "issuers",
                                        ""};
    struct house *h = *state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)remove(arena_printf(h->arena, "%s/%s", h->dir, names[i]));
    arena_free(h->arena);
    free(h);
    return 0;
}

static struct err *gathered(struct house *h, struct generation *g)
{
    struct err *e = NULL;
    struct config *c = NULL;
    struct view bytes;

    TRY(config_load(arena_printf(h->arena, "%s/chancery.yaml", h->dir), h->arena, &bytes, &c));
    TRY(config_gather(c, bytes, 7, h->arena, g));
out:
    config_free(c);
    return e;
}

static void all_files_come_under_their_names(void **state)
{
    struct house *h = *state;
    struct generation g = {0};
    struct err *e = gathered(h, &g);
    assert_null(e);
    assert_int_equal(g.number, 7);
    assert_int_equal(g.n, 5);
    assert_non_null(generation_find(&g, "chancery.yaml"));
    assert_non_null(generation_find(&g, "roster.yaml"));
    assert_true(view_eq_str(generation_find(&g, "issuers/issuing.pem")->bytes, "issuing"));
    assert_non_null(generation_find(&g, "templates/server.yaml"));
    assert_null(generation_find(&g, "roster.sigs"));
}

static void signatures_of_the_roster_are_optional(void **state)
{
    struct house *h = *state;
    struct generation g = {0};
    put(h, "roster.sigs", "x");
    struct err *e = gathered(h, &g);
    assert_null(e);
    assert_non_null(generation_find(&g, "roster.sigs"));
}

static void what_is_missing_is_named(void **state)
{
    struct house *h = *state;
    struct generation g = {0};
    (void)unlink(arena_printf(h->arena, "%s/issuers/root.pem", h->dir));
    struct err *e = gathered(h, &g);
    assert_non_null(e);
    assert_non_null(strstr(err_detail(e), "issuers/root.pem"));
    err_free(e);
}

static void odd_names_do_not_get_into_a_generation(void **state)
{
    struct house *h = *state;
    struct generation g = {0};
    uint8_t sha[SHA256_BYTES];
    int fd = -1;
    put(h, "templates/odd name.yaml", "x");
    struct err *e = gathered(h, &g);
    assert_null(e);
    e = generation_seal(&g, sha, &fd);
    assert_non_null(e);
    assert_non_null(strstr(err_detail(e), "odd name"));
    err_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_files_come_under_their_names, setup, teardown),
        cmocka_unit_test_setup_teardown(signatures_of_the_roster_are_optional, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_missing_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(odd_names_do_not_get_into_a_generation, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
