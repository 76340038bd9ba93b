/* chancery ca list, show; clock confirm; ledger log: what the daemon says, printed. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const struct cli_column issuer_columns[] = {
    {"NAME", "name"},       {"STATE", "state"},    {"ISSUES", "issues"},       {"PARENT", "parent"},
    {"UNTIL", "not_after"}, {"DAYS", "days_left"}, {"UNEXPIRED", "unexpired"}, {"ALGORITHM", "algorithm"},
};

static void warn_one(const char *what, const json_t *life)
{
    if (json_is_true(json_object_get(life, "lapsing")))
        printf("! %s: %lld days left, in the last third of its life\n", what,
               (long long)json_integer_value(json_object_get(life, "days_left")));
}

/* Of issuers, their responders and the daemon's own certificate. */
static void warn_lapsing(const json_t *answer)
{
    size_t i;
    json_t *issuer;
    char what[128];
    json_array_foreach(json_object_get(answer, "issuers"), i, issuer)
    {
        const char *name = json_string_value(json_object_get(issuer, "name"));
        warn_one(name, issuer);
        snprintf(what, sizeof what, "the OCSP responder of %s", name);
        warn_one(what, json_object_get(issuer, "responder"));
    }
    warn_one("the daemon's own certificate", json_object_get(answer, "own"));
}

struct err *ca_list(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    json_t *answer = NULL;
    TRY(cli_options(NULL, 0, &argc, argv, 0, 0));
    TRY(cli_call(c, "GET", "/v1/issuers", NULL, &answer));
    cli_print_list(c, answer, "issuers", issuer_columns, sizeof issuer_columns / sizeof issuer_columns[0]);
    if (!c->json)
        warn_lapsing(answer);
out:
    json_decref(answer);
    return e;
}

static const json_t *named(const json_t *list, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0)
            return row;
    }
    return NULL;
}

struct err *ca_show(struct cli *c, int argc, char **argv)
{
    static const struct cli_column columns[] = {
        {"name", "name"},
        {"state", "state"},
        {"days left", "days_left"},
        {"unexpired", "unexpired"},
        {"until", "unexpired_until"},
        {"issues", "issues"},
        {"parent", "parent"},
        {"not before", "not_before"},
        {"not after", "not_after"},
        {"algorithm", "algorithm"},
        {"ocsp", "ocsp"},
        {"crl", "crl"},
        {"ca", "ca"},
    };
    struct err *e = NULL;
    json_t *answer = NULL;

    TRY(cli_options(NULL, 0, &argc, argv, 1, 1));
    TRY(cli_call(c, "GET", "/v1/issuers", NULL, &answer));
    const json_t *issuer = named(json_object_get(answer, "issuers"), argv[0]);
    if (!issuer)
        TRY(err_new(ERR_ISSUER_UNKNOWN, "no issuer '%s'; see chancery ca list", argv[0]));
    cli_print_object(c, issuer, columns, sizeof columns / sizeof columns[0]);
    if (!c->json)
        printf("\n%s", json_string_value(json_object_get(issuer, "certificate")));
out:
    json_decref(answer);
    return e;
}

struct err *clock_confirm_run(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    json_t *answer = NULL;
    TRY(cli_options(NULL, 0, &argc, argv, 0, 0));
    TRY(cli_call(c, "POST", "/v1/clock/confirm", NULL, &answer));
    if (c->json)
        cli_print_json(answer);
    else
        printf("it is %s; certificates are issued again\n",
               json_string_value(json_object_get(answer, "time")));
out:
    json_decref(answer);
    return e;
}

struct err *ledger_log_run(struct cli *c, int argc, char **argv)
{
    static const struct cli_column columns[] = {
        {"ENTRY", "entry"}, {"TIME", "time"},     {"KIND", "kind"},     {"ACTOR", "actor"},
        {"REF", "ref"},     {"ISSUER", "issuer"}, {"SERIAL", "serial"},
    };
    struct err *e = NULL;
    const char *from = "1", *limit = "100";
    const struct cli_option options[] = {{"--from", &from, NULL, NULL}, {"--limit", &limit, NULL, NULL}};
    json_t *answer = NULL;

    TRY(cli_options(options, 2, &argc, argv, 0, 0));
    TRY(cli_call(
        c, "GET",
        arena_printf(c->arena, "/v1/log?from=%s&limit=%s", cli_escape(c, from), cli_escape(c, limit)), NULL,
        &answer));
    cli_print_list(c, answer, "entries", columns, sizeof columns / sizeof columns[0]);
out:
    json_decref(answer);
    return e;
}
