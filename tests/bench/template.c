/*
 * bench_template: what a template costs: a `server` request shaped, judged and linted, with one template in
 * the set and with --files of them, slices of both in turns; and how long such a set takes to load. Requests
 * are different ones, decoded beforehand. Prints one JSON object. One thread.
 */
#include <getopt.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cert/csr.h"
#include "csr_make.h"
#include "pace.h"
#include "templates.h"

enum { REQUESTS = 256, LOADS = 3 };
#define NOW INT64_C(1795242000)

struct scene {
    struct arena *arena; /* of the requests and the issuer */
    struct cert_csr csrs[REQUESTS];
    struct templates_issuer issuer;
    struct templates *one, *many;
    double load_s;
};

struct sum {
    int64_t count, cpu_ns;
};

static void must(struct err *e)
{
    if (e)
        pace_die("%s: %s", err_row(err_code(e))->name, err_detail(e));
}

static struct view server_file(void)
{
    const char *name;
    struct view bytes;
    for (size_t i = 0; templates_builtin(i, &name, &bytes); i++)
        if (strcmp(name, "server.yaml") == 0)
            return bytes;
    pace_die("no server.yaml was built in");
}

/* The whole file of `server` under n names; server itself stands in the middle of them. */
static void load(struct scene *s, size_t n)
{
    struct templates_file *files = calloc(n, sizeof *files);
    for (size_t i = 0; i < n; i++)
        files[i] = (struct templates_file){
            i ? arena_printf(s->arena, "%s-%06zu.yaml", i % 2 ? "a" : "z", i) : "server.yaml", server_file()};
    must(templates_load(files, 1, &s->one));
    for (int k = 0; k < LOADS; k++) {
        templates_free(s->many);
        int64_t begin_ns = pace_ns();
        must(templates_load(files, n, &s->many));
        double seconds = (double)(pace_ns() - begin_ns) / 1e9;
        s->load_s = k && s->load_s < seconds ? s->load_s : seconds;
    }
    free(files);
}

static void make_requests(struct scene *s)
{
    struct csr_maker maker;
    csr_maker_open(&maker);
    for (int i = 0; i < REQUESTS; i++) {
        char name[64];
        snprintf(name, sizeof name, "b%07d.example.internal", i);
        must(cert_csr_parse(arena_dup(s->arena, csr_make(&maker, name, NULL)), s->arena, &s->csrs[i]));
    }
    csr_maker_close(&maker);
}

static void make_issuer(struct scene *s)
{
    static const uint8_t key_id[20] = {1};
    const struct cert_name_part name[] = {{"O", "Example"}, {"CN", "Example Issuing CA"}};
    s->issuer = (struct templates_issuer){.name = "issuing",
                                          .key_id = view_of(key_id, sizeof key_id),
                                          .alg = CERT_ALG_ECDSA_SHA256,
                                          .not_before = NOW - 86400,
                                          .not_after = NOW + INT64_C(86400) * 3650,
                                          .base_url = "http://pki.example.internal:8080"};
    must(cert_name_write(name, 2, s->arena, &s->issuer.subject));
}

static void decide(const struct scene *s, const struct templates *set, int64_t i, struct arena *arena)
{
    uint8_t serial[16] = {0x40, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i};
    struct templates_shaped shaped;
    const struct templates_request request = {
        .csr = &s->csrs[i % REQUESTS], .serial = view_of(serial, sizeof serial), .now = NOW};
    arena_reset(arena);
    must(templates_shape(templates_find(set, view_str("server")), &request, &s->issuer, arena, &shaped));
}

static void slice(const struct scene *s, const struct templates *set, int slice_ms, struct sum *sum)
{
    struct arena *arena = arena_new(4 << 20);
    int64_t cpu_ns = pace_cpu_ns(), until_ns = pace_ns() + slice_ms * (int64_t)1000000, count = 0;
    for (; pace_ns() < until_ns; count++)
        decide(s, set, count, arena);
    sum->count += count;
    sum->cpu_ns += pace_cpu_ns() - cpu_ns;
    arena_free(arena);
}

static double cpu_us(const struct sum *s)
{
    return (double)s->cpu_ns / 1e3 / (double)s->count;
}

static void run(int rounds, int slice_ms, size_t files)
{
    struct scene *s = calloc(1, sizeof *s);
    struct sum one = {0}, many = {0}, warm = {0};
    s->arena = arena_new((size_t)64 << 20);
    make_issuer(s);
    make_requests(s);
    load(s, files);
    slice(s, s->one, 50, &warm);
    slice(s, s->many, 50, &warm);
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < 2; i++) {
            bool m = (round + i) % 2;
            slice(s, m ? s->many : s->one, slice_ms, m ? &many : &one);
        }
    printf("{\"decide_cpu_us\":%.3f,\"decide_many_cpu_us\":%.3f,\"files\":%zu,\"load_s\":%.3f}\n",
           cpu_us(&one), cpu_us(&many), files, s->load_s);
    templates_free(s->one);
    templates_free(s->many);
    arena_free(s->arena);
    free(s);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"core", required_argument, NULL, 'c'},
                                          {"rounds", required_argument, NULL, 'r'},
                                          {"slice-ms", required_argument, NULL, 's'},
                                          {"files", required_argument, NULL, 'f'},
                                          {NULL, 0, NULL, 0}};
    int rounds = 4, slice_ms = 200, core = -1, files = TEMPLATES_MAX, c;

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
        case 'f':
            files = atoi(optarg);
            break;
        default:
            return 2;
        }
    if (optind != argc || rounds < 1 || files < 1 || files > TEMPLATES_MAX)
        pace_die("usage: bench_template [--core N] [--rounds N] [--slice-ms N] [--files N]");
    pace_pin(core);
    run(rounds, slice_ms, (size_t)files);
    return 0;
}
