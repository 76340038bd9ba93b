/*
 * bench_sign: signatures a second, raw (C_SignInit + C_Sign) and through our provider (EVP_DigestSign on a
 * context copied from a prepared one), P-256 and RSA-2048, 1 and 2 threads. Short slices of both take turns,
 * first the one first, then the other, so that a machine that drifts drifts for both. Prints one JSON object
 * a line. Each signing thread stays on a core of its own.
 */
#include <getopt.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pace.h"
#include "provider.h"
#include "sign_raw.h"

enum { THREADS_MAX = 2, ROUNDS_MAX = 200, TBS_BYTES = 600 };

enum way { RAW, PROVIDER, WAYS };

struct options {
    const char *module, *dir;
    int cores[THREADS_MAX]; /* -1: any */
    int rounds, slice_ms;
    unsigned threads; /* at most */
    bool raw_only, p256_only;
};

/* What one thread signs with, and what it did. */
struct hand {
    pthread_t thread;
    int core;
    struct sign_raw raw;
    EVP_MD_CTX *prepared, *ctx;
    enum way way;
    int64_t until_ns, count, cpu_ns;
};

/* The slices of one way. What counts is the median of their rates: one that was disturbed counts for little.
 */
struct slices {
    double rate[ROUNDS_MAX];
    int n;
    int64_t count, cpu_ns;
};

static void provider_once(struct hand *h)
{
    static const uint8_t tbs[TBS_BYTES];
    uint8_t sig[512];
    size_t n = sizeof sig;

    if (EVP_MD_CTX_copy_ex(h->ctx, h->prepared) != 1 || EVP_DigestSign(h->ctx, sig, &n, tbs, sizeof tbs) != 1)
        pace_die("EVP_DigestSign failed");
}

static void *sign_until(void *arg)
{
    struct hand *h = arg;
    int64_t cpu_ns;

    pace_pin(h->core);
    cpu_ns = pace_cpu_ns();
    h->count = 0;
    while (pace_ns() < h->until_ns) {
        if (h->way == RAW)
            sign_raw_once(&h->raw);
        else
            provider_once(h);
        h->count++;
    }
    h->cpu_ns = pace_cpu_ns() - cpu_ns;
    return NULL;
}

static void slice(struct hand *hands, unsigned n, enum way way, int slice_ms, struct slices *to)
{
    int64_t begin_ns = pace_ns(), count = 0;

    for (unsigned i = 0; i < n; i++) {
        hands[i].way = way;
        hands[i].until_ns = begin_ns + slice_ms * (int64_t)1000000;
        if (pthread_create(&hands[i].thread, NULL, sign_until, &hands[i]) != 0)
            pace_die("no thread");
    }
    for (unsigned i = 0; i < n; i++) {
        pthread_join(hands[i].thread, NULL);
        count += hands[i].count;
        to->cpu_ns += hands[i].cpu_ns;
    }
    to->count += count;
    to->rate[to->n++] = (double)count * 1e9 / (double)(pace_ns() - begin_ns);
}

