/*
 * A map from hashes to numbers: open addressing, linear, at most two thirds full. The hash is its own place:
 * what is kept here are SHA-256 values from our own log, and a slow look-up would hurt nobody but who asked
 * to verify.
 */
#include "map.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static struct map_slot *place(struct map_slot *slots, size_t cap, const uint8_t *hash)
{
    uint64_t h;
    memcpy(&h, hash, sizeof(h));
    size_t i = (size_t)h & (cap - 1);
    while (slots[i].value != 0 && memcmp(slots[i].hash, hash, SHA256_BYTES) != 0)
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static void grow(struct map *m)
{
    size_t cap = m->cap ? m->cap * 2 : 64;
    struct map_slot *slots = calloc(cap, sizeof(*slots));
    CHECK(slots);
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].value != 0)
            *place(slots, cap, m->slots[i].hash) = m->slots[i];
    free(m->slots);
    m->slots = slots;
    m->cap = cap;
}

void map_set(struct map *m, const uint8_t hash[SHA256_BYTES], size_t value)
{
    if (m->n + 1 > m->cap / 3 * 2)
        grow(m);
    struct map_slot *s = place(m->slots, m->cap, hash);
    if (s->value == 0) {
        memcpy(s->hash, hash, SHA256_BYTES);
        m->n++;
    }
    s->value = value + 1;
}

bool map_get(const struct map *m, const uint8_t hash[SHA256_BYTES], size_t *ret)
{
    if (m->cap == 0)
        return false;
    const struct map_slot *s = place(m->slots, m->cap, hash);
    if (s->value != 0)
        *ret = s->value - 1;
    return s->value != 0;
}

void map_clear(struct map *m)
{
    free(m->slots);
    *m = (struct map){0};
}
