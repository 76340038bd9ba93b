/* chancery ledger head, ledger proof: a signed head over all that is in the ledger, and that an entry is
 * under one. */
#include <stdio.h>

#include "cli.h"

struct err *ledger_head_run(struct cli *c, int argc, char **argv)
{
    static const struct cli_column columns[] = {
        {"origin", "origin"}, {"entries", "size"}, {"root", "root"}, {"seal", "seal"}, {"key", "key"}};
    struct err *e = NULL;
    json_t *answer = NULL;
    TRY(cli_options(NULL, 0, &argc, argv, 0, 0));
    TRY(cli_call(c, "GET", "/v1/log/head", NULL, &answer));
    cli_print_object(c, answer, columns, sizeof columns / sizeof columns[0]);
    if (!c->json)
        printf("\n%s", json_string_value(json_object_get(answer, "checkpoint")));
out:
    json_decref(answer);
    return e;
}

struct err *ledger_proof_run(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *text;
    json_t *answer = NULL;
    TRY(cli_options(NULL, 0, &argc, argv, 1, 1));
    const char *path = arena_printf(c->arena, "/v1/log/proof?entry=%s", cli_escape(c, argv[0]));
    if (c->json) {
        TRY(cli_call(c, "GET", path, NULL, &answer));
        cli_print_json(answer);
        goto out;
    }
    TRY(cli_get_text(c, path, "text/plain", &text));
    printf("%s", text);
out:
    json_decref(answer);
    return e;
}
