/*
 * chancery doctor: what is unsafe or about to lapse here, in plain words. Looks at the files first, so that
 * it says something useful with the daemon down too. Changes nothing.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/when.h"
#include "base/world.h"
#include "cert/chain.h"
#include "cert/pem.h"
#include "cli.h"

enum { SOON_DAYS = 90, DAY_S = 86400 };

struct doctor {
    struct cli *cli;
    json_t *findings;
    int bad;
};

static void say(struct doctor *d, const char *level, const char *what, const char *do_this)
{
    json_array_append_new(d->findings,
                          json_pack("{s:s, s:s, s:s}", "level", level, "what", what, "do", do_this));
    d->bad += strcmp(level, "bad") == 0;
    if (!d->cli->json)
        printf("%-4s  %s%s%s\n", level, what, do_this[0] ? "\n      -> " : "", do_this);
}

/* Secrets must be their owner's alone. */
static void check_private(struct doctor *d, const char *path, const char *what)
{
    struct stat st;
    struct arena *a = d->cli->arena;
    if (stat(path, &st) != 0)
        say(d, "bad", arena_printf(a, "%s %s cannot be looked at", what, path),
            "run this as root or as its owner");
    else if (st.st_mode & 077)
        say(d, "bad",
            arena_printf(a, "%s %s can be read by others (mode %03o)", what, path, st.st_mode & 0777),
            arena_printf(a, "chmod go= %s", path));
    else
        say(d, "ok", arena_printf(a, "%s is its owner's alone", what), "");
}

static void check_issuer(struct doctor *d, const struct config_issuer *i)
{
    struct err *e = NULL;
    struct arena *a = d->cli->arena;
    struct view pem, der;
    struct cert_tbs tbs;

    TRY(file_read(i->certificate, 64 * 1024, a, &pem));
    TRY(cert_pem_read(pem, "CERTIFICATE", a, &der));
    TRY(cert_tbs_open(der, a, NULL, &tbs));
    int64_t left = tbs.not_after - world_now_s(), life = tbs.not_after - tbs.not_before;
    const char *until = when_text(a, tbs.not_after);
    if (left <= 0)
        say(d, "bad", arena_printf(a, "the issuer '%s' expired at %s", i->name, until),
            "a new issuer is needed");
    else if (left < life / 3)
        say(d, "warn",
            arena_printf(a, "the issuer '%s' lapses at %s: a third of its life is left", i->name, until),
            "plan its successor");
    else
        say(d, "ok", arena_printf(a, "the issuer '%s' holds until %s", i->name, until), "");
out:
    if (e)
        say(d, "bad", arena_printf(a, "the issuer '%s': %s", i->name, err_detail(e)),
            "restore its certificate");
    err_free(e);
}

static void check_config(struct doctor *d, const struct config *c)
{
    if (c->demo)
        say(d, "warn", "this is a demo: it listens on this machine alone, and its token is software",
            "for anything real: a configuration of your own, a hardware token, `demo: false`");
    if (c->demo && !c->users.vault)
        say(d, "warn", "all processes run as one user",
            "give each its own: `users:` in the configuration, started as root");
    for (size_t k = 0; k < c->tokens_n; k++) {
        const struct config_token *t = &c->tokens[k];
        check_private(d, t->pin_file, "the PIN file");
        for (size_t i = 0; i < t->writes.n; i++)
            check_private(d, t->writes.items[i], "the token's folder");
    }
    for (size_t i = 0; i < c->vaults_n; i++)
        check_private(d, c->vaults[i].roll, "the roll's folder");
    check_private(d, c->paths.ledger, "the ledger's folder");
    for (size_t i = 0; i < c->issuers_n; i++)
        check_issuer(d, &c->issuers[i]);
}

static void check_ready(struct doctor *d)
{
    json_t *answer = NULL, *probe;
    size_t i;
    struct arena *a = d->cli->arena;
    struct err *e = cli_call(d->cli, "GET", "/readyz", NULL, &answer);
    if (e) {
        say(d, "bad", err_detail(e), "");
        err_free(e);
        return;
    }
    json_array_foreach(json_object_get(answer, "probes"), i, probe)
    {
        const char *name = json_string_value(json_object_get(probe, "name"));
        const char *why = json_string_value(json_object_get(probe, "why"));
        if (why)
            say(d, "bad", arena_printf(a, "%s: %s", name, why), "");
        else
            say(d, "ok", arena_printf(a, "%s: ready", name), "");
    }
    const char *isolation = json_string_value(json_object_get(answer, "isolation"));
    say(d, isolation && strncmp(isolation, "none", 4) != 0 ? "ok" : "bad",
        arena_printf(a, "what holds the processes apart: %s", isolation ? isolation : "unknown"), "");
    json_decref(answer);
}

static void check_lapsing(struct doctor *d)
{
    json_t *answer = NULL;
    struct arena *a = d->cli->arena;
    int64_t now = world_now_s();
    const char *path =
        arena_printf(a, "/v1/certificates?status=valid&limit=1000&not_after_from=%s&not_after_till=%s",
                     when_text(a, now), when_text(a, now + 7 * DAY_S));
    struct err *e = cli_call(d->cli, "GET", path, NULL, &answer);
    size_t n = e ? 0 : json_array_size(json_object_get(answer, "certificates"));
    if (n)
        say(d, "warn",
            arena_printf(a, "%zu%s certificates lapse within 7 days", n,
                         json_is_string(json_object_get(answer, "next")) ? " or more" : ""),
            "see: chancery cert list --status valid");
    err_free(e);
    json_decref(answer);
}

struct err *doctor_run(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct config *config = NULL;
    struct doctor d = {.cli = c, .findings = json_array()};

    TRY(cli_options(NULL, 0, &argc, argv, 0, 0));
    TRY(cli_config(c, &config));
    check_config(&d, config);
    check_ready(&d);
    check_lapsing(&d);
    if (c->json) {
        json_t *tree = json_pack("{s:b, s:O}", "ok", d.bad == 0, "findings", d.findings);
        cli_print_json(tree);
        json_decref(tree);
    }
    if (d.bad)
        e = err_new(ERR_WRONG_STATE, "%d thing%s to mend", d.bad, d.bad == 1 ? "" : "s");
out:
    config_free(config);
    json_decref(d.findings);
    return e;
}
