/*
 * bench_load: sends requests made ahead over N keep-alive connections, one under way on each, for so many
 * seconds, and prints one JSON object: rate, latencies, errors, CPU time of the processes watched and its
 * own. One thread, epoll, on a core of its own, so that what it says of itself (cpu_share) tells whether it
 * was the limit: an idle core has been waiting for the server.
 *
 * What counts is answered within the window, after a time of warming up. An answer with another status than
 * the one expected, or with a shorter body, is an error; the first is shown on stderr.
 */
#include <errno.h>
#include <getopt.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "load_conn.h"
#include "load_watch.h"
#include "pace.h"

enum { EVENTS = 256, LATENCIES_MAX = 1 << 23 };

struct options {
    const char *ca, *requests, *keep;
    unsigned connections;
    double seconds, warmup_s;
    bool once;
    int core, expect;
    size_t body_min, from;
};

struct load {
    struct options o;
    struct conn_target target;
    struct watch watch;
    const struct ask *asks;
    size_t ask_n, next;
    struct conn *conns;
    int epoll;
    FILE *keep;
    bool measuring, shown, out_of_requests;
    unsigned waiting;
    int64_t begin_ns, end_ns, cpu_ns, cpu_end_ns;
    uint64_t done, errors, reopened;
    size_t body_n;
    uint32_t *latency_ns;
};

static void show(struct load *l, const struct conn *c)
{
    if (l->shown)
        return;
    l->shown = true;
    fprintf(stderr, "bench_load: first answer that is not right:\n%.1500s\n", c->buf);
}

/* The serial in a JSON answer, one a line. */
static void keep_serial(struct load *l, const struct conn *c)
{
    const char *key = strstr(c->buf + c->head_n, "\"serial\""), *begin, *end;

    begin = key ? strchr(key + 8, '"') : NULL;
    end = begin ? strchr(begin + 1, '"') : NULL;
    if (end)
        fprintf(l->keep, "%.*s\n", (int)(end - begin - 1), begin + 1);
}

static void ask_next(struct load *l, struct conn *c);

static void reopen(struct load *l, struct conn *c)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

    l->reopened++;
    l->waiting -= c->waiting;
    conn_close(c);
    conn_open(c, &l->target);
    epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev);
}

static void ask_next(struct load *l, struct conn *c)
{
    if (l->next == l->ask_n && !l->o.once)
        l->next = 0;
    if (l->next == l->ask_n) {
        l->out_of_requests = true;
        return;
    }
    c->sent_ns = pace_ns();
    l->waiting++;
    if (!conn_send(c, &l->asks[l->next++])) {
        l->errors++;
        reopen(l, c);
    }
}

static void answered(struct load *l, struct conn *c)
{
    bool right = c->status == l->o.expect && c->need - c->head_n >= l->o.body_min;

    c->waiting = false;
    l->waiting--;
    if (right && l->keep)
        keep_serial(l, c);
    if (!l->measuring)
        return;
    if (!right) {
        show(l, c);
        l->errors++;
        return;
    }
    l->body_n = c->need - c->head_n;
    if (l->done < LATENCIES_MAX) {
        int64_t ns = pace_ns() - c->sent_ns;

        l->latency_ns[l->done] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
    }
    l->done++;
}

static void turn(struct load *l, struct conn *c, bool more)
{
    int rc = conn_receive(c);

    if (rc == 0)
        return;
    if (rc < 0) {
        l->errors += c->waiting;
        reopen(l, c);
    }
    if (rc > 0)
        answered(l, c);
    if (more)
        ask_next(l, c);
}

/* Handles what comes until the time is up, or all requests are sent and answered. */
static void go_until(struct load *l, int64_t until_ns, bool more)
{
    struct epoll_event ev[EVENTS];

    while (pace_ns() < until_ns && (l->waiting || (more && !l->out_of_requests))) {
        int n = epoll_wait(l->epoll, ev, EVENTS, 20);

        for (int i = 0; i < n; i++)
            turn(l, ev[i].data.ptr, more);
    }
}

static void open_all(struct load *l)
{
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->conns = calloc(l->o.connections, sizeof *l->conns);
    if (!l->conns)
        pace_die("no memory");
    for (unsigned i = 0; i < l->o.connections; i++) {
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &l->conns[i]};

        conn_open(&l->conns[i], &l->target);
        epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->conns[i].fd, &ev);
    }
}

