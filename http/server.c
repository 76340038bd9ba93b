/*
 * A server: its listeners, the list of its connections, the caps, draining, and what its connections share.
 * Loop's thread.
 */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/world.h"
#include "conn.h"
#include "tls.h"

enum { ACCEPTS_PER_TURN = 64, UNIX_CONNECTIONS_MAX = 128, REST_MS = 100 };

/* ---- what connections share ---- */

struct arena *server_arena(struct http_server *s)
{
    return s->arenas_n > 0 ? s->arenas[--s->arenas_n] : arena_new(LIMIT_REQUEST_ARENA_BYTES);
}

void server_arena_back(struct http_server *s, struct arena *a)
{
    if (s->arenas_n == SERVER_ARENAS) {
        arena_free(a);
        return;
    }
    arena_reset(a);
    s->arenas[s->arenas_n++] = a;
}

void server_id(struct http_server *s, char to[33])
{
    if (s->random_left == 0) {
        world_random(s->random, sizeof(s->random));
        s->random_left = sizeof(s->random);
    }
    s->random_left -= 16;
    hex_put(to, view_of(s->random + s->random_left, 16));
}

const char *server_date(struct http_server *s)
{
    int64_t now = world_now_s();
    if (now == s->date_s && s->date[0])
        return s->date;
    struct arena *a = server_arena(s);
    const char *text = http_date(a, now);
    CHECK(strlen(text) < sizeof(s->date));
    memcpy(s->date, text, strlen(text) + 1);
    s->date_s = now;
    server_arena_back(s, a);
    return s->date;
}

/* ---- the end of a turn ---- */

static void free_now(struct http_server *s);

static void drained(struct http_server *s)
{
    void (*fn)(void *arg) = s->on_drained;
    if (!s->draining || s->conns_n + s->unix_n > 0 || !fn)
        return;
    s->on_drained = NULL;
    loop_timer_clear(s->drain_timer);
    fn(s->drained_arg); /* may free s */
}

static void kick_run(void *arg)
{
    struct http_server *s = arg;
    s->kick_due = false;
    if (s->gone) {
        free_now(s);
        return;
    }
    s->kicking = s->kicked;
    s->kicked = NULL;
    while (s->kicking) {
        struct conn *c = s->kicking;
        s->kicking = c->kick_next;
        conn_kicked(c); /* may end others too */
    }
    drained(s);
}

void server_kick(struct http_server *s)
{
    if (s->kick_due)
        return;
    s->kick_due = true;
    loop_after_turn(s->loop, kick_run, s);
}

/* ---- coming and going ---- */

static void gauge(const struct http_server *s)
{
    if (s->config.gauge_connections)
        metric_set(METRIC_CONNECTIONS, (int64_t)(s->conns_n + s->unix_n));
}

static size_t *count_for(struct http_server *s, const struct peer *p)
{
    return p->facts.is_unix ? &s->unix_n : &s->conns_n;
}

static void unkick(struct conn **at, const struct conn *c)
{
    while (c->kicked && *at && *at != c)
        at = &(*at)->kick_next;
    if (c->kicked && *at)
        *at = c->kick_next;
}

void server_left(struct http_server *s, struct conn *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        s->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    unkick(&s->kicked, c);
    unkick(&s->kicking, c);
    peer_counts_leave(s->peers, c->peer);
    (*count_for(s, c->peer))--;
    gauge(s);
    if (s->draining)
        server_kick(s);
}

static void enter(struct listener *l, int fd, struct peer *peer)
{
    struct http_server *s = l->server;
    int on = 1;
    if (!peer->facts.is_unix)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct conn *c = conn_new(s, fd, l->tls, peer);
    c->next = s->conns;
    if (s->conns)
        s->conns->prev = c;
    s->conns = c;
    (*count_for(s, peer))++;
    gauge(s);
}

/* On TLS a handshake would cost more than the refusal is worth. */
static void turn_away(struct listener *l, int fd, struct peer *peer, const char *why)
{
    static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
                                 "Cache-Control: no-store\r\nConnection: close\r\n\r\n";
    char waste[4096];
    metric_add(METRIC_HTTP_REFUSED, 1);
    log_info("http.turned_away", log_text("peer", peer->address), log_text("listener", l->name),
             log_text("why", why));
    if (!l->tls) {
        world_recv(fd, waste, sizeof(waste), MSG_DONTWAIT); /* unread octets would make the close a reset */
        world_send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        shutdown(fd, SHUT_WR);
    }
    close(fd);
    peer_unref(peer);
}

static void accepted(struct listener *l, int fd, const struct sockaddr_storage *from)
{
    struct http_server *s = l->server;
    struct peer *peer = peer_new(l->name, fd, from);
    size_t max = peer->facts.is_unix ? UNIX_CONNECTIONS_MAX : s->config.connections_max;
    if (*count_for(s, peer) >= max)
        turn_away(l, fd, peer, "connections");
    else if (l->tls && !s->tls)
        turn_away(l, fd, peer, "no certificate");
    else if (!peer_counts_enter(s->peers, peer, s->config.connections_per_peer_max))
        turn_away(l, fd, peer, "connections of one address");
    else
        enter(l, fd, peer);
}

static void rest(struct http_server *s, int errno_value)
{
    log_warn("http.accept", log_text("why", strerror(errno_value)));
    for (struct listener *l = s->listeners; l; l = l->next)
        loop_watch_set(l->watch, 0);
    loop_timer_set(s->accept_timer, REST_MS);
}

static void on_rested(void *arg)
{
    struct http_server *s = arg;
    for (struct listener *l = s->listeners; l; l = l->next)
        loop_watch_set(l->watch, LOOP_READ);
}

