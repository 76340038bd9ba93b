/*
 * Wrong passwords, counted by the address they come from: a client that goes on with one that is none is told
 * to wait. Tokens are 256 random bits, so what is held back is noise, not luck. On the front's loop.
 */
#ifndef CHANCERY_ENROLL_GUESSES_H
#define CHANCERY_ENROLL_GUESSES_H

#include <stdint.h>

#include "base/err.h"

enum { GUESSES_PER_MINUTE = 10, GUESSES_PLACES = 256, GUESSES_ADDRESS_BYTES = 48 };

struct guesses {
    struct {
        char address[GUESSES_ADDRESS_BYTES];
        int64_t full_ms;      /* when its bucket is full again */
    } places[GUESSES_PLACES]; /* by a hash of the address; another one there is forgotten */
};

/* One more wrong one. ERR_RATE, with the seconds to wait, where there were too many. */
MUST_USE struct err *guesses_count(struct guesses *g, const char *address, int64_t mono_ms);

#endif
