/*
 * http/parse: each row of requests.def, whole and cut at every octet; then what is too long for a row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chunk.h"
#include "parse.h"
#include "target.h"

struct row {
    const char *raw;
    size_t n;
    const char *outcome;
    const char *what;
};

static const struct row rows[] = {
#define REQUEST(raw, outcome, what) {raw, sizeof(raw) - 1, outcome, what},
#include "requests.def"
#undef REQUEST
};

/* What the server does with octets, in small: scan, read the head, then the body. */
struct reader {
    struct parse_scan scan;
    struct chunk chunk;
    struct parse_head head;
    struct view head_at;
    bool has_head;
    uint8_t body[256];
    size_t body_n;
    size_t taken; /* octets of a chunked body */
};

static const char *refused(int status)
{
    static char text[8];
    snprintf(text, sizeof(text), "%d", status);
    return text;
}

static const char *method_name(enum http_method m)
{
    switch (m) {
    case HTTP_GET:
        return "GET";
    case HTTP_HEAD:
        return "HEAD";
    case HTTP_POST:
        return "POST";
    case HTTP_DELETE:
        return "DELETE";
    default:
        return "?";
    }
}

static const char *described(const struct reader *r, struct view rest)
{
    static char text[1024];
    uint8_t path[512];
    size_t n = 0;
    if (!target_decode(r->head.path, false, path, &n) || target_has_dots(view_of(path, n)))
        return "400";
    int at =
        snprintf(text, sizeof(text), "%s %.*s ", method_name(r->head.method), (int)n, (const char *)path);
    if (r->head.query.n > 0)
        at += snprintf(text + at, sizeof(text) - (size_t)at, "?%.*s ", (int)r->head.query.n,
                       (const char *)r->head.query.p);
    at += snprintf(text + at, sizeof(text) - (size_t)at, "1.%u %s", r->head.minor,
                   r->head.keep_alive ? "keep" : "close");
    if (r->head.expects_continue)
        at += snprintf(text + at, sizeof(text) - (size_t)at, " expect");
    if (r->body_n > 0)
        at += snprintf(text + at, sizeof(text) - (size_t)at, " body=%.*s", (int)r->body_n,
                       (const char *)r->body);
    if (rest.n > 0)
        snprintf(text + at, sizeof(text) - (size_t)at, " rest=%.*s", (int)rest.n, (const char *)rest.p);
    return text;
}

static void body_put(struct reader *r, struct view piece)
{
    assert_true(r->body_n + piece.n <= sizeof(r->body));
    if (piece.n > 0)
        memcpy(r->body + r->body_n, piece.p, piece.n);
    r->body_n += piece.n;
}

static const char *read_body(struct reader *r, struct view in)
{
    struct view rest = view_from(in, (size_t)(r->head_at.p - in.p) + r->head_at.n), piece;
    if (!r->head.chunked) {
        if (rest.n < r->head.length)
            return "...";
        r->body_n = 0;
        view_take(&rest, (size_t)r->head.length, &piece);
        body_put(r, piece);
        return described(r, rest);
    }
    rest = view_from(rest, r->taken);
    size_t before = rest.n;
    enum chunk_step step;
    while ((step = chunk_next(&r->chunk, &rest, &piece)) == CHUNK_DATA)
        body_put(r, piece);
    r->taken += before - rest.n;
    return step == CHUNK_BAD ? "400" : step == CHUNK_MORE ? "..." : described(r, rest);
}

static const char *feed(struct reader *r, struct view in)
{
    const char *why = NULL;
    if (!r->has_head) {
        int status = parse_scan(&r->scan, in, &r->head_at, &why);
        if (!status && !r->head_at.p)
            return "...";
        if (!status)
            status = parse_head(r->head_at, &r->head, &why);
        if (status) {
            assert_non_null(why);
            return refused(status);
        }
        r->has_head = true;
    }
    return read_body(r, in);
}

static void expect(const struct row *row, const char *got, size_t cut)
{
    if (strcmp(got, row->outcome) != 0)
        fail_msg("%s, cut at %zu: got \"%s\", not \"%s\"", row->what, cut, got, row->outcome);
}

static void each_request_is_read_as_its_row_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct reader r = {.has_head = false};
        expect(&rows[i], feed(&r, view_of(rows[i].raw, rows[i].n)), 0);
    }
    assert_true(sizeof(rows) / sizeof(rows[0]) >= 120);
}

