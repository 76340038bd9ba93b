/*
 * c-ares driven by our loop: its sockets are watched here, its timer is ours. What it calls back with is kept
 * and told on a later turn, when it is not in the middle of anything: so a resolver may be freed by whoever
 * is told. The loop's thread.
 */
#include "resolver.h"

#include <ares.h>
#include <netdb.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/net.h"

enum {
    TRY_MS = 2000,
    TRIES = 3,
    CLASS_IN = 1,
    SOCKETS_MAX = 32,
    ADDRESSES_MAX = 16,
    FOLLOW_MAX = 8,
    EDNS_BYTES = 1232,
    ARENA_BYTES = 16 << 20,
};

struct watched {
    struct resolver *resolver;
    int fd;
    struct loop_watch *watch; /* NULL: free */
};

struct resolver {
    struct loop *loop;
    ares_channel channel;
    struct loop_timer *timer; /* c-ares' */
    struct loop_timer *tell;
    struct watched sockets[SOCKETS_MAX];
    struct arena *arena; /* of the present question */
    const char *name;
    enum dns_type type;
    size_t followed;
    bool leads_on;                                     /* the answer is an alias and no more */
    const char *aliases[DNS_ALIASES_MAX * FOLLOW_MAX]; /* of all answers to it */
    size_t aliases_n;
    resolver_done *done;
    void *arg;
    struct resolver_result result;
};

static void arm(struct resolver *r)
{
    struct timeval t, *next = ares_timeout(r->channel, NULL, &t);
    if (next)
        loop_timer_set(r->timer, next->tv_sec * 1000 + next->tv_usec / 1000 + 1);
    else
        loop_timer_clear(r->timer);
}

static void on_time(void *arg)
{
    struct resolver *r = arg;
    ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm(r);
}

static void on_ready(void *arg, int ready)
{
    const struct watched *w = arg;
    struct resolver *r = w->resolver;
    int fd = w->fd;
    ares_process_fd(r->channel, ready & LOOP_READ ? fd : ARES_SOCKET_BAD,
                    ready & LOOP_WRITE ? fd : ARES_SOCKET_BAD);
    arm(r);
}

/* The socket's place, or a free one. */
static struct watched *socket_of(struct resolver *r, int fd)
{
    struct watched *free_one = NULL;
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        struct watched *w = &r->sockets[i];
        if (w->watch && w->fd == fd)
            return w;
        if (!w->watch && !free_one)
            free_one = w;
    }
    return free_one;
}

static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct resolver *r = arg;
    struct watched *w = socket_of(r, fd);
    int what = (readable ? LOOP_READ : 0) | (writable ? LOOP_WRITE : 0);
    if (!w) /* more servers than anybody has: this one will look silent */
        return;
    if (!what) {
        loop_unwatch(w->watch);
        w->watch = NULL;
        return;
    }
    if (w->watch) {
        loop_watch_set(w->watch, what);
        return;
    }
    *w = (struct watched){r, fd, NULL};
    w->watch = loop_watch(r->loop, fd, what, on_ready, w);
}

static void told(void *arg)
{
    struct resolver *r = arg;
    r->done(r->arg, &r->result);
}

static struct err *channel_open(struct resolver *r, const char *servers, bool hosts)
{
    char with_hosts[] = "fb", alone[] = "b";
    struct ares_options o = {.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS |
                                      ARES_FLAG_NOCHECKRESP, /* a refusal is told as what it is */
                             .timeout = TRY_MS,
                             .tries = TRIES,
                             .ednspsz = EDNS_BYTES,
                             .lookups = hosts ? with_hosts : alone,
                             .sock_state_cb = on_socket,
                             .sock_state_cb_data = r};
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ | ARES_OPT_LOOKUPS |
               ARES_OPT_SOCK_STATE_CB | ARES_OPT_DOMAINS;
    int status = ares_init_options(&r->channel, &o, mask);
    if (status == ARES_SUCCESS && servers)
        status = ares_set_servers_ports_csv(r->channel, servers);
    return status == ARES_SUCCESS ? NULL : err_new(ERR_IO, "resolver: %s", ares_strerror(status));
}

struct err *resolver_new(struct loop *loop, const char *servers, bool hosts, struct resolver **ret)
{
    struct err *e = NULL;
    struct resolver *r = calloc(1, sizeof *r);
    CHECK(r);
    *r = (struct resolver){.loop = loop, .arena = arena_new(ARENA_BYTES)};
    r->timer = loop_timer_new(loop, on_time, r);
    r->tell = loop_timer_new(loop, told, r);
    TRY(channel_open(r, servers, hosts));
    *ret = r;
    return NULL;
out:
    resolver_free(r);
    return e;
}

void resolver_free(struct resolver *r)
{
    if (!r)
        return;
    if (r->channel)
        ares_destroy(r->channel); /* ends what is under way: ARES_EDESTRUCTION */
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        loop_unwatch(r->sockets[i].watch);
    loop_timer_free(r->timer);
    loop_timer_free(r->tell);
    arena_free(r->arena);
    free(r);
}

