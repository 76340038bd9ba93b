/* Instants and durations as text. Instants are int64_t seconds since 1970 UTC; RFC 3339 with Z on the
 * outside. */
#ifndef CHANCERY_BASE_WHEN_H
#define CHANCERY_BASE_WHEN_H

#include "base/arena.h"
#include "base/err.h"

enum { WHEN_TEXT_MAX = 32 };

/* "2026-11-21T06:18:59Z". Writes at most WHEN_TEXT_MAX with the NUL. Years 0 to 9999; beyond, the nearest. */
void when_put(char to[WHEN_TEXT_MAX], int64_t s);
void when_put_ms(char to[WHEN_TEXT_MAX], int64_t ms); /* "...59.123Z" */
const char *when_text(struct arena *arena, int64_t s);

/* RFC 3339 with Z, whole seconds. */
MUST_USE struct err *when_parse(struct view text, int64_t *ret_s);
/* RFC 9110 5.6.7 IMF-fixdate: "Sat, 21 Nov 2026 06:18:59 GMT". */
void when_put_http(char to[WHEN_TEXT_MAX], int64_t s);

/* "90d", "12h", "30m", "45s", "2w", "1y" (365 days); one unit, positive, at most 100 years. */
MUST_USE struct err *when_duration_parse(struct view text, int64_t *ret_s);
/* The shortest exact form: 90d, 36h, 30m, 45s. */
const char *when_duration_text(struct arena *arena, int64_t s);

/* Calendar, for DER times: fields of a UTC instant and back (proleptic Gregorian). */
struct when_fields {
    int year, month, day, hour, minute, second;
};
void when_split(int64_t s, struct when_fields *ret);
int64_t when_join(const struct when_fields *f); /* fields already in range */
/* A day of the calendar, years 0 to 9999, and a time of day without leap second. */
bool when_valid(const struct when_fields *f);

#endif
