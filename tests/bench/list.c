/*
 * bench_list: what lists cost. A full list of a million entries from the ledger to the shelf (read, built,
 * read again as the vault does, signed, put), beside OpenSSL's own API over the same entries; the memory it
 * takes; and one revocation (ledger, list of its partition, delta list) with a million revoked already,
 * beside one with a thousand. The key is in software, so that the token is in neither. Prints one JSON
 * object.
 *
 * example: bench_list --entries 1000000 /var/tmp/work
 */
#include <getopt.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "list_fill.h"
#include "list_openssl.h"
#include "list_reader.h"
#include "list_watch.h"
#include "pace.h"

enum { NAME_BYTES = 4096, PARTITION = 1000, REVOCATIONS = 60, SIGNATURE_MAX = 128 };

static const char *const name_der = "\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04Test";

struct bench {
    const char *dir;
    EVP_PKEY *key;
    unsigned long entries;
};

static void must(struct err *e)
{
    if (e)
        pace_die("%s: %s", err_row(err_code(e))->name, err_detail(e));
}

static double now_s(void)
{
    return (double)pace_ns() / 1e9;
}

/* --- one list: built, read as the vault reads it, signed, finished, on the shelf --- */

static struct err *see(void *arg, const struct cert_crl_entry *entry)
{
    size_t *n = arg;
    *n += entry->serial.n;
    return NULL;
}

static struct view sign(const struct bench *b, const struct list_read *read, uint8_t to[SIGNATURE_MAX])
{
    size_t n = SIGNATURE_MAX;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(b->key, NULL);
    if (!ctx || EVP_PKEY_sign_init(ctx) != 1 || EVP_PKEY_sign(ctx, to, &n, read->digest, read->digest_n) != 1)
        pace_die("no signature");
    EVP_PKEY_CTX_free(ctx);
    return view_of(to, n);
}

static void read_as_vault(struct list_built *built, struct arena *arena, struct list_read *read)
{
    const struct list_file file = {.fd = built->file.fd, .at = built->at, .bytes = built->bytes};
    size_t seen = 0;
    must(list_reader_run(&file, CERT_ALG_ECDSA_SHA256, see, &seen, arena, read));
}

static void one_list(const struct bench *b, const struct filled *f, uint64_t scope, uint64_t number)
{
    struct arena *arena = arena_new(8 << 20);
    const struct list_want want = {f->ledger, f->shelf, FILL_ISSUER, scope, 72, SHELF_INLINE_BYTES - 4096};
    struct cert_crl crl = {.alg = CERT_ALG_ECDSA_SHA256,
                           .issuer = view_str(name_der),
                           .aki = view_str("key"),
                           .number = number,
                           .this_update = fill_now(),
                           .next_update = fill_now() + 86400};
    struct list_built built;
    struct list_read read;
    struct view der;
    uint8_t signature[SIGNATURE_MAX], sha256[SHA256_BYTES];
    must(list_build(&want, &crl, &built));
    read_as_vault(&built, arena, &read);
    struct view sig = sign(b, &read, signature);
    struct err *e = list_finish(&built, crl.alg, sig, arena, &der, sha256);
    while (e &&
           err_code(e) == ERR_CONFLICT) { /* a signature of another length: signed anew, as the maker does */
        err_free(e);
        sig = sign(b, &read, signature);
        e = list_finish(&built, crl.alg, sig, arena, &der, sha256);
    }
    must(e);
    const struct shelf_item item = {.bytes = der, .this_update = 1, .next_update = 2, .etag = ""};
    if (*built.file.name)
        must(shelf_put_file(f->shelf, "crl/bench", &item, &built.file, NULL, NULL));
    else
        must(shelf_put_blob(f->shelf, "crl/bench", &item, NULL, NULL));
    list_drop(f->shelf, &built);
    arena_free(arena);
}

/* --- the figures --- */

struct full {
    double ours_s, openssl_s, ours_mib, openssl_mib;
};

static void measure_full(const struct bench *b, struct full *ret)
{
    struct filled f;
    char dir[NAME_BYTES], file[NAME_BYTES];
    snprintf(dir, sizeof dir, "%s/full", b->dir);
    snprintf(file, sizeof file, "%s/openssl.crl", b->dir);
    fill_open(dir, b->entries, PARTITION, &f);
    struct list_watch *watch = list_watch_start();
    double begun = now_s();
    one_list(b, &f, LEDGER_WHOLE, 1);
    ret->ours_s = now_s() - begun;
    ret->ours_mib = list_watch_stop(watch);
    watch = list_watch_start();
    begun = now_s();
    list_openssl(b->key, b->entries, file);
    ret->openssl_s = now_s() - begun;
    ret->openssl_mib = list_watch_stop(watch);
    fill_close(&f);
}

/* Milliseconds for one: the mean of some. */
static double measure_revocation(const struct bench *b, const char *name, unsigned long revoked)
{
    struct filled f;
    char dir[NAME_BYTES];
    snprintf(dir, sizeof dir, "%s/%s", b->dir, name);
    fill_open(dir, revoked, PARTITION, &f);
    fill_issue(&f, 1, REVOCATIONS + 5);
    fill_base(&f, 1);
    double begun = 0;
    for (unsigned i = 0; i < REVOCATIONS + 5; i++) {
        if (i == 5) /* warm */
            begun = now_s();
        fill_revoke(&f, i);
        one_list(b, &f, 1, 2 + 2 * i);
        one_list(b, &f, LEDGER_DELTA, 3 + 2 * i);
    }
    double ms = (now_s() - begun) * 1000 / REVOCATIONS;
    fill_close(&f);
    return ms;
}

static void parse(int argc, char **argv, struct bench *b)
{
    static const struct option options[] = {{"entries", required_argument, NULL, 'n'}, {NULL, 0, NULL, 0}};
    int c;
    b->entries = 1000000;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c != 'n')
            pace_die("usage: bench_list [--entries N] DIR");
        b->entries = strtoul(optarg, NULL, 10);
    }
    if (optind + 1 != argc || b->entries < PARTITION)
        pace_die("usage: bench_list [--entries N] DIR (N at least %d)", PARTITION);
    b->dir = argv[optind];
}

int main(int argc, char **argv)
{
    struct bench b = {.key = EVP_EC_gen("P-256")};
    struct full full;
    parse(argc, argv, &b);
    measure_full(&b, &full);
    double few = measure_revocation(&b, "few", PARTITION), many = measure_revocation(&b, "many", b.entries);
    printf("{\"entries\": %lu, \"full_s\": %.3f, \"openssl_s\": %.3f, \"full_mib\": %.1f, \"openssl_mib\": "
           "%.1f, "
           "\"revocation_few_ms\": %.3f, \"revocation_many_ms\": %.3f}\n",
           b.entries, full.ours_s, full.openssl_s, full.ours_mib, full.openssl_mib, few, many);
    EVP_PKEY_free(b.key);
    return 0;
}
