/*
 * Error values: made where a check fails, read at the edge. The text is kept printable UTF-8, so that it can
 * go into a log line or a problem document as it is. Never fails: without memory there is one constant error.
 * Any thread; an error has one holder.
 */
#include "base/err.h"
#include "base/check.h"
#include "base/view.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 2048 };

struct err {
    enum err_code code;
    char *detail;  /* NULL: none */
    char *pointer; /* NULL: none */
    int retry_s;   /* 0: as its row says */
};

/* Given out where memory is out. err_free and the calls that add to an error leave it alone. */
static const struct err no_memory = {.code = ERR_NOMEM};

static const struct err_row rows[ERR__COUNT] = {
#define ERR(name, http_status, type, retry_s, title)                                                         \
    [ERR_##name] = {#name, http_status, type, retry_s, title},
#include "base/err.def"
#undef ERR
};

static struct err *out_of_memory(void)
{
    return (struct err *)&no_memory; /* never written to: is_fixed() stands before every change */
}

static bool is_fixed(const struct err *e)
{
    return e == &no_memory;
}

/* Input may be quoted in the text, and be cut in the middle of a character. */
static void make_printable(char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        uint32_t code = 0;
        size_t n = view_utf8_next(view_of(text, left), &code);
        if (n == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0)) {
            n = n ? n : 1;
            memset(text, '?', n);
        }
        text += n;
        left -= n;
    }
}

static char *format(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));
static char *format(const char *fmt, va_list args)
{
    char text[TEXT_MAX];
    if (vsnprintf(text, sizeof text, fmt, args) < 0)
        return NULL;
    make_printable(text);
    return strdup(text);
}

/* "a", "b" and separator to one text; takes neither. */
static char *join(const char *a, const char *separator, const char *b)
{
    char text[TEXT_MAX];
    if (snprintf(text, sizeof text, "%s%s%s", a, separator, b) < 0)
        return NULL;
    make_printable(text);
    return strdup(text);
}

/* Takes detail. */
static struct err *make(enum err_code code, char *detail)
{
    CHECK((unsigned)code < ERR__COUNT);
    struct err *e = detail ? calloc(1, sizeof *e) : NULL;
    if (!e) {
        free(detail);
        return out_of_memory();
    }
    e->code = code;
    e->detail = detail;
    return e;
}

struct err *err_new(enum err_code code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *detail = format(fmt, args);
    va_end(args);
    return make(code, detail);
}

struct err *err_sys(enum err_code code, int errno_value, const char *fmt, ...)
{
    char reason[128];
    va_list args;
    va_start(args, fmt);
    char *what = format(fmt, args);
    va_end(args);
    if (!what)
        return out_of_memory();
    char *detail = join(what, ": ", strerror_r(errno_value, reason, sizeof reason));
    free(what);
    return make(code, detail);
}

struct err *err_wrap(struct err *e, const char *fmt, ...)
{
    if (!e || is_fixed(e))
        return e;
    va_list args;
    va_start(args, fmt);
    char *prefix = format(fmt, args);
    va_end(args);
    char *detail = prefix ? join(prefix, e->detail[0] ? ": " : "", e->detail) : NULL;
    free(prefix);
    if (!detail) /* the error as it was is worth more than one about memory */
        return e;
    free(e->detail);
    e->detail = detail;
    return e;
}

struct err *err_at(struct err *e, const char *fmt, ...)
{
    if (!e || is_fixed(e))
        return e;
    va_list args;
    va_start(args, fmt);
    char *prefix = format(fmt, args);
    va_end(args);
    char *pointer = prefix ? join(prefix, "", err_pointer(e)) : NULL;
    free(prefix);
    if (!pointer)
        return e;
    free(e->pointer);
    e->pointer = pointer;
    return e;
}

struct err *err_retry(struct err *e, int seconds)
{
    if (e && !is_fixed(e))
        e->retry_s = seconds;
    return e;
}

int err_retry_s(const struct err *e)
{
    CHECK(e != NULL);
    return e->retry_s ? e->retry_s : rows[e->code].retry_s;
}

enum err_code err_code(const struct err *e)
{
    CHECK(e != NULL);
    return e->code;
}

const char *err_detail(const struct err *e)
{
    CHECK(e != NULL);
    return e->detail ? e->detail : "";
}

const char *err_pointer(const struct err *e)
{
    CHECK(e != NULL);
    return e->pointer ? e->pointer : "";
}

const struct err_row *err_row(enum err_code code)
{
    CHECK((unsigned)code < ERR__COUNT);
    return &rows[code];
}

enum err_code err_code_of_type(const char *type)
{
    for (size_t i = 0; type && i < ERR__COUNT; i++)
        if (strcmp(rows[i].type, type) == 0)
            return (enum err_code)i;
    return ERR_INTERNAL;
}

void err_free(struct err *e)
{
    if (!e || is_fixed(e))
        return;
    free(e->detail);
    free(e->pointer);
    free(e);
}
