/*
 * Serials on lease to one channel. A ring of leases in order of age, and a table of their places by serial
 * (they are random already: their first octets are the hash). Never gives a serial again. The vault's loop.
 */
#include "lease.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/digest.h"
#include "base/world.h"

enum { TABLE = LEASE_MAX * 4, ISSUER_BYTES = 8 };

struct one {
    uint8_t serial[SERIAL_BYTES];
    uint8_t issuer[ISSUER_BYTES]; /* the first octets of its name's SHA-256 */
    bool live;
};

struct lease {
    struct one ring[LEASE_MAX];
    uint32_t table[TABLE]; /* place in the ring + 1, or 0; linear probing */
    size_t next, live;
};

struct lease *lease_new(void)
{
    struct lease *l = calloc(1, sizeof *l);
    CHECK(l != NULL);
    return l;
}

void lease_free(struct lease *l)
{
    free(l);
}

static size_t home(const uint8_t *serial)
{
    /* Octet 0 has two fixed bits; the next three are free. */
    return ((size_t)serial[1] << 16 | (size_t)serial[2] << 8 | serial[3]) % TABLE;
}

static void issuer_tag(struct view issuer, uint8_t ret[ISSUER_BYTES])
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(issuer, hash);
    memcpy(ret, hash, ISSUER_BYTES);
}

/* The table's place that points to this serial, or the empty one where it would stand. */
static size_t place_of(const struct lease *l, const uint8_t *serial)
{
    size_t i = home(serial);
    while (l->table[i] && memcmp(l->ring[l->table[i] - 1].serial, serial, SERIAL_BYTES) != 0)
        i = (i + 1) % TABLE;
    return i;
}

/* Empties a place and moves up what had to stand behind it. */
static void table_remove(struct lease *l, size_t hole)
{
    l->table[hole] = 0;
    for (size_t i = (hole + 1) % TABLE; l->table[i]; i = (i + 1) % TABLE) {
        size_t want = home(l->ring[l->table[i] - 1].serial);
        if ((i + TABLE - want) % TABLE < (i + TABLE - hole) % TABLE)
            continue;
        l->table[hole] = l->table[i];
        l->table[i] = 0;
        hole = i;
    }
}

static void end_one(struct lease *l, struct one *one)
{
    if (!one->live)
        return;
    table_remove(l, place_of(l, one->serial));
    one->live = false;
    l->live--;
}

void lease_grant(struct lease *l, struct view issuer, size_t n, uint8_t (*ret)[SERIAL_BYTES])
{
    CHECK(n <= LEASE_MAX_AT_ONCE);
    world_random(ret, n * SERIAL_BYTES);
    for (size_t i = 0; i < n; i++) {
        struct one *one = &l->ring[l->next];
        end_one(l, one);
        ret[i][0] = (uint8_t)(0x40u | (ret[i][0] & 0x3fu));
        memcpy(one->serial, ret[i], SERIAL_BYTES);
        issuer_tag(issuer, one->issuer);
        one->live = true;
        size_t place = place_of(l, one->serial);
        CHECK(l->table[place] == 0); /* the same 126 random bits twice: the source of randomness is broken */
        l->table[place] = (uint32_t)l->next + 1;
        l->next = (l->next + 1) % LEASE_MAX;
        l->live++;
    }
}

static const struct one *find(const struct lease *l, struct view serial)
{
    if (serial.n != SERIAL_BYTES)
        return NULL;
    size_t place = place_of(l, serial.p);
    return l->table[place] ? &l->ring[l->table[place] - 1] : NULL;
}

struct err *lease_check(const struct lease *l, struct view issuer, struct view serial)
{
    const struct one *one = find(l, serial);
    uint8_t tag[ISSUER_BYTES];
    if (!one)
        return err_new(ERR_SERIAL, "the serial is not on lease to this channel, or was sealed already");
    issuer_tag(issuer, tag);
    if (memcmp(tag, one->issuer, ISSUER_BYTES) != 0)
        return err_new(ERR_SERIAL, "the serial is on lease for another issuer");
    return NULL;
}

void lease_use(struct lease *l, struct view serial)
{
    const struct one *one = find(l, serial);
    CHECK(one != NULL);
    end_one(l, &l->ring[one - l->ring]);
}

size_t lease_count(const struct lease *l)
{
    return l->live;
}
