/*
 * bench_csr: what a request costs to check: the one ECDSA verification by OpenSSL with a key ready made (the
 * limit), and all of it (cert_csr_parse and cert_csr_verify). Slices of both take turns, as in bench_sign. A
 * few hundred different requests, so that no key stays warm. Prints one JSON object. One thread.
 */
#include <getopt.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "cert/csr.h"
#include "csr_make.h"
#include "pace.h"

enum { REQUESTS = 256 };

struct sample {
    uint8_t der[1024];
    size_t n;
    EVP_PKEY *key;
    struct view cri, sig; /* into der */
};

struct sum {
    int64_t count, wall_ns, cpu_ns;
};

static void must(struct err *e)
{
    if (e)
        pace_die("%s: %s", err_row(err_code(e))->name, err_detail(e));
}

static void make_samples(struct sample *samples)
{
    struct csr_maker maker;
    struct arena *arena = arena_new(1 << 16);

    csr_maker_open(&maker);
    for (int i = 0; i < REQUESTS; i++) {
        struct sample *s = &samples[i];
        struct cert_csr csr;
        char name[64];
        struct view der;

        snprintf(name, sizeof name, "b%07d.example.internal", i);
        der = csr_make(&maker, name, &s->key);
        if (der.n > sizeof s->der)
            pace_die("a request of %zu octets", der.n);
        memcpy(s->der, der.p, der.n);
        s->n = der.n;
        must(cert_csr_parse(view_of(s->der, s->n), arena, &csr));
        s->cri = csr.cri;
        s->sig = csr.sig;
        arena_reset(arena);
    }
    csr_maker_close(&maker);
    arena_free(arena);
}

static void verify_alone(const struct sample *s, EVP_MD_CTX *ctx)
{
    EVP_MD_CTX_reset(ctx);
    if (EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, s->key) != 1 ||
        EVP_DigestVerify(ctx, s->sig.p, s->sig.n, s->cri.p, s->cri.n) != 1)
        pace_die("a request did not verify");
}

static void check_whole(const struct sample *s, struct arena *arena)
{
    struct cert_csr csr;

    arena_reset(arena);
    must(cert_csr_parse(view_of(s->der, s->n), arena, &csr));
    must(cert_csr_verify(&csr));
}

static void slice(const struct sample *samples, bool whole, int slice_ms, struct sum *sum)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct arena *arena = arena_new(1 << 16);
    int64_t begin_ns = pace_ns(), cpu_ns = pace_cpu_ns(), until_ns = begin_ns + slice_ms * (int64_t)1000000,
            count = 0;

    for (; pace_ns() < until_ns; count++) {
        const struct sample *s = &samples[count % REQUESTS];

        if (whole)
            check_whole(s, arena);
        else
            verify_alone(s, ctx);
    }
    sum->count += count;
    sum->wall_ns += pace_ns() - begin_ns;
    sum->cpu_ns += pace_cpu_ns() - cpu_ns;
    arena_free(arena);
    EVP_MD_CTX_free(ctx);
}

static double rate(const struct sum *s)
{
    return (double)s->count * 1e9 / (double)s->wall_ns;
}

static double cpu_us(const struct sum *s)
{
    return (double)s->cpu_ns / 1e3 / (double)s->count;
}

static void run(int rounds, int slice_ms)
{
    struct sample *samples = calloc(REQUESTS, sizeof *samples);
    struct sum verify = {0}, whole = {0}, warm = {0};

    if (!samples)
        pace_die("no memory");
    make_samples(samples);
    slice(samples, false, 50, &warm);
    slice(samples, true, 50, &warm);
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < 2; i++) {
            bool w = (round + i) % 2;

            slice(samples, w, slice_ms, w ? &whole : &verify);
        }
    printf("{\"verify\":%.1f,\"verify_cpu_us\":%.3f,\"whole\":%.1f,\"whole_cpu_us\":%.3f}\n", rate(&verify),
           cpu_us(&verify), rate(&whole), cpu_us(&whole));
    for (int i = 0; i < REQUESTS; i++)
        EVP_PKEY_free(samples[i].key);
    free(samples);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"core", required_argument, NULL, 'c'},
                                          {"rounds", required_argument, NULL, 'r'},
                                          {"slice-ms", required_argument, NULL, 's'},
                                          {NULL, 0, NULL, 0}};
    int rounds = 4, slice_ms = 200, core = -1, c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        switch (c) {
        case 'c':
            core = atoi(optarg);
            break;
        case 'r':
            rounds = atoi(optarg);
            break;
        case 's':
            slice_ms = atoi(optarg);
            break;
        default:
            return 2;
        }
    if (optind != argc || rounds < 1)
        pace_die("usage: bench_csr [--core N] [--rounds N] [--slice-ms N]");
    pace_pin(core);
    run(rounds, slice_ms);
    return 0;
}
