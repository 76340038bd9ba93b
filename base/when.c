/*
 * Instants and durations as text and as calendar fields, UTC, proleptic Gregorian, no leap seconds (as POSIX
 * counts). Never asks a clock and knows no time zone. Any thread.
 */
#include "base/when.h"
#include "base/check.h"

#include <stdio.h>

#define DAY_S ((int64_t)86400)
static const int64_t first_s = -62167219200; /* 0000-01-01T00:00:00Z */
static const int64_t last_s = 253402300799;  /* 9999-12-31T23:59:59Z */
static const int64_t duration_max_s = 100 * 365 * DAY_S;

/* Days since 1970-01-01. Counted in eras of 400 years from March, so that the leap day ends a year. */
static int64_t days_of(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_of(int64_t days, struct when_fields *ret)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    ret->day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    ret->month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    ret->year = (int)(year_of_era + era * 400 + (ret->month <= 2 ? 1 : 0));
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

static int64_t clamp(int64_t s)
{
    if (s < first_s)
        return first_s;
    return s > last_s ? last_s : s;
}

void when_split(int64_t s, struct when_fields *ret)
{
    int64_t at = clamp(s);
    int64_t days = floor_div(at, DAY_S);
    int rest = (int)(at - days * DAY_S);
    date_of(days, ret);
    ret->hour = rest / 3600;
    ret->minute = rest / 60 % 60;
    ret->second = rest % 60;
}

int64_t when_join(const struct when_fields *f)
{
    return days_of(f->year, f->month, f->day) * DAY_S + f->hour * 3600 + f->minute * 60 + f->second;
}

bool when_valid(const struct when_fields *f)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (f->year < 0 || f->year > 9999 || f->month < 1 || f->month > 12 || f->day < 1)
        return false;
    bool leap = (f->year % 4 == 0 && f->year % 100 != 0) || f->year % 400 == 0;
    if (f->day > days[f->month - 1] + (f->month == 2 && leap ? 1 : 0))
        return false;
    return f->hour >= 0 && f->hour < 24 && f->minute >= 0 && f->minute < 60 && f->second >= 0 &&
           f->second < 60;
}

static void put_date(char to[WHEN_TEXT_MAX], int64_t s, const char *tail)
{
    struct when_fields f;
    when_split(s, &f);
    snprintf(to, WHEN_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d%s", f.year, f.month, f.day, f.hour, f.minute,
             f.second, tail);
}

void when_put(char to[WHEN_TEXT_MAX], int64_t s)
{
    put_date(to, s, "Z");
}

void when_put_ms(char to[WHEN_TEXT_MAX], int64_t ms)
{
    char tail[8];
    int rest = (int)(ms % 1000);
    snprintf(tail, sizeof tail, ".%03dZ", rest < 0 ? rest + 1000 : rest);
    put_date(to, floor_div(ms, 1000), tail);
}

const char *when_text(struct arena *arena, int64_t s)
{
    char *to = arena_alloc(arena, WHEN_TEXT_MAX);
    when_put(to, s);
    return to;
}

void when_put_http(char to[WHEN_TEXT_MAX], int64_t s)
{
    static const char days[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct when_fields f;
    when_split(s, &f);
    int64_t day = floor_div(clamp(s), DAY_S) % 7;
    snprintf(to, WHEN_TEXT_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[(day + 7) % 7], f.day,
             months[f.month - 1], f.year, f.hour, f.minute, f.second);
}

/* Exactly n digits at offset; -1 where one is none. The caller has checked the length. */
static int number_at(struct view text, size_t offset, size_t n)
{
    int value = 0;
    for (size_t i = offset; i < offset + n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return -1;
        value = value * 10 + (text.p[i] - '0');
    }
    return value;
}

struct err *when_parse(struct view text, int64_t *ret_s)
{
    static const char shape[] = "....-..-..T..:..:..Z";
    if (text.n != sizeof shape - 1)
        goto bad;
    for (size_t i = 0; i < text.n; i++)
        if (shape[i] != '.' && text.p[i] != (uint8_t)shape[i])
            goto bad;
    struct when_fields f = {number_at(text, 0, 4),  number_at(text, 5, 2),  number_at(text, 8, 2),
                            number_at(text, 11, 2), number_at(text, 14, 2), number_at(text, 17, 2)};
    if (!when_valid(&f))
        goto bad;
    *ret_s = when_join(&f);
    return NULL;
bad:
    return err_new(ERR_BAD_FIELD,
                   "not an RFC 3339 time in UTC with whole seconds, like 2026-11-21T06:18:59Z");
}

struct unit {
    char letter;
    int64_t s;
};
static const struct unit units[] = {{'y', 365 * DAY_S}, {'w', 7 * DAY_S}, {'d', DAY_S},
                                    {'h', 3600},        {'m', 60},        {'s', 1}};

static int64_t unit_s(uint8_t letter)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].letter == (char)letter)
            return units[i].s;
    return 0;
}

struct err *when_duration_parse(struct view text, int64_t *ret_s)
{
    int64_t value = 0;
    int64_t unit = text.n >= 2 ? unit_s(text.p[text.n - 1]) : 0;
    if (unit == 0 || text.p[0] == '0')
        return err_new(ERR_BAD_FIELD, "not a duration like 90d, 12h, 30m or 45s");
    for (size_t i = 0; i + 1 < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return err_new(ERR_BAD_FIELD, "not a duration like 90d, 12h, 30m or 45s");
        value = value * 10 + (text.p[i] - '0');
        if (value > duration_max_s / unit)
            return err_new(ERR_BAD_FIELD, "a duration of more than 100 years");
    }
    *ret_s = value * unit;
    return NULL;
}

const char *when_duration_text(struct arena *arena, int64_t s)
{
    for (size_t i = 2; s != 0 && i < sizeof units / sizeof *units; i++) /* from days: 14d says more than 2w */
        if (s % units[i].s == 0)
            return arena_printf(arena, "%lld%c", (long long)(s / units[i].s), units[i].letter);
    return arena_printf(arena, "%llds", (long long)s);
}
