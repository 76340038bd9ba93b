/* chancery cert list: one page for eyes or as JSON, or all of them as they come, for programs. */
#include <stdio.h>
#include <string.h>

#include "select.h"

enum { PAGE_ARENA_BYTES = 256 << 20 };

/* Page by page, each with memory of its own. */
static struct err *stream(struct cli *c, const char *conditions, const char *type)
{
    struct err *e = NULL;
    char cursor[256] = "";
    struct cli page = *c;
    do {
        const char *text, *next;
        page.arena = arena_new(PAGE_ARENA_BYTES);
        const char *path = arena_printf(page.arena, "/v1/certificates?limit=1000%s%s%s", conditions,
                                        cursor[0] ? "&cursor=" : "", cursor);
        e = cli_get_page(&page, path, type, &text, &next);
        if (!e) {
            fputs(text, stdout);
            snprintf(cursor, sizeof cursor, "%s", next ? next : "");
        }
        arena_free(page.arena);
    } while (!e && cursor[0]);
    return e;
}

static struct err *type_of(const char *format, const char **ret)
{
    *ret = strcmp(format, "csv") == 0     ? "text/csv"
           : strcmp(format, "jsonl") == 0 ? "application/x-ndjson"
                                          : NULL;
    return *ret ? NULL : cli_usage("--all is csv or jsonl, not '%s'", format);
}

static struct err *list_page(struct cli *c, const char *conditions, const char *limit, const char *cursor)
{
    static const struct cli_column columns[] = {
        {"SERIAL", "serial"},     {"STATUS", "status"}, {"UNTIL", "not_after"},
        {"TEMPLATE", "template"}, {"OWNER", "owner"},   {"NAMES", "names"},
    };
    json_t *answer = NULL;
    const char *path = arena_printf(c->arena, "/v1/certificates?limit=%s%s",
                                    limit ? cli_escape(c, limit) : "100", conditions);
    if (cursor)
        path = arena_printf(c->arena, "%s&cursor=%s", path, cli_escape(c, cursor));
    struct err *e = cli_call(c, "GET", path, NULL, &answer);
    if (!e)
        cli_print_list(c, answer, "certificates", columns, sizeof columns / sizeof columns[0]);
    json_decref(answer);
    return e;
}

struct err *cert_list(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *limit = NULL, *cursor = NULL, *all = NULL, *type;
    const struct cli_option further[] = {
        {"--limit", &limit, NULL, NULL}, {"--cursor", &cursor, NULL, NULL}, {"--all", &all, NULL, NULL}};
    struct select s;

    select_init(&s, further, 3);
    TRY(cli_options(s.options, s.n, &argc, argv, 0, 0));
    const char *conditions = select_query(c, &s);
    if (!all)
        return list_page(c, conditions, limit, cursor);
    if (limit || cursor)
        return cli_usage("--all takes neither --limit nor --cursor");
    TRY(type_of(all, &type));
    TRY(stream(c, conditions, type));
out:
    return e;
}
