/*
 * Streams of requests: the outcome must not depend on how the octets were cut, and a head that is taken has
 * no octet that two parsers read in two ways.
 */
#include "fuzz.h"

#include <string.h>

#include "chunk.h"
#include "parse.h"
#include "route.h"
#include "target.h"

enum { BODY_MAX = 4096, REQUESTS_MAX = 64 };

/* What became of a stream: a sum over all that was read, and how it ended. */
struct outcome {
    uint64_t sum;
    int status; /* 0: more must come */
};

static void add(struct outcome *o, struct view v)
{
    o->sum = (o->sum ^ v.n) * 0x100000001b3u;
    for (size_t i = 0; i < v.n; i++)
        o->sum = (o->sum ^ v.p[i]) * 0x100000001b3u;
}

struct stream {
    struct parse_scan scan;
    struct chunk chunk;
    struct parse_head head;
    size_t at; /* what is done with */
    uint64_t body_left, body_n;
    bool in_body;
    int requests;
    struct outcome o;
};

static void check_head(struct view raw, const struct parse_head *h)
{
    size_t hosts = 0, lengths = 0;
    for (size_t i = 0; i < raw.n; i++)
        CHECK(raw.p[i] != 0 && (raw.p[i] != '\n' || raw.p[i - 1] == '\r') &&
              (raw.p[i] != '\r' || raw.p[i + 1] == '\n'));
    for (size_t i = 0; i < h->fields_n; i++) {
        CHECK(parse_is_token(h->fields[i].name));
        hosts += view_eq_nocase(h->fields[i].name, view_str("host"));
        lengths += view_eq_nocase(h->fields[i].name, view_str("content-length")) ||
                   view_eq_nocase(h->fields[i].name, view_str("transfer-encoding"));
    }
    CHECK(hosts + (h->minor == 0) >= 1 && hosts <= 1 && lengths <= 1);
    CHECK(h->path.n > 0 && h->path.p[0] == '/');
}

static int read_head(struct stream *s, struct view raw)
{
    const char *why = NULL;
    uint8_t path[PARSE_HEAD_BYTES];
    size_t n;
    struct route_captures captures;
    int status = parse_head(raw, &s->head, &why);
    if (status)
        return status;
    check_head(raw, &s->head);
    if (!target_decode(s->head.path, false, path, &n) || target_has_dots(view_of(path, n)))
        return 400;
    add(&s->o, view_of(path, n));
    add(&s->o, s->head.query);
    for (size_t i = 0; i < s->head.fields_n; i++)
        add(&s->o, s->head.fields[i].value);
    if (route_fits("/a/{b}.crl", s->head.path, &captures))
        add(&s->o, captures.v[0].value);
    s->in_body = true;
    s->body_left = s->head.length;
    s->body_n = 0;
    s->chunk = (struct chunk){0, 0, 0, 0};
    return s->head.length > BODY_MAX ? 413 : 0;
}

/* True where the body is whole. */
static bool read_body(struct stream *s, struct view *in)
{
    struct view piece;
    if (!s->head.chunked) {
        size_t n = in->n < s->body_left ? in->n : (size_t)s->body_left;
        s->body_left -= n;
        view_take(in, n, &piece);
        for (size_t i = 0; i < n; i++) /* octet by octet: cuts must not show in the sum */
            add(&s->o, view_of(piece.p + i, 1));
        return s->body_left == 0;
    }
    for (;;) {
        enum chunk_step step = chunk_next(&s->chunk, in, &piece);
        if (step == CHUNK_BAD)
            s->o.status = 400;
        if (step != CHUNK_DATA)
            return step == CHUNK_END;
        for (size_t i = 0; i < piece.n; i++)
            add(&s->o, view_of(piece.p + i, 1));
        if ((s->body_n += piece.n) > BODY_MAX) {
            s->o.status = 413;
            return false;
        }
    }
}

static void feed(struct stream *s, struct view all)
{
    while (!s->o.status && s->requests < REQUESTS_MAX) {
        struct view in = view_from(all, s->at), head;
        const char *why = NULL;
        size_t before = in.n;
        if (s->in_body) {
            bool whole = read_body(s, &in);
            s->at += before - in.n;
            if (!whole)
                return;
            s->in_body = false;
            s->scan = (struct parse_scan){0, 0, 0, 0};
            s->requests++;
            continue;
        }
        s->o.status = parse_scan(&s->scan, in, &head, &why);
        if (s->o.status || !head.p)
            return;
        s->at += (size_t)(head.p - in.p) + head.n;
        s->o.status = read_head(s, head);
    }
}

static struct outcome run(const uint8_t *data, size_t size, size_t step)
{
    struct stream s;
    memset(&s, 0, sizeof(s));
    for (size_t n = step < size ? step : size;; n = n + step < size ? n + step : size) {
        feed(&s, view_of(data, n));
        if (n == size || s.o.status)
            return s.o;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole = run(data, size, size + 1);
    size_t steps[] = {1, 7, size / 2 + 1};
    for (size_t i = 0; size > 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct outcome cut = run(data, size, steps[i]);
        CHECK(cut.status == whole.status);
        CHECK(cut.status || cut.sum == whole.sum);
    }
    return 0;
}
