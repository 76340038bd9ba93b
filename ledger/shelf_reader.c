/*
 * The shelf as a responder sees it: one read transaction a turn, views straight into the map. Looks for a
 * shelf that is not there, or that was put in place anew, at most once a second. Never writes an item. One
 * thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/log.h"
#include "base/world.h"
#include "ledger_shelf.h"
#include "rows.h"
#include "shelf_form.h"

enum { LOOK_MS = 1000 };

struct shelf_reader {
    const struct store_ops *ops;
    struct store *store; /* NULL: none yet */
    struct store_txn *txn;
    int64_t looked_ms; /* monotonic; 0: never */
    dev_t dev;         /* of data.mdb as opened */
    ino_t ino;
    char *dir, *data, *files;
};

struct shelf_reader *shelf_reader_new(const char *dir)
{
    struct shelf_reader *r = calloc(1, sizeof(*r));
    CHECK(r);
    r->ops = &store_lmdb;
    r->dir = strdup(dir);
    CHECK(r->dir && asprintf(&r->data, "%s/data.mdb", dir) > 0 && asprintf(&r->files, "%s", dir) > 0);
    return r;
}

static void drop(struct shelf_reader *r)
{
    r->ops->close(r->store);
    r->store = NULL;
}

void shelf_reader_free(struct shelf_reader *r)
{
    if (!r)
        return;
    shelf_reader_end(r);
    drop(r);
    free(r->dir);
    free(r->data);
    free(r->files);
    free(r);
}

static struct err *check(struct shelf_reader *r)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    bool fresh;
    TRY(r->ops->begin(r->store, false, &t));
    TRY(shelf_form_check(r->ops, t, &fresh));
    if (fresh)
        e = err_new(ERR_NOT_FOUND, "the shelf is empty");
out:
    r->ops->abort(t);
    return e;
}

static struct err *open_store(struct shelf_reader *r, const struct stat *st)
{
    struct err *e = NULL;
    TRY(r->ops->open(&(struct store_setup){.dir = r->dir,
                                           .mode = 0660,
                                           .readonly = true,
                                           .tables = shelf_form_tables,
                                           .tables_n = SHELF__TABLES},
                     &r->store));
    TRY(check(r));
    r->dev = st->st_dev;
    r->ino = st->st_ino;
    log_info("shelf.opened");
out:
    if (e)
        drop(r);
    return e;
}

/* Is what we have open still what lies there? */
static struct err *look(struct shelf_reader *r)
{
    struct stat st;
    int64_t now = world_mono_ms();
    bool due = r->looked_ms == 0 || now - r->looked_ms >= LOOK_MS;
    if (!due)
        return NULL;
    r->looked_ms = now ? now : 1;
    if (stat(r->data, &st) != 0)
        return NULL; /* what we have, if anything, stays good */
    if (r->store && (st.st_dev != r->dev || st.st_ino != r->ino))
        drop(r);
    return r->store ? NULL : open_store(r, &st);
}

struct err *shelf_reader_begin(struct shelf_reader *r)
{
    struct err *e = NULL;
    if (r->txn)
        return NULL;
    e = look(r);
    if (e && err_code(e) != ERR_NOT_FOUND) {
        log_warn("shelf.cannot_open", log_err(e));
        return e;
    }
    err_free(e);
    if (!r->store)
        return err_new(ERR_STARTING, "nothing has been put on the shelf yet");
    return r->ops->begin(r->store, false, &r->txn);
}

void shelf_reader_end(struct shelf_reader *r)
{
    r->ops->abort(r->txn);
    r->txn = NULL;
}

static bool get(struct shelf_reader *r, enum shelf_table table, struct view key, struct shelf_item *ret)
{
    struct view v;
    CHECK(r->txn);
    struct err *e = r->ops->get(r->txn, table, key, &v);
    if (e) {
        log_error("shelf.cannot_read", log_err(e));
        err_free(e);
        return false;
    }
    return v.p && shelf_form_get(v, ret);
}

bool shelf_reader_answer(struct shelf_reader *r, const char *issuer, struct view id, struct shelf_item *ret)
{
    if (id.n > SHELF_ID_BYTES || strlen(issuer) > SHELF_ISSUER_BYTES)
        return false;
    struct key k = key_serial(issuer, id);
    return get(r, SHELF_ANSWERS, key_view(&k), ret);
}

bool shelf_reader_blob(struct shelf_reader *r, const char *name, struct shelf_item *ret)
{
    size_t n = strlen(name);
    return n > 0 && n <= SHELF_NAME_BYTES && get(r, SHELF_BLOBS, view_of(name, n), ret);
}

int shelf_reader_open(struct shelf_reader *r, const struct shelf_item *item)
{
    int fd = -1;
    struct err *e = shelf_form_open(r->files, item, &fd);
    if (e)
        log_warn("shelf.file", log_err(e));
    err_free(e);
    return fd;
}
