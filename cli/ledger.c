/*
 * chancery ledger verify: recomputes the ledger from its first entry and holds it against the seal rolls.
 * Works beside a running daemon and on copies, without the daemon's help; needs to read both folders.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "cli.h"
#include "hsm.h"
#include "ledger_acts.h"
#include "ledger_books.h"
#include "ledger_file.h"
#include "ledger_verify.h"
#include "roll.h"

static struct err *take_act(struct rolled *r, const struct hsm_roll_entry *entry)
{
    if (entry->kind != HSM_ROLL_ACT || entry->serial.n != HSM_ACT_ID_BYTES)
        return NULL;
    struct ledger_acts_rolled *more = realloc(r->acts, (r->acts_n + 1) * sizeof *more);
    if (!more)
        return err_new(ERR_NOMEM, "no memory for %zu acts", r->acts_n + 1);
    r->acts = more;
    struct ledger_acts_rolled *to = &more[r->acts_n++];
    to->n = entry->n;
    memcpy(to->id, entry->serial.p, HSM_ACT_ID_BYTES);
    memcpy(to->sha256, entry->tbs_sha256.p, SHA256_BYTES);
    return NULL;
}

/* The key is "issuing" or "issuing/ocsp/HEX": the issuer is before the slash. */
static struct err *take_seal(void *arg, const struct hsm_roll_entry *entry)
{
    struct rolled *r = arg;
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 1024;
        struct ledger_seal *more = realloc(r->seals, cap * sizeof *more);
        if (!more)
            return err_new(ERR_NOMEM, "no memory for %zu seals", cap);
        r->seals = more;
        r->cap = cap;
    }
    r->seals[r->n++] = (struct ledger_seal){
        .roll = r->index,
        .n = entry->n,
        .kind = entry->kind,
        .issuer = view_of(entry->key.p, view_find(entry->key, '/')),
        .serial = entry->serial,
        .tbs_sha256 = entry->tbs_sha256,
        .extra = entry->extra,
    };
    return take_act(r, entry);
}

struct err *ledger_next_seal(void *arg, struct ledger_seal *ret, bool *ret_more)
{
    struct verifying *v = arg;
    while (v->roll < v->n && v->at == v->rolls[v->roll].n) {
        v->roll++;
        v->at = 0;
    }
    *ret_more = v->roll < v->n;
    if (*ret_more)
        *ret = v->rolls[v->roll].seals[v->at++];
    return NULL;
}

void ledger_found(void *arg, uint64_t seq, const char *what)
{
    struct verifying *v = arg;
    json_array_append_new(v->findings, json_pack("{s:I, s:s}", "entry", (json_int_t)seq, "what", what));
    if (!v->cli->json)
        printf("WRONG  entry %llu: %s\n", (unsigned long long)seq, what);
}

struct err *ledger_map(const char *path, struct view *ret)
{
    struct err *e = NULL;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        TRY(err_sys(ERR_IO, errno, "%s", path));
    void *p = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    if (p == MAP_FAILED)
        TRY(err_sys(ERR_IO, errno, "mapping %s", path));
    *ret = view_of(p, (size_t)st.st_size);
out:
    if (fd >= 0)
        close(fd);
    return e;
}

struct err *ledger_roll_take(struct rolled *r, struct view whole)
{
    return hsm_roll_verify(whole, take_seal, r, NULL, NULL);
}

static struct err *map_roll(struct rolled *r)
{
    struct err *e = err_wrap(ledger_map(r->path, &r->file), "the seal roll");
    return e ? e : ledger_roll_take(r, roll_whole(r->file));
}

void ledger_roll_drop(struct rolled *r)
{
    free(r->seals);
    free(r->acts);
    if (r->file.n)
        munmap((void *)(uintptr_t)r->file.p, r->file.n);
}

static uint64_t last_of(const struct rolled *r)
{
    return r->n ? r->seals[r->n - 1].n : 0;
}

/* A seal is durable before its record. What the ledger had of seals past a roll's end when that was read
 * first must be in the roll when it is read again; where it is not, the roll has lost its end. */
