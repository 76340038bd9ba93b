/*
 * Buckets in a table of fixed size: a place is found by hash, and of those near it the one longest unused
 * makes room. So many strangers can at most forgive each other a little, never fill the memory.
 */
#include "limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/digest.h"
#include "base/world.h"

enum { PLACES = 1 << 15, NEAR = 8, HOUR_MS = 3600 * 1000 };

struct bucket {
    uint8_t id[16];
    double left;
    int64_t at_ms; /* when `left` was right; 0: free */
};

struct acme_limits {
    struct bucket buckets[PLACES];
};

struct acme_limits *acme_limits_new(void)
{
    struct acme_limits *l = calloc(1, sizeof *l);
    CHECK(l);
    return l;
}

void acme_limits_free(struct acme_limits *l)
{
    free(l);
}

static struct bucket *bucket_of(struct acme_limits *l, const uint8_t id[16])
{
    uint32_t place;
    memcpy(&place, id, sizeof place);
    struct bucket *oldest = NULL;
    for (uint32_t i = 0; i < NEAR; i++) {
        struct bucket *b = &l->buckets[(place + i) % PLACES];
        if (b->at_ms && memcmp(b->id, id, sizeof b->id) == 0)
            return b;
        if (!oldest || b->at_ms < oldest->at_ms)
            oldest = b;
    }
    memset(oldest, 0, sizeof *oldest);
    memcpy(oldest->id, id, sizeof oldest->id);
    return oldest;
}

struct err *acme_limit(struct acme_limits *l, const char *what, const char *who, int64_t per_hour)
{
    uint8_t hash[SHA256_BYTES];
    const struct view parts[] = {view_str(what), view_of("", 1), view_str(who)};
    if (per_hour == 0)
        return NULL;
    digest_sha256_parts(parts, 3, hash);
    struct bucket *b = bucket_of(l, hash);
    int64_t now = world_mono_ms() + 1;
    double per_ms = (double)per_hour / HOUR_MS;
    double left = b->at_ms ? b->left + (double)(now - b->at_ms) * per_ms : (double)per_hour;
    left = left > (double)per_hour ? (double)per_hour : left;
    b->at_ms = now;
    b->left = left;
    if (left < 1)
        return err_retry(err_new(ERR_RATE, "%s: at most %lld an hour", what, (long long)per_hour),
                         (int)((1 - left) / per_ms / 1000) + 1);
    b->left = left - 1;
    return NULL;
}
