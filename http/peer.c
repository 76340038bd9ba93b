/*
 * Facts about the other end (address, unix credentials, TLS), and a table that counts connections by address.
 * The table's hash is seeded, so that nobody can choose addresses that collide. Loop's thread.
 */
#include "peer.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/un.h>

#include "base/check.h"
#include "base/world.h"
#include "tls.h"

/* ---- facts ---- */

static void from_v4(struct peer *p, const uint8_t v4[4])
{
    inet_ntop(AF_INET, v4, p->address, sizeof(p->address));
    p->facts.loopback = v4[0] == 127;
    memset(p->key, 0, sizeof(p->key));
    p->key[10] = p->key[11] = 0xff;
    memcpy(p->key + 12, v4, 4);
    p->counted = true;
}

static void from_v6(struct peer *p, const struct in6_addr *v6)
{
    if (IN6_IS_ADDR_V4MAPPED(v6)) {
        from_v4(p, v6->s6_addr + 12);
        return;
    }
    inet_ntop(AF_INET6, v6, p->address, sizeof(p->address));
    p->facts.loopback = IN6_IS_ADDR_LOOPBACK(v6);
    memset(p->key, 0, sizeof(p->key));
    memcpy(p->key, v6->s6_addr, 8);
    p->counted = true;
}

static void from_unix(struct peer *p, int fd)
{
    struct ucred who;
    socklen_t n = sizeof(who);
    memcpy(p->address, "unix", sizeof("unix"));
    p->facts.is_unix = p->facts.loopback = true;
    p->facts.uid = (uid_t)-1; /* nobody, where the kernel does not say */
    p->facts.gid = (gid_t)-1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
        return;
    p->facts.uid = who.uid;
    p->facts.gid = who.gid;
}

struct peer *peer_new(const char *listener, int fd, const struct sockaddr_storage *from)
{
    struct peer *p = calloc(1, sizeof(*p));
    CHECK(p);
    p->refs = 1;
    p->facts.listener = listener;
    p->facts.address = p->address;
    if (from->ss_family == AF_INET)
        from_v4(p, (const uint8_t *)&((const struct sockaddr_in *)from)->sin_addr);
    if (from->ss_family == AF_INET6)
        from_v6(p, &((const struct sockaddr_in6 *)from)->sin6_addr);
    if (from->ss_family == AF_UNIX)
        from_unix(p, fd);
    return p;
}

struct peer *peer_ref(struct peer *p)
{
    p->refs++;
    return p;
}

void peer_unref(struct peer *p)
{
    if (!p || --p->refs > 0)
        return;
    free(p->certificate);
    free(p);
}

void peer_add_tls(struct peer *p, const struct io *io)
{
    if (p->facts.tls_version || !io->ssl)
        return;
    p->facts.tls_version = tls_version(io);
    size_t n = 0;
    if (p->facts.tls_version)
        p->certificate = tls_certificate(io, &n);
    p->facts.certificate = view_of(p->certificate, n);
}

/* ---- counts ---- */

enum { BUCKETS = 4096 };

struct entry {
    struct entry *next;
    uint8_t key[16];
    size_t n;
};

struct peer_counts {
    uint64_t seed[2];
    struct entry *buckets[BUCKETS];
};

static struct entry **bucket(struct peer_counts *c, const uint8_t key[16])
{
    uint64_t half[2];
    memcpy(half, key, sizeof(half));
    uint64_t h = (half[0] ^ c->seed[0]) * 0x9e3779b97f4a7c15u;
    h = (h ^ h >> 29 ^ half[1] ^ c->seed[1]) * 0xbf58476d1ce4e5b9u;
    h ^= h >> 32;
    struct entry **at = &c->buckets[h % BUCKETS];
    while (*at && memcmp((*at)->key, key, 16) != 0)
        at = &(*at)->next;
    return at;
}

struct peer_counts *peer_counts_new(void)
{
    struct peer_counts *c = calloc(1, sizeof(*c));
    CHECK(c);
    world_random(c->seed, sizeof(c->seed));
    return c;
}

void peer_counts_free(struct peer_counts *c)
{
    for (size_t i = 0; c && i < BUCKETS; i++)
        while (c->buckets[i]) {
            struct entry *e = c->buckets[i];
            c->buckets[i] = e->next;
            free(e);
        }
    free(c);
}

bool peer_counts_enter(struct peer_counts *c, struct peer *p, size_t max)
{
    if (!p->counted)
        return true;
    struct entry **at = bucket(c, p->key);
    if (!*at) {
        *at = calloc(1, sizeof(**at));
        CHECK(*at);
        memcpy((*at)->key, p->key, sizeof(p->key));
    }
    if ((*at)->n >= max)
        return false;
    (*at)->n++;
    return true;
}

void peer_counts_leave(struct peer_counts *c, struct peer *p)
{
    if (!p->counted)
        return;
    struct entry **at = bucket(c, p->key), *e = *at;
    CHECK(e && e->n > 0);
    if (--e->n > 0)
        return;
    *at = e->next;
    free(e);
}