/* The exact copy lets AddressSanitizer see a read past what has come. */
static void cuts_change_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t cut = 1; cut < rows[i].n; cut++) {
            struct reader r = {.has_head = false};
            uint8_t *all = malloc(rows[i].n), *first = malloc(cut);
            memcpy(all, rows[i].raw, rows[i].n);
            memcpy(first, rows[i].raw, cut);
            const char *early = feed(&r, view_of(first, cut));
            if (r.has_head) { /* the server has its own copy of the head; so here */
                size_t at = (size_t)(r.head_at.p - first);
                const char *why;
                r.head_at = view_of(all + at, r.head_at.n);
                assert_int_equal(parse_head(r.head_at, &r.head, &why), 0);
            }
            if (strcmp(early, "...") == 0)
                expect(&rows[i], feed(&r, view_of(all, rows[i].n)), cut);
            else if (!strstr(rows[i].outcome, "rest="))
                expect(&rows[i], early,
                       cut); /* refused, or whole, before the end: nothing later changes it */
            free(all);
            free(first);
        }
}

static void one_octet_at_a_time_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct reader r = {.has_head = false};
        const char *got = "...";
        for (size_t n = 1; n <= rows[i].n && strcmp(got, "...") == 0; n++)
            got = feed(&r, view_of(rows[i].raw, n));
        if (!strstr(rows[i].outcome, "rest="))
            expect(&rows[i], got, rows[i].n);
    }
}

/* ---- what does not fit in a row ---- */

static const char *outcome(struct view in)
{
    static struct reader r;
    memset(&r, 0, sizeof(r));
    return feed(&r, in);
}

static struct view filled(const char *head, char fill, size_t n, const char *tail)
{
    static char text[64 * 1024];
    size_t at = strlen(head);
    assert_true(at + n + strlen(tail) < sizeof(text));
    memcpy(text, head, at);
    memset(text + at, fill, n);
    memcpy(text + at + n, tail, strlen(tail));
    return view_of(text, at + n + strlen(tail));
}

static void a_long_request_line_is_414_before_its_end(void **state)
{
    (void)state;
    assert_string_equal(outcome(filled("GET /", 'a', 400, " HTTP/1.1\r\nHost: a\r\n")), "...");
    assert_string_equal(outcome(filled("GET /", 'a', PARSE_LINE_BYTES, "")), "414");
    assert_string_equal(outcome(filled("GET /", 'a', PARSE_LINE_BYTES, " HTTP/1.1\r\nHost: a\r\n\r\n")),
                        "414");
}

static void a_long_head_is_431_before_its_end(void **state)
{
    (void)state;
    const char *start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    assert_string_equal(outcome(filled(start, 'a', 16000, "\r\n\r\n")), "GET / 1.1 keep");
    assert_string_equal(outcome(filled(start, 'a', PARSE_HEAD_BYTES, "")), "431");
    assert_string_equal(outcome(filled(start, 'a', PARSE_HEAD_BYTES, "\r\n\r\n")), "431");
}

static const char *with_fields(int n)
{
    static char text[8192];
    int at = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 1; i < n; i++)
        at += snprintf(text + at, sizeof(text) - (size_t)at, "X%d: y\r\n", i);
    at += snprintf(text + at, sizeof(text) - (size_t)at, "\r\n");
    return outcome(view_of(text, (size_t)at));
}

static void sixty_four_fields_pass_and_one_more_is_431(void **state)
{
    (void)state;
    assert_string_equal(with_fields(64), "GET / 1.1 keep");
    assert_string_equal(with_fields(65), "431");
    assert_string_equal(with_fields(500), "431");
}

static void endless_chunk_extensions_are_refused(void **state)
{
    (void)state;
    const char *start = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;";
    assert_string_equal(outcome(filled(start, 'x', 1000, "\r\na\r\n0\r\n\r\n")), "POST / 1.1 keep body=a");
    assert_string_equal(outcome(filled(start, 'x', 3000, "")), "400");
}

static void endless_trailers_are_refused(void **state)
{
    (void)state;
    const char *start = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX:";
    assert_string_equal(outcome(filled(start, 'x', 3000, "\r\n\r\n")), "400");
}

static void lists_skip_what_is_empty(void **state)
{
    (void)state;
    struct view list = view_str(" a ,, \tb,c , "), word;
    assert_true(parse_list_next(&list, &word) && view_eq_str(word, "a"));
    assert_true(parse_list_next(&list, &word) && view_eq_str(word, "b"));
    assert_true(parse_list_next(&list, &word) && view_eq_str(word, "c"));
    assert_false(parse_list_next(&list, &word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_is_read_as_its_row_says),
        cmocka_unit_test(cuts_change_nothing),
        cmocka_unit_test(one_octet_at_a_time_changes_nothing),
        cmocka_unit_test(a_long_request_line_is_414_before_its_end),
        cmocka_unit_test(a_long_head_is_431_before_its_end),
        cmocka_unit_test(sixty_four_fields_pass_and_one_more_is_431),
        cmocka_unit_test(endless_chunk_extensions_are_refused),
        cmocka_unit_test(endless_trailers_are_refused),
        cmocka_unit_test(lists_skip_what_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
