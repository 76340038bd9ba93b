/* Dates as HTTP writes them (RFC 9110 section 5.6.7), without the locale. Pure. */
#include <time.h>

#include "base/check.h"
#include "http.h"

char *http_date(struct arena *arena, int64_t s)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm t;
    time_t time = s;
    CHECK(gmtime_r(&time, &t));
    return arena_printf(arena, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * (t.tm_wday % 7),
                        t.tm_mday, months + 3 * (t.tm_mon % 12), t.tm_year + 1900, t.tm_hour, t.tm_min,
                        t.tm_sec);
}
