/*
 * Holds the books of a stopped authority against what its clients were told and what its token was asked,
 * without the code that the daemon verifies itself with:
 *
 *     books LEDGER-DIR ROLL RECORD [SEALS-BEFORE C_SIGN-GOOD]
 *
 * Each certificate that a client was handed is on record, octet for octet; each revocation that was confirmed
 * stands. Each seal over a certificate has an earlier intent over the same bytes, made before it; no intent
 * has two ends; recorded <= sealed <= recorded + closed. The token did not sign more often than the roll
 * says. Findings go to stdout; `lost SERIAL` and `never SERIAL` name closed intents. Ends with 1 where
 * anything is wrong.
 */
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "cert/seal.h"
#include "hsm.h"
#include "ledger.h"

enum { PAGE = 256, LINE = 512 };

/* One intent and all that came of it. */
struct intent {
    uint8_t tbs_sha256[SHA256_BYTES];
    uint64_t seq, roll_floor;
    unsigned records, closes, seals;
};

static struct {
    struct ledger *ledger;
    struct intent *intents; /* ascending by seq; then sorted by hash */
    size_t n, cap;
    uint64_t recorded, closed, sealed, rolled, handed, revoked;
    unsigned wrong;
} books;

static void wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void wrong(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("WRONG: ", stdout);
    vprintf(fmt, args);
    putchar('\n');
    va_end(args);
    books.wrong++;
}

static void must(struct err *e)
{
    if (!e)
        return;
    printf("WRONG: %s: %s\n", err_row(err_code(e))->name, err_detail(e));
    exit(1);
}

/* --- the ledger --- */

static void add_intent(const struct ledger_entry *entry)
{
    if (books.n == books.cap) {
        books.cap = books.cap ? books.cap * 2 : 4096;
        books.intents = reallocarray(books.intents, books.cap, sizeof *books.intents);
    }
    struct intent *to = &books.intents[books.n++];
    *to = (struct intent){.seq = entry->seq, .roll_floor = entry->body.intent.roll_floor};
    SHA256(entry->body.intent.tbs.p, entry->body.intent.tbs.n, to->tbs_sha256);
}

static int by_seq(const void *key, const void *at)
{
    uint64_t a = *(const uint64_t *)key, b = ((const struct intent *)at)->seq;
    return a < b ? -1 : a > b;
}

static struct intent *intent_of(const struct ledger_entry *entry)
{
    struct intent *ret = bsearch(&entry->ref, books.intents, books.n, sizeof *books.intents, by_seq);
    if (!ret)
        wrong("entry %llu ends an intent %llu that is not there", (unsigned long long)entry->seq,
              (unsigned long long)entry->ref);
    return ret;
}

static void print_closed(const struct ledger_entry *entry, struct arena *arena)
{
    bool lost = entry->body.close.reason == LEDGER_SEALED_LOST;
    printf("%s %s\n", lost ? "lost" : "never", hex_of(arena, entry->serial));
}

static void take_entry(const struct ledger_entry *entry, struct arena *arena)
{
    struct intent *of = NULL;
    if (entry->kind == LEDGER_INTENT)
        add_intent(entry);
    if (entry->kind == LEDGER_RECORD || entry->kind == LEDGER_CLOSE)
        of = intent_of(entry);
    if (!of)
        return;
    of->records += entry->kind == LEDGER_RECORD;
    of->closes += entry->kind == LEDGER_CLOSE;
    books.recorded += entry->kind == LEDGER_RECORD;
    books.closed += entry->kind == LEDGER_CLOSE;
    if (entry->kind == LEDGER_CLOSE)
        print_closed(entry, arena);
    if (of->records + of->closes > 1)
        wrong("intent %llu ends twice", (unsigned long long)of->seq);
}

static void read_ledger(void)
{
    const struct ledger_entry *entries;
    size_t n = PAGE;
    uint64_t seq = 1;
    for (; n > 0; seq += n) {
        struct arena *arena = arena_new(256 << 20);
        must(ledger_log(books.ledger, seq, PAGE, arena, &entries, &n));
        for (size_t i = 0; i < n; i++)
            take_entry(&entries[i], arena);
        arena_free(arena);
    }
}

/* --- the roll --- */

static int by_hash(const void *a, const void *b)
{
    return memcmp(((const struct intent *)a)->tbs_sha256, ((const struct intent *)b)->tbs_sha256,
                  SHA256_BYTES);
}

static struct err *take_seal(void *arg, const struct hsm_roll_entry *seal)
{
    struct intent key;
    (void)arg;
    books.rolled++;
    if (seal->kind != HSM_ROLL_CERT && seal->kind != HSM_ROLL_CA)
        return NULL;
    books.sealed++;
    memcpy(key.tbs_sha256, seal->tbs_sha256.p, SHA256_BYTES);
    struct intent *of = bsearch(&key, books.intents, books.n, sizeof key, by_hash);
    if (!of) {
        wrong("seal %llu has no intent", (unsigned long long)seal->n);
        return NULL;
    }
    if (seal->n <= of->roll_floor)
        wrong("seal %llu is older than its intent", (unsigned long long)seal->n);
    if (++of->seals > 1)
        wrong("intent %llu was sealed twice", (unsigned long long)of->seq);
    return NULL;
}

