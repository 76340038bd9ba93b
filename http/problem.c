/*
 * Problem documents (RFC 9457), written by hand: six members, strings escaped as RFC 8259 section 7 wants,
 * what is not UTF-8 replaced. Loop's thread.
 */
#include "base/check.h"
#include "exchange.h"

/* The length of the UTF-8 sequence at p, or 0 where there is none (RFC 3629 section 4). */
static size_t utf8(const uint8_t *p)
{
    static const struct {
        uint8_t first, last, low, high; /* of the first octet, and of the second */
        size_t n;
    } forms[] = {{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
                 {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
                 {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (p[0] < forms[i].first || p[0] > forms[i].last || p[1] < forms[i].low || p[1] > forms[i].high)
            continue;
        for (size_t k = 2; k < forms[i].n; k++)
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].n;
    }
    return 0;
}

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
    for (const uint8_t *p = (const uint8_t *)text; *p;) {
        size_t n = *p < 0x80 ? 1 : utf8(p);
        if (n == 0) {
            buf_puts(b, "\\ufffd");
            p++;
            continue;
        }
        if (n == 1 && (*p < ' ' || *p == '"' || *p == '\\' || *p == 0x7f))
            put_escaped(b, *p);
        else
            buf_put(b, view_of(p, n));
        p += n;
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

static void put_problem(struct buf *b, const struct exchange *x, int status, const struct err_row *row,
                        const char *detail, const char *pointer)
{
    buf_puts(b, "{\"type\":\"urn:chancery:error:");
    buf_puts(b, row->type);
    buf_puts(b, "\"");
    put_member(b, "title", row->title);
    buf_puts(b, ",\"status\":");
    buf_put_number(b, (uint64_t)status);
    if (detail[0])
        put_member(b, "detail", detail);
    put_member(b, "instance", x->id);
    buf_puts(b, row->retry_s > 0 ? ",\"retryable\":true" : ",\"retryable\":false");
    if (pointer[0])
        put_member(b, "pointer", pointer);
    buf_puts(b, "}\n");
}

static void send_problem(struct exchange *x, int status, enum err_code code, const char *detail,
                         const char *pointer)
{
    const struct err_row *row = err_row(code);
    struct buf b = {NULL, 0, 0, 0};
    put_problem(&b, x, status, row, detail, pointer);
    if (row->retry_s > 0)
        http_add(&x->r, "Retry-After", "%d", row->retry_s);
    http_add(&x->r, "Cache-Control", "no-store");
    http_reply(&x->r, status, "application/problem+json", buf_view(&b));
    buf_free(&b);
}

void http_problem(struct http_request *r, struct err *e)
{
    CHECK(e);
    send_problem(exchange_of(r), err_row(err_code(e))->http_status, err_code(e), err_detail(e),
                 err_pointer(e));
    err_free(e);
}

void exchange_refuse(struct exchange *x, int status, enum err_code code, const char *detail)
{
    send_problem(x, status, code, detail, "");
}
