/*
 * bench_ask_issue: writes requests for certificates, POST /v1/certificates with the PKCS#10 request as DER,
 * each with a key and a name of its own under example.internal. The bearer token comes from a file; of a file
 * with several, one in each line, each request takes the next. One thread; run it on two ranges at once where
 * two cores are idle.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask_file.h"
#include "csr_make.h"
#include "pace.h"

struct options {
    const char *host, *token_file, *template, *out;
    unsigned from, count;
};

static void next_token(FILE *f, const char *path, char to[256])
{
    if (!fgets(to, 256, f)) {
        rewind(f);
        if (!fgets(to, 256, f))
            pace_die("%s: empty", path);
    }
    to[strcspn(to, "\n")] = 0;
}

static void run(const struct options *o)
{
    struct csr_maker maker;
    FILE *out = ask_file_create(o->out);
    char token[256], head[1024], name[64];

    FILE *tokens = fopen(o->token_file, "r");
    if (!tokens)
        pace_die("%s: %s", o->token_file, strerror(errno));
    csr_maker_open(&maker);
    for (unsigned i = 0; i < o->count; i++) {
        struct view csr;
        int n;

        snprintf(name, sizeof name, "b%07u.example.internal", o->from + i);
        csr = csr_make(&maker, name, NULL);
        next_token(tokens, o->token_file, token);
        n = snprintf(head, sizeof head,
                     "POST /v1/certificates?template=%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"
                     "Content-Type: application/pkcs10\r\nContent-Length: %zu\r\n\r\n",
                     o->template, o->host, token, csr.n);
        if (n < 0 || (size_t)n >= sizeof head)
            pace_die("a head over %zu octets", sizeof head);
        ask_file_put(out, head, (size_t)n, csr.p, csr.n);
    }
    csr_maker_close(&maker);
    fclose(tokens);
    ask_file_close(out);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"host", required_argument, NULL, 'h'},     {"token-file", required_argument, NULL, 't'},
        {"template", required_argument, NULL, 'T'}, {"from", required_argument, NULL, 'f'},
        {"count", required_argument, NULL, 'n'},    {NULL, 0, NULL, 0}};
    struct options o = {.template = "server"};
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        switch (c) {
        case 'h':
            o.host = optarg;
            break;
        case 't':
            o.token_file = optarg;
            break;
        case 'T':
            o.template = optarg;
            break;
        case 'f':
            o.from = (unsigned)atoi(optarg);
            break;
        case 'n':
            o.count = (unsigned)atoi(optarg);
            break;
        default:
            return 2;
        }
    if (!o.host || !o.token_file || !o.count || optind + 1 != argc)
        pace_die("usage: bench_ask_issue --host HOST:PORT --token-file FILE --count N [--from N] [--template "
                 "NAME] "
                 "OUT");
    o.out = argv[optind];
    run(&o);
    return 0;
}