static struct err *check_newest(struct verifying *v, struct ledger_verify_report *report)
{
    struct err *e = NULL;
    uint64_t most = 0;
    for (size_t i = 0; i < v->n && report->newer && !e; i++) {
        struct rolled again = {.path = v->rolls[i].path};
        e = map_roll(&again);
        uint64_t last = last_of(&again), wanted = report->newest[i];
        most = last > most ? last : most;
        if (i + 1 == v->n && report->newest_some > most && wanted < report->newest_some)
            wanted = report->newest_some;
        if (!e && last < wanted) {
            report->findings++;
            ledger_found(v, 0,
                         arena_printf(v->cli->arena,
                                      "the ledger has a record of seal %llu, but the roll ends at %llu",
                                      (unsigned long long)wanted, (unsigned long long)last));
        }
        ledger_roll_drop(&again);
    }
    return e;
}

static struct err *check_acts(struct verifying *v, struct ledger *ledger, struct ledger_verify_report *report)
{
    struct err *e = NULL;
    struct view *ids = arena_array(v->cli->arena, v->n, sizeof *ids);
    uint64_t done = 0;
    for (size_t i = 0; i < v->n; i++) {
        uint8_t *id = arena_alloc(v->cli->arena, HSM_ACT_ID_BYTES);
        TRY(hsm_roll_id(v->rolls[i].file, id));
        ids[i] = view_of(id, HSM_ACT_ID_BYTES);
    }
    for (size_t i = 0; i < v->n; i++) {
        struct ledger_acts acts = {.cli = v->cli,
                                   .vault = ids[i],
                                   .vaults = ids,
                                   .vaults_n = v->n,
                                   .rolled = v->rolls[i].acts,
                                   .rolled_n = v->rolls[i].acts_n,
                                   .last = last_of(&v->rolls[i]),
                                   .finding = ledger_found,
                                   .arg = v};
        TRY(ledger_acts_check(&acts, ledger));
        report->findings += acts.findings;
        done += acts.done - (acts.findings < acts.done ? acts.findings : acts.done);
    }
    if (done && !v->cli->json)
        printf("acts:   %llu done, each approved by the roster of its day\n", (unsigned long long)done);
out:
    return e;
}

static json_t *report_json(const struct ledger_verify_report *p, const char *root, json_t *findings)
{
    return json_pack(
        "{s:b, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O}",
        "ok", p->findings == 0, "entries", (json_int_t)p->entries, "root", root, "intents",
        (json_int_t)p->intents, "records", (json_int_t)p->records, "closed", (json_int_t)p->closed,
        "closed_sealed", (json_int_t)p->closed_sealed, "open", (json_int_t)p->open, "revoked",
        (json_int_t)p->revoked, "crls", (json_int_t)p->crls, "seals", (json_int_t)p->seals, "seals_cert",
        (json_int_t)p->seals_cert, "seals_crl", (json_int_t)p->seals_crl, "seals_ocsp",
        (json_int_t)p->seals_ocsp, "heads", (json_int_t)p->heads, "seals_head", (json_int_t)p->seals_head,
        "sealed_open", (json_int_t)p->sealed_open, "newer", (json_int_t)p->newer, "findings", findings);
}

static void print_report(const struct ledger_verify_report *p, const char *root)
{
    printf("ledger: %llu entries, root %s\n", (unsigned long long)p->entries, root);
    printf(
        "        %llu intents = %llu records + %llu closed (%llu of them sealed) + %llu open; %llu revoked\n",
        (unsigned long long)p->intents, (unsigned long long)p->records, (unsigned long long)p->closed,
        (unsigned long long)p->closed_sealed, (unsigned long long)p->open, (unsigned long long)p->revoked);
    printf("roll:   %llu seals: %llu certificates, %llu lists, %llu OCSP answers, %llu heads\n",
           (unsigned long long)p->seals, (unsigned long long)p->seals_cert, (unsigned long long)p->seals_crl,
           (unsigned long long)p->seals_ocsp, (unsigned long long)p->seals_head);
    printf("books:  recorded %llu <= sealed %llu <= recorded + closed %llu", (unsigned long long)p->records,
           (unsigned long long)p->seals_cert, (unsigned long long)(p->records + p->closed));
    if (p->unrecorded)
        printf(" + %llu that the roll alone knew after a restoration", (unsigned long long)p->unrecorded);
    if (p->sealed_open || p->newer)
        printf(" (under way: %llu sealed, %llu recorded since)", (unsigned long long)p->sealed_open,
               (unsigned long long)p->newer);
    printf("\n%s\n", p->findings ? "the books do NOT agree" : "the books agree");
}

