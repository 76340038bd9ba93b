/* chancery cert tag: reads the tags it has, changes those that were named, writes all of them back. */
#include <string.h>

#include "cli.h"

/* "team=pay" sets, "team=" sets it empty. */
struct err *cert_tag_set(json_t *tags, const char *text)
{
    const char *value = strchr(text, '=');
    if (!value || value == text)
        return cli_usage("a tag is written KEY=VALUE, not '%s'", text);
    json_object_setn_new(tags, text, (size_t)(value - text), json_string(value + 1));
    return NULL;
}

static struct err *change(json_t *tags, int argc, char **argv, const struct cli_list *removed)
{
    struct err *e = NULL;
    for (int i = 1; i < argc; i++)
        TRY(cert_tag_set(tags, argv[i]));
    for (size_t i = 0; i < removed->n; i++)
        if (json_object_del(tags, removed->items[i]) != 0)
            TRY(err_new(ERR_NOT_FOUND, "it has no tag '%s'", removed->items[i]));
out:
    return e;
}

struct err *cert_tag(struct cli *c, int argc, char **argv)
{
    static const struct cli_column columns[] = {{"serial", "serial"}, {"ledger entry", "entry"}};
    struct err *e = NULL;
    struct cli_list removed = {.n = 0};
    const char *issuer = NULL;
    const struct cli_option options[] = {{"--remove", NULL, NULL, &removed},
                                         {"--issuer", &issuer, NULL, NULL}};
    json_t *had = NULL, *answer = NULL;
    TRY(cli_options(options, 2, &argc, argv, 1, 51));
    if (argc == 1 && !removed.n)
        TRY(cli_usage("name tags to set, KEY=VALUE, or --remove KEY"));
    const char *query = issuer ? arena_printf(c->arena, "?issuer=%s", cli_escape(c, issuer)) : "";
    const char *path = arena_printf(c->arena, "/v1/certificates/%s", cli_escape(c, argv[0]));
    TRY(cli_call(c, "GET", arena_printf(c->arena, "%s%s", path, query), NULL, &had));
    json_t *tags = json_object_get(had, "tags") ? json_incref(json_object_get(had, "tags")) : json_object();
    json_t *body = json_pack("{s:o}", "tags", tags);
    e = change(tags, argc, argv, &removed);
    if (e)
        json_decref(body);
    TRY(e);
    TRY(cli_call(c, "PUT", arena_printf(c->arena, "%s/tags%s", path, query), body, &answer));
    cli_print_object(c, answer, columns, sizeof columns / sizeof *columns);
out:
    json_decref(had);
    json_decref(answer);
    return e;
}
