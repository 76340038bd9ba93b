/*
 * chancery ledger backup, check-backup, stat, accept-loss. A backup is made beside a running daemon, without
 * its help; it needs to read the ledger's folder, and the seal roll's.
 */
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/when.h"
#include "cli.h"
#include "hsm_books.h"
#include "ledger_backup.h"
#include "request.h"
#include "roll.h"

/* --- backup --- */

/* Each vault has one; the first vault's is roll.der, in a backup too. */
static const char *roll_name(struct cli *c, const struct config *config, size_t vault)
{
    return vault ? arena_printf(c->arena, "roll-%s.der", config->vaults[vault].name) : HSM_ROLL_FILE;
}

static const char *roll_of(struct cli *c, const struct config *config, size_t vault)
{
    return arena_printf(c->arena, "%s/%s", config->vaults[vault].roll, HSM_ROLL_FILE);
}

/* A copy of the roll beside the entries. It is read after them: so it knows every seal that they do. */
static struct err *copy_roll(const char *from, const char *to)
{
    struct err *e = NULL;
    struct view roll = {.n = 0};
    TRY(roll_map(from, &roll));
    TRY(hsm_roll_verify(roll, NULL, NULL, NULL, NULL));
    TRY(file_write(to, roll, 0600));
out:
    roll_unmap(roll);
    return e;
}

static void print_backup(struct cli *c, const char *dir, const struct ledger_backup_report *r, bool checked,
                         bool roll)
{
    const char *root = hex_of(c->arena, view_of(r->root, SHA256_BYTES));
    bool nothing = r->files == 0;
    if (c->json) {
        json_t *tree = json_pack("{s:s, s:I, s:I, s:I, s:I, s:s, s:b, s:b}", "dir", dir, "from",
                                 (json_int_t)r->from, "to", (json_int_t)r->to, "files", (json_int_t)r->files,
                                 "bytes", (json_int_t)r->bytes, "root", root, "roll", roll, "checked", true);
        cli_print_json(tree);
        json_decref(tree);
        return;
    }
    if (nothing)
        printf("%s: nothing new since entry %llu\n", dir, (unsigned long long)r->to);
    else
        printf("%s: entries %llu to %llu %s, %llu octets\n", dir, (unsigned long long)r->from,
               (unsigned long long)r->to, checked ? "are whole" : "written and read again",
               (unsigned long long)r->bytes);
    printf("root %s%s\n", root, checked || roll ? "" : "\nthe seal roll is NOT in it");
}

struct err *ledger_backup_run(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *dir = NULL;
    bool no_roll = false;
    const struct cli_option options[] = {{"--ledger", &dir, NULL, NULL}, {"--no-roll", NULL, &no_roll, NULL}};
    struct config *config = NULL;
    struct ledger *ledger = NULL;
    struct ledger_backup_report report;
    TRY(cli_options(options, 2, &argc, argv, 1, 1));
    if (!dir || !no_roll)
        TRY(cli_config(c, &config));
    if (!dir)
        dir = config->paths.ledger;
    TRY(ledger_open_readonly(dir, &ledger));
    TRY(ledger_backup(ledger, argv[0], &report));
    for (size_t i = 0; !no_roll && i < config->vaults_n; i++)
        TRY(copy_roll(roll_of(c, config, i),
                      arena_printf(c->arena, "%s/%s", argv[0], roll_name(c, config, i))));
    print_backup(c, argv[0], &report, false, !no_roll);
out:
    ledger_close(ledger);
    config_free(config);
    return e;
}

/* Every roll that lies there. */
static struct err *check_rolls(const char *dir, size_t *ret_n)
{
    struct err *e = NULL;
    glob_t found = {.gl_pathc = 0};
    struct arena *arena = arena_new(64 * 1024);
    *ret_n = 0;
    if (glob(arena_printf(arena, "%s/roll*.der", dir), 0, NULL, &found) != 0)
        found.gl_pathc = 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct view roll = {.n = 0};
        e = roll_map(found.gl_pathv[i], &roll);
        if (!e)
            e = err_wrap(hsm_roll_verify(roll, NULL, NULL, NULL, NULL), "%s", found.gl_pathv[i]);
        roll_unmap(roll);
        TRY(e);
        ++*ret_n;
    }
out:
    globfree(&found);
    arena_free(arena);
    return e;
}

struct err *ledger_check_backup(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct ledger_backup_report report;
    size_t rolls;
    TRY(cli_options(NULL, 0, &argc, argv, 1, 1));
    TRY(ledger_backup_check(argv[0], &report));
    TRY(check_rolls(argv[0], &rolls));
    print_backup(c, argv[0], &report, true, rolls > 0);
out:
    return e;
}

/* --- stat --- */

struct err *ledger_stat_run(struct cli *c, int argc, char **argv)
{
    static const struct cli_column columns[] = {
        {"entries", "entries"},         {"root", "root"},       {"last entry", "last"},
        {"open intents", "open"},       {"used", "used_bytes"}, {"free", "free_bytes"},
        {"restored by", "restored_by"},
    };
    static const struct cli_column parts[] = {{"PART", "name"}, {"ROWS", "rows"}, {"BYTES", "bytes"}};
    struct err *e = NULL;
    json_t *answer = NULL;
    TRY(cli_options(NULL, 0, &argc, argv, 0, 0));
    TRY(cli_call(c, "GET", "/v1/ledger", NULL, &answer));
    cli_print_object(c, answer, columns, sizeof columns / sizeof *columns);
    if (!c->json) {
        printf("\n");
        cli_print_list(c, answer, "parts", parts, sizeof parts / sizeof *parts);
    }
out:
    json_decref(answer);
    return e;
}

/* --- accept-loss --- */

static struct err *object_of(struct cli *c, const char **ret)
{
    struct err *e = NULL;
    json_t *answer = NULL;
    TRY(cli_call(c, "GET", "/v1/ledger", NULL, &answer));
    long long restored = json_integer_value(json_object_get(answer, "restored_by"));
    if (!restored)
        e = err_new(ERR_WRONG_STATE, "the ledger does not wait for a loss to be accepted");
    *ret = arena_printf(c->arena, "ledger:%lld", restored);
out:
    json_decref(answer);
    return e;
}

struct err *ledger_accept_loss(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct request_what what = {.kind = HSM_ACT_ACCEPT_LOSS, .expires = "7d", .payload = view_of("", 0)};
    const char *request = NULL;
    const struct cli_option options[] = {{"--reason", &what.reason, NULL, NULL},
                                         {"--expires", &what.expires, NULL, NULL},
                                         {"--request", &request, NULL, NULL},
                                         KEY_OPTIONS(what.key)};
    json_t *made = NULL;
    TRY(cli_options(options, sizeof options / sizeof *options, &argc, argv, 0, 0));
    if (!request && !what.reason)
        TRY(cli_usage("--reason says why, for those who approve and for the books"));
    if (!request)
        TRY(object_of(c, &what.object));
    TRY(request_carry_out(c, &what, request, &made));
    if (made && c->json)
        cli_print_json(made);
    if (made && !c->json)
        printf("the loss is accepted: the ledger issues again\n");
out:
    json_decref(made);
    return e;
}
