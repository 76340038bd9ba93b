/* Output for eyes and for programs. What came from outside is printed without control characters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

void cli_print_json(const json_t *tree)
{
    char *text = json_dumps(tree, JSON_INDENT(2));
    printf("%s\n", text ? text : "null");
    free(text);
}

static void put_text(char *to, size_t cap, const char *from)
{
    size_t n = strlen(to);
    for (; *from && n + 1 < cap; from++)
        to[n++] = (unsigned char)*from < 0x20 || *from == 0x7f ? '?' : *from;
    to[n] = '\0';
}

/* A member as one line of text. */
static void cell(const json_t *object, const char *member, char *to, size_t cap)
{
    const json_t *v = json_object_get(object, member);
    size_t i;
    json_t *item;
    to[0] = '\0';
    if (json_is_string(v))
        put_text(to, cap, json_string_value(v));
    if (json_is_integer(v))
        snprintf(to, cap, "%lld", (long long)json_integer_value(v));
    if (json_is_boolean(v))
        snprintf(to, cap, "%s", json_is_true(v) ? "yes" : "no");
    if (!json_is_array(v))
        return;
    json_array_foreach(v, i, item)
    {
        if (i)
            put_text(to, cap, " ");
        if (json_is_string(item))
            put_text(to, cap, json_string_value(item));
    }
}

enum { CELL = 400, COLUMNS = 12 };

static void widths(const json_t *list, const struct cli_column *columns, size_t n, size_t *w)
{
    char text[CELL];
    size_t i;
    json_t *row;
    for (size_t k = 0; k < n; k++)
        w[k] = strlen(columns[k].title);
    json_array_foreach(list, i, row) for (size_t k = 0; k < n; k++)
    {
        cell(row, columns[k].member, text, sizeof text);
        w[k] = strlen(text) > w[k] ? strlen(text) : w[k];
    }
}

void cli_print_list(const struct cli *c, const json_t *answer, const char *member,
                    const struct cli_column *columns, size_t n)
{
    const json_t *list = json_object_get(answer, member);
    size_t w[COLUMNS], i;
    char text[CELL];
    json_t *row;
    if (c->json) {
        cli_print_json(answer);
        return;
    }
    widths(list, columns, n, w);
    for (size_t k = 0; k < n; k++)
        printf("%-*s%s", k + 1 < n ? (int)w[k] : 0, columns[k].title, k + 1 < n ? "  " : "\n");
    json_array_foreach(list, i, row) for (size_t k = 0; k < n; k++)
    {
        cell(row, columns[k].member, text, sizeof text);
        printf("%-*s%s", k + 1 < n ? (int)w[k] : 0, text, k + 1 < n ? "  " : "\n");
    }
    const char *next = json_string_value(json_object_get(answer, "next"));
    if (next)
        printf("(more: --cursor %s)\n", next);
}

void cli_print_object(const struct cli *c, const json_t *object, const struct cli_column *columns, size_t n)
{
    char text[CELL * 4];
    if (c->json) {
        cli_print_json(object);
        return;
    }
    for (size_t k = 0; k < n; k++) {
        if (!json_object_get(object, columns[k].member))
            continue;
        cell(object, columns[k].member, text, sizeof text);
        printf("%-12s %s\n", columns[k].title, text);
    }
}

void cli_print_problem(const struct cli *c, const struct err *e)
{
    const struct err_row *row = err_row(err_code(e));
    const char *pointer = cli_is_usage(e) ? "" : err_pointer(e);
    if (!c->json) {
        fprintf(stderr, "chancery: %s%s%s\n", err_detail(e), pointer[0] ? " at " : "", pointer);
        return;
    }
    json_t *tree = json_pack("{s:o, s:s, s:s, s:b, s:s}", "type",
                             json_sprintf("urn:chancery:error:%s", row->type), "title", row->title, "detail",
                             err_detail(e), "retryable", row->retry_s > 0, "pointer", pointer);
    cli_print_json(tree);
    json_decref(tree);
}
