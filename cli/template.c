/* chancery template list, show, explain. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "cli.h"

struct err *template_list(struct cli *c, int argc, char **argv)
{
    static const struct cli_column columns[] = {
        {"NAME", "name"}, {"INTERNAL", "internal"}, {"DESCRIPTION", "description"}};
    struct err *e = NULL;
    json_t *answer = NULL;
    TRY(cli_options(NULL, 0, &argc, argv, 0, 0));
    TRY(cli_call(c, "GET", "/v1/templates", NULL, &answer));
    cli_print_list(c, answer, "templates", columns, 3);
out:
    json_decref(answer);
    return e;
}

struct err *template_show(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *version = NULL;
    const struct cli_option options[] = {{"--version", &version, NULL, NULL}};
    json_t *answer = NULL;
    TRY(cli_options(options, 1, &argc, argv, 1, 1));
    TRY(cli_call(c, "GET",
                 arena_printf(c->arena, "/v1/templates/%s%s%s", cli_escape(c, argv[0]),
                              version ? "/versions/" : "", version ? cli_escape(c, version) : ""),
                 NULL, &answer));
    cli_print_json(version ? json_object_get(answer, "values") : answer); /* a tree, for eyes too */
out:
    json_decref(answer);
    return e;
}

struct err *template_versions(struct cli *c, int argc, char **argv)
{
    static const struct cli_column columns[] = {{"VERSION", "version"},
                                                {"TIME", "time"},
                                                {"ENTRY", "entry"},
                                                {"GENERATION", "generation"},
                                                {"SHA-256", "sha256"}};
    struct err *e = NULL;
    const char *limit = "100", *cursor = NULL;
    const struct cli_option options[] = {{"--limit", &limit, NULL, NULL}, {"--cursor", &cursor, NULL, NULL}};
    json_t *answer = NULL;
    TRY(cli_options(options, 2, &argc, argv, 1, 1));
    TRY(cli_call(c, "GET",
                 arena_printf(c->arena, "/v1/templates/%s/versions?limit=%s%s%s", cli_escape(c, argv[0]),
                              cli_escape(c, limit), cursor ? "&cursor=" : "",
                              cursor ? cli_escape(c, cursor) : ""),
                 NULL, &answer));
    cli_print_list(c, answer, "versions", columns, sizeof columns / sizeof columns[0]);
out:
    json_decref(answer);
    return e;
}

static const struct cli_column field_columns[] = {
    {"FIELD", "field"}, {"ORIGIN", "origin"}, {"VALUE", "value"}, {"NOTE", "note"}};
static const struct cli_column rule_columns[] = {
    {"RULE", "rule"}, {"VERDICT", "verdict"}, {"JUDGE", "judge"}, {"WHY", "detail"}, {"SAYS", "says"}};

/* What stands behind a broken rule is only in the way of the eyes: leaves out what is kept. */
static void keep_wanting(json_t *answer)
{
    json_t *rules = json_object_get(answer, "rules");
    for (size_t i = json_array_size(rules); i-- > 0;)
        if (strcmp(json_string_value(json_object_get(json_array_get(rules, i), "verdict")), "kept") == 0)
            json_array_remove(rules, i);
}

static void print_verdict(const json_t *answer)
{
    const json_t *rules = json_object_get(answer, "rules");
    size_t i;
    json_t *rule;
    const char *template = json_string_value(json_object_get(answer, "template"));
    const char *asker = json_string_value(json_object_get(answer, "asker"));
    if (json_is_true(json_object_get(answer, "issued"))) {
        printf("\n%s would get this certificate by template '%s'; nothing was signed\n", asker, template);
        return;
    }
    printf("\n%s would be refused by template '%s':\n", asker, template);
    json_array_foreach(rules, i, rule)
    {
        const char *verdict = json_string_value(json_object_get(rule, "verdict"));
        const char *detail = json_string_value(json_object_get(rule, "detail"));
        if (strcmp(verdict, "broken") == 0 || (strcmp(verdict, "open") == 0 && detail))
            printf("  %s: %s\n", json_string_value(json_object_get(rule, "rule")), detail ? detail : "");
    }
}

static void print_explained(const struct cli *c, json_t *answer)
{
    if (c->json) {
        cli_print_json(answer);
        return;
    }
    cli_print_list(c, answer, "fields", field_columns, sizeof field_columns / sizeof field_columns[0]);
    printf("\n");
    cli_print_list(c, answer, "rules", rule_columns, sizeof rule_columns / sizeof rule_columns[0]);
    print_verdict(answer);
}

struct err *template_explain(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *csr_path = NULL, *asker = NULL, *issuer = NULL, *validity = NULL;
    bool wanting = false;
    struct cli_list sans = {.n = 0};
    struct view csr;
    json_t *answer = NULL;
    const struct cli_option options[] = {
        {"--csr", &csr_path, NULL, NULL},  {"--asker", &asker, NULL, NULL},
        {"--issuer", &issuer, NULL, NULL}, {"--validity", &validity, NULL, NULL},
        {"--san", NULL, NULL, &sans},      {"--wanting", NULL, &wanting, NULL},
    };

    TRY(cli_options(options, sizeof options / sizeof options[0], &argc, argv, 1, 1));
    if (!csr_path)
        TRY(cli_usage("name --csr"));
    TRY(file_read(csr_path, LIMIT_CSR_BYTES, c->arena, &csr));
    json_t *body = json_pack("{s:s, s:s*, s:s*, s:s*}", "csr", cli_csr_text(c, csr), "asker", asker, "issuer",
                             issuer, "validity", validity);
    if (sans.n)
        json_object_set_new(body, "sans", cli_texts(&sans));
    TRY(cli_call(c, "POST", arena_printf(c->arena, "/v1/templates/%s/explain", cli_escape(c, argv[0])), body,
                 &answer));
    if (wanting)
        keep_wanting(answer);
    print_explained(c, answer);
out:
    json_decref(answer);
    return e;
}
