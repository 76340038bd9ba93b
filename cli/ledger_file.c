/*
 * chancery ledger export FILE, ledger verify FILE: the ledger and the rolls in one file; and that file
 * checked where there is no daemon, no configuration and no database: leaves, tree, heads, states and the two
 * books by the ledger's room, every signature here. With --key a log's key is trusted that was known before;
 * else the one that the export names.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/world.h"
#include "cert/chain.h"
#include "cert/crl.h"
#include "hsm_books.h"
#include "hsm_head.h"
#include "ledger_books.h"
#include "ledger_export.h"
#include "ledger_file.h"
#include "roll.h"

/* --- export --- */

static struct err *give(void *arg, struct view octets)
{
    FILE *to = arg;
    return fwrite(octets.p, 1, octets.n, to) == octets.n ? NULL
                                                         : err_sys(ERR_IO, errno, "writing the export");
}

static struct err *write_file(struct ledger *l, const struct ledger_export *what, const char *path)
{
    struct err *e = NULL;
    struct ledger_export x = *what;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(ERR_IO, errno, "%s", path);
    FILE *to = fdopen(fd, "w");
    CHECK(to);
    x.give = give;
    x.arg = to;
    TRY(ledger_export(l, &x));
    if (fflush(to) != 0 || fsync(fd) != 0)
        e = err_sys(ERR_IO, errno, "%s", path);
out:
    if (fclose(to) != 0 && !e)
        e = err_sys(ERR_IO, errno, "%s", path);
    if (e)
        unlink(path);
    return e;
}

struct err *ledger_export_run(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *dir = NULL, *rolls = NULL;
    const struct cli_option options[] = {{"--ledger", &dir, NULL, NULL}, {"--roll", &rolls, NULL, NULL}};
    struct ledger *ledger = NULL;
    struct verifying v = {.cli = c, .findings = json_array()};
    struct view whole[LEDGER_ROLLS_MAX];
    struct ledger_head head;

    TRY(cli_options(options, 2, &argc, argv, 1, 1));
    TRY(ledger_paths(&v, &dir, rolls));
    for (size_t i = 0; i < v.n;
         i++) { /* before the number of entries: every seal has its intent in the export */
        TRY(ledger_map(v.rolls[i].path, &v.rolls[i].file));
        whole[i] = roll_whole(v.rolls[i].file);
    }
    TRY(ledger_open_readonly(dir, &ledger));
    TRY(ledger_head(ledger, &head));
    const struct ledger_export what = {
        .entries = head.entries, .rolls = whole, .rolls_n = v.n, .now_ms = world_now_ms()};
    TRY(write_file(ledger, &what, argv[0]));
    if (!c->json)
        printf("%s: %llu entries, %zu seal rolls, root %s\n", argv[0], (unsigned long long)head.entries, v.n,
               hex_of(c->arena, view_of(head.root, SHA256_BYTES)));
out:
    ledger_close(ledger);
    json_decref(v.findings);
    for (size_t i = 0; i < v.n; i++)
        ledger_roll_drop(&v.rolls[i]);
    return e;
}

/* --- the signatures --- */

enum { ISSUERS_MAX = 256, REASONS = 11, KEYS_MAX = 16 };

struct waiting { /* an intent without its end; or a record whose issuer is not known yet */
    uint64_t seq;
    char issuer[64];
    enum cert_alg alg;
    struct view tbs, signature; /* our own */
};
struct waiting_list {
    struct waiting *items;
    size_t n, cap;
};

struct checking {
    struct verifying books;
    struct arena *arena; /* of issuers and keys */
    const char *key;     /* --key, or NULL */
    struct {
        const char *name;
        struct cert_key key;
    } issuers[ISSUERS_MAX];
    size_t issuers_n;
    struct waiting_list open, unknown;
    struct ledger_export_head *heads;
    size_t heads_n;
    uint64_t certificates, signed_heads, unnamed, reasons[REASONS];
};

static void found(struct checking *k, uint64_t seq, const char *what)
{
    ledger_found(&k->books, seq, what);
}

static struct view copy(struct view v)
{
    uint8_t *p = malloc(v.n ? v.n : 1);
    CHECK(p);
    memcpy(p, v.p, v.n);
    return view_of(p, v.n);
}

static void waiting_free(struct waiting *w)
{
    free((void *)(uintptr_t)w->tbs.p);
    free((void *)(uintptr_t)w->signature.p);
}

static struct waiting *waiting_add(struct waiting_list *l, const struct ledger_entry *en, struct view tbs)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 64;
        l->items = reallocarray(l->items, l->cap, sizeof *l->items);
        CHECK(l->items);
    }
    struct waiting *w = &l->items[l->n++];
    *w = (struct waiting){.seq = en->seq, .tbs = tbs};
    snprintf(w->issuer, sizeof w->issuer, "%s", en->issuer);
    return w;
}

