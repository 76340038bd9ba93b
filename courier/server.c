/*
 * The courier's half: errands in, each to the place its own configuration names, their ends out. Decides
 * nothing and keeps nothing. The loop's thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "checks.h"
#include "errand.h"
#include "errand_check.h"
#include "transfer.h"

enum { HEADER_MAX_BYTES = 4096, UNDER_WAY_MAX = 64 };

struct carried {
    struct courier_server *server;
    struct carried *next;
    struct transfer *transfer;
    uint64_t id;
};

struct courier_server {
    struct loop *loop;
    struct channel *front;
    struct transfers *transfers;
    struct checks *checks;
    const struct courier_place *places;
    size_t n;
    struct carried *first;
    size_t under_way;
    struct arena *scratch;
};

static void found(void *arg, uint64_t id, const struct courier_finding *finding);

struct err *courier_server_new(struct loop *loop, struct courier_server **ret)
{
    struct err *e = NULL;
    struct courier_server *s = calloc(1, sizeof *s);
    CHECK(s);
    *s = (struct courier_server){.loop = loop, .scratch = arena_new(1 << 20)};
    TRY(transfers_new(loop, &s->transfers));
    s->checks = checks_new(loop, s->transfers, found, s);
    *ret = s;
    s = NULL;
out:
    courier_server_free(s);
    return e;
}

static void forget(struct carried *c)
{
    struct carried **at = &c->server->first;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    c->server->under_way--;
    free(c);
}

static void drop_front(struct courier_server *s)
{
    channel_free(s->front);
    s->front = NULL;
    while (s->first) {
        transfers_cut(s->first->transfer);
        forget(s->first);
    }
    checks_drop(s->checks);
}

void courier_server_free(struct courier_server *s)
{
    if (!s)
        return;
    drop_front(s);
    checks_free(s->checks);
    transfers_free(s->transfers);
    arena_free(s->scratch);
    free(s);
}

void courier_server_set(struct courier_server *s, const struct courier_place *places, size_t n)
{
    s->places = places;
    s->n = n;
}

/* Takes e, from writing the frame. */
static void reply(struct courier_server *s, struct frame *f, struct err *e)
{
    if (!e)
        e = channel_send(s->front, f);
    arena_reset(s->scratch);
    if (!e)
        return;
    log_error("courier.front", log_err(e));
    err_free(e);
    drop_front(s);
}

static void answer(struct courier_server *s, uint64_t id, enum errand_outcome outcome, const char *detail)
{
    struct frame f = {.kind = ERRAND_DONE, .id = id, .fd = -1};
    char text[ERRAND_TEXT_MAX + 1];
    snprintf(text, sizeof text, "%s", detail);
    reply(s, &f, errand_done_write(outcome, text, s->scratch, &f.body));
}

static void found(void *arg, uint64_t id, const struct courier_finding *finding)
{
    struct courier_server *s = arg;
    struct frame f = {.kind = ERRAND_FOUND, .id = id, .fd = -1};
    reply(s, &f, errand_found_write(finding, s->scratch, &f.body));
}

static void carried(void *arg, struct err *e)
{
    struct carried *c = arg;
    struct courier_server *s = c->server;
    uint64_t id = c->id;
    forget(c);
    answer(s, id, e ? ERRAND_FAILED : ERRAND_WELL, e ? err_detail(e) : "");
    err_free(e);
}

/* One line, read anew each time: a credential may be renewed while we run. */
static struct err *read_header(const struct courier_place *place, struct arena *arena, const char **ret)
{
    struct err *e = NULL;
    struct view bytes;
    *ret = NULL;
    if (!place->header_file)
        return NULL;
    e = file_read(place->header_file, HEADER_MAX_BYTES, arena, &bytes);
    if (e) {
        log_error("courier.header", log_err(e)); /* with its path, which is not for the other end */
        err_free(e);
        return err_new(ERR_IO, "the file of its credential cannot be read");
    }
    while (bytes.n > 0 && (bytes.p[bytes.n - 1] == '\n' || bytes.p[bytes.n - 1] == '\r'))
        bytes.n--;
    if (!memchr(bytes.p, ':', bytes.n) || memchr(bytes.p, '\n', bytes.n) || memchr(bytes.p, 0, bytes.n))
        return err_new(ERR_IO, "the file of its credential is not one header line");
    *ret = arena_str(arena, bytes);
    return NULL;
}

static const struct courier_place *place_of(const struct courier_server *s, const char *issuer)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->places[i].issuer, issuer) == 0)
            return &s->places[i];
    return NULL;
}

static struct err *begin(struct courier_server *s, const struct courier_put *put, uint64_t id, int *fd)
{
    struct err *e = NULL;
    const struct courier_place *place = place_of(s, put->issuer);
    struct transfer_put to = {.type = put->type, .fd = *fd};
    struct carried *c;
    if (!place)
        return err_new(ERR_NOT_FOUND, "no place is configured for lists of '%s'", put->issuer);
    if (s->under_way >= UNDER_WAY_MAX)
        return err_new(ERR_BUSY, "%d transfers are under way", UNDER_WAY_MAX);
    to.url = arena_printf(s->scratch, "%s/%s", place->url, put->name);
    to.ca_file = place->ca_file;
    TRY(read_header(place, s->scratch, &to.header));
    c = calloc(1, sizeof *c);
    CHECK(c);
    *c = (struct carried){.server = s, .next = s->first, .id = id};
    e = transfers_put(s->transfers, &to, carried, c, &c->transfer);
    if (e) {
        free(c);
        return e;
    }
    *fd = -1;
    s->first = c;
    s->under_way++;
out:
    return e;
}

static enum errand_outcome outcome_of(const struct err *e)
{
    if (err_code(e) == ERR_NOT_FOUND)
        return ERRAND_NO_PLACE;
    return err_code(e) == ERR_BUSY ? ERRAND_BUSY : ERRAND_FAILED;
}

static struct err *on_put(struct courier_server *s, struct frame *f)
{
    struct courier_put put = {.fd = -1};
    if (f->fd < 0)
        return err_new(ERR_PROTOCOL, "a list without its file");
    struct err *e = errand_put_read(f->body, s->scratch, &put);
    if (e)
        return e;
    e = begin(s, &put, f->id, &f->fd);
    if (e)
        answer(s, f->id, outcome_of(e), err_detail(e));
    err_free(e);
    return NULL;
}

static struct err *on_check(struct courier_server *s, const struct frame *f)
{
    struct courier_check check;
    struct err *e = errand_check_read(f->body, s->scratch, &check);
    if (!e)
        checks_begin(s->checks, f->id, &check);
    return e;
}

static struct err *take(struct courier_server *s, struct frame *f)
{
    if (f->kind == ERRAND_PUT)
        return on_put(s, f);
    if (f->kind == ERRAND_CHECK && f->fd < 0)
        return on_check(s, f);
    return err_new(ERR_PROTOCOL, "not an errand");
}

static void on_frame(void *arg, struct frame *f)
{
    struct courier_server *s = arg;
    struct err *e = take(s, f);
    arena_reset(s->scratch);
    if (!e)
        return;
    log_error("courier.violation", log_err(e));
    err_free(e);
    drop_front(s);
}

static void on_close(void *arg, struct err *why)
{
    err_free(why);
    drop_front(arg);
}

void courier_server_set_checks(struct courier_server *s, const struct courier_checking *how)
{
    checks_set(s->checks, how);
}

void courier_server_attach(struct courier_server *s, int fd)
{
    drop_front(s);
    s->front = channel_new(s->loop, fd, (struct channel_events){on_frame, on_close, s});
}
