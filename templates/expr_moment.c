/*
 * Functions of expressions over times, all in UTC, and from one type to another.
 *
 * Never looks at a clock. Any thread.
 */
#include "expr_node.h"

#include <stdio.h>

#include "base/when.h"

static struct err *parsed(struct err *e)
{
    struct err *said = e ? err_new(ERR_POLICY, "%s", err_detail(e)) : NULL;
    err_free(e);
    return said;
}

struct err *expr_moment_timestamp(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    return parsed(when_parse(args[0].s, &ret->n));
}

struct err *expr_moment_duration(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    return parsed(when_duration_parse(args[0].s, &ret->n));
}

static struct when_fields fields_of(const struct expr_value *time)
{
    const int64_t first = INT64_C(-62167219200), last = INT64_C(253402300799); /* years 0 to 9999 */
    struct when_fields f;
    when_split(time->n < first ? first : time->n > last ? last : time->n, &f);
    return f;
}

struct err *expr_moment_year(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, fields_of(&args[0]).year);
}

struct err *expr_moment_month(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, fields_of(&args[0]).month - 1);
}

struct err *expr_moment_date(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, fields_of(&args[0]).day);
}

/* 1970-01-01 was a Thursday. */
struct err *expr_moment_weekday(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    int64_t days = args[0].n / 86400 - (args[0].n % 86400 < 0);
    return expr_run_say(ret, ((days + 4) % 7 + 7) % 7);
}

struct err *expr_moment_hours(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, fields_of(&args[0]).hour);
}

struct err *expr_moment_minutes(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, fields_of(&args[0]).minute);
}

struct err *expr_moment_whole_hours(struct expr_run *run, const struct expr_value *args,
                                    struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, args[0].n / 3600);
}

struct err *expr_moment_whole_minutes(struct expr_run *run, const struct expr_value *args,
                                      struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, args[0].n / 60);
}

struct err *expr_moment_whole_seconds(struct expr_run *run, const struct expr_value *args,
                                      struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, args[0].n);
}

/* --- conversions --- */

struct err *expr_moment_int_of_text(struct expr_run *run, const struct expr_value *args,
                                    struct expr_value *ret)
{
    (void)run;
    struct view text = args[0].s;
    bool minus = text.n > 0 && text.p[0] == '-';
    int64_t n = 0;
    bool ok = text.n > (size_t)minus;
    for (size_t i = minus; ok && i < text.n; i++) {
        int digit = text.p[i] - '0';
        ok = digit >= 0 && digit <= 9 && !__builtin_mul_overflow(n, 10, &n) &&
             !__builtin_sub_overflow(n, digit, &n);
    }
    ok = ok && (minus || n != INT64_MIN);
    return ok ? expr_run_say(ret, minus ? n : -n) : err_new(ERR_POLICY, "int() of what is no decimal number");
}

struct err *expr_moment_int_of_time(struct expr_run *run, const struct expr_value *args,
                                    struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, args[0].n);
}

static struct err *texted(struct expr_run *run, const char *text, struct expr_value *ret)
{
    struct err *e = NULL;
    uint8_t *to = NULL;
    size_t n = strlen(text);
    TRY(expr_run_take(run, n, &to));
    memcpy(to, text, n);
    ret->s = view_of(to, n);
out:
    return e;
}

struct err *expr_moment_text_of_int(struct expr_run *run, const struct expr_value *args,
                                    struct expr_value *ret)
{
    char text[24];
    snprintf(text, sizeof(text), "%lld", (long long)args[0].n);
    return texted(run, text, ret);
}

struct err *expr_moment_text_of_bool(struct expr_run *run, const struct expr_value *args,
                                     struct expr_value *ret)
{
    return texted(run, args[0].n ? "true" : "false", ret);
}

struct err *expr_moment_text_of_time(struct expr_run *run, const struct expr_value *args,
                                     struct expr_value *ret)
{
    char text[WHEN_TEXT_MAX];
    when_put(text, args[0].n);
    return texted(run, text, ret);
}
