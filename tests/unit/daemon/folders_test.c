/* Folders of the house: made for one user each, and found wrong where others get in. */
#include "folders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

struct house {
    struct arena *arena;
    char dir[64];
    struct config *config;
    struct config_token token;
    struct users users;
    char wrong[4096];
};

static const char *in(struct house *h, const char *name)
{
    return arena_printf(h->arena, "%s/%s", h->dir, name);
}

static int setup(void **state)
{
    struct house *h = calloc(1, sizeof *h);
    h->arena = arena_new(1 << 20);
    snprintf(h->dir, sizeof h->dir, "/tmp/chancery-folders-XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    assert_null(config_parse(in(h, "chancery.yaml"), view_str(config_example()), &h->config));
    h->token = h->config->tokens[0];
    h->token.module = "/usr/bin/true"; /* SoftHSM need not be there */
    h->config->tokens = &h->token;
    for (int i = 0; i < MESSAGE_PROCESSES; i++)
        h->users.of[i] = (struct users_one){geteuid(), getegid()};
    assert_null(file_mkdir(in(h, "secret"), 0700));
    assert_null(file_mkdir(in(h, "token"), 0700));
    assert_null(file_write(in(h, "secret/pin"), view_str("1234\n"), 0600));
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"secret/pin", "secret", "token", "ledger", "shelf",
                                        "front",      "roll",   "lock",  "run",    ""};
    struct house *h = *state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)remove(in(h, names[i]));
    config_free(h->config);
    arena_free(h->arena);
    free(h);
    return 0;
}

static void on_finding(void *arg, bool wrong, const char *what)
{
    struct house *h = arg;
    size_t n = strlen(h->wrong);
    if (wrong)
        snprintf(h->wrong + n, sizeof h->wrong - n, "%s\n", what);
}

static bool well(struct house *h)
{
    h->wrong[0] = 0;
    return folders_check(h->config, &h->users, on_finding, h);
}

static unsigned mode_of(struct house *h, const char *name)
{
    struct stat st;
    assert_int_equal(stat(in(h, name), &st), 0);
    return st.st_mode & 07777;
}

static void what_is_missing_is_made_for_one_user(void **state)
{
    struct house *h = *state;
    assert_null(folders_make(h->config, &h->users));
    assert_int_equal(mode_of(h, "ledger"), 0700);
    assert_int_equal(mode_of(h, "shelf"), 0700);
    assert_int_equal(mode_of(h, "roll"), 0700);
    assert_int_equal(mode_of(h, "run"), 0755);
    assert_null(folders_make(h->config, &h->users)); /* twice is fine */
    assert_true(well(h));
}

static void an_open_folder_is_found(void **state)
{
    struct house *h = *state;
    assert_null(folders_make(h->config, &h->users));
    assert_int_equal(chmod(in(h, "roll"), 0750), 0);
    assert_false(well(h));
    assert_non_null(strstr(h->wrong, "roll: mode 0750"));
    assert_non_null(strstr(h->wrong, "chmod 0700"));
}

static void an_open_pin_is_found(void **state)
{
    struct house *h = *state;
    assert_null(folders_make(h->config, &h->users));
    assert_int_equal(chmod(in(h, "secret/pin"), 0644), 0);
    assert_false(well(h));
    assert_non_null(strstr(h->wrong, "secret/pin: mode 0644"));
}

static void a_missing_pin_and_a_link_are_found(void **state)
{
    struct house *h = *state;
    assert_null(folders_make(h->config, &h->users));
    assert_int_equal(remove(in(h, "secret/pin")), 0);
    assert_false(well(h));
    assert_non_null(strstr(h->wrong, "secret/pin: No such file"));
    assert_int_equal(symlink("/etc/hostname", in(h, "secret/pin")), 0);
    assert_false(well(h));
    assert_non_null(strstr(h->wrong, "not a plain file"));
}

static void a_missing_module_is_found(void **state)
{
    struct house *h = *state;
    struct config_token token = h->config->tokens[0];
    assert_null(folders_make(h->config, &h->users));
    token.module = in(h, "none.so");
    h->config->tokens = &token;
    assert_false(well(h));
    assert_non_null(strstr(h->wrong, "none.so: No such file"));
}

static void a_foreign_owner_is_found(void **state)
{
    struct house *h = *state;
    assert_null(folders_make(h->config, &h->users));
    h->users.of[MESSAGE_VAULT].uid = geteuid() + 1;
    assert_false(well(h));
    assert_non_null(strstr(h->wrong, "roll: belongs to user"));
    assert_null(strstr(h->wrong, "ledger:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_missing_is_made_for_one_user, setup, teardown),
        cmocka_unit_test_setup_teardown(an_open_folder_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(an_open_pin_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_missing_pin_and_a_link_are_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_missing_module_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_foreign_owner_is_found, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
