/* The table of processes: what each kind can open of a house, tried from inside its jail. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "landlock.h"

static const char *const folders[] = {"secret", "token", "roll", "lock",     "ledger",
                                      "shelf",  "front", "run",  "templates"};
static const char *const files[] = {"secret/pin",      "token/key",      "roll/roll.der",    "lock/main",
                                    "ledger/data.mdb", "shelf/data.mdb", "front/tls.key",    "roster.yaml",
                                    "softhsm2.conf",   "chancery.yaml",  "templates/a.yaml", "run/pid"};

struct house {
    struct arena *arena;
    char dir[64];
    struct config *config;
};

static const char *in(const struct house *h, const char *name)
{
    return arena_printf(h->arena, "%s/%s", h->dir, name);
}

static int setup(void **state)
{
    struct house *h = calloc(1, sizeof *h);
    h->arena = arena_new(1 << 20);
    snprintf(h->dir, sizeof h->dir, "/tmp/chancery-process-XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        assert_null(file_mkdir(in(h, folders[i]), 0700));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_null(file_write(in(h, files[i]), view_str("x"), 0600));
    const char *text = config_example(), *module = "/usr/lib/softhsm/libsofthsm2.so";
    const char *at = strstr(text, module);
    assert_non_null(at);
    const char *conf = "/etc/chancery/softhsm2.conf", *at_conf = strstr(text, conf);
    assert_non_null(at_conf);
    const char *yaml = arena_printf(h->arena, "%.*s/usr/bin/true%.*s%s/softhsm2.conf%s", (int)(at - text),
                                    text, (int)(at_conf - at - (long)strlen(module)), at + strlen(module),
                                    h->dir, at_conf + strlen(conf));
    assert_null(config_parse(in(h, "chancery.yaml"), view_str(yaml), &h->config));
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    struct house *h = *state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        remove(in(h, files[i]));
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        remove(in(h, folders[i]));
    remove(h->dir);
    config_free(h->config);
    arena_free(h->arena);
    free(h);
    return 0;
}

/* In a fork, jailed as this kind (MESSAGE_PROCESSES: not at all): 0 where the file opens, else errno. */
static int try_open(const struct house *h, enum message_process kind, const char *name, int flags)
{
    pid_t parent = getpid(), pid = fork();
    int status;

    if (pid == 0) {
        struct jail jail = {.parent = parent};
        struct jail_state state;
        if (kind < MESSAGE_PROCESSES) {
            jail.paths = process_paths(kind, 0, h->config, h->arena, &jail.n);
            struct err *e = jail_enter(&jail, &state);
            if (e)
                _exit(255);
        }
        _exit(open(in(h, name), flags | O_CLOEXEC, 0600) >= 0 ? 0 : errno);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* r: reads, w: reads and writes, -: neither. Order: vault, front, responder, courier. */
static const struct {
    const char *file, *who;
} matrix[] = {
    {"secret/pin", "----"},    {"roster.yaml", "----"},
    {"chancery.yaml", "----"}, {"templates/a.yaml", "----"},
    {"run/pid", "----"},       {"token/key", "w---"},
    {"roll/roll.der", "w---"}, {"lock/main", "w---"},
    {"softhsm2.conf", "r---"}, {"ledger/data.mdb", "-w--"},
    {"front/tls.key", "-w--"}, {"shelf/data.mdb", "-ww-"}, /* LMDB: same mode as its lock */
};

static void each_process_opens_its_own_and_nothing_else(void **state)
{
    const struct house *h = *state;
    if (landlock_abi() == 0)
        skip();
    for (size_t i = 0; i < sizeof matrix / sizeof *matrix; i++) {
        assert_int_equal(try_open(h, MESSAGE_PROCESSES, matrix[i].file, O_RDWR), 0); /* the control */
        for (int kind = 0; kind < MESSAGE_PROCESSES; kind++) {
            char may = matrix[i].who[kind];
            int reads = try_open(h, (enum message_process)kind, matrix[i].file, O_RDONLY);
            int writes = try_open(h, (enum message_process)kind, matrix[i].file, O_RDWR);
            if (reads != (may == '-' ? EACCES : 0) || writes != (may == 'w' ? 0 : EACCES))
                fail_msg("%s as %s: read %d, write %d, wanted '%c'", matrix[i].file,
                         process_row((enum message_process)kind)->name, reads, writes, may);
        }
    }
}

static void the_responder_makes_nothing_on_the_shelf(void **state)
{
    const struct house *h = *state;
    if (landlock_abi() == 0)
        skip();
    assert_int_equal(try_open(h, MESSAGE_RESPONDER, "shelf/new", O_RDWR | O_CREAT), EACCES);
    assert_int_equal(try_open(h, MESSAGE_FRONT, "shelf/new", O_RDWR | O_CREAT), 0);
    remove(in(h, "shelf/new"));
}

static void rows_have_names_and_a_body(void **state)
{
    (void)state;
    for (int i = 0; i < MESSAGE_PROCESSES; i++) {
        const struct process_row *row = process_row((enum message_process)i);
        assert_int_equal(process_of_name(row->name), i);
        assert_non_null(row->role->open);
        assert_int_equal(row->pin, i == MESSAGE_VAULT);
        assert_int_equal(row->listens == PROCESS_LISTENS_NOWHERE, i == MESSAGE_VAULT || i == MESSAGE_COURIER);
    }
    assert_int_equal(process_of_name("postman"), MESSAGE_PROCESSES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_process_opens_its_own_and_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(the_responder_makes_nothing_on_the_shelf, setup, teardown),
        cmocka_unit_test(rows_have_names_and_a_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
