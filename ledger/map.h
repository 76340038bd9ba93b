/* A map from 32 octets that are hashes already to a number, for verification. Grows; memory alone. One
 * thread. */
#ifndef CHANCERY_LEDGER_MAP_H
#define CHANCERY_LEDGER_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct map_slot {
    uint8_t hash[SHA256_BYTES];
    size_t value; /* + 1; 0: free */
};
struct map {
    struct map_slot *slots;
    size_t cap, n;
};

/* Replaces what stood there. */
void map_set(struct map *m, const uint8_t hash[SHA256_BYTES], size_t value);
bool map_get(const struct map *m, const uint8_t hash[SHA256_BYTES], size_t *ret);
void map_clear(struct map *m);

#endif
