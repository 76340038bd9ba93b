/* Every cell of the table of paths and roles, walked over the real door; and the manual's copy of it, and of
 * errors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "door.h"
#include "house.h"

struct row {
    const char *method, *path;
    int roles;
};
enum {
    ANYBODY = ASKER_NOBODY,
    ASKERS = ASKER_ANY,
    ASKS = ASKER_ASKS,
    ENDS = ASKER_ENDS,
    STOPS = ASKER_STOPS,
    STAFF = ASKER_STAFF,
    RUNS = ASKER_RUNS,
    RULES = ASKER_RULES
};

static const struct row rows[] = {
#define ROUTE(method, path, handle, max_bytes, who) {#method, path, who},
#include "rest/routes.def"
#undef ROUTE
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* Segments filled in with something that is well formed and not there. */
static const char *target(struct house *h, const char *pattern)
{
    const char *brace = strchr(pattern, '{');
    if (!brace)
        return pattern;
    return target(h, arena_printf(h->arena, "%.*s%s%s", (int)(brace - pattern), pattern,
                                  "4000000000000000000000000000000000000000", strchr(brace, '}') + 1));
}

static bool refused_for_who(const struct said *s)
{
    return s->status == 401 || (s->status == 403 && strstr(s->detail, "this needs the role"));
}

/* One cell; 1 where it is not as the table says. */
static int walk(struct door *d, const struct row *row, enum door_who who, int bit)
{
    bool open = row->roles == ANYBODY || strcmp(row->path, "/metrics") == 0; /* that one over loopback */
    bool allowed = open || (bit && row->roles & bit);
    bool posts = strcmp(row->method, "POST") == 0 && strstr(row->path, "confirm") == NULL &&
                 strstr(row->path, "execute") == NULL;
    struct said s = door_ask(d, who, row->method, target(d->h, row->path),
                             "Content-Type: application/json\r\n", view_str(posts ? "{\"x\": 1}" : ""));
    bool wrong = s.status == 0 || refused_for_who(&s) == allowed;
    if (wrong)
        print_error("%s %s as %d: %d %s\n", row->method, row->path, who, s.status, s.detail);
    said_free(&s);
    return wrong;
}

static void every_cell_is_as_the_table_says(void **state)
{
    static const struct {
        enum door_who who;
        int bit; /* 0: no credentials */
    } columns[] = {{NOBODY, 0},
                   {REQUESTER, 1 << CA_ROLE_REQUESTER},
                   {HOLDER, 1 << CA_ROLE_REQUESTER},
                   {OPERATOR, 1 << CA_ROLE_OPERATOR},
                   {AUDITOR, 1 << CA_ROLE_AUDITOR},
                   {ADMIN, 1 << CA_ROLE_ADMIN},
                   {AGENT, 1 << CA_ROLE_ENROLL_AGENT},
                   {LOCAL, 1 << CA_ROLE_ADMIN | 1 << CA_ROLE_OPERATOR}}; /* the owner is both */
    struct door *d = *state;
    int bad = 0;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
            bad += walk(d, &rows[i], columns[c].who, columns[c].bit);
    assert_int_equal(bad, 0);
}

/* Where the kernel says root, and the installation is another's. Only root can be root. */
static void root_breaks_the_glass_and_no_more(void **state)
{
    struct door *d = *state;
    uid_t owner = d->enroll->setup.control_uid;
    int bad = 0;
    if (getuid() != 0)
        skip();
    d->enroll->setup.control_uid = 1;
    for (size_t i = 0; i < ROWS; i++)
        bad += walk(d, &rows[i], LOCAL, 1 << CA_ROLE_ROOT);
    d->enroll->setup.control_uid = owner;
    assert_int_equal(bad, 0);
}

static char *read_doc(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, DOC_DIR "/%s", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char *text = calloc(1, 1 << 20);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
    fclose(f);
    return text;
}

static void the_manual_has_the_same_table(void **state)
{
    static const int order[] = {CA_ROLE_REQUESTER, CA_ROLE_ENROLL_AGENT, CA_ROLE_OPERATOR,
                                CA_ROLE_AUDITOR,   CA_ROLE_ADMIN,        CA_ROLE_ROOT};
    struct door *d = *state;
    char *text = read_doc("REST.md");
    for (size_t i = 0; i < ROWS; i++) {
        bool open = rows[i].roles == ANYBODY;
        const char *line =
            arena_printf(d->h->arena, "\n| `%s %s` |%s |", rows[i].method, rows[i].path, open ? " yes" : "");
        for (int k = 0; k < 6; k++)
            line = arena_printf(d->h->arena, "%s%s |", line,
                                open || rows[i].roles & 1 << order[k] ? " yes" : "");
        if (!strstr(text, arena_printf(d->h->arena, "%s\n", line)))
            fail_msg("doc/REST.md lacks the row%s", line);
    }
    size_t lines = 0;
    for (const char *at = text; (at = strstr(at, "\n| `")) != NULL; at++)
        lines += strncmp(at, "\n| `GET ", 8) == 0 || strncmp(at, "\n| `POST ", 9) == 0 ||
                 strncmp(at, "\n| `DELETE ", 11) == 0 || strncmp(at, "\n| `PUT ", 8) == 0 ||
                 strncmp(at, "\n| `PATCH ", 10) == 0;
    assert_int_equal(lines, ROWS);
    free(text);
}

static void the_manual_has_every_error(void **state)
{
    struct door *d = *state;
    char *text = read_doc("ERRORS.md");
    size_t lines = 0;
    for (int code = 0; code < ERR__COUNT; code++) {
        const struct err_row *row = err_row((enum err_code)code);
        const char *retry = row->retry_s ? arena_printf(d->h->arena, "%d s", row->retry_s) : "-";
        const char *line = arena_printf(d->h->arena, "\n| `%s` | %d | %s | %s |\n", row->type,
                                        row->http_status, retry, row->title);
        if (!strstr(text, line))
            fail_msg("doc/ERRORS.md lacks the row%s", line);
    }
    for (const char *at = text; (at = strstr(at, "\n| `")) != NULL; at++)
        lines++;
    assert_int_equal(lines, ERR__COUNT);
    free(text);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_is_as_the_table_says),
        cmocka_unit_test(root_breaks_the_glass_and_no_more),
        cmocka_unit_test(the_manual_has_the_same_table),
        cmocka_unit_test(the_manual_has_every_error),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, door_setup, door_teardown);
}
