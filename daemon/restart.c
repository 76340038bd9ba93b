/* Back-off of restarts: two counters, no clock of its own, no I/O. */
#include "restart.h"

enum { DEATH = 1000 };

/* From `level` deaths on: this wait. */
static const struct {
    int64_t level, wait_ms;
} steps[] = {{0, RESTART_FIRST_MS}, {4 * DEATH, 250}, {12 * DEATH, 1000}, {40 * DEATH, 5000}};

static int64_t wait_of_level(int64_t level)
{
    int64_t wait = RESTART_FIRST_MS;
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++)
        if (level > steps[i].level)
            wait = steps[i].wait_ms;
    return wait;
}

static int64_t wait_of_failed(unsigned failed)
{
    int64_t wait = 50;
    if (failed >= RESTART_BREAKER_STARTS)
        return RESTART_BREAKER_MS;
    for (unsigned i = 1; i < failed; i++)
        wait *= 2;
    return wait;
}

int64_t restart_after(struct restart *r, int64_t now_ms, bool was_ready)
{
    r->restarts++;
    if (!was_ready) {
        r->failed++;
        return wait_of_failed(r->failed);
    }
    r->level -= (now_ms - r->last_ms) * 2 / 3;
    if (r->level < 0)
        r->level = 0;
    r->level += DEATH;
    r->last_ms = now_ms;
    return wait_of_level(r->level);
}

void restart_ready(struct restart *r)
{
    r->failed = 0;
}

bool restart_broken(const struct restart *r)
{
    return r->failed >= RESTART_BREAKER_STARTS;
}
