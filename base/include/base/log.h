/*
 * One line an event on stderr, text or JSON, keys `ts level proc req event` first. Set up once by main;
 * before that it prints text. Any thread; a line is one write(2). Keeps the last lines in memory for the
 * panic report.
 *
 *     log_info("cert.issued", log_text("serial", hex), log_num("n", n));
 *
 * Values are quoted; control characters are escaped. There is no call that takes a secret.
 */
#ifndef CHANCERY_BASE_LOG_H
#define CHANCERY_BASE_LOG_H

#include "base/err.h"
#include "base/view.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *key;
    const char *text; /* NULL: the number counts */
    size_t text_n;
    long long num;
};

/* process: "front". The one piece of process-wide state of this room. */
void log_setup(const char *process, bool json, enum log_level least);

static inline struct log_field log_text(const char *key, const char *text)
{
    return (struct log_field){key, text ? text : "", text ? strlen(text) : 0, 0};
}
static inline struct log_field log_bytes(const char *key, struct view text)
{
    return (struct log_field){key, text.p ? (const char *)text.p : "", text.n, 0};
}
static inline struct log_field log_num(const char *key, long long num)
{
    return (struct log_field){key, NULL, 0, num};
}
/* key "error": type and detail. e stays the caller's. */
struct log_field log_err(const struct err *e);

void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t n);

/* The last field is an empty one, so that an event may come without any. */
#define LOG__END ((struct log_field){NULL, NULL, 0, 0})
#define LOG__EVENT(level, event, ...)                                                                        \
    log_event((level), (event), (const struct log_field[]){__VA_ARGS__},                                     \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
#define log_debug(...) LOG__EVENT(LOG_DEBUG, __VA_ARGS__, LOG__END)
#define log_info(...)  LOG__EVENT(LOG_INFO, __VA_ARGS__, LOG__END)
#define log_warn(...)  LOG__EVENT(LOG_WARN, __VA_ARGS__, LOG__END)
#define log_error(...) LOG__EVENT(LOG_ERROR, __VA_ARGS__, LOG__END)

#endif