static void begin(struct resolver *r, resolver_done *done, void *arg)
{
    arena_reset(r->arena);
    r->followed = r->aliases_n = 0;
    r->done = done;
    r->arg = arg;
    r->result = (struct resolver_result){.outcome = RESOLVER_FAILED};
}

static void end(struct resolver *r, enum resolver_outcome outcome, const char *why)
{
    r->result.outcome = outcome;
    r->result.why = why;
    loop_timer_set(r->tell, 0);
}

static const char *why_of(int status)
{
    switch (status) {
    case ARES_ESERVFAIL:
        return "SERVFAIL";
    case ARES_EREFUSED:
        return "REFUSED";
    case ARES_ENOTIMP:
        return "NOTIMP";
    case ARES_EFORMERR:
        return "FORMERR";
    case ARES_ETIMEOUT:
        return "no answer";
    case ARES_ECONNREFUSED:
        return "no resolver can be reached";
    case ARES_EBADNAME:
        return "not a name that can be asked for";
    case ARES_EBADRESP:
        return "an answer that cannot be read";
    }
    return "the question could not be asked";
}

/* What is not an answer to the question is a failure: nothing is concluded from it. */
static void end_by_status(struct resolver *r, int status)
{
    if (status == ARES_ENODATA)
        end(r, RESOLVER_NONE, NULL);
    else if (status == ARES_ENOTFOUND)
        end(r, RESOLVER_NO_NAME, NULL);
    else
        end(r, RESOLVER_FAILED, why_of(status));
}

/* --- records --- */

static void on_answer(void *arg, int status, int timeouts, unsigned char *message, int n);

static void ask(struct resolver *r, const char *name)
{
    r->name = name;
    ares_query(r->channel, name, CLASS_IN, (int)r->type, on_answer, r);
    arm(r);
}

/* The records, and the aliases on the way to them, joined to those of the answers before. */
static bool take(struct resolver *r, struct view message)
{
    struct dns_answer *a = &r->result.answer;
    struct err *e = dns_answer_read(message, r->name, r->type, r->arena, a);
    err_free(e);
    if (e)
        return false;
    for (size_t i = 0; i < a->aliases_n; i++)
        r->aliases[r->aliases_n++] = a->aliases[i];
    r->followed++;
    r->leads_on = a->n == 0 && a->aliases_n > 0 && r->followed < FOLLOW_MAX;
    a->aliases = r->aliases;
    a->aliases_n = r->aliases_n;
    return true;
}

/* A server that does not follow aliases answers with the alias alone. */
static void on_answer(void *arg, int status, int timeouts, unsigned char *message, int n)
{
    struct resolver *r = arg;
    (void)timeouts;
    if (status == ARES_EDESTRUCTION)
        return;
    r->leads_on = false;
    if (message && n > 0 && !take(r, view_of(message, (size_t)n)))
        status = ARES_EBADRESP;
    if (status != ARES_SUCCESS)
        end_by_status(r, status);
    else if (r->result.answer.n > 0)
        end(r, RESOLVER_FOUND, NULL);
    else if (r->leads_on)
        ask(r, r->aliases[r->aliases_n - 1]);
    else
        end(r, RESOLVER_NONE, NULL);
}

void resolver_ask(struct resolver *r, const char *name, enum dns_type type, resolver_done *done, void *arg)
{
    begin(r, done, arg);
    r->type = type;
    ask(r, arena_str(r->arena, view_str(name)));
}

/* --- addresses --- */

static void take_addresses(struct resolver *r, const struct ares_addrinfo *info, int family)
{
    for (const struct ares_addrinfo_node *a = info->nodes; a && r->result.n < ADDRESSES_MAX; a = a->ai_next)
        if (a->ai_family == family && net_of_sockaddr(a->ai_addr, &r->result.addresses[r->result.n]))
            r->result.n++;
}

static void on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct resolver *r = arg;
    (void)timeouts;
    if (status == ARES_SUCCESS) {
        r->result.addresses = arena_array(r->arena, ADDRESSES_MAX, sizeof *r->result.addresses);
        take_addresses(r, info, AF_INET6);
        take_addresses(r, info, AF_INET);
        end(r, r->result.n ? RESOLVER_FOUND : RESOLVER_NONE, NULL);
    }
    if (info)
        ares_freeaddrinfo(info);
    if (status != ARES_SUCCESS && status != ARES_EDESTRUCTION)
        end_by_status(r, status);
}

void resolver_addresses(struct resolver *r, const char *name, resolver_done *done, void *arg)
{
    struct ares_addrinfo_hints hints = {.ai_flags = ARES_AI_NOSORT, .ai_family = AF_UNSPEC};
    begin(r, done, arg);
    ares_getaddrinfo(r->channel, name, NULL, &hints, on_addresses, r);
    arm(r);
}
