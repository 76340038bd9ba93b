/* chancery acme: keys for accounts, and what stands on record of accounts, orders and authorizations. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

/* --- keys for external account binding --- */

static struct err *deliver(struct cli *c, const json_t *answer, const char *out)
{
    const char *kid = json_string_value(json_object_get(answer, "kid"));
    const char *key = json_string_value(json_object_get(answer, "hmac_key"));
    const char *text = arena_printf(c->arena, "KID=%s\nHMAC=%s\n", kid, key);
    struct err *e = out ? file_write(out, view_str(text), 0600) : NULL;
    if (e)
        return e;
    if (c->json)
        cli_print_json(answer);
    else if (!out)
        printf("%s", text);
    if (!c->json)
        fprintf(stderr, "key %s until %s%s%s; its text is not shown again\n", kid,
                json_string_value(json_object_get(answer, "expires")), out ? ", in " : "", out ? out : "");
    return NULL;
}

static struct err *eab_create(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct cli_list templates = {.n = 0}, names = {.n = 0};
    const char *accounts = "1", *ttl = "30d", *label = "", *out = NULL;
    bool approved = false;
    const struct cli_option options[] = {
        {"--template", NULL, NULL, &templates},   {"--name", NULL, NULL, &names},
        {"--accounts", &accounts, NULL, NULL},    {"--ttl", &ttl, NULL, NULL},
        {"--label", &label, NULL, NULL},          {"--out", &out, NULL, NULL},
        {"--preapproved", NULL, &approved, NULL},
    };
    json_t *answer = NULL;
    char *end;

    TRY(cli_options(options, COUNT(options), &argc, argv, 0, 0));
    long long n = strtoll(accounts, &end, 10);
    if (*end || end == accounts)
        TRY(cli_usage("--accounts takes a number, not '%s'", accounts));
    if (!templates.n || !names.n)
        TRY(cli_usage("name at least one --template and one --name"));
    json_t *body = json_pack("{s:o, s:o, s:I, s:s, s:s*, s:b}", "templates", cli_texts(&templates), "names",
                             cli_texts(&names), "accounts", (json_int_t)n, "ttl", ttl, "label",
                             label[0] ? label : NULL, "preapproved", approved);
    TRY(cli_call(c, "POST", "/v1/acme/eab", body, &answer));
    TRY(deliver(c, answer, out));
out:
    json_decref(answer);
    return e;
}

static struct err *eab_list(struct cli *c, int argc, char **argv)
{
    static const struct cli_column columns[] = {
        {"KID", "kid"},           {"STATUS", "status"},       {"USED", "used"},
        {"ACCOUNTS", "accounts"}, {"UNTIL", "expires"},       {"PREAPPROVED", "preapproved"},
        {"LABEL", "label"},       {"TEMPLATES", "templates"}, {"NAMES", "names"},
    };
    struct err *e = NULL;
    const char *cursor = "0";
    const struct cli_option options[] = {{"--cursor", &cursor, NULL, NULL}};
    json_t *answer = NULL;
    TRY(cli_options(options, 1, &argc, argv, 0, 0));
    TRY(cli_call(c, "GET", arena_printf(c->arena, "/v1/acme/eab?cursor=%s", cli_escape(c, cursor)), NULL,
                 &answer));
    cli_print_list(c, answer, "keys", columns, COUNT(columns));
out:
    json_decref(answer);
    return e;
}

static struct err *eab_revoke(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    json_t *answer = NULL;
    TRY(cli_options(NULL, 0, &argc, argv, 1, 1));
    TRY(cli_call(c, "DELETE", arena_printf(c->arena, "/v1/acme/eab/%s", cli_escape(c, argv[0])), NULL,
                 &answer));
    if (c->json)
        cli_print_json(answer);
    else
        printf("key %s revoked; accounts that it was used for get no further certificates\n", argv[0]);
out:
    json_decref(answer);
    return e;
}

struct err *acme_eab(struct cli *c, int argc, char **argv)
{
    static const struct {
        const char *what;
        cli_run *run;
    } verbs[] = {{"create", eab_create}, {"list", eab_list}, {"revoke", eab_revoke}};
    for (size_t i = 0; argc && i < COUNT(verbs); i++)
        if (strcmp(argv[0], verbs[i].what) == 0)
            return verbs[i].run(c, argc - 1, argv + 1);
    return cli_usage("chancery acme eab create, list or revoke");
}

/* --- accounts, orders, authorizations --- */

