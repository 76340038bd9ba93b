/*
 * Serials on lease to one channel. For each issuer a ring of leases in order of age, and a table of their
 * places by serial (behind the time they are random already: these octets are the hash). Never gives a serial
 * again. The vault's loop.
 */
#include "lease.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/digest.h"
#include "base/world.h"

enum { TABLE = LEASE_MAX * 4, TIME_BYTES = 4, TIME_STEP_S = 4 };

struct one {
    uint8_t serial[SERIAL_BYTES];
    bool live;
};

/* The leases of one issuer. */
struct set {
    uint8_t issuer[SHA256_BYTES]; /* SHA-256 of its name */
    struct one ring[LEASE_MAX];
    uint32_t table[TABLE]; /* place in the ring + 1, or 0; linear probing */
    size_t next, live;
};

struct lease {
    struct set *sets[LEASE_ISSUERS_MAX];
    size_t n;
};

struct lease *lease_new(void)
{
    struct lease *l = calloc(1, sizeof *l);
    CHECK(l != NULL);
    return l;
}

void lease_free(struct lease *l)
{
    for (size_t i = 0; l && i < l->n; i++)
        free(l->sets[i]);
    free(l);
}

static struct set *set_of(const struct lease *l, struct view issuer)
{
    uint8_t id[SHA256_BYTES];
    digest_sha256(issuer, id);
    for (size_t i = 0; i < l->n; i++)
        if (memcmp(l->sets[i]->issuer, id, SHA256_BYTES) == 0)
            return l->sets[i];
    return NULL;
}

static struct set *set_add(struct lease *l, struct view issuer)
{
    struct set *s = calloc(1, sizeof *s);
    CHECK(s != NULL);
    digest_sha256(issuer, s->issuer);
    l->sets[l->n++] = s;
    return s;
}

static size_t home(const uint8_t *serial)
{
    const uint8_t *random = serial + TIME_BYTES;
    return ((size_t)random[0] << 16 | (size_t)random[1] << 8 | random[2]) % TABLE;
}

/* The table's place that points to this serial, or the empty one where it would stand. */
static size_t place_of(const struct set *s, const uint8_t *serial)
{
    size_t i = home(serial);
    while (s->table[i] && memcmp(s->ring[s->table[i] - 1].serial, serial, SERIAL_BYTES) != 0)
        i = (i + 1) % TABLE;
    return i;
}

/* Empties a place and moves up what had to stand behind it. */
static void table_remove(struct set *s, size_t hole)
{
    s->table[hole] = 0;
    for (size_t i = (hole + 1) % TABLE; s->table[i]; i = (i + 1) % TABLE) {
        size_t want = home(s->ring[s->table[i] - 1].serial);
        if ((i + TABLE - want) % TABLE < (i + TABLE - hole) % TABLE)
            continue;
        s->table[hole] = s->table[i];
        s->table[i] = 0;
        hole = i;
    }
}

static void end_one(struct set *s, struct one *one)
{
    if (!one->live)
        return;
    table_remove(s, place_of(s, one->serial));
    one->live = false;
    s->live--;
}

/* 01, then 30 bits of the vault's clock in steps of four seconds: they come round in 2106. So new serials lie
 * side by side in every index, and none begins with a zero or a sign. */
static void put_time(uint8_t serial[SERIAL_BYTES])
{
    uint32_t now = 0x40000000u | ((uint32_t)(world_now_s() / TIME_STEP_S) & 0x3fffffffu);
    for (int i = 0; i < TIME_BYTES; i++)
        serial[i] = (uint8_t)(now >> (24 - 8 * i));
}

static void grant_one(struct set *s, uint8_t serial[SERIAL_BYTES])
{
    struct one *one = &s->ring[s->next];
    end_one(s, one);
    put_time(serial);
    memcpy(one->serial, serial, SERIAL_BYTES);
    one->live = true;
    size_t place = place_of(s, one->serial);
    CHECK(s->table[place] == 0); /* the same 128 random bits twice: the source of randomness is broken */
    s->table[place] = (uint32_t)s->next + 1;
    s->next = (s->next + 1) % LEASE_MAX;
    s->live++;
}

struct err *lease_grant(struct lease *l, struct view issuer, size_t n, uint8_t (*ret)[SERIAL_BYTES])
{
    CHECK(n <= LEASE_MAX_AT_ONCE);
    struct set *s = set_of(l, issuer);
    if (!s && l->n == LEASE_ISSUERS_MAX)
        return err_new(ERR_TOO_MANY, "leases for more than %d issuers", LEASE_ISSUERS_MAX);
    if (!s)
        s = set_add(l, issuer);
    world_random(ret, n * SERIAL_BYTES);
    for (size_t i = 0; i < n; i++)
        grant_one(s, ret[i]);
    return NULL;
}

static struct one *find(struct set *s, struct view serial)
{
    if (!s || serial.n != SERIAL_BYTES)
        return NULL;
    size_t place = place_of(s, serial.p);
    return s->table[place] ? &s->ring[s->table[place] - 1] : NULL;
}

struct err *lease_check(const struct lease *l, struct view issuer, struct view serial)
{
    if (find(set_of(l, issuer), serial))
        return NULL;
    return err_new(ERR_SERIAL,
                   "the serial is not on lease to this channel for this issuer, or was sealed already");
}

void lease_use(struct lease *l, struct view issuer, struct view serial)
{
    struct set *s = set_of(l, issuer);
    struct one *one = find(s, serial);
    if (one)
        end_one(s, one);
}

size_t lease_count(const struct lease *l, struct view issuer)
{
    const struct set *s = set_of(l, issuer);
    return s ? s->live : 0;
}
