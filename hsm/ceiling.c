/*
 * Ceilings: windows of the hour past for each pair of issuer and template, in a small open table. Never
 * forgets a seal of the last hour. The vault's loop.
 */
#include "ceiling.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/digest.h"

enum { BUCKETS = 61, PAIR_BYTES = 16 };

struct pair {
    uint8_t id[PAIR_BYTES]; /* first octets of SHA-256(issuer, NUL, template) */
    int64_t minute[BUCKETS];
    int64_t count[BUCKETS];
};

struct ceiling {
    struct pair *pairs; /* open addressing, cap a power of two, at most half full; an all-zero id is empty */
    size_t n, cap;
};

static const uint8_t none[PAIR_BYTES];

struct ceiling *ceiling_new(void)
{
    struct ceiling *c = calloc(1, sizeof *c);
    CHECK(c != NULL);
    c->cap = 16;
    c->pairs = calloc(c->cap, sizeof *c->pairs);
    CHECK(c->pairs != NULL);
    return c;
}

void ceiling_free(struct ceiling *c)
{
    if (!c)
        return;
    free(c->pairs);
    free(c);
}

static void pair_id(struct view issuer, struct view template, uint8_t ret[PAIR_BYTES])
{
    uint8_t hash[SHA256_BYTES];
    const struct view parts[] = {issuer, view_of("", 1), template};
    digest_sha256_parts(parts, 3, hash);
    hash[0] |= 1; /* never the empty id */
    memcpy(ret, hash, PAIR_BYTES);
}

static struct pair *pair_at(struct pair *pairs, size_t cap, const uint8_t *id)
{
    size_t i = ((size_t)id[1] << 16 | (size_t)id[2] << 8 | id[3]) & (cap - 1);
    while (memcmp(pairs[i].id, none, PAIR_BYTES) != 0 && memcmp(pairs[i].id, id, PAIR_BYTES) != 0)
        i = (i + 1) & (cap - 1);
    return &pairs[i];
}

static void grow(struct ceiling *c)
{
    size_t cap = c->cap * 2;
    struct pair *pairs = calloc(cap, sizeof *pairs);
    CHECK(pairs != NULL);
    for (size_t i = 0; i < c->cap; i++)
        if (memcmp(c->pairs[i].id, none, PAIR_BYTES) != 0)
            *pair_at(pairs, cap, c->pairs[i].id) = c->pairs[i];
    free(c->pairs);
    c->pairs = pairs;
    c->cap = cap;
}

void ceiling_note(struct ceiling *c, struct view issuer, struct view template, int64_t time_s)
{
    uint8_t id[PAIR_BYTES];
    if (time_s < 0)
        return;
    pair_id(issuer, template, id);
    struct pair *p = pair_at(c->pairs, c->cap, id);
    if (memcmp(p->id, none, PAIR_BYTES) == 0) {
        memcpy(p->id, id, PAIR_BYTES);
        c->n++;
    }
    int64_t minute = time_s / 60;
    size_t b = (size_t)(minute % BUCKETS);
    if (p->minute[b] < minute) {
        p->minute[b] = minute;
        p->count[b] = 0;
    }
    /* A bucket of a later minute: the clock went back. It is counted there, on the safe side. */
    p->count[b]++;
    if (c->n * 2 > c->cap)
        grow(c);
}

int64_t ceiling_count(const struct ceiling *c, struct view issuer, struct view template, int64_t now_s)
{
    uint8_t id[PAIR_BYTES];
    pair_id(issuer, template, id);
    const struct pair *p = pair_at(c->pairs, c->cap, id);
    int64_t sum = 0;
    for (size_t b = 0; b < BUCKETS; b++)
        if (p->count[b] && p->minute[b] > now_s / 60 - 60)
            sum += p->count[b];
    return sum;
}

struct err *ceiling_check(const struct ceiling *c, struct view issuer, struct view template, int64_t limit,
                          int64_t now_s)
{
    if (limit == 0 || ceiling_count(c, issuer, template, now_s) < limit)
        return NULL;
    return err_new(ERR_CEILING,
                   "%lld certificates of this template in an hour, its ceiling, have been sealed",
                   (long long)limit);
}
