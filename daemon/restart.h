/*
 * When a child that has died is started again. Pure: times come in, a wait comes out.
 *
 * One that ran and died is started at once the first few times, so that a crash costs less than a second;
 * where it keeps dying the waits grow to a few seconds. One that dies before it is ready waits longer each
 * time, up to the breaker: then once in half a minute, because each start may cost a login at the token.
 */
#ifndef CHANCERY_DAEMON_RESTART_H
#define CHANCERY_DAEMON_RESTART_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RESTART_FIRST_MS = 20,
    RESTART_BREAKER_STARTS = 10, /* failed starts in a row */
    RESTART_BREAKER_MS = 30000,
};

struct restart {
    unsigned failed;   /* starts in a row that did not get ready */
    int64_t level;     /* deaths after being ready, each 1000, draining 2 in 3 ms */
    int64_t last_ms;   /* of the last death */
    unsigned restarts; /* all of them */
};

/* Milliseconds to wait before the next start. */
int64_t restart_after(struct restart *r, int64_t now_ms, bool was_ready);
/* It is ready: failed starts no longer count. */
void restart_ready(struct restart *r);
/* The breaker is open: something is wrong that starting anew does not mend. */
bool restart_broken(const struct restart *r);

#endif