static void on_accept(void *arg, int ready)
{
    (void)ready;
    struct listener *l = arg;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
        socklen_t n = sizeof(from);
        int fd = world_accept(l->fd, (struct sockaddr *)&from, &n);
        if (fd >= 0) {
            accepted(l, fd, &from);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            rest(l->server, errno);
        if (errno != ECONNABORTED)
            return;
    }
}

void http_listen(struct http_server *s, int fd, bool tls, const char *name)
{
    struct listener *l = calloc(1, sizeof(*l));
    CHECK(l && !s->draining);
    CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
    *l = (struct listener){s->listeners, s, name, NULL, fd, tls};
    l->watch = loop_watch(s->loop, fd, LOOP_READ, on_accept, l);
    s->listeners = l;
}

static void stop_listening(struct http_server *s)
{
    loop_timer_clear(s->accept_timer);
    while (s->listeners) {
        struct listener *l = s->listeners;
        s->listeners = l->next;
        loop_unwatch(l->watch);
        close(l->fd);
        free(l);
    }
}

/* ---- draining ---- */

static void cut_all(void *arg)
{
    struct http_server *s = arg;
    while (s->conns)
        conn_cut(s->conns);
}

void http_drain(struct http_server *s, int64_t ms, void (*fn)(void *arg), void *arg)
{
    CHECK(!s->draining);
    s->draining = true;
    s->on_drained = fn;
    s->drained_arg = arg;
    stop_listening(s);
    for (struct conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        conn_drain(c);
    }
    loop_timer_set(s->drain_timer, ms);
    server_kick(s);
}

size_t http_connections(const struct http_server *s)
{
    return s->conns_n + s->unix_n;
}

/* ---- configuration ---- */

void http_routes(struct http_server *s, const struct http_route *routes, size_t n, void *app)
{
    struct route_table *t = calloc(1, sizeof(*t));
    CHECK(t);
    *t = (struct route_table){NULL, routes, n, app};
    for (size_t i = 0; i < n; i++)
        route_check(routes[i].pattern);
    *s->tables_last = t;
    s->tables_last = &t->next;
}

struct err *http_tls_set(struct http_server *s, struct view chain_pem, struct view key_pem)
{
    struct ssl_ctx_st *tls;
    struct err *e = tls_context(chain_pem, key_pem, s->tls, &tls);
    if (e)
        return e;
    tls_context_free(s->tls); /* connections hold what they use */
    s->tls = tls;
    return NULL;
}

/* ---- birth and death ---- */

static void set_defaults(struct http_config *c)
{
    c->connections_max = c->connections_max ? c->connections_max : 4096;
    c->connections_per_peer_max = c->connections_per_peer_max ? c->connections_per_peer_max : 256;
    c->request_ms = c->request_ms ? c->request_ms : 15000;
    c->idle_ms = c->idle_ms ? c->idle_ms : 60000;
    c->write_ms = c->write_ms ? c->write_ms : 30000;
    c->park_ms = c->park_ms ? c->park_ms : 30000;
}

struct err *http_server_new(struct loop *l, const struct http_config *config, struct http_server **ret)
{
    struct http_server *s = calloc(1, sizeof(*s));
    if (!s)
        return err_new(ERR_NOMEM, "no memory for a web server");
    s->bio_method = io_bio_method();
    if (!s->bio_method) {
        free(s);
        return err_new(ERR_NOMEM, "no memory for a web server");
    }
    s->loop = l;
    s->config = *config;
    set_defaults(&s->config);
    s->tables_last = &s->tables;
    s->peers = peer_counts_new();
    s->parked = ticket_table_new(2 * s->config.connections_max + UNIX_CONNECTIONS_MAX);
    s->accept_timer = loop_timer_new(l, on_rested, s);
    s->drain_timer = loop_timer_new(l, cut_all, s);
    *ret = s;
    return NULL;
}

static void free_parked(void *arg, ticket_id id, void *obj)
{
    struct http_server *s = arg;
    ticket_take(s->parked, id);
    exchange_free(obj);
}

static void free_now(struct http_server *s)
{
    for (size_t i = 0; i < s->arenas_n; i++)
        arena_free(s->arenas[i]);
    free(s);
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    stop_listening(s);
    s->on_drained = NULL;
    cut_all(s);
    ticket_each(s->parked, free_parked, s);
    ticket_table_free(s->parked);
    peer_counts_free(s->peers);
    loop_timer_free(s->accept_timer);
    loop_timer_free(s->drain_timer);
    tls_context_free(s->tls);
    tls_method_free(s->bio_method);
    while (s->tables) {
        struct route_table *t = s->tables;
        s->tables = t->next;
        free(t);
    }
    s->gone = true;
    if (!s->kick_due)
        free_now(s);
}

void http_on_refusal(struct http_server *s,
                     void (*fn)(void *arg, const struct http_request *r, const struct err *why), void *arg)
{
    s->on_refusal = fn;
    s->refusal_arg = arg;
}

/* ---- parking ---- */

ticket_id http_park(struct http_request *r)
{
    struct exchange *x = exchange_of(r);
    CHECK(!x->replied && x->ticket == 0);
    x->ticket = ticket_put(x->server->parked, x);
    CHECK(x->ticket != 0); /* arrive.c keeps room */
    return x->ticket;
}

struct http_request *http_resume(struct http_server *s, ticket_id ticket)
{
    struct exchange *x = ticket_take(s->parked, ticket);
    CHECK(x); /* once for each park */
    x->ticket = 0;
    if (x->conn)
        return &x->r;
    exchange_free(x);
    return NULL;
}
