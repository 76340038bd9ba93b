/* A leaky bucket for each address: see guesses.h. */
#include "guesses.h"

#include <stdio.h>
#include <string.h>

enum { MINUTE_MS = 60000, ONE_MS = MINUTE_MS / GUESSES_PER_MINUTE };

/* FNV-1a: spreads addresses; nothing is gained by choosing them, as a crowded place forgets. */
static size_t place_of(const char *address)
{
    uint32_t h = 2166136261u;
    for (const char *p = address; *p; p++)
        h = (h ^ (uint8_t)*p) * 16777619u;
    return h % GUESSES_PLACES;
}

struct err *guesses_count(struct guesses *g, const char *address, int64_t mono_ms)
{
    size_t i = place_of(address);
    if (strcmp(g->places[i].address, address) != 0) {
        snprintf(g->places[i].address, GUESSES_ADDRESS_BYTES, "%s", address);
        g->places[i].full_ms = mono_ms;
    }
    int64_t full_ms = g->places[i].full_ms > mono_ms ? g->places[i].full_ms : mono_ms;
    if (full_ms + ONE_MS > mono_ms + MINUTE_MS)
        return err_retry(err_new(ERR_RATE, "too many wrong passwords from this address"),
                         (int)((full_ms + ONE_MS - MINUTE_MS - mono_ms) / 1000 + 1));
    g->places[i].full_ms = full_ms + ONE_MS;
    return NULL;
}