static struct err *list_or_show(struct cli *c, int argc, char **argv, const char *kind,
                                const struct cli_column *columns, size_t n)
{
    struct err *e = NULL;
    const char *account = NULL, *cursor = NULL, *limit = "100";
    const struct cli_option options[] = {{"--account", &account, NULL, NULL},
                                         {"--cursor", &cursor, NULL, NULL},
                                         {"--limit", &limit, NULL, NULL}};
    json_t *answer = NULL;
    TRY(cli_options(options, COUNT(options), &argc, argv, 1, 2));
    bool list = strcmp(argv[0], "list") == 0;
    if ((!list && strcmp(argv[0], "show") != 0) || argc != (list ? 1 : 2))
        TRY(cli_usage("list, or show and an id"));
    const char *path = arena_printf(c->arena, "/v1/acme/%ss%s%s?limit=%s%s%s%s%s", kind, list ? "" : "/",
                                    list ? "" : cli_escape(c, argv[1]), cli_escape(c, limit),
                                    account ? "&account=" : "", account ? cli_escape(c, account) : "",
                                    cursor ? "&cursor=" : "", cursor ? cli_escape(c, cursor) : "");
    if (!list)
        path = arena_printf(c->arena, "/v1/acme/%ss/%s", kind, cli_escape(c, argv[1]));
    TRY(cli_call(c, "GET", path, NULL, &answer));
    if (list)
        cli_print_list(c, answer, arena_printf(c->arena, "%ss", kind), columns, n);
    else
        cli_print_object(c, answer, columns, n);
out:
    json_decref(answer);
    return e;
}

struct err *acme_account(struct cli *c, int argc, char **argv)
{
    static const struct cli_column columns[] = {{"ID", "id"},   {"STATUS", "status"}, {"CREATED", "created"},
                                                {"KEY", "key"}, {"EAB", "eab"},       {"CONTACT", "contact"}};
    return list_or_show(c, argc, argv, "account", columns, COUNT(columns));
}

struct err *acme_order(struct cli *c, int argc, char **argv)
{
    static const struct cli_column columns[] = {
        {"ID", "id"},           {"STATUS", "status"},     {"CREATED", "created"},
        {"EXPIRES", "expires"}, {"TEMPLATE", "template"}, {"SERIAL", "serial"},
        {"NAMES", "names"},     {"DETAIL", "detail"}};
    return list_or_show(c, argc, argv, "order", columns, COUNT(columns));
}

struct err *acme_authz(struct cli *c, int argc, char **argv)
{
    static const struct cli_column columns[] = {{"ID", "id"}, {"STATUS", "status"},   {"NAME", "name"},
                                                {"BY", "by"}, {"EXPIRES", "expires"}, {"DETAIL", "detail"}};
    return list_or_show(c, argc, argv, "authz", columns, COUNT(columns));
}

/* --- why --- */

static const char *text_of(const json_t *tree, const char *member)
{
    const char *text = json_string_value(json_object_get(tree, member));
    return text ? text : "";
}

static void why_authz(const json_t *z)
{
    const char *status = text_of(z, "status"), *name = text_of(z, "name"), *by = text_of(z, "by");
    const char *below = json_is_true(json_object_get(z, "wildcard")) ? "names below " : "";
    if (strcmp(status, "valid") == 0)
        printf("  %s%s: may have it, by %s, until %s.\n", below, name, by, text_of(z, "expires"));
    else if (text_of(z, "detail")[0])
        printf("  %s%s: %s was looked at and did not hold (%s): %s\n", below, name, by, text_of(z, "error"),
               text_of(z, "detail"));
    else if (strcmp(status, "pending") == 0 && by[0])
        printf("  %s%s: %s is being looked at; the client must ask again.\n", below, name, by);
    else if (strcmp(status, "pending") == 0)
        printf("  %s%s: the client has not yet said that a challenge is met.\n", below, name);
    else
        printf("  %s%s: the authorization is %s.\n", below, name, status);
}

static void why_order(const json_t *o)
{
    const char *status = text_of(o, "status"), *detail = text_of(o, "detail");
    if (strcmp(status, "valid") == 0)
        printf("It did not fail: certificate %s was made by %s.\n", text_of(o, "serial"),
               text_of(o, "issuer"));
    else if (detail[0])
        printf("No certificate was made (%s): %s\n", text_of(o, "error"), detail);
    else if (strcmp(status, "ready") == 0)
        printf("It has not failed: every name is authorized, and the client has not asked for the "
               "certificate yet, or "
               "its CSR was refused (see `chancery ledger log`).\n");
    else if (strcmp(status, "processing") == 0 && text_of(o, "waits")[0])
        printf("It has not failed: it waits for approval (chancery request show %s).\n", text_of(o, "waits"));
    else if (strcmp(status, "processing") == 0)
        printf("It has not failed: the certificate is being made.\n");
    else if (strcmp(status, "pending") == 0)
        printf("It has not failed yet: it waits, until %s, for these:\n", text_of(o, "expires"));
    else
        printf("No certificate was made, because not every name was authorized in time (until %s):\n",
               text_of(o, "expires"));
}

struct err *acme_why(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    json_t *answer = NULL, *z;
    size_t i;
    TRY(cli_options(NULL, 0, &argc, argv, 1, 1));
    TRY(cli_call(c, "GET", arena_printf(c->arena, "/v1/acme/orders/%s", cli_escape(c, argv[0])), NULL,
                 &answer));
    if (c->json) {
        cli_print_json(answer);
    } else {
        printf("Order %s, template %s, is %s.\n", text_of(answer, "id"), text_of(answer, "template"),
               text_of(answer, "status"));
        why_order(answer);
        json_array_foreach(json_object_get(answer, "authzs"), i, z) why_authz(z);
    }
out:
    json_decref(answer);
    return e;
}
