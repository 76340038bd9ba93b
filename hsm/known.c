/* A table with one place for each hash, by its first octets. Never grows. One thread. */
#include "known.h"

#include <stdlib.h>

#include "base/check.h"

enum { PLACES = 1 << 16 }; /* 2 MiB, touched as they are used */

struct known {
    uint8_t places[PLACES][SHA256_BYTES];
};

static size_t place_of(const uint8_t sha256[SHA256_BYTES])
{
    return (size_t)sha256[0] << 8 | sha256[1];
}

struct known *known_new(void)
{
    struct known *k = calloc(1, sizeof *k);
    CHECK(k != NULL);
    return k;
}

void known_free(struct known *k)
{
    free(k);
}

void known_add(struct known *k, const uint8_t tbs_sha256[SHA256_BYTES])
{
    memcpy(k->places[place_of(tbs_sha256)], tbs_sha256, SHA256_BYTES);
}

bool known_has(const struct known *k, const uint8_t tbs_sha256[SHA256_BYTES])
{
    return memcmp(k->places[place_of(tbs_sha256)], tbs_sha256, SHA256_BYTES) == 0;
}
