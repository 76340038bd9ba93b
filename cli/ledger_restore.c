/*
 * chancery ledger restore: a ledger from a backup, and into it what the seal roll and the published lists
 * know beyond it. Made beside the place where it belongs and put there in one step, when it is whole. No
 * daemon may run.
 */
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/when.h"
#include "ca_restore.h"
#include "cert/pem.h"
#include "cli.h"
#include "ledger_backup.h"
#include "roll.h"

enum { LIST_BYTES = 1 << 30, CERTIFICATE_BYTES = 64 * 1024 };

struct restoring {
    struct cli *cli;
    const struct config *config;
    const char *place, *made; /* where it belongs; where it is made */
    struct cli_list rolls;    /* empty: without */
    struct cli_list lists;
    bool no_lists;
    struct ledger *ledger;
    struct ledger_restored restored;
    struct ca_merged merged;
};

/* --- the roll and the lists --- */

static struct err *merge_rolls(struct restoring *r)
{
    struct err *e = NULL;
    for (size_t i = 0; !e && i < r->rolls.n; i++) {
        struct view roll = {.n = 0};
        e = roll_map(r->rolls.items[i], &roll);
        if (!e)
            e = ca_restore_roll(r->ledger, roll, &r->merged);
        roll_unmap(roll);
    }
    return e;
}

/* Each vault has one. */
static struct err *name_rolls(struct restoring *r)
{
    size_t most = sizeof r->rolls.items / sizeof r->rolls.items[0];
    if (r->config->vaults_n > most)
        return err_new(ERR_TOO_MANY, "more than %zu vaults", most);
    for (size_t i = 0; i < r->config->vaults_n; i++)
        r->rolls.items[r->rolls.n++] =
            arena_printf(r->cli->arena, "%s/%s", r->config->vaults[i].roll, HSM_ROLL_FILE);
    return NULL;
}

static struct err *certificate_of(struct restoring *r, const struct config_issuer *issuer,
                                  struct arena *arena, struct view *ret)
{
    struct err *e = NULL;
    struct view pem;
    TRY(file_read(issuer->certificate, CERTIFICATE_BYTES, arena, &pem));
    TRY(err_wrap(cert_pem_read(pem, "CERTIFICATE", arena, ret), "%s", issuer->certificate));
out:
    (void)r;
    return e;
}

/* Of which of our issuers it is says its own signature. */
static struct err *merge_list(struct restoring *r, const char *path, bool *taken)
{
    struct err *e = NULL, *why = NULL;
    struct arena *arena = arena_new((size_t)LIST_BYTES * 2);
    struct view der, certificate;
    TRY(file_read(path, LIST_BYTES, arena, &der));
    if (der.n && der.p[0] == '-')
        TRY(err_wrap(cert_pem_read(der, "X509 CRL", arena, &der), "%s", path));
    for (size_t i = 0; i < r->config->issuers_n; i++) {
        const struct config_issuer *issuer = &r->config->issuers[i];
        uint64_t number;
        TRY(certificate_of(r, issuer, arena, &certificate));
        err_free(why);
        why = ca_restore_list(r->ledger, issuer->name, certificate, der, &r->merged, &number);
        if (why && err_code(why) != ERR_BAD_NAME)
            break;
        if (why)
            continue;
        taken[i] = true;
        if (!r->cli->json)
            printf("%s: list %llu of '%s'\n", path, (unsigned long long)number, issuer->name);
        goto out;
    }
    e = err_wrap(why ? why : err_new(ERR_BAD_NAME, "no issuer of the configuration made it"), "%s", path);
    why = NULL;
out:
    err_free(why);
    arena_free(arena);
    return e;
}

/* Who published lists before must show one: else a revocation would be taken back by forgetting it. */
static struct err *check_lists(struct restoring *r, const bool *taken)
{
    struct err *e = NULL;
    uint64_t number;
    for (size_t i = 0; i < r->config->issuers_n && !r->no_lists; i++) {
        TRY(ledger_list_number(r->ledger, r->config->issuers[i].name, &number));
        if (number && !taken[i])
            TRY(err_new(ERR_WRONG_STATE,
                        "'%s' has published lists: give its newest (--crl FILE), so that nobody it revoked "
                        "since the backup is let go; or, where there is none left, --no-lists",
                        r->config->issuers[i].name));
    }
out:
    return e;
}

static struct err *merge_lists(struct restoring *r)
{
    struct err *e = NULL;
    bool *taken = arena_array(r->cli->arena, r->config->issuers_n + 1, sizeof *taken);
    memset(taken, 0, (r->config->issuers_n + 1) * sizeof *taken);
    for (size_t i = 0; i < r->lists.n; i++)
        TRY(merge_list(r, r->lists.items[i], taken));
    TRY(check_lists(r, taken));
out:
    return e;
}

/* --- the place --- */

/* Calls fn for all that lies there, folders after what is in them. */
static int each_in(const char *path, int (*fn)(const char *path, const void *arg), const void *arg)
{
    char *roots[] = {(char *)(uintptr_t)path, NULL};
    int failed = 0;
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (const FTSENT *at = tree ? fts_read(tree) : NULL; at; at = fts_read(tree))
        if (at->fts_info != FTS_D)
            failed |= fn(at->fts_accpath, arg);
    if (tree)
        fts_close(tree);
    return tree ? failed : -1;
}

static int remove_one(const char *path, const void *arg)
{
    (void)arg;
    return remove(path);
}

static int own_one(const char *path, const void *arg)
{
    const struct stat *owner = arg;
    return lchown(path, owner->st_uid, owner->st_gid);
}

