/*
 * Where lists go besides the shelf: into a directory, whole or not at all, and by PUT to an address through
 * the courier. A list that comes while the one before is on its way goes next; what fails is tried again,
 * ever more slowly; what cannot be delivered for long is an alert. On the loop's thread, but for the writing
 * of files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/world.h"
#include "courier.h"
#include "maker.h"

enum {
    FIRST_RETRY_MS = 1000,
    LAST_RETRY_MS = 5 * 60 * 1000,
    OVERDUE_MS = 10 * 60 * 1000,
    LOOK_MS = 60 * 1000
};

enum way { TO_DIRECTORY, BY_PUT, WAYS };
static const char *const way_texts[WAYS] = {"directory", "put"};

/* One file in one place. Kept for life, as lists are. */
struct delivery {
    struct delivery *next;
    struct crl_maker *maker;
    enum way way;
    char issuer[64];
    char blob[CRL_NAME_BYTES]; /* on the shelf: "crl/issuing/7" */
    char file[CRL_NAME_BYTES]; /* there: "issuing/7.crl" */
    const char *type;
    bool under_way, again, overdue;
    int64_t since_ms; /* monotonic: something newer than what is there waits; 0: nothing does */
    unsigned failures;
    struct loop_timer *timer;
    /* of the binder's thread */
    char *directory;
    struct err *failed;
};

static void start(struct delivery *d);

/* --- into a directory: on the binder's thread --- */

static struct err *make_folders(const char *path)
{
    char *folder = strdup(path), *slash = strrchr(folder, '/');
    CHECK(folder && slash);
    *slash = '\0';
    int rc = mkdir(folder, 0755) == 0 || errno == EEXIST ? 0 : errno;
    free(folder);
    return rc ? err_sys(ERR_IO, rc, "a folder for lists") : NULL;
}

static struct err *copy(struct blob_in *in, int fd)
{
    struct err *e = NULL;
    struct view piece;
    for (;;) {
        TRY(blob_next(in, &piece));
        if (piece.n == 0)
            break;
        while (piece.n > 0) {
            ssize_t n = world_write(fd, piece.p, piece.n);
            if (n < 0)
                return err_sys(ERR_NO_SPACE, errno, "a list cannot be written");
            piece = view_from(piece, (size_t)n);
        }
    }
    if (fchmod(fd, 0644) != 0 || world_fsync(fd) != 0)
        return err_sys(ERR_NO_SPACE, errno, "a list cannot be written");
out:
    return e;
}

/* A reader sees the old one or the new one. */
static struct err *write_file(struct blob_in *in, const char *path)
{
    struct err *e = NULL;
    char *temporary;
    CHECK(asprintf(&temporary, "%s.tmp", path) > 0);
    int fd = world_open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        e = err_sys(ERR_IO, errno, "a list cannot be made there");
    if (!e)
        e = copy(in, fd);
    if (!e && world_rename(temporary, path) != 0)
        e = err_sys(ERR_IO, errno, "a list cannot be put in place");
    if (e && fd >= 0)
        world_unlink(temporary);
    if (fd >= 0)
        close(fd);
    free(temporary);
    return e;
}

static struct err *deliver(const struct delivery *d)
{
    struct err *e = NULL;
    struct shelf_item item;
    struct arena *arena = arena_new(CRL_ARENA_BYTES);
    const char *path = arena_printf(arena, "%s/%s", d->directory, d->file);
    struct blob_in *in = ARENA_NEW(arena, struct blob_in);
    in->fd = -1;
    TRY(shelf_get_blob(d->maker->shelf, d->blob, arena, &item));
    if (!item.bytes.p)
        TRY(err_new(ERR_NOT_FOUND, "there is no such list"));
    TRY(make_folders(path));
    TRY(blob_open(in, d->maker->shelf, &item));
    TRY(write_file(in, path));
out:
    blob_close(in);
    arena_free(arena);
    return e;
}

