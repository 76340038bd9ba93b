/*
 * The wall clock goes into every certificate and every book, so a clock that is wrong makes both wrong. It is
 * never corrected here, only distrusted: issuance stops, revocation and status go on. On the loop's thread.
 */
#include "clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/when.h"
#include "base/world.h"

static int64_t offset_now(void)
{
    return world_now_ms() - world_mono_ms();
}

__attribute__((format(printf, 2, 3))) static void distrust(struct clock_watch *c, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(c->fault, sizeof c->fault, fmt, args);
    va_end(args);
    c->untold = true;
    log_error("clock.distrusted", log_text("why", c->fault));
}

static void check_behind(struct clock_watch *c)
{
    int64_t behind = c->last_ms - world_now_ms();
    char then[WHEN_TEXT_MAX];
    if (behind <= CLOCK_BEHIND_MS)
        return;
    when_put(then, c->last_ms / 1000);
    distrust(c, "the clock stands %lld seconds behind the ledger's last entry (%s)",
             (long long)(behind / 1000), then);
}

void clock_start(struct clock_watch *c, int64_t last_entry_ms)
{
    *c = (struct clock_watch){.offset_ms = offset_now(), .last_ms = last_entry_ms};
    check_behind(c);
}

void clock_doubt(struct clock_watch *c, const char *why)
{
    distrust(c, "%s", why);
    c->untold = false;
}

void clock_saw(struct clock_watch *c, int64_t entry_ms)
{
    if (entry_ms > c->last_ms)
        c->last_ms = entry_ms;
}

static void check_leap(struct clock_watch *c, int64_t leap)
{
    if (llabs(leap) > CLOCK_LEAP_MS)
        distrust(c, "the clock leapt by %lld seconds", (long long)(leap / 1000));
}

struct err *clock_check(struct clock_watch *c)
{
    int64_t offset = offset_now(), leap = offset - c->offset_ms;
    c->offset_ms = offset;
    if (!c->fault[0])
        check_leap(c, leap);
    if (!c->fault[0])
        check_behind(c);
    if (!c->fault[0])
        return NULL;
    return err_new(ERR_CLOCK, "%s; set it right, then confirm with `chancery clock confirm`", c->fault);
}

void clock_confirm(struct clock_watch *c)
{
    *c = (struct clock_watch){.offset_ms = offset_now(), .last_ms = world_now_ms()};
}
