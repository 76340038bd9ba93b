/*
 * Answers: status line, headers and body go into the connection's buffer as one piece, so that they leave in
 * one write and one TLS record where they fit. Always with Content-Length, never chunked. Loop's thread.
 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/check.h"
#include "conn.h"
#include "exchange.h"

static const struct {
    int status;
    const char *line;
} lines[] = {
    {200, "HTTP/1.1 200 OK\r\n"},
    {201, "HTTP/1.1 201 Created\r\n"},
    {202, "HTTP/1.1 202 Accepted\r\n"},
    {204, "HTTP/1.1 204 No Content\r\n"},
    {206, "HTTP/1.1 206 Partial Content\r\n"},
    {301, "HTTP/1.1 301 Moved Permanently\r\n"},
    {303, "HTTP/1.1 303 See Other\r\n"},
    {304, "HTTP/1.1 304 Not Modified\r\n"},
    {307, "HTTP/1.1 307 Temporary Redirect\r\n"},
    {400, "HTTP/1.1 400 Bad Request\r\n"},
    {401, "HTTP/1.1 401 Unauthorized\r\n"},
    {403, "HTTP/1.1 403 Forbidden\r\n"},
    {404, "HTTP/1.1 404 Not Found\r\n"},
    {405, "HTTP/1.1 405 Method Not Allowed\r\n"},
    {406, "HTTP/1.1 406 Not Acceptable\r\n"},
    {408, "HTTP/1.1 408 Request Timeout\r\n"},
    {409, "HTTP/1.1 409 Conflict\r\n"},
    {410, "HTTP/1.1 410 Gone\r\n"},
    {411, "HTTP/1.1 411 Length Required\r\n"},
    {412, "HTTP/1.1 412 Precondition Failed\r\n"},
    {413, "HTTP/1.1 413 Content Too Large\r\n"},
    {414, "HTTP/1.1 414 URI Too Long\r\n"},
    {415, "HTTP/1.1 415 Unsupported Media Type\r\n"},
    {416, "HTTP/1.1 416 Range Not Satisfiable\r\n"},
    {417, "HTTP/1.1 417 Expectation Failed\r\n"},
    {422, "HTTP/1.1 422 Unprocessable Content\r\n"},
    {429, "HTTP/1.1 429 Too Many Requests\r\n"},
    {431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
    {500, "HTTP/1.1 500 Internal Server Error\r\n"},
    {501, "HTTP/1.1 501 Not Implemented\r\n"},
    {503, "HTTP/1.1 503 Service Unavailable\r\n"},
    {505, "HTTP/1.1 505 HTTP Version Not Supported\r\n"},
};

static void put_line(struct buf *out, int status)
{
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        if (lines[i].status == status) {
            buf_puts(out, lines[i].line);
            return;
        }
    CHECK(status >= 200 && status < 600);
    buf_puts(out, "HTTP/1.1 ");
    buf_put_number(out, (uint64_t)status);
    buf_puts(out, " -\r\n");
}

static void put_field(struct buf *out, const char *name, const char *value)
{
    buf_puts(out, name);
    buf_puts(out, ": ");
    buf_puts(out, value);
    buf_puts(out, "\r\n");
}

void exchange_put_head(struct exchange *x, struct buf *out, int status, const char *type, int64_t length)
{
    buf_reserve(out, 512);
    put_line(out, status);
    put_field(out, "Date", server_date(x->server));
    if (type)
        put_field(out, "Content-Type", type);
    if (length >= 0) {
        buf_puts(out, "Content-Length: ");
        buf_put_number(out, (uint64_t)length);
        buf_puts(out, "\r\n");
    }
    for (const struct added *a = x->added; a; a = a->next)
        put_field(out, a->name, a->value);
    put_field(out, "X-Request-Id", x->id);
    if (!x->keep_alive)
        put_field(out, "Connection", "close");
    if (x->keep_alive && x->must_add_keep_alive)
        put_field(out, "Connection", "keep-alive");
    buf_puts(out, "\r\n");
}

/* A line end here would let a value write headers. */
static void add(struct http_request *r, const char *name, char *value)
{
    struct exchange *x = exchange_of(r);
    struct added *a = ARENA_NEW(r->arena, struct added);
    for (char *c = value; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    *a = (struct added){NULL, name, value};
    *x->added_last = a;
    x->added_last = &a->next;
}

void http_add_text(struct http_request *r, const char *name, const char *value)
{
    size_t n = strlen(value) + 1;
    add(r, name, memcpy(arena_alloc(r->arena, n), value, n));
}

void http_add(struct http_request *r, const char *name, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    CHECK(n >= 0);
    char *value = arena_alloc(r->arena, (size_t)n + 1);
    vsnprintf(value, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(args);
    add(r, name, value);
}

/* RFC 9110 section 8.6: these have none. */
static bool has_length(int status)
{
    return status != 204 && status != 304;
}

static struct buf *begin(struct exchange *x, int status)
{
    CHECK(x->conn && !x->replied && x->ticket == 0);
    x->replied = true;
    x->status = status;
    x->keep_alive &= conn_may_keep(x->conn);
    return conn_out(x->conn);
}

void http_reply(struct http_request *r, int status, const char *type, struct view body)
{
    struct exchange *x = exchange_of(r);
    struct buf *out = begin(x, status);
    bool without = x->is_head || !has_length(status);
    buf_reserve(out, 512 + (without ? 0 : body.n));
    exchange_put_head(x, out, status, type, has_length(status) ? (int64_t)body.n : -1);
    if (!without)
        buf_put(out, body);
    conn_replied(x->conn);
}

void http_reply_file(struct http_request *r, int status, const char *type, int fd, uint64_t from,
                     uint64_t bytes)
{
    struct exchange *x = exchange_of(r);
    struct buf *out = begin(x, status);
    CHECK(has_length(status) && bytes <= INT64_MAX);
    exchange_put_head(x, out, status, type, (int64_t)bytes);
    if (x->is_head || bytes == 0)
        close(fd);
    else
        conn_send_file(x->conn, fd, from, bytes);
    conn_replied(x->conn);
}