/* As root: to whom the place, or what it lies in, belongs. */
static struct err *hand_over(const struct restoring *r)
{
    const char *slash = strrchr(r->place, '/');
    const char *above = slash && slash != r->place
                            ? arena_str(r->cli->arena, view_of(r->place, (size_t)(slash - r->place)))
                            : "/";
    struct stat owner;
    if (geteuid() != 0)
        return NULL;
    if (stat(r->place, &owner) != 0 && stat(above, &owner) != 0)
        return err_sys(ERR_IO, errno, "%s", r->place);
    return each_in(r->made, own_one, &owner) == 0 ? NULL : err_sys(ERR_IO, errno, "%s", r->made);
}

static struct err *check_place(const struct restoring *r)
{
    struct stat st;
    if (stat(arena_printf(r->cli->arena, "%s/data.mdb", r->place), &st) == 0)
        return err_new(ERR_WRONG_STATE,
                       "%s holds a ledger: stop the daemon and move it aside; nothing is written over it",
                       r->place);
    if (stat(r->made, &st) == 0)
        return err_new(ERR_WRONG_STATE, "%s is left of a restoration that did not end: remove it", r->made);
    return NULL;
}

/* An empty folder, with perhaps a lock in it, gives way. */
static struct err *put_in_place(struct restoring *r)
{
    struct err *e = NULL;
    struct stat st;
    TRY(hand_over(r));
    (void)unlink(arena_printf(r->cli->arena, "%s/writer.lock", r->place));
    if (stat(r->place, &st) == 0 && rmdir(r->place) != 0)
        TRY(err_sys(ERR_WRONG_STATE, errno, "%s", r->place));
    if (rename(r->made, r->place) != 0)
        TRY(err_sys(ERR_IO, errno, "%s", r->place));
out:
    return e;
}

/* --- the command --- */

static void print(const struct restoring *r)
{
    const struct ca_merged *m = &r->merged;
    struct cli *c = r->cli;
    const char *root = hex_of(c->arena, view_of(r->restored.root, SHA256_BYTES)),
               *last = when_text(c->arena, r->restored.last_time_ms / 1000);
    if (c->json) {
        json_t *tree = json_pack("{s:s, s:I, s:s, s:s, s:I, s:I, s:I, s:I}", "ledger", r->place, "entries",
                                 (json_int_t)r->restored.entries, "last", last, "root", root, "seals",
                                 (json_int_t)m->seals, "unrecorded", (json_int_t)m->unrecorded, "authorities",
                                 (json_int_t)m->authorities, "revoked", (json_int_t)m->revoked);
        cli_print_json(tree);
        json_decref(tree);
        return;
    }
    printf("%s: %llu entries up to %s, root %s\n", r->place, (unsigned long long)r->restored.entries, last,
           root);
    printf("the roll has %llu certificates, %llu of them the backup had not: `chancery cert list --status "
           "unrecorded`\n",
           (unsigned long long)m->seals, (unsigned long long)m->unrecorded);
    if (m->authorities)
        printf("%llu CA certificates were sealed that the backup had not: see doc/RECOVERY.md\n",
               (unsigned long long)m->authorities);
    printf("%llu revocations came from published lists\n"
           "nothing is issued, and nobody is told `good`, until `chancery ledger accept-loss`\n",
           (unsigned long long)m->revoked);
}

static struct err *make(struct restoring *r, const struct ledger_restore *how)
{
    struct err *e = NULL;
    TRY(check_place(r));
    e = ledger_restore(how, &r->ledger, &r->restored);
    if (!e)
        e = merge_rolls(r);
    if (!e)
        e = merge_lists(r);
    ledger_close(r->ledger);
    if (!e)
        e = put_in_place(r);
    if (e)
        (void)each_in(r->made, remove_one, NULL);
out:
    return e;
}

static struct err *until_of(const char *until, const char *entry, struct ledger_restore *to)
{
    struct err *e = NULL;
    int64_t until_s;
    if (until && entry)
        return cli_usage("--until and --entry say the same: give one of them");
    if (until) {
        TRY(err_wrap(when_parse(view_str(until), &until_s), "--until"));
        to->until_ms = until_s * 1000 + 999;
    }
    if (entry && (sscanf(entry, "%" SCNu64, &to->until) != 1 || to->until == 0))
        e = cli_usage("--entry takes an entry's number");
out:
    return e;
}

struct err *ledger_restore_run(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct config *config = NULL;
    struct restoring r = {.cli = c};
    const char *until = NULL, *entry = NULL;
    bool no_roll = false;
    const struct cli_option options[] = {
        {"--until", &until, NULL, NULL},    {"--entry", &entry, NULL, NULL},
        {"--roll", NULL, NULL, &r.rolls},   {"--no-roll", NULL, &no_roll, NULL},
        {"--crl", NULL, NULL, &r.lists},    {"--no-lists", NULL, &r.no_lists, NULL},
        {"--ledger", &r.place, NULL, NULL},
    };
    struct ledger_restore how = {.until = 0};
    TRY(cli_options(options, sizeof options / sizeof *options, &argc, argv, 1, 1));
    TRY(until_of(until, entry, &how));
    TRY(cli_config(c, &config));
    r.config = config;
    if (!r.place)
        r.place = config->paths.ledger;
    if (!r.rolls.n && !no_roll)
        TRY(name_rolls(&r));
    r.made = arena_printf(c->arena, "%s.restoring", r.place);
    how.from = argv[0];
    how.to = r.made;
    TRY(make(&r, &how));
    print(&r);
out:
    config_free(config);
    return e;
}
