/*
 * The wall clock goes into every certificate and every book, so a clock that is wrong makes both wrong. It is
 * never corrected here, only distrusted: issuance stops, revocation and status go on. On the loop's thread.
 */
#include "clock.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/when.h"
#include "base/world.h"

static int64_t offset_now(void)
{
    return world_now_ms() - world_mono_ms();
}

static void distrust(struct clock_watch *c, const char *what)
{
    snprintf(c->fault, sizeof c->fault, "%s", what);
    log_error("clock.distrusted", log_text("why", what));
}

void clock_start(struct clock_watch *c, int64_t last_entry_ms)
{
    int64_t now = world_now_ms();
    *c = (struct clock_watch){.offset_ms = offset_now()};
    if (now >= last_entry_ms - CLOCK_BEHIND_MS)
        return;
    char then[WHEN_TEXT_MAX], text[160];
    when_put(then, last_entry_ms / 1000);
    snprintf(text, sizeof text, "the clock stands %lld seconds behind the ledger's last entry (%s)",
             (long long)((last_entry_ms - now) / 1000), then);
    distrust(c, text);
}

struct err *clock_check(struct clock_watch *c)
{
    int64_t offset = offset_now(), leap = offset - c->offset_ms;
    c->offset_ms = offset;
    if (!c->fault[0] && llabs(leap) > CLOCK_LEAP_MS) {
        char text[160];
        snprintf(text, sizeof text, "the clock leapt by %lld seconds", (long long)(leap / 1000));
        distrust(c, text);
    }
    if (!c->fault[0])
        return NULL;
    return err_new(ERR_CLOCK, "%s; set it right, then confirm with `chancery clock confirm`", c->fault);
}

void clock_confirm(struct clock_watch *c)
{
    c->offset_ms = offset_now();
    c->fault[0] = '\0';
}