static int by_rate(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(struct slices *s)
{
    qsort(s->rate, (size_t)s->n, sizeof s->rate[0], by_rate);
    return (s->rate[(s->n - 1) / 2] + s->rate[s->n / 2]) / 2;
}

static double cpu_us(const struct slices *s)
{
    return s->count ? (double)s->cpu_ns / 1e3 / (double)s->count : 0;
}

static void measure(const struct options *o, struct hand *hands, enum sign_kind kind, unsigned threads)
{
    struct slices slices[WAYS] = {{.n = 0}}, warm = {.n = 0};
    enum way ways = o->raw_only ? PROVIDER : WAYS;

    for (enum way w = 0; w < ways; w++)
        slice(hands, threads, w, 50, &warm);
    for (int round = 0; round < o->rounds; round++)
        for (unsigned i = 0; i < ways; i++) {
            enum way w = round % 2 ? ways - 1 - i : i;

            slice(hands, threads, w, o->slice_ms, &slices[w]);
        }
    printf("{\"key\":\"%s\",\"threads\":%u,\"raw\":%.1f,\"raw_cpu_us\":%.3f", sign_kind_name[kind], threads,
           median(&slices[RAW]), cpu_us(&slices[RAW]));
    if (!o->raw_only)
        printf(",\"provider\":%.1f,\"provider_cpu_us\":%.3f", median(&slices[PROVIDER]),
               cpu_us(&slices[PROVIDER]));
    puts("}");
    fflush(stdout);
}

static void hands_open(const struct options *o, struct hand *hands, struct provider *p,
                       const struct token_key *key, enum sign_kind kind)
{
    EVP_PKEY *pkey = NULL;

    sign_must(provider_key(p, key, &pkey));
    for (unsigned i = 0; i < o->threads; i++) {
        hands[i].core = o->cores[i];
        hands[i].ctx = EVP_MD_CTX_new();
        hands[i].prepared = EVP_MD_CTX_new();
        if (EVP_DigestSignInit(hands[i].prepared, NULL, EVP_sha256(), NULL, pkey) != 1)
            pace_die("EVP_DigestSignInit failed");
        sign_raw_open(&hands[i].raw, o->module, kind);
    }
    EVP_PKEY_free(pkey);
}

static void hands_close(struct hand *hands, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        EVP_MD_CTX_free(hands[i].ctx);
        EVP_MD_CTX_free(hands[i].prepared);
        sign_raw_close(&hands[i].raw);
    }
}

static void run(const struct options *o)
{
    struct sign_token token = {0};
    struct provider *provider = NULL;

    sign_token_open(&token, o->module, o->dir, o->p256_only);
    sign_must(provider_open(token.token, &provider));
    for (enum sign_kind kind = 0; kind < (o->p256_only ? SIGN_RSA2048 : SIGN_KINDS); kind++) {
        struct hand hands[THREADS_MAX] = {{0}};

        hands_open(o, hands, provider, token.key[kind], kind);
        for (unsigned threads = 1; threads <= o->threads; threads++)
            measure(o, hands, kind, threads);
        hands_close(hands, o->threads);
    }
    provider_close(provider);
    sign_token_close(&token);
}

static void read_cores(const char *text, int cores[THREADS_MAX])
{
    if (sscanf(text, "%d,%d", &cores[0], &cores[1]) < 1)
        pace_die("--cores takes a number, or two: 0,1");
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"module", required_argument, NULL, 'm'},  {"cores", required_argument, NULL, 'c'},
        {"rounds", required_argument, NULL, 'r'},  {"slice-ms", required_argument, NULL, 's'},
        {"threads", required_argument, NULL, 't'}, {"raw-only", no_argument, NULL, 'R'},
        {"p256-only", no_argument, NULL, 'P'},     {NULL, 0, NULL, 0}};
    struct options o = {.cores = {-1, -1}, .rounds = 4, .slice_ms = 200, .threads = THREADS_MAX};
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        switch (c) {
        case 'm':
            o.module = optarg;
            break;
        case 'c':
            read_cores(optarg, o.cores);
            break;
        case 'r':
            o.rounds = atoi(optarg);
            break;
        case 's':
            o.slice_ms = atoi(optarg);
            break;
        case 't':
            o.threads = (unsigned)atoi(optarg);
            break;
        case 'R':
            o.raw_only = true;
            break;
        case 'P':
            o.p256_only = true;
            break;
        default:
            return 2;
        }
    if (!o.module || optind + 1 != argc || o.threads < 1 || o.threads > THREADS_MAX || o.rounds < 1 ||
        o.rounds > ROUNDS_MAX)
        pace_die("usage: bench_sign --module PATH [--cores A,B] [--rounds N] [--slice-ms N] [--threads 1|2] "
                 "[--raw-only] [--p256-only] EMPTY-DIR");
    o.dir = argv[optind];
    run(&o);
    return 0;
}