/* Those that wait are few: what is under way at one moment. */
static bool waiting_take(struct waiting_list *l, uint64_t seq, struct waiting *ret)
{
    for (size_t i = l->n; i > 0; i--)
        if (l->items[i - 1].seq == seq) {
            *ret = l->items[i - 1];
            l->items[i - 1] = l->items[--l->n];
            return true;
        }
    return false;
}

/* NULL where one of the issuer's keys made it; *ret_known: whether any key of it is known. */
static struct err *verify(struct checking *k, const struct waiting *w, bool *ret_known)
{
    struct err *e = NULL;
    *ret_known = false;
    for (size_t i = 0; i < k->issuers_n; i++) {
        if (strcmp(k->issuers[i].name, w->issuer) != 0)
            continue;
        err_free(e);
        *ret_known = true;
        e = cert_alg_fits(w->alg, k->issuers[i].key.kind)
                ? cert_key_verify(&k->issuers[i].key, w->alg, w->tbs, w->signature)
                : err_new(ERR_BAD_SIGNATURE, "its algorithm does not fit the issuer's key");
        if (!e)
            return NULL;
    }
    return e;
}

static void judge(struct checking *k, struct waiting *w, bool last)
{
    bool known;
    struct err *e = verify(k, w, &known);
    if (!known && !last) {
        struct ledger_entry en = {.seq = w->seq, .issuer = w->issuer};
        struct waiting *to = waiting_add(&k->unknown, &en, w->tbs);
        to->alg = w->alg;
        to->signature = w->signature;
        return;
    }
    k->certificates += known && !e;
    if (!known)
        found(k, w->seq, "a certificate of an issuer whose own certificate is not in the log");
    else if (e)
        found(k, w->seq, "the certificate's signature is not its issuer's");
    err_free(e);
    waiting_free(w);
}

static void on_issuer(struct checking *k, const struct ledger_entry *en)
{
    struct cert_chain_cert cert;
    struct view der = arena_dup(k->arena, en->body.issuer.certificate);
    struct err *e = k->issuers_n == ISSUERS_MAX ? err_new(ERR_TOO_MANY, "more than %d issuers", ISSUERS_MAX)
                                                : cert_chain_read(der, k->arena, &cert);
    if (e) {
        found(k, en->seq, arena_printf(k->arena, "an issuer's certificate: %s", err_detail(e)));
        err_free(e);
        return;
    }
    k->issuers[k->issuers_n].name = arena_str(k->arena, view_str(en->issuer));
    k->issuers[k->issuers_n++].key = cert.key;
    struct waiting_list now = k->unknown;
    k->unknown = (struct waiting_list){NULL, 0, 0};
    for (size_t i = 0; i < now.n; i++)
        judge(k, &now.items[i], false);
    free(now.items);
}

static void on_record(struct checking *k, const struct ledger_entry *en)
{
    struct waiting w;
    if (!waiting_take(&k->open, en->ref, &w))
        return; /* a finding already: it ends nothing */
    struct err *e = cert_alg_parse(view_str(en->body.record.alg), &w.alg);
    w.seq = en->seq;
    w.signature = copy(en->body.record.signature);
    if (!e) {
        judge(k, &w, false);
        return;
    }
    found(k, en->seq, "a signature of an algorithm that is none");
    err_free(e);
    waiting_free(&w);
}

static void on_close(struct checking *k, const struct ledger_entry *en)
{
    struct waiting w;
    if (waiting_take(&k->open, en->ref, &w))
        waiting_free(&w);
}

/* By whom, from where and why: each has its cause on record. */
static void on_revoke(struct checking *k, const struct ledger_entry *en)
{
    const struct ledger_revoke *r = &en->body.revoke;
    if (r->reason >= REASONS || !cert_crl_reason_name((enum cert_reason)r->reason))
        found(k, en->seq, "a revocation for no reason of RFC 5280 5.3.1");
    else
        k->reasons[r->reason]++;
    if (!en->actor[0] || !en->door[0])
        found(k, en->seq, "a revocation that does not say who asked, or by which door");
}

/* The log's key: "ORIGIN+ID+BASE64" as `ledger head` prints it. */
static struct err *read_vkey(const char *vkey, struct arena *arena, struct view *ret_spki)
{
    static const uint8_t ed25519[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    struct err *e = NULL;
    const char *id = strchr(vkey, '+'), *body = id ? strchr(id + 1, '+') : NULL;
    struct view bytes;
    if (!body)
        return err_new(ERR_BAD_FIELD, "a log's key is ORIGIN+ID+KEY, as `chancery ledger head` prints it");
    TRY(base64_parse(arena, view_str(body + 1), &bytes));
    if (bytes.n == 33 && bytes.p[0] == 1) {
        uint8_t *spki = arena_alloc(arena, sizeof ed25519 + 32);
        memcpy(spki, ed25519, sizeof ed25519);
        memcpy(spki + sizeof ed25519, bytes.p + 1, 32);
        *ret_spki = view_of(spki, sizeof ed25519 + 32);
    } else if (bytes.n > 1 && bytes.p[0] == 2) {
        *ret_spki = view_from(bytes, 1);
    } else {
        e = err_new(ERR_BAD_FIELD, "a log's key of a type this program does not know");
    }
out:
    return e;
}

static void on_head(struct checking *k, const struct ledger_entry *en)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(1 << 20);
    const struct ledger_signed_head *h = &en->body.signed_head;
    struct hsm_head head;
    struct view spki;
    const char *origin;
    if (!k->key)
        goto out;
    TRY(read_vkey(k->key, arena, &spki));
    TRY(hsm_head_read(h->note, spki, arena, &origin, &head));
    if (head.size != h->size || !view_eq(h->root, view_of(head.root, SHA256_BYTES)))
        TRY(err_new(ERR_CORRUPT, "its checkpoint is of another size or root"));
    k->signed_heads++;
out:
    if (e)
        found(k, en->seq, arena_printf(k->arena, "a head: %s", err_detail(e)));
    err_free(e);
    arena_free(arena);
}