static void run(void *arg)
{
    struct delivery *d = arg;
    d->failed = deliver(d);
}

/* --- the end of one --- */

static int64_t retry_ms(const struct delivery *d)
{
    int64_t ms = d->failures < 9 ? (int64_t)FIRST_RETRY_MS << d->failures : LAST_RETRY_MS;
    return ms < LAST_RETRY_MS ? ms : LAST_RETRY_MS;
}

static void failed(struct delivery *d, struct err *e)
{
    metric_add(METRIC_CRL_DELIVERIES_FAILED, 1);
    log_warn("crl.undelivered", log_text("list", d->file), log_text("way", way_texts[d->way]), log_err(e));
    err_free(e);
    loop_timer_set(d->timer, retry_ms(d));
    d->failures++;
}

static void delivered(struct delivery *d)
{
    metric_add(METRIC_CRLS_DELIVERED, 1);
    if (d->failures || d->overdue)
        log_info("crl.delivered", log_text("list", d->file), log_text("way", way_texts[d->way]),
                 log_num("failures", d->failures));
    d->failures = 0;
    d->since_ms = 0;
    d->overdue = false;
}

static void ended(void *arg, struct err *e)
{
    struct delivery *d = arg;
    bool again = d->again;
    d->under_way = d->again = false;
    if (e) {
        failed(d, e);
        return;
    }
    delivered(d);
    if (!again)
        return;
    d->since_ms = world_mono_ms();
    start(d);
}

static void written(void *arg)
{
    struct delivery *d = arg;
    struct err *e = d->failed;
    d->failed = NULL;
    free(d->directory);
    d->directory = NULL;
    ended(d, e);
}

/* --- by PUT --- */

static struct err *open_item(const struct shelf *shelf, const struct shelf_item *item, int *ret_fd)
{
    if (item->file)
        return shelf_item_open(shelf, item, ret_fd);
    *ret_fd = memfd_create("list", MFD_CLOEXEC);
    if (*ret_fd < 0 || write(*ret_fd, item->bytes.p, item->bytes.n) != (ssize_t)item->bytes.n)
        return err_sys(ERR_NOMEM, errno, "no memory for a list on its way");
    return NULL;
}

static struct err *put(struct delivery *d)
{
    struct err *e = NULL;
    struct shelf_item item;
    struct arena *arena = arena_new(CRL_ARENA_BYTES);
    struct courier_put errand = {.issuer = d->issuer, .name = d->file, .type = d->type, .fd = -1};
    TRY(shelf_get_blob(d->maker->shelf, d->blob, arena, &item));
    if (!item.bytes.p)
        TRY(err_new(ERR_NOT_FOUND, "there is no such list"));
    TRY(open_item(d->maker->shelf, &item, &errand.fd));
    TRY(courier_put(d->maker->courier, &errand, ended, d));
out:
    if (errand.fd >= 0)
        close(errand.fd);
    arena_free(arena);
    return e;
}

static const char *place_of(const struct crl_issuer *issuer, enum way way)
{
    return way == TO_DIRECTORY ? issuer->directory : issuer->put;
}

static void start(struct delivery *d)
{
    struct err *e = NULL;
    const struct crl_issuer *issuer = maker_issuer(d->maker, d->issuer);
    if (!issuer || !place_of(issuer, d->way) || !d->maker->binder) {
        d->since_ms = 0; /* not wanted there any more */
        return;
    }
    loop_timer_clear(d->timer);
    d->under_way = true;
    if (d->way == BY_PUT) {
        e = put(d);
    } else {
        d->directory = strdup(issuer->directory);
        e = worker_submit(d->maker->binder, run, d->maker->loop, written, d);
    }
    if (e)
        ended(d, e);
}

static void on_retry(void *arg)
{
    struct delivery *d = arg;
    if (!d->under_way && d->since_ms)
        start(d);
}

/* --- what goes where --- */

