/* chancery cert request, show. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "cert/pem.h"
#include "cli.h"

static void set(json_t *body, const char *member, const char *text)
{
    if (text)
        json_object_set_new(body, member, json_string(text));
}

static struct err *set_tags(json_t *body, const struct cli_list *tags)
{
    struct err *e = NULL;
    json_t *object = json_object();
    for (size_t i = 0; !e && i < tags->n; i++)
        e = cert_tag_set(object, tags->items[i]);
    if (!e && tags->n)
        json_object_set(body, "tags", object);
    json_decref(object);
    if (e)
        json_decref(body);
    return e;
}

/* Leaf first, then what the answer's chain holds. */
static const char *chain_text(struct cli *c, const json_t *answer)
{
    const char *text = json_string_value(json_object_get(answer, "certificate"));
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(answer, "chain"), i, item) text =
        arena_printf(c->arena, "%s%s", text, json_string_value(item));
    return text;
}

struct err *cert_request(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *template = NULL, *csr_path = NULL, *issuer = NULL, *validity = NULL, *out = NULL,
               *replaces = NULL;
    struct cli_list sans = {.n = 0}, tags = {.n = 0};
    struct view csr;
    json_t *answer = NULL;
    const struct cli_option options[] = {
        {"--template", &template, NULL, NULL}, {"--csr", &csr_path, NULL, NULL},
        {"--issuer", &issuer, NULL, NULL},     {"--validity", &validity, NULL, NULL},
        {"--san", NULL, NULL, &sans},          {"--out", &out, NULL, NULL},
        {"--replaces", &replaces, NULL, NULL}, {"--tag", NULL, NULL, &tags},
    };

    TRY(cli_options(options, sizeof options / sizeof options[0], &argc, argv, 0, 0));
    if (!template || !csr_path)
        TRY(cli_usage("name --template and --csr"));
    TRY(file_read(csr_path, LIMIT_CSR_BYTES, c->arena, &csr));
    json_t *body = json_pack("{s:s}", "template", template);
    set(body, "csr", cli_csr_text(c, csr));
    set(body, "issuer", issuer);
    set(body, "validity", validity);
    set(body, "replaces", replaces);
    TRY(set_tags(body, &tags));
    if (sans.n)
        json_object_set_new(body, "sans", cli_texts(&sans));
    TRY(cli_call(c, "POST", "/v1/certificates", body, &answer));
    if (out)
        TRY(file_write(out, view_str(chain_text(c, answer)), 0644));
    if (c->json)
        cli_print_json(answer);
    else if (!out)
        printf("%s", chain_text(c, answer));
    else
        printf("%s: serial %s, until %s\n", out, json_string_value(json_object_get(answer, "serial")),
               json_string_value(json_object_get(answer, "not_after")));
out:
    json_decref(answer);
    return e;
}

static const char *with_issuer(struct cli *c, const char *path, const char *issuer)
{
    return issuer ? arena_printf(c->arena, "%s?issuer=%s", path, cli_escape(c, issuer)) : path;
}

struct err *cert_show(struct cli *c, int argc, char **argv)
{
    static const struct cli_column columns[] = {
        {"serial", "serial"},
        {"issuer", "issuer"},
        {"status", "status"},
        {"subject", "subject"},
        {"names", "names"},
        {"template", "template"},
        {"version", "template_version"},
        {"owner", "owner"},
        {"not before", "not_before"},
        {"not after", "not_after"},
        {"revoked", "revoked_at"},
        {"reason", "reason"},
        {"requested", "requested_at"},
        {"ledger entry", "entry"},
        {"seal", "seal"},
        {"replaces", "replaces"},
        {"renewed by", "renewed_by"},
    };
    struct err *e = NULL;
    const char *issuer = NULL;
    const struct cli_option options[] = {{"--issuer", &issuer, NULL, NULL}};
    json_t *answer = NULL;

    TRY(cli_options(options, 1, &argc, argv, 1, 1));
    const char *path = arena_printf(c->arena, "/v1/certificates/%s", cli_escape(c, argv[0]));
    TRY(cli_call(c, "GET", with_issuer(c, path, issuer), NULL, &answer));
    cli_print_object(c, answer, columns, sizeof columns / sizeof columns[0]);
    if (!c->json && json_object_get(answer, "certificate"))
        printf("\n%s", json_string_value(json_object_get(answer, "certificate")));
out:
    json_decref(answer);
    return e;
}