static void on_entry(void *arg, const struct ledger_entry *en)
{
    struct checking *k = arg;
    switch (en->kind) {
    case LEDGER_ISSUER:
        on_issuer(k, en);
        break;
    case LEDGER_INTENT:
        (void)waiting_add(&k->open, en, copy(en->body.intent.tbs));
        break;
    case LEDGER_RECORD:
        on_record(k, en);
        break;
    case LEDGER_CLOSE:
        on_close(k, en);
        break;
    case LEDGER_REVOKE:
        on_revoke(k, en);
        break;
    case LEDGER_HEAD:
        on_head(k, en);
        break;
    default:
        break;
    }
}

/* --- the whole --- */

/* Heads are the first vault's. A roll that is broken is a finding; what came before the place is taken. */
static void take_rolls(struct checking *k, const struct ledger_export_file *f)
{
    struct verifying *v = &k->books;
    v->n = f->rolls_n;
    for (size_t i = 0; i < v->n; i++) {
        struct rolled *r = &v->rolls[i];
        r->index = i;
        struct err *e = ledger_roll_take(r, f->rolls[i]);
        if (e)
            found(k, 0, err_detail(e));
        err_free(e);
    }
    struct rolled *first = &v->rolls[0];
    k->heads = calloc(first->n + 1, sizeof *k->heads);
    CHECK(k->heads);
    for (size_t i = 0; v->n && i < first->n; i++)
        if (first->seals[i].kind == LEDGER_SEAL_HEAD && first->seals[i].serial.n == SHA256_BYTES) {
            struct ledger_export_head *h = &k->heads[k->heads_n++];
            *h = (struct ledger_export_head){.n = first->seals[i].n, .size = first->seals[i].extra};
            memcpy(h->root, first->seals[i].serial.p, SHA256_BYTES);
        }
}

static json_t *more_json(const struct checking *k, const struct ledger_export_file *f)
{
    json_t *causes = json_object();
    for (size_t i = 0; i < REASONS; i++)
        if (k->reasons[i])
            json_object_set_new(causes, cert_crl_reason_name((enum cert_reason)i),
                                json_integer((json_int_t)k->reasons[i]));
    return json_pack("{s:I, s:I, s:I, s:I, s:o}", "made_ms", (json_int_t)f->made_ms, "issuers",
                     (json_int_t)k->issuers_n, "signatures_of_certificates", (json_int_t)k->certificates,
                     "signatures_of_heads", (json_int_t)k->signed_heads, "revocations", causes);
}

static void checking_free(struct checking *k)
{
    for (size_t i = 0; i < k->open.n; i++)
        waiting_free(&k->open.items[i]);
    free(k->open.items);
    free(k->unknown.items);
    free(k->heads);
    for (size_t i = 0; i < k->books.n; i++)
        ledger_roll_drop(&k->books.rolls[i]);
    json_decref(k->books.findings);
    arena_free(k->arena);
    free(k);
}

struct err *ledger_file_verify(struct cli *c, const char *path, const char *key)
{
    struct err *e = NULL;
    struct view file;
    struct ledger_export_file f;
    struct ledger_verify_report report;
    struct checking *k = calloc(1, sizeof *k);
    CHECK(k);
    k->books = (struct verifying){.cli = c, .findings = json_array()};
    k->arena = arena_new((size_t)64 << 20);
    k->key = key;
    TRY(ledger_map(path, &file));
    TRY(err_wrap(ledger_export_open(file, &f), "%s", path));
    take_rolls(k, &f);
    const struct ledger_verify_export how = {.how = {.next_seal = ledger_next_seal,
                                                     .on_finding = ledger_found,
                                                     .arg = &k->books,
                                                     .rolls = k->books.n,
                                                     .live = true},
                                             .heads = k->heads,
                                             .heads_n = k->heads_n,
                                             .on_entry = on_entry};
    TRY(ledger_verify_export(&f, &how, &report));
    for (size_t i = 0; i < k->unknown.n; i++)
        judge(k, &k->unknown.items[i], true);
    report.findings = json_array_size(k->books.findings);
    TRY(ledger_say(&k->books, &report, more_json(k, &f)));
out:
    checking_free(k);
    return e;
}