static struct err *add_roll(struct verifying *v, const char *path)
{
    if (v->n == LEDGER_ROLLS_MAX)
        return err_new(ERR_TOO_MANY, "more than %d seal rolls", LEDGER_ROLLS_MAX);
    v->rolls[v->n] = (struct rolled){.path = path, .index = v->n};
    v->n++;
    return NULL;
}

/* "FILE,FILE" */
static struct err *add_rolls(struct verifying *v, const char *files)
{
    struct err *e = NULL;
    for (size_t n; *files && !e; files += n + (files[n] != 0)) {
        n = strcspn(files, ",");
        e = add_roll(v, arena_str(v->cli->arena, view_of(files, n)));
    }
    return e;
}

struct err *ledger_paths(struct verifying *v, const char **ledger, const char *rolls)
{
    struct err *e = NULL;
    struct config *config = NULL;
    struct arena *a = v->cli->arena;
    if (rolls)
        TRY(add_rolls(v, rolls));
    if (*ledger && rolls)
        return NULL;
    TRY(cli_config(v->cli, &config));
    if (!*ledger)
        *ledger = arena_str(a, view_str(config->paths.ledger));
    for (size_t i = 0; !rolls && i < config->vaults_n; i++)
        TRY(add_roll(v, arena_printf(a, "%s/%s", config->vaults[i].roll, HSM_ROLL_FILE)));
out:
    config_free(config);
    return e;
}

struct err *ledger_say(struct verifying *v, const struct ledger_verify_report *report, json_t *more)
{
    struct cli *c = v->cli;
    const char *root = hex_of(c->arena, view_of(report->root, SHA256_BYTES));
    if (c->json) {
        json_t *tree = report_json(report, root, v->findings);
        if (more)
            json_object_update(tree, more);
        cli_print_json(tree);
        json_decref(tree);
    } else {
        print_report(report, root);
    }
    json_decref(more);
    return report->findings ? err_new(ERR_CORRUPT, "%llu findings", (unsigned long long)report->findings)
                            : NULL;
}

struct err *ledger_verify_run(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *dir = NULL, *rolls = NULL, *key = NULL;
    const struct cli_option options[] = {
        {"--ledger", &dir, NULL, NULL}, {"--roll", &rolls, NULL, NULL}, {"--key", &key, NULL, NULL}};
    struct ledger *ledger = NULL;
    struct verifying v = {.cli = c, .findings = json_array()};
    struct ledger_verify_report report;

    TRY(cli_options(options, 3, &argc, argv, 0, 1));
    if (argc == 1) {
        e = dir || rolls ? cli_usage("an export carries its own rolls") : ledger_file_verify(c, argv[0], key);
        goto out;
    }
    TRY(ledger_paths(&v, &dir, rolls));
    for (size_t i = 0; i < v.n;
         i++) /* first the rolls, then the ledger: what comes between is newer, not wrong */
        TRY(map_roll(&v.rolls[i]));
    TRY(ledger_open_readonly(dir, &ledger));
    const struct ledger_verify how = {
        .next_seal = ledger_next_seal, .on_finding = ledger_found, .arg = &v, .rolls = v.n, .live = true};
    TRY(ledger_verify(ledger, &how, &report));
    TRY(check_newest(&v, &report));
    TRY(check_acts(&v, ledger, &report));
    TRY(ledger_say(&v, &report, NULL));
out:
    ledger_close(ledger);
    json_decref(v.findings);
    for (size_t i = 0; i < v.n; i++)
        ledger_roll_drop(&v.rolls[i]);
    return e;
}