static void read_roll(const char *path)
{
    struct view file;
    struct arena *arena = arena_new((size_t)1 << 30);
    qsort(books.intents, books.n, sizeof *books.intents, by_hash);
    must(file_read(path, (size_t)1 << 29, arena, &file));
    must(hsm_roll_verify(file, take_seal, NULL, NULL, NULL));
    arena_free(arena);
    for (size_t i = 0; i < books.n; i++) {
        const struct intent *one = &books.intents[i];
        if (one->records && !one->seals)
            wrong("intent %llu has a record and no seal", (unsigned long long)one->seq);
        if (!one->records && !one->closes)
            wrong("intent %llu is still open", (unsigned long long)one->seq);
    }
    if (books.recorded > books.sealed || books.sealed > books.recorded + books.closed)
        wrong("the books do not agree: recorded %llu, sealed %llu, closed %llu",
              (unsigned long long)books.recorded, (unsigned long long)books.sealed,
              (unsigned long long)books.closed);
}

/* --- the clients --- */

static struct err *whole_hash(const struct ledger_cert *cert, struct arena *arena, const char **ret)
{
    struct err *e = NULL;
    enum cert_alg alg;
    struct view der;
    uint8_t sum[SHA256_BYTES];
    TRY(cert_alg_parse(view_str(cert->seal.alg), &alg));
    TRY(cert_seal(cert->decision.tbs, alg, cert->seal.signature, arena, &der));
    SHA256(der.p, der.n, sum);
    *ret = hex_of(arena, view_of(sum, sizeof sum));
out:
    return e;
}

static struct err *find(const char *serial, struct arena *arena, struct ledger_cert *ret)
{
    struct err *e = NULL;
    struct view octets;
    TRY(hex_parse(arena, view_str(serial), &octets));
    TRY(ledger_find(books.ledger, "issuing", octets, arena, ret));
out:
    return e;
}

static void check_handed(const char *serial, const char *hash, struct arena *arena)
{
    struct ledger_cert cert;
    const char *of_record = "";
    struct err *e = find(serial, arena, &cert);
    books.handed++;
    if (!e && cert.state != LEDGER_STATE_RECORDED && cert.state != LEDGER_STATE_REVOKED)
        wrong("a client holds %s, which is not on record", serial);
    else if (!e)
        e = whole_hash(&cert, arena, &of_record);
    if (e)
        wrong("a client holds %s: %s", serial, err_detail(e));
    else if (strcmp(of_record, hash) != 0)
        wrong("a client holds another %s than is on record", serial);
    err_free(e);
}

static void check_revoked(const char *serial, struct arena *arena)
{
    struct ledger_cert cert;
    struct err *e = find(serial, arena, &cert);
    books.revoked++;
    if (e || cert.state != LEDGER_STATE_REVOKED)
        wrong("a client was told that %s is revoked; it is not", serial);
    err_free(e);
}

static void read_record(const char *path)
{
    char line[LINE], serial[LINE], rest[LINE];
    FILE *f = fopen(path, "r");
    if (!f) {
        perror(path);
        exit(2);
    }
    while (fgets(line, sizeof line, f)) {
        struct arena *arena = arena_new(4 << 20);
        if (sscanf(line, "issued %511s %511s", serial, rest) == 2)
            check_handed(serial, rest, arena);
        else if (sscanf(line, "revoked %511s", serial) == 1)
            check_revoked(serial, arena);
        else if (strncmp(line, "twice ", 6) == 0)
            wrong("one Idempotency-Key got two certificates: %s", line + 6);
        arena_free(arena);
    }
    fclose(f);
}

int main(int argc, char **argv)
{
    if (argc != 4 && argc != 6) {
        fputs("books LEDGER-DIR ROLL RECORD [SEALS-BEFORE C_SIGN-GOOD]\n", stderr);
        return 2;
    }
    must(ledger_open_readonly(argv[1], &books.ledger));
    read_ledger();
    read_roll(argv[2]);
    read_record(argv[3]);
    if (argc == 6 && strtoull(argv[5], NULL, 10) > books.rolled - strtoull(argv[4], NULL, 10))
        wrong("the token signed %s times, the roll has %llu", argv[5],
              (unsigned long long)(books.rolled - strtoull(argv[4], NULL, 10)));
    printf("handed %llu, revoked %llu; recorded %llu <= sealed %llu <= recorded + closed %llu; rolled %llu\n",
           (unsigned long long)books.handed, (unsigned long long)books.revoked,
           (unsigned long long)books.recorded, (unsigned long long)books.sealed,
           (unsigned long long)(books.recorded + books.closed), (unsigned long long)books.rolled);
    ledger_close(books.ledger);
    free(books.intents);
    return books.wrong > 0;
}