static void measure(struct load *l)
{
    int64_t start_ns = pace_ns();

    for (unsigned i = 0; i < l->o.connections; i++)
        ask_next(l, &l->conns[i]);
    go_until(l, start_ns + (int64_t)(l->o.warmup_s * 1e9), true);
    watch_begin(&l->watch);
    l->measuring = true;
    l->errors = 0;
    l->begin_ns = pace_ns();
    l->cpu_ns = pace_cpu_ns();
    go_until(l, l->begin_ns + (int64_t)(l->o.seconds * 1e9), true);
    l->cpu_end_ns = pace_cpu_ns();
    l->end_ns = pace_ns();
    l->measuring = false;
    watch_end(&l->watch);
    go_until(l, pace_ns() + (int64_t)2e9, false);
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static double percentile_ms(const struct load *l, uint64_t n, double p)
{
    return n ? l->latency_ns[(uint64_t)((double)(n - 1) * p)] / 1e6 : 0;
}

static void print(struct load *l)
{
    double seconds = (double)(l->end_ns - l->begin_ns) / 1e9;
    uint64_t n = l->done < LATENCIES_MAX ? l->done : LATENCIES_MAX;

    qsort(l->latency_ns, n, sizeof *l->latency_ns, by_size);
    printf("{\"connections\":%u,\"done\":%lu,\"errors\":%lu,\"reopened\":%lu,\"seconds\":%.3f,\"rate\":%.1f,"
           "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"body_bytes\":%zu,\"next\":%zu,\"ran_out\":%s,"
           "\"cpu_share\":%.3f,\"cpu_us\":{",
           l->o.connections, l->done, l->errors, l->reopened, seconds, (double)l->done / seconds,
           percentile_ms(l, n, 0.5), percentile_ms(l, n, 0.99), percentile_ms(l, n, 1), l->body_n,
           l->next + l->o.from, l->out_of_requests ? "true" : "false",
           (double)(l->cpu_end_ns - l->cpu_ns) / 1e9 / seconds);
    watch_print(&l->watch, l->done ? 1e6 / (double)l->done : 0);
    printf("},\"share\":{");
    watch_print(&l->watch, 1 / seconds);
    puts("}}");
}

static SSL_CTX *tls_context(const char *ca)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1)
        pace_die("%s: no certificates", ca);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_read_ahead(ctx, 1);
    return ctx;
}

static void run(struct load *l)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET};

    if (getaddrinfo(l->target.host, l->target.port, &hints, &l->target.address) != 0)
        pace_die("%s: no such host", l->target.host);
    if (l->o.ca)
        l->target.tls = tls_context(l->o.ca);
    l->ask_n = ask_file_open(l->o.requests, &l->asks);
    if (l->o.from >= l->ask_n)
        pace_die("%s: %zu requests, none left from %zu", l->o.requests, l->ask_n, l->o.from);
    l->asks += l->o.from;
    l->ask_n -= l->o.from;
    l->keep = l->o.keep ? fopen(l->o.keep, "a") : NULL;
    l->latency_ns = malloc(LATENCIES_MAX * sizeof *l->latency_ns);
    if (!l->latency_ns || (l->o.keep && !l->keep))
        pace_die("%s", strerror(errno));
    pace_pin(l->o.core);
    open_all(l);
    measure(l);
    print(l);
    if (l->keep)
        fclose(l->keep);
}

enum {
    HOST = 256,
    PORT,
    CA,
    REQUESTS,
    KEEP,
    CONNECTIONS,
    SECONDS,
    WARMUP,
    ONCE,
    CORE,
    EXPECT,
    BODY_MIN,
    FROM,
    WATCH
};

static const struct option longs[] = {{"host", required_argument, NULL, HOST},
                                      {"port", required_argument, NULL, PORT},
                                      {"ca", required_argument, NULL, CA},
                                      {"requests", required_argument, NULL, REQUESTS},
                                      {"keep", required_argument, NULL, KEEP},
                                      {"connections", required_argument, NULL, CONNECTIONS},
                                      {"seconds", required_argument, NULL, SECONDS},
                                      {"warmup", required_argument, NULL, WARMUP},
                                      {"once", no_argument, NULL, ONCE},
                                      {"core", required_argument, NULL, CORE},
                                      {"expect", required_argument, NULL, EXPECT},
                                      {"body-min", required_argument, NULL, BODY_MIN},
                                      {"from", required_argument, NULL, FROM},
                                      {"watch", required_argument, NULL, WATCH},
                                      {NULL, 0, NULL, 0}};

static bool option(struct load *l, int c, const char *value)
{
    switch (c) {
    case HOST:
        l->target.host = value;
        return true;
    case PORT:
        l->target.port = value;
        return true;
    case CA:
        l->o.ca = value;
        return true;
    case REQUESTS:
        l->o.requests = value;
        return true;
    case KEEP:
        l->o.keep = value;
        return true;
    case CONNECTIONS:
        l->o.connections = (unsigned)atoi(value);
        return true;
    case SECONDS:
        l->o.seconds = atof(value);
        return true;
    case WARMUP:
        l->o.warmup_s = atof(value);
        return true;
    case ONCE:
        l->o.once = true;
        return true;
    case CORE:
        l->o.core = atoi(value);
        return true;
    case EXPECT:
        l->o.expect = atoi(value);
        return true;
    case BODY_MIN:
        l->o.body_min = strtoul(value, NULL, 10);
        return true;
    case FROM:
        l->o.from = strtoul(value, NULL, 10);
        return true;
    case WATCH:
        watch_add(&l->watch, value);
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static struct load l = {.o = {.connections = 1, .seconds = 3, .warmup_s = 1, .core = -1, .expect = 200},
                            .target = {.host = "localhost"}};
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        if (!option(&l, c, optarg))
            return 2;
    if (!l.target.port || !l.o.requests || !l.o.connections || optind != argc)
        pace_die("usage: bench_load --port N --requests FILE [--host NAME] [--ca PEM] [--connections N] "
                 "[--seconds S] "
                 "[--warmup S] [--once] [--from N] [--core N] [--expect STATUS] [--body-min N] [--keep FILE] "
                 "[--watch NAME:PID]...");
    run(&l);
    return 0;
}
