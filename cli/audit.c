/*
 * chancery audit report: every certificate that was ever made, one row each, for those who must account for
 * them. The columns of AWS Private CA's audit report, under names of ours, and what the books know beyond
 * them. Page by page, as the daemon gives them: it needs memory for one page.
 */
#include <stdio.h>
#include <string.h>

#include "base/when.h"
#include "base/world.h"
#include "select.h"

enum { PAGE_ARENA_BYTES = 256 << 20 };

/* title: of the column; member: of the daemon's answer */
static const struct cli_column columns[] = {
    {"issuer", "issuer"},
    {"requestedBy", "owner"},
    {"certificate", NULL}, /* where it is found */
    {"serial", "serial"},
    {"subject", "subject"},
    {"names", "names"},
    {"notBefore", "not_before"},
    {"notAfter", "not_after"},
    {"requestedAt", "requested_at"},
    {"issuedAt", "issued_at"},
    {"revokedAt", "revoked_at"},
    {"revocationReason", "reason"},
    {"template", "template"},
    {"templateVersion", "template_version"},
    {"status", "status"},
    {"requestedVia", "door"},
    {"requestId", "request"},
    {"ledgerEntry", "entry"},
    {"seal", "seal"},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static const char *joined(const json_t *list, struct arena *arena)
{
    const char *text = "";
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) text =
        arena_printf(arena, "%s%s%s", text, i ? " " : "", json_string_value(item));
    return text;
}

static const char *cell(const json_t *row, const struct cli_column *column, struct arena *arena)
{
    if (!column->member)
        return arena_printf(arena, "/v1/certificates/%s?issuer=%s",
                            json_string_value(json_object_get(row, "serial")),
                            json_string_value(json_object_get(row, "issuer")));
    const json_t *value = json_object_get(row, column->member);
    if (json_is_array(value))
        return joined(value, arena);
    if (json_is_integer(value))
        return arena_printf(arena, "%lld", (long long)json_integer_value(value));
    return json_is_string(value) ? json_string_value(value) : "";
}

/* RFC 4180; a text that a spreadsheet would take for a formula gets a blank before it. */
static void put_csv(const char *text)
{
    bool formula = text[0] && strchr("=+-@", text[0]) != NULL;
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;
    if (quoted)
        putchar('"');
    if (formula)
        putchar(' ');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    if (quoted)
        putchar('"');
}

static void put_csv_row(const json_t *row, struct arena *arena)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        if (i)
            putchar(',');
        put_csv(row ? cell(row, &columns[i], arena) : columns[i].title);
    }
    fputs("\r\n", stdout);
}

static void put_json_row(const json_t *row, struct arena *arena)
{
    json_t *to = json_object();
    for (size_t i = 0; i < COLUMNS; i++) {
        const json_t *value = columns[i].member ? json_object_get(row, columns[i].member) : NULL;
        json_object_set_new(to, columns[i].title,
                            value               ? json_deep_copy(value)
                            : columns[i].member ? json_null()
                                                : json_string(cell(row, &columns[i], arena)));
    }
    json_dumpf(to, stdout, JSON_COMPACT);
    json_decref(to);
}

/* One page; *ret_next lives in `page`'s arena. */
static struct err *put_page(struct cli *page, const char *conditions, const char *cursor, bool json,
                            uint64_t *rows, char *next, size_t next_bytes)
{
    struct err *e = NULL;
    json_t *answer = NULL;
    const json_t *row;
    size_t i;
    TRY(cli_call(page, "GET",
                 arena_printf(page->arena, "/v1/certificates?limit=1000%s%s%s", conditions,
                              cursor[0] ? "&cursor=" : "", cursor),
                 NULL, &answer));
    json_array_foreach(json_object_get(answer, "certificates"), i, row)
    {
        if (json && (*rows)++)
            fputs(",\n", stdout);
        if (json)
            put_json_row(row, page->arena);
        else
            put_csv_row(row, page->arena);
    }
    const char *text = json_string_value(json_object_get(answer, "next"));
    snprintf(next, next_bytes, "%s", text ? text : "");
out:
    json_decref(answer);
    return e;
}

static struct err *put_all(struct cli *c, const char *conditions, bool json)
{
    struct err *e = NULL;
    char cursor[256] = "", next[256];
    uint64_t rows = 0;
    do {
        struct cli page = *c;
        page.arena = arena_new(PAGE_ARENA_BYTES);
        e = put_page(&page, conditions, cursor, json, &rows, next, sizeof next);
        memcpy(cursor, next, sizeof cursor);
        arena_free(page.arena);
    } while (!e && cursor[0]);
    return e;
}

/* Up to where the books had come when the report was begun. */
static struct err *put_head(struct cli *c)
{
    struct err *e = NULL;
    json_t *ledger = NULL;
    TRY(cli_call(c, "GET", "/v1/ledger", NULL, &ledger));
    printf("{\"made\": \"%s\", \"entries\": %lld, \"root\": \"%s\", \"certificates\": [\n",
           when_text(c->arena, world_now_s()),
           (long long)json_integer_value(json_object_get(ledger, "entries")),
           json_string_value(json_object_get(ledger, "root")));
out:
    json_decref(ledger);
    return e;
}

struct err *audit_report(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *format = NULL;
    const struct cli_option further[] = {{"--format", &format, NULL, NULL}};
    struct select s;
    select_init(&s, further, 1);
    TRY(cli_options(s.options, s.n, &argc, argv, 0, 0));
    bool json = format ? strcmp(format, "json") == 0 : c->json;
    if (format && !json && strcmp(format, "csv") != 0)
        TRY(cli_usage("--format is csv or json, not '%s'", format));
    if (json)
        TRY(put_head(c));
    else
        put_csv_row(NULL, c->arena);
    TRY(put_all(c, select_query(c, &s), json));
    if (json)
        fputs("\n]}\n", stdout);
out:
    return e;
}
