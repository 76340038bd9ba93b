/*
 * Problem documents (RFC 9457), written by hand: strings escaped as RFC 8259 section 7 wants. The text
 * of an error is UTF-8 already (base/err.c). Loop's thread.
 */
#include "base/check.h"
#include "exchange.h"

static void put_escaped(struct buf *b, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    char text[7] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15], '\0'};
    if (c == '"' || c == '\\') {
        text[1] = (char)c;
        text[2] = '\0';
    }
    buf_puts(b, text);
}

static void put_string(struct buf *b, const char *text)
{
    buf_puts(b, "\"");
    while (*text) {
        size_t n = 0; /* octets that stand for themselves */
        while ((uint8_t)text[n] >= ' ' && text[n] != 0x7f && text[n] != '"' && text[n] != '\\')
            n++;
        buf_put(b, view_of(text, n));
        text += n;
        if (*text)
            put_escaped(b, (uint8_t)*text++);
    }
    buf_puts(b, "\"");
}

static void put_member(struct buf *b, const char *name, const char *value)
{
    buf_puts(b, ",\"");
    buf_puts(b, name);
    buf_puts(b, "\":");
    put_string(b, value);
}

static void put_problem(struct buf *b, const struct exchange *x, int status, const struct err *e)
{
    const struct err_row *row = err_row(err_code(e));
    const char *detail = err_detail(e), *pointer = err_pointer(e);
    buf_puts(b, "{\"type\":\"urn:chancery:error:");
    buf_puts(b, row->type);
    buf_puts(b, "\"");
    put_member(b, "title", row->title);
    buf_puts(b, ",\"status\":");
    buf_put_number(b, (uint64_t)status);
    if (detail[0])
        put_member(b, "detail", detail);
    put_member(b, "instance", x->id);
    buf_puts(b, err_retry_s(e) > 0 ? ",\"retryable\":true" : ",\"retryable\":false");
    if (pointer[0])
        put_member(b, "pointer", pointer);
    buf_puts(b, "}\n");
}

/* Takes e. */
static void send_problem(struct exchange *x, int status, struct err *e)
{
    struct buf b = {NULL, 0, 0, 0};
    put_problem(&b, x, status, e);
    if (err_retry_s(e) > 0)
        http_add(&x->r, "Retry-After", "%d", err_retry_s(e));
    err_free(e);
    http_add(&x->r, "Cache-Control", "no-store");
    http_reply(&x->r, status, "application/problem+json", buf_view(&b));
    buf_free(&b);
}

void http_problem(struct http_request *r, struct err *e)
{
    CHECK(e);
    send_problem(exchange_of(r), err_row(err_code(e))->http_status, e);
}

void exchange_refuse(struct exchange *x, int status, enum err_code code, const char *detail)
{
    send_problem(x, status, err_new(code, "%s", detail));
}
