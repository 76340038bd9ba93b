/*
 * Log lines: built in one buffer, written with one write(2), kept in a ring for the panic report. A line is
 * at most LINE_MAX octets, which a pipe takes whole (PIPE_BUF); what does not fit is cut at a character and
 * the line says `cut`. Never allocates, never fails, takes no secret. Any thread.
 */
#include "base/log.h"
#include "base/check.h"
#include "base/when.h"
#include "base/world.h"
#include "panic.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum {
    LINE_BYTES = PIPE_BUF,
    RESERVE_BYTES = 24, /* for closing quote, the word that the line was cut, brace and newline */
    RING_LINES = 32,
    RING_LINE_BYTES = 512,
    ERR_FIELD = -1, /* as text_n: text is a struct err */
};

struct line {
    char buf[LINE_BYTES];
    size_t n;
    bool cut;
    bool json;
};

struct ring {
    char lines[RING_LINES][RING_LINE_BYTES];
    size_t lens[RING_LINES];
    size_t next;
};

/* The process-wide state: set once by main before any thread; the ring under its lock. */
static const char *setup_process = "-";
static bool setup_json;
static enum log_level setup_least = LOG_INFO;
static pthread_mutex_t ring_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ring ring;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_setup(const char *process, bool json, enum log_level least)
{
    CHECK(process != NULL);
    setup_process = process;
    setup_json = json;
    setup_least = least;
}

struct log_field log_err(const struct err *e)
{
    return (struct log_field){"error", (const char *)e, (size_t)ERR_FIELD, 0};
}

/* All or nothing, so that an escape or a character is never halved. False: it did not fit. */
static bool put(struct line *l, const char *text, size_t n)
{
    if (l->cut || n > LINE_BYTES - RESERVE_BYTES - l->n) {
        l->cut = true;
        return false;
    }
    memcpy(l->buf + l->n, text, n);
    l->n += n;
    return true;
}

static void put_str(struct line *l, const char *text)
{
    put(l, text, strlen(text));
}

/* Into the reserve: closings that must stand whatever was cut. */
static void put_closing(struct line *l, const char *text)
{
    size_t n = strlen(text);
    CHECK(n <= LINE_BYTES - l->n);
    memcpy(l->buf + l->n, text, n);
    l->n += n;
}

/* What a terminal or a viewer would act on rather than show: controls, line separators, direction marks. */
static bool is_active(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

static bool put_char(struct line *l, struct view in, size_t *ret_taken)
{
    char escape[8];
    uint32_t code = 0;
    size_t n = view_utf8_next(in, &code);
    *ret_taken = n ? n : 1;
    if (n == 0)
        return put(l, "\xef\xbf\xbd", 3); /* U+FFFD for what is not UTF-8 */
    if (code == '"' || code == '\\') {
        escape[0] = '\\';
        escape[1] = (char)code;
        return put(l, escape, 2);
    }
    if (!is_active(code))
        return put(l, (const char *)in.p, n);
    int len = snprintf(escape, sizeof escape, "\\u%04x", (unsigned)code);
    return put(l, escape, (size_t)len);
}

static void put_escaped(struct line *l, struct view text)
{
    while (text.n > 0) {
        size_t taken;
        if (!put_char(l, text, &taken))
            return;
        text = view_from(text, taken);
    }
}

static void put_err(struct line *l, const struct err *e)
{
    put_escaped(l, view_str(err_row(err_code(e))->type));
    if (err_pointer(e)[0]) {
        put_str(l, " at ");
        put_escaped(l, view_str(err_pointer(e)));
    }
    if (err_detail(e)[0]) {
        put_str(l, ": ");
        put_escaped(l, view_str(err_detail(e)));
    }
}

static void put_value(struct line *l, const struct log_field *f)
{
    char number[24];
    if (!f->text && f->text_n == 0) {
        snprintf(number, sizeof number, "%lld", f->num);
        put_str(l, number);
        return;
    }
    if (!put(l, "\"", 1))
        return;
    if (f->text_n != (size_t)ERR_FIELD)
        put_escaped(l, view_of(f->text, f->text_n));
    if (f->text_n == (size_t)ERR_FIELD && f->text)
        put_err(l, (const struct err *)f->text);
    put_closing(l, "\"");
}

static void put_field(struct line *l, const struct log_field *f)
{
    if (!f->key || l->cut)
        return;
    size_t before = l->n;
    put_str(l, l->json ? ",\"" : " ");
    put_str(l, f->key);
    put_str(l, l->json ? "\":" : "=");
    if (l->cut || LINE_BYTES - RESERVE_BYTES - l->n < 24) { /* a key without value is no line */
        l->n = before;
        l->cut = true;
        return;
    }
    put_value(l, f);
}

/* In the text form these stand bare: whatever would break the columns becomes '_'. */
static void put_bare(struct line *l, const char *text)
{
    char word[64];
    size_t n = 0;
    for (; text[n] && n < sizeof word; n++)
        word[n] = text[n] > ' ' && text[n] < 0x7f && text[n] != '"' && text[n] != '\\' ? text[n] : '_';
    put(l, word, n);
}

static void put_head(struct line *l, enum log_level level, const char *event)
{
    char ts[WHEN_TEXT_MAX];
    const char *req = check_request();
    when_put_ms(ts, world_now_ms());
    const char *words[5][2] = {{"{\"ts\":\"", ts},
                               {"\",\"level\":\"", level_names[level]},
                               {"\",\"proc\":\"", setup_process},
                               {"\",\"req\":\"", req ? req : "-"},
                               {"\",\"event\":\"", event}};
    for (size_t i = 0; i < 5; i++) {
        put_str(l, l->json ? words[i][0] : i ? " " : "");
        put_bare(l, words[i][1]);
    }
    put_str(l, l->json ? "\"" : "");
}

static void finish(struct line *l)
{
    if (l->cut)
        put_closing(l, l->json ? ",\"cut\":true" : " cut=true");
    put_closing(l, l->json ? "}\n" : "\n");
}

static void remember(const struct line *l)
{
    pthread_mutex_lock(&ring_lock);
    size_t n = l->n < RING_LINE_BYTES ? l->n : RING_LINE_BYTES;
    memcpy(ring.lines[ring.next], l->buf, n);
    ring.lines[ring.next][n - 1] = '\n';
    ring.lens[ring.next] = n;
    ring.next = (ring.next + 1) % RING_LINES;
    pthread_mutex_unlock(&ring_lock);
}

void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
    struct line l;
    int keep = errno;
    CHECK((unsigned)level <= LOG_ERROR && event != NULL);
    if (level < setup_least)
        return;
    l.n = 0;
    l.cut = false;
    l.json = setup_json;
    put_head(&l, level, event);
    for (size_t i = 0; i < n; i++)
        put_field(&l, &fields[i]);
    finish(&l);
    remember(&l);
    while (write(STDERR_FILENO, l.buf, l.n) < 0 && errno == EINTR)
        continue;
    errno = keep;
}

void log_dump(int fd)
{
    /* Another thread may hold the lock, or this one; a panic report with a torn line is better than none. */
    bool locked = pthread_mutex_trylock(&ring_lock) == 0;
    for (size_t i = 0; i < RING_LINES; i++) {
        size_t at = (ring.next + i) % RING_LINES;
        if (ring.lens[at] > 0 && write(fd, ring.lines[at], ring.lens[at]) < 0)
            break;
    }
    if (locked)
        pthread_mutex_unlock(&ring_lock);
}
