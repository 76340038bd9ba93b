/*
 * Times in DER, both ways, in the one form each that RFC 5280 4.1.2.5 allows: UTCTime through 2049,
 * GeneralizedTime from 2050, seconds present, Z. OCSP and invalidityDate use GeneralizedTime for all years.
 * Never reads past the view. Any thread.
 */
#include "base/der.h"
#include "base/when.h"
#include "der_tag.h"

enum { UTC_TIME_CHARS = 13, GENERALIZED_TIME_CHARS = 15 };

/* n digits off the front; -1 where one is none. */
static int take_number(struct view *in, size_t n)
{
    struct view digits = {NULL, 0};
    int value = 0;
    if (!view_take(in, n, &digits))
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return -1;
        value = value * 10 + (digits.p[i] - '0');
    }
    return value;
}

static int take_year(struct view *in, unsigned tag)
{
    if (tag == DER_GENERALIZED_TIME)
        return take_number(in, 4);
    int year = take_number(in, 2);
    if (year < 0)
        return -1;
    return year >= 50 ? 1900 + year : 2000 + year; /* RFC 5280 4.1.2.5.1 */
}

static bool parse_body(struct view body, unsigned tag, struct when_fields *ret)
{
    if (body.n != (tag == DER_UTC_TIME ? UTC_TIME_CHARS : GENERALIZED_TIME_CHARS))
        return false;
    ret->year = take_year(&body, tag);
    ret->month = take_number(&body, 2);
    ret->day = take_number(&body, 2);
    ret->hour = take_number(&body, 2);
    ret->minute = take_number(&body, 2);
    ret->second = take_number(&body, 2);
    return body.n == 1 && body.p[0] == 'Z' && when_valid(ret);
}

static struct err *read_form(struct view *in, unsigned tag, unsigned form, int from_year, int64_t *ret_s)
{
    struct err *e = NULL;
    struct view rest = *in, body;
    struct when_fields f;
    TRY(der_read(&rest, tag, &body));
    if (!parse_body(body, form, &f))
        return err_new(ERR_BAD_DER, "%s is not of the form %sMMDDHHMMSSZ (RFC 5280 4.1.2.5)",
                       der_tag_text(form).s, form == DER_UTC_TIME ? "YY" : "YYYY");
    if (f.year < from_year)
        return err_new(ERR_BAD_DER, "GeneralizedTime for the year %d, before %d (RFC 5280 4.1.2.5)", f.year,
                       from_year);
    *ret_s = when_join(&f);
    *in = rest;
out:
    return e;
}

struct err *der_read_time(struct view *in, int64_t *ret_s)
{
    int tag = der_peek(*in);
    if (tag == DER_UTC_TIME)
        return read_form(in, DER_UTC_TIME, DER_UTC_TIME, 0, ret_s);
    if (tag == DER_GENERALIZED_TIME)
        return read_form(in, DER_GENERALIZED_TIME, DER_GENERALIZED_TIME, 2050, ret_s);
    if (tag < 0)
        return err_new(ERR_BAD_DER, "expected a time, found the end");
    return err_new(ERR_BAD_DER, "expected a time, found %s", der_tag_text((unsigned)tag).s);
}

struct err *der_read_gentime(struct view *in, unsigned tag, int64_t *ret_s)
{
    return read_form(in, tag, DER_GENERALIZED_TIME, 0, ret_s);
}

static void put_form(struct der_out *out, unsigned tag, const struct when_fields *f, bool short_year)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%0*d%02d%02d%02d%02d%02dZ", short_year ? 2 : 4,
                     short_year ? f->year % 100 : f->year, f->month, f->day, f->hour, f->minute, f->second);
    der_put(out, tag, view_of(text, (size_t)n));
}

void der_put_time(struct der_out *out, int64_t s)
{
    struct when_fields f;
    when_split(s, &f);
    if (when_join(&f) != s || f.year < 1950) { /* neither form can say it */
        out->failed = true;
        return;
    }
    bool utc = f.year < 2050;
    put_form(out, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME, &f, utc);
}

void der_put_gentime(struct der_out *out, unsigned tag, int64_t s)
{
    struct when_fields f;
    when_split(s, &f);
    if (when_join(&f) != s) {
        out->failed = true;
        return;
    }
    put_form(out, tag, &f, false);
}
