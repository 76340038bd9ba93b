/* Dates as HTTP writes them (RFC 9110 section 5.6.7), without the locale. Pure. */
#include <time.h>

#include "base/check.h"
#include "http.h"

enum { DATE_BYTES = 29 };

/* Two digits; printf would be the dearest thing in an answer from the shelf. */
static void two(char *to, int value)
{
    to[0] = (char)('0' + value / 10 % 10);
    to[1] = (char)('0' + value % 10);
}

char *http_date(struct arena *arena, int64_t s)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm t;
    time_t time = s;
    CHECK(gmtime_r(&time, &t));
    char *text = arena_alloc(arena, DATE_BYTES + 1);
    memcpy(text, "Day, 00 Mon 0000 00:00:00 GMT", DATE_BYTES + 1);
    memcpy(text, days + 3 * (t.tm_wday % 7), 3);
    two(text + 5, t.tm_mday);
    memcpy(text + 8, months + 3 * (t.tm_mon % 12), 3);
    two(text + 12, (t.tm_year + 1900) / 100);
    two(text + 14, t.tm_year + 1900);
    two(text + 17, t.tm_hour);
    two(text + 20, t.tm_min);
    two(text + 23, t.tm_sec);
    return text;
}