static struct delivery *delivery_of(struct crl_maker *m, enum way way, const char *issuer, const char *blob)
{
    struct delivery *d = m->deliveries;
    while (d && (d->way != way || strcmp(d->blob, blob) != 0))
        d = d->next;
    if (d)
        return d;
    d = calloc(1, sizeof *d);
    CHECK(d);
    *d = (struct delivery){.next = m->deliveries, .maker = m, .way = way};
    snprintf(d->issuer, sizeof d->issuer, "%s", issuer);
    snprintf(d->blob, sizeof d->blob, "%s", blob);
    d->timer = loop_timer_new(m->loop, on_retry, d);
    m->deliveries = d;
    return d;
}

/* "crl/issuing/7" is "issuing/7.crl" there, as under the responder's /crl/. */
static void name_file(struct delivery *d)
{
    const char *rest = strchr(d->blob, '/') + 1, *ending = ".crl";
    d->type = "application/pkix-crl";
    if (strncmp(d->blob, "crl-delta/", 10) == 0)
        ending = "-delta.crl";
    if (strncmp(d->blob, "crl-chain/", 10) == 0) {
        ending = "-chain.pem";
        d->type = "application/x-pem-file";
    }
    snprintf(d->file, sizeof d->file, "%.*s%s", CRL_NAME_BYTES - 16, rest, ending);
}

void deliver_blob(struct crl_maker *m, const char *issuer, const char *blob)
{
    const struct crl_issuer *i = maker_issuer(m, issuer);
    for (int way = 0; i && way < WAYS; way++) {
        if (!place_of(i, (enum way)way))
            continue;
        struct delivery *d = delivery_of(m, (enum way)way, issuer, blob);
        name_file(d);
        if (!d->since_ms)
            d->since_ms = world_mono_ms();
        d->again = d->under_way;
        if (!d->under_way)
            start(d);
    }
}

/* --- alerts --- */

static size_t look_at_deliveries(struct crl_maker *m)
{
    size_t overdue = 0;
    int64_t now = world_mono_ms();
    for (struct delivery *d = m->deliveries; d; d = d->next) {
        bool late = d->since_ms && now - d->since_ms > OVERDUE_MS;
        if (late && !d->overdue)
            log_error("crl.overdue", log_text("list", d->file), log_text("way", way_texts[d->way]),
                      log_num("failures", d->failures));
        d->overdue = late;
        overdue += late;
    }
    return overdue;
}

static size_t look_at_shelf(struct crl_maker *m)
{
    size_t overdue = 0;
    for (size_t i = 0; i < m->states_n; i++)
        for (size_t k = 0; m->states[i].served && k < m->states[i].n; k++)
            overdue += lists_overdue(&m->states[i], m->states[i].lists[k]);
    return overdue;
}

static void on_look(void *arg)
{
    struct crl_maker *m = arg;
    metric_set(METRIC_CRLS_OVERDUE, (int64_t)(look_at_deliveries(m) + look_at_shelf(m)));
    loop_timer_set(m->look, LOOK_MS);
}

void deliver_new(struct crl_maker *m)
{
    m->look = loop_timer_new(m->loop, on_look, m);
    loop_timer_set(m->look, LOOK_MS);
}

/* Whatever waited for a courier. */
void deliver_go(struct crl_maker *m)
{
    for (struct delivery *d = m->deliveries; d; d = d->next)
        if (d->way == BY_PUT && d->since_ms && !d->under_way)
            start(d);
}

bool deliver_quiet(const struct crl_maker *m)
{
    const struct delivery *d = m->deliveries;
    while (d && !d->under_way)
        d = d->next;
    return d == NULL;
}

void deliver_free(struct crl_maker *m)
{
    for (struct delivery *d = m->deliveries, *next; d; d = next) {
        next = d->next;
        loop_timer_free(d->timer);
        err_free(d->failed);
        free(d->directory);
        free(d);
    }
    m->deliveries = NULL;
    loop_timer_free(m->look);
}
