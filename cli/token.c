/* chancery token create, list, revoke. A token's text is printed or written once; it is never taken from
 * argv. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli.h"
#include "token_batch.h"

static struct err *number(const char *text, long long *ret)
{
    char *end;
    *ret = strtoll(text, &end, 10);
    return *end || end == text ? cli_usage("--uses takes a number, not '%s'", text) : NULL;
}

static struct err *deliver(struct cli *c, const json_t *answer, const char *out)
{
    const char *text = json_string_value(json_object_get(answer, "token"));
    if (!text) /* a key is the credential */
        out = NULL, text = json_string_value(json_object_get(answer, "id"));
    struct err *e = out ? file_write(out, view_str(arena_printf(c->arena, "%s\n", text)), 0600) : NULL;
    if (e)
        return e;
    if (c->json)
        cli_print_json(answer);
    else if (!out)
        printf("%s\n", text);
    if (!c->json)
        fprintf(stderr, "token %.8s until %s%s%s; its text is not shown again\n",
                json_string_value(json_object_get(answer, "id")),
                json_string_value(json_object_get(answer, "expires")), out ? ", in " : "", out ? out : "");
    return NULL;
}

struct err *token_create(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct cli_list templates = {.n = 0}, names = {.n = 0};
    const char *uses = NULL, *ttl = "30d", *label = "", *out = NULL, *csv = NULL, *key = NULL;
    const struct cli_option options[] = {
        {"--template", NULL, NULL, &templates},
        {"--name", NULL, NULL, &names},
        {"--uses", &uses, NULL, NULL},
        {"--ttl", &ttl, NULL, NULL},
        {"--label", &label, NULL, NULL},
        {"--out", &out, NULL, NULL},
        {"--csv", &csv, NULL, NULL},
        {"--key", &key, NULL, NULL},
    };
    long long n;
    json_t *answer = NULL;

    TRY(cli_options(options, sizeof options / sizeof options[0], &argc, argv, 0, 0));
    if (csv) {
        const struct token_batch batch = {csv, out, &templates, &names, uses ? uses : "1", ttl, label};
        return token_batch_run(c, &batch);
    }
    if (!templates.n || !names.n)
        TRY(cli_usage("name at least one --template and one --name"));
    TRY(number(uses ? uses : "0", &n));
    json_t *body = json_pack("{s:o, s:o, s:I, s:s, s:s*, s:s*}", "templates", cli_texts(&templates), "names",
                             cli_texts(&names), "uses", (json_int_t)n, "ttl", ttl, "label",
                             label[0] ? label : NULL, "spki_sha256", key);
    TRY(cli_call(c, "POST", "/v1/tokens", body, &answer));
    TRY(deliver(c, answer, out));
out:
    json_decref(answer);
    return e;
}

struct err *token_list(struct cli *c, int argc, char **argv)
{
    static const struct cli_column columns[] = {
        {"ID", "id"},         {"STATUS", "status"}, {"USED", "used"},           {"USES", "uses"},
        {"UNTIL", "expires"}, {"LABEL", "label"},   {"TEMPLATES", "templates"}, {"NAMES", "names"},
    };
    struct err *e = NULL;
    json_t *answer = NULL, *row;
    size_t i;

    TRY(cli_options(NULL, 0, &argc, argv, 0, 0));
    TRY(cli_call(c, "GET", "/v1/tokens", NULL, &answer));
    json_array_foreach(json_object_get(answer, "tokens"), i, row)
    {
        if (!c->json) /* eight digits name it */
            json_object_set_new(row, "id", json_stringn(json_string_value(json_object_get(row, "id")), 8));
    }
    cli_print_list(c, answer, "tokens", columns, sizeof columns / sizeof columns[0]);
out:
    json_decref(answer);
    return e;
}

struct err *token_revoke(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    json_t *answer = NULL;
    TRY(cli_options(NULL, 0, &argc, argv, 1, 1));
    TRY(cli_call(c, "DELETE", arena_printf(c->arena, "/v1/tokens/%s", cli_escape(c, argv[0])), NULL,
                 &answer));
    if (c->json)
        cli_print_json(answer);
    else
        printf("token %.8s revoked\n", json_string_value(json_object_get(answer, "id")));
out:
    json_decref(answer);
    return e;
}
