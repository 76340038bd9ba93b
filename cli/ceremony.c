/*
 * chancery ceremony: runs one from its file, or rehearses it in a SoftHSM token of its own. The order is
 * always the same: the whole file is read and checked; the token's vault starts in a child; each step is
 * shown, confirmed, carried out and written down. A step that fails is written down too and ends it.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "ca_hierarchy.h"
#include "ceremony.h"

/* --- the steps --- */

static ceremony_step_fn *run_of(const struct ceremony_step *s)
{
    const struct ceremony_kind *k;
    for (size_t i = 0; (k = ceremony_kind(i)); i++)
        if (strcmp(k->name, s->kind) == 0)
            return k->run;
    return NULL; /* the file was read by the same table */
}

static void show(const struct ceremony *c, const struct ceremony_step *s, size_t n)
{
    fprintf(stderr, "%2zu of %zu  %s%s%s%s%s%s%s\n", n, c->steps_n, s->kind, s->name ? " " : "",
            s->name ? s->name : "", s->out ? " -> " : "", s->out ? s->out : "", s->text ? ": " : "",
            s->text ? s->text : "");
}

static void show_made(const struct ceremony *c)
{
    static const char *const keys[] = {"spki_sha256", "took_sha256", "made_sha256"};
    static const char *const words[] = {"key", "took", "made"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *hash = json_string_value(json_object_get(c->line, keys[i]));
        if (hash)
            fprintf(stderr, "          %s %s\n", words[i], hash);
    }
}

/* The refusal stands in the ledger as well. */
static void deny(struct ceremony *c, const struct ceremony_step *s, const struct err *why)
{
    struct ledger_result result;
    struct ledger_entry entry = init_entry(&c->in, LEDGER_DENY);
    entry.body.deny = (struct ledger_deny){
        .type = err_row(err_code(why))->type, .detail = err_detail(why), .template = s->template, .count = 1};
    struct err *e = ledger_append_wait(c->in.ledger, &entry, &result);
    err_free(e);
}

static struct err *run_step(struct ceremony *c, const struct ceremony_step *s, size_t n)
{
    show(c, s, n);
    ceremony_record_step(c, s, n);
    struct err *e = ceremony_say_confirm(c, s);
    if (!e)
        e = run_of(s)(c, s);
    if (e)
        deny(c, s, e);
    show_made(c);
    struct err *unwritten = ceremony_record_done(c, e);
    if (e) {
        err_free(unwritten);
        return err_wrap(e, "step %zu (%s)", n, s->kind);
    }
    return unwritten;
}

/* --- around them --- */

/* Issuers of earlier ceremonies: their certificates are here, their keys in the token. */
static struct err *take_up_issuers(struct ceremony *c)
{
    struct err *e = NULL;
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)c->issuers_tree, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        const char *file = json_string_value(json_object_get(one, "certificate"));
        struct view der;
        if (!name || !file)
            return conf_error(c->conf, one, "an issuer has a name and a certificate");
        TRY(ceremony_io_read_pem(c, file, NULL, "CERTIFICATE", &der));
        TRY(hsm_ceremony_adopt(c->in.ceremony, name, der));
        TRY(ceremony_issuer_add(c, name, der));
    }
out:
    return err_wrap(e, "issuers");
}

static struct err *note(struct ceremony *c)
{
    struct err *e = NULL;
    struct ca_transcript t;
    struct ledger_result result;
    struct ledger_entry entry = init_entry(&c->in, LEDGER_TRANSCRIPT);
    TRY(ca_transcript_read(view_str(c->text), c->in.cli->arena, &t));
    entry.body.transcript = (struct ledger_transcript){.title = t.title,
                                                       .rehearsal = t.rehearsal,
                                                       .complete = t.complete,
                                                       .sha256 = view_of(t.sha256, sizeof t.sha256),
                                                       .text = view_str(c->text)};
    TRY(ledger_append_wait(c->in.ledger, &entry, &result));
    fprintf(stderr, "transcript: %s, SHA-256 %s\n", c->transcript_path,
            hex_of(c->in.cli->arena, view_of(t.sha256, sizeof t.sha256)));
out:
    return e;
}

static struct err *run_all(struct ceremony *c)
{
    struct err *e = NULL;
    TRY(ceremony_record_begin(c));
    c->line = json_object(); /* what the header takes is not a step's */
    TRY(take_up_issuers(c));
    json_decref(c->line);
    c->line = NULL;
    for (size_t i = 0; i < c->steps_n; i++)
        TRY(run_step(c, &c->steps[i], i + 1));
    TRY(ceremony_record_end(c));
out:
    if (c->text && c->in.ledger) {
        struct err *unnoted = note(c);
        if (!e)
            return unnoted;
        err_free(unnoted);
    }
    return e;
}

static struct err *open_rehearsal(struct ceremony *c, const char *folder)
{
    struct err *e = NULL;
    char real[PATH_MAX];
    TRY(file_mkdir(folder, 0700));
    if (!realpath(folder, real))
        TRY(err_sys(ERR_IO, errno, "%s", folder));
    c->rehearsal = true;
    c->out = c->in.dir = arena_str(c->in.cli->arena, view_str(real));
    c->in.make_label = "rehearsal";
    TRY(init_softhsm_files(&c->in));
out:
    return e;
}

static void close_all(struct ceremony *c)
{
    init_vault_end(&c->in);
    ledger_close(c->in.ledger);
    templates_free(c->in.templates);
    json_decref(c->line);
    conf_free(c->conf);
    if (c->in.pin_fd >= 0)
        close(c->in.pin_fd);
    if (c->in.so_pin_fd >= 0)
        close(c->in.so_pin_fd);
}

static struct err *run(struct ceremony *c, const char *file, const char *rehearse)
{
    struct err *e = NULL;
    TRY(ceremony_file_read(c, file));
    c->out = c->folder;
    if (rehearse)
        TRY(open_rehearsal(c, rehearse));
    TRY(ceremony_io_check_first(c));
    TRY(ceremony_file_config(c));
    TRY(ceremony_file_templates(c));
    fprintf(stderr, "%s%s\n", c->title, c->rehearsal ? " (a rehearsal)" : "");
    TRY(init_vault_start(&c->in)); /* forks: before the ledger is open */
    TRY(ledger_open(c->in.config->paths.ledger, NULL, NULL, &c->in.ledger));
    TRY(run_all(c));
out:
    return e;
}

struct err *ceremony_run(struct cli *cli, int argc, char **argv)
{
    struct err *e = NULL;
    const char *rehearse = NULL;
    const struct cli_option options[] = {{"--rehearse", &rehearse, NULL, NULL}};
    struct ceremony *c = ARENA_NEW(cli->arena, struct ceremony);
    c->in = (struct init){.cli = cli, .door = "ceremony", .pin_fd = -1, .so_pin_fd = -1};

    TRY(cli_options(options, 1, &argc, argv, 1, 1));
    TRY(run(c, argv[0], rehearse));
out:
    close_all(c);
    return e;
}
