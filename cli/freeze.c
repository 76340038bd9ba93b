/* chancery freeze: nothing more is issued for an issuer, a template, an asker, or at all; freeze list. The
 * end of a freeze is a request of kind thaw. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "hsm_freeze.h"

static enum hsm_freeze_what what_of(const char *text)
{
    enum hsm_freeze_what what = HSM_FREEZE_ALL;
    while (what < HSM_FREEZE_ASKER && strcmp(hsm_freeze_what_text(what), text) != 0)
        what++;
    return what;
}

struct err *freeze_run(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *issuer = NULL, *template = NULL, *asker = NULL, *reason = NULL;
    bool all = false;
    const struct cli_option options[] = {
        {"--issuer", &issuer, NULL, NULL}, {"--template", &template, NULL, NULL},
        {"--asker", &asker, NULL, NULL},   {"--reason", &reason, NULL, NULL},
        {"--all", NULL, &all, NULL},
    };
    json_t *answer = NULL;
    TRY(cli_options(options, sizeof options / sizeof *options, &argc, argv, 0, 0));
    if (!reason)
        TRY(cli_usage("--reason says why"));
    if ((issuer != NULL) + (template != NULL) + (asker != NULL) + all != 1)
        TRY(cli_usage("name one of --issuer, --template, --asker, --all"));
    const char *what = issuer ? "issuer" : template ? "template" : asker ? "asker" : "all";
    const char *name = issuer ? issuer : template ? template : asker ? asker : "";
    c->patience_s = geteuid() == 0 ? BREAK_GLASS_PATIENCE_S : 0;
    e = cli_call(c, "POST", "/v1/freezes",
                 json_pack("{s:s, s:s, s:s}", "what", what, "name", name, "reason", reason), &answer);
    if (break_glass_due(e)) {
        const struct hsm_freeze order = {.what = what_of(what), .name = name};
        err_free(e);
        return break_glass_freeze(c, &order, reason);
    }
    TRY(e);
    if (c->json)
        cli_print_json(answer);
    else
        printf("frozen: %s%s%s; to thaw it: chancery request new thaw %s%s%s --reason ... --key ...\n", what,
               name[0] ? " " : "", name, what, name[0] ? ":" : "", name);
out:
    json_decref(answer);
    return e;
}

struct err *freeze_list(struct cli *c, int argc, char **argv)
{
    static const struct cli_column columns[] = {
        {"WHAT", "what"}, {"NAME", "name"}, {"SINCE", "since"}, {"VAULT", "vault"}, {"WHY", "why"}};
    struct err *e = NULL;
    json_t *answer = NULL;
    TRY(cli_options(NULL, 0, &argc, argv, 0, 0));
    TRY(cli_call(c, "GET", "/v1/freezes", NULL, &answer));
    cli_print_list(c, answer, "freezes", columns, sizeof columns / sizeof *columns);
out:
    json_decref(answer);
    return e;
}
