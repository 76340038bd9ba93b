/*
 * The shelf as the front sees it: puts are copied, gathered, and committed in groups on a thread of their
 * own; looks are short read transactions. Never blocks the loop on the disk. On the loop's thread, but for
 * the group's transaction.
 */
#include "ledger_shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/world.h"
#include "batch.h"
#include "be.h"
#include "rows.h"
#include "shelf_change.h"

enum { GROUP_MAX = 512, QUEUED_MAX = 16384, READER_CHECK_MS = 60 * 1000 };
static const size_t map_default_bytes = (size_t)64 << 30;

struct shelf {
    char *files; /* the folder of what is too large for the map */
    const struct store_ops *ops;
    struct store *store;
    struct loop *loop;
    struct batch *batch;
    struct loop_timer *reader_check;
};

struct put {
    struct batch_item item; /* first */
    shelf_done *done;
    void *arg;
    enum shelf_table table;
    struct key key;
    bool del;
    int fd;                      /* of a file that is put: synced first; else -1 */
    char file[40], replaced[40]; /* its name, and that of the one before; "" */
    size_t n;
    uint8_t value[];
};

static void remove_file(const struct shelf *s, const char *name)
{
    char *path;
    if (!*name)
        return;
    CHECK(asprintf(&path, "%s/%s", s->files, name) > 0);
    if (world_unlink(path) != 0)
        log_warn("shelf.file", log_text("name", name), log_text("why", strerror(errno)));
    free(path);
}

/* What lies there now, where that is a file. */
static struct err *note_replaced(struct shelf *s, struct store_txn *t, struct put *p)
{
    struct err *e = NULL;
    struct view v;
    struct shelf_item item;
    TRY(s->ops->get(t, p->table, key_view(&p->key), &v));
    if (v.p && shelf_form_get(v, &item) && item.file)
        snprintf(p->replaced, sizeof(p->replaced), "%s", item.file);
out:
    return e;
}

static struct err *put_one(struct shelf *s, struct store_txn *t, struct put *p, uint64_t seq)
{
    struct err *e = NULL;
    if (p->table == SHELF_BLOBS)
        TRY(note_replaced(s, t, p));
    if (p->fd >= 0 && world_fdatasync(p->fd) != 0)
        return err_sys(ERR_NO_SPACE, errno, "a file of the shelf cannot be made durable");
    if (p->del)
        TRY(s->ops->del(t, p->table, key_view(&p->key)));
    else
        TRY(s->ops->put(t, p->table, key_view(&p->key), view_of(p->value, p->n), STORE_PUT));
    TRY(shelf_change_add(s->ops, t, seq, p->table, key_view(&p->key)));
out:
    return e;
}

static void write_puts(void *arg, struct batch_item *first)
{
    struct err *e = NULL;
    struct shelf *s = arg;
    struct store_txn *t = NULL;
    uint64_t seq;
    TRY(s->ops->begin(s->store, true, &t));
    TRY(shelf_change_last(s->ops, t, &seq));
    for (struct batch_item *i = first; i; i = i->next)
        TRY(put_one(s, t, (struct put *)i, ++seq));
    TRY(shelf_change_end(s->ops, t, seq));
    struct store_txn *done = t;
    t = NULL;
    TRY(s->ops->commit(done));
out:
    s->ops->abort(t);
    for (struct batch_item *i = first; i; i = i->next)
        remove_file(s, e ? ((struct put *)i)->file : ((struct put *)i)->replaced);
    if (!e)
        return;
    log_error("shelf.commit_failed", log_err(e));
    for (struct batch_item *i = first; i; i = i->next)
        i->error = err_new(err_code(e), "%s", err_detail(e));
    err_free(e);
}

static void finish_puts(void *arg, struct batch_item *first)
{
    (void)arg;
    for (struct batch_item *i = first, *next; i; i = next) {
        struct put *p = (struct put *)i;
        next = i->next;
        if (p->done)
            p->done(p->arg, i->error);
        if (!p->done)
            err_free(i->error);
        if (p->fd >= 0)
            close(p->fd);
        free(p);
    }
}

/* --- opening --- */

static struct err *take_up(struct shelf *s)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    bool fresh;
    uint8_t schema[8], mark[SHELF_MARK_BYTES];
    be64_put(schema, SHELF_SCHEMA);
    TRY(s->ops->begin(s->store, true, &t));
    TRY(shelf_form_check(s->ops, t, &fresh));
    if (fresh)
        TRY(s->ops->put(t, SHELF_META, view_str("schema"), view_of(schema, sizeof(schema)), STORE_PUT));
    TRY(shelf_change_mark(s->ops, t, mark));
    struct store_txn *done = t;
    t = NULL;
    TRY(s->ops->commit(done));
out:
    s->ops->abort(t);
    return e;
}

static void on_reader_check(void *arg)
{
    struct shelf *s = arg;
    s->ops->clear_readers(s->store);
    loop_timer_set(s->reader_check, READER_CHECK_MS);
}

static struct err *start_writer(struct shelf *s)
{
    struct err *e = NULL;
    if (!s->loop)
        return NULL;
    TRY(batch_start(&(struct batch_setup){.loop = s->loop,
                                          .name = "shelf",
                                          .max = GROUP_MAX,
                                          .queued_max = QUEUED_MAX,
                                          .write = write_puts,
                                          .finish = finish_puts,
                                          .arg = s},
                    &s->batch));
    s->reader_check = loop_timer_new(s->loop, on_reader_check, s);
    loop_timer_set(s->reader_check, READER_CHECK_MS);
out:
    return e;
}

struct err *shelf_open(const char *dir, size_t map_bytes, struct loop *loop, struct shelf **ret)
{
    struct err *e = NULL;
    struct shelf *s = calloc(1, sizeof(*s));
    CHECK(s);
    *s = (struct shelf){.ops = &store_lmdb, .loop = loop};
    s->files = strdup(dir);
    CHECK(s->files);
    TRY(shelf_form_folder(dir));
    TRY(s->ops->open(&(struct store_setup){.dir = dir,
                                           .map_bytes = map_bytes ? map_bytes : map_default_bytes,
                                           .mode = 0660,
                                           .tables = shelf_form_tables,
                                           .tables_n = SHELF__TABLES},
                     &s->store));
    s->ops->clear_readers(s->store);
    TRY(take_up(s));
    TRY(shelf_files_sweep(s->ops, s->store, s->files));
    TRY(start_writer(s));
    *ret = s;
    s = NULL;
out:
    shelf_close(s);
    return e;
}

void shelf_close(struct shelf *s)
{
    if (!s)
        return;
    batch_stop(s->batch);
    loop_timer_free(s->reader_check);
    s->ops->close(s->store);
    free(s->files);
    free(s);
}

/* --- putting --- */

static struct err *queue(struct shelf *s, struct put *p)
{
    struct err *e = NULL;
    if (s->batch) {
        e = batch_add(s->batch, &p->item);
        if (e)
            free(p);
        return e;
    }
    write_puts(s, &p->item);
    e = p->done ? NULL : p->item.error;
    if (!p->done)
        p->item.error = NULL;
    finish_puts(s, &p->item);
    return e;
}

static struct err *check_key(const char *name, size_t max, struct view serial)
{
    if (!*name || strlen(name) > max || serial.n > SHELF_ID_BYTES)
        return err_new(ERR_BAD_FIELD, "not a name or a serial that the shelf takes");
    return NULL;
}

struct what {
    enum shelf_table table;
    struct key key;
    shelf_done *done;
    void *arg;
};

/* item NULL: take it away. */
static struct put *put_new(const struct what *what, const struct shelf_item *item)
{
    size_t n = item ? shelf_form_size(item) : 0;
    struct put *p = calloc(1, sizeof(*p) + n);
    if (!p)
        return NULL;
    p->done = what->done;
    p->arg = what->arg;
    p->table = what->table;
    p->key = what->key;
    p->del = item == NULL;
    p->fd = -1;
    p->n = n;
    if (item)
        shelf_form_put(item, p->value);
    return p;
}

/* A descriptor in p stays the caller's where it is not taken. */
static struct err *add(struct shelf *s, const struct what *what, const struct shelf_item *item)
{
    struct put *p = put_new(what, item);
    return p ? queue(s, p) : err_new(ERR_NOMEM, "no memory for an item of the shelf");
}

struct err *shelf_put_answer(struct shelf *s, const char *issuer, struct view serial,
                             const struct shelf_item *item, shelf_done *done, void *arg)
{
    struct err *e = check_key(issuer, SHELF_ISSUER_BYTES, serial);
    if (e)
        return e;
    return add(s, &(struct what){SHELF_ANSWERS, key_serial(issuer, serial), done, arg}, item);
}

struct err *shelf_del_answer(struct shelf *s, const char *issuer, struct view serial, shelf_done *done,
                             void *arg)
{
    return shelf_put_answer(s, issuer, serial, NULL, done, arg);
}

struct err *shelf_put_blob(struct shelf *s, const char *name, const struct shelf_item *item, shelf_done *done,
                           void *arg)
{
    struct err *e = check_key(name, SHELF_NAME_BYTES, (struct view){NULL, 0});
    if (e)
        return e;
    return add(s, &(struct what){SHELF_BLOBS, key_bytes(view_str(name)), done, arg}, item);
}

struct err *shelf_del_blob(struct shelf *s, const char *name, shelf_done *done, void *arg)
{
    return shelf_put_blob(s, name, NULL, done, arg);
}

/* --- files --- */

struct err *shelf_file_new(struct shelf *s, struct shelf_file *ret)
{
    uint8_t random[8];
    char *path;
    char hex[2 * sizeof random + 1];
    world_random(random, sizeof random);
    hex_put(hex, view_of(random, sizeof random));
    snprintf(ret->name, sizeof ret->name, SHELF_FILE_PREFIX "%s", hex);
    CHECK(asprintf(&path, "%s/%s", s->files, ret->name) > 0);
    ret->fd = world_open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
    free(path);
    if (ret->fd >= 0 &&
        fchmod(ret->fd, 0660) != 0) /* whatever the umask: responders read it by their group */
        log_warn("shelf.file", log_text("why", strerror(errno)));
    return ret->fd < 0 ? err_sys(ERR_NO_SPACE, errno, "a file of the shelf cannot be made") : NULL;
}

void shelf_file_drop(struct shelf *s, struct shelf_file *file)
{
    if (file->fd < 0)
        return;
    close(file->fd);
    file->fd = -1;
    remove_file(s, file->name);
}

struct err *shelf_put_file(struct shelf *s, const char *name, const struct shelf_item *item,
                           struct shelf_file *file, shelf_done *done, void *arg)
{
    struct err *e = NULL;
    struct stat st;
    struct shelf_item as = *item;
    TRY(check_key(name, SHELF_NAME_BYTES, (struct view){NULL, 0}));
    if (fstat(file->fd, &st) != 0)
        return err_sys(ERR_IO, errno, "a file of the shelf");
    as.file = file->name;
    as.file_bytes = (uint64_t)st.st_size;
    struct put *p = put_new(&(struct what){SHELF_BLOBS, key_bytes(view_str(name)), done, arg}, &as);
    if (!p)
        return err_new(ERR_NOMEM, "no memory for the shelf");
    p->fd = file->fd;
    snprintf(p->file, sizeof(p->file), "%s", file->name);
    e = queue(s, p);
    if (e && s->batch)
        return e; /* it was not taken; p is gone, the file is still the caller's */
    file->fd = -1;
out:
    return e;
}

struct err *shelf_item_open(const struct shelf *s, const struct shelf_item *item, int *ret_fd)
{
    return shelf_form_open(s->files, item, ret_fd);
}

/* --- looking --- */

static struct err *get(struct shelf *s, enum shelf_table table, struct view key, struct arena *arena,
                       struct shelf_item *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct view v;
    struct shelf_item item = {0};
    TRY(s->ops->begin(s->store, false, &t));
    TRY(s->ops->get(t, table, key, &v));
    if (v.p && !shelf_form_get(v, &item)) {
        e = err_new(ERR_CORRUPT, "an item of the shelf is broken");
        goto out;
    }
    if (v.p) {
        item.bytes = item.file ? view_of("", 0) : arena_dup(arena, item.bytes);
        item.etag = arena_str(arena, view_str(item.etag));
        item.file = item.file ? arena_str(arena, view_str(item.file)) : NULL;
    }
    *ret = item;
out:
    s->ops->abort(t);
    return e;
}

struct err *shelf_get_answer(struct shelf *s, const char *issuer, struct view serial, struct arena *arena,
                             struct shelf_item *ret)
{
    struct key k = key_serial(issuer, serial);
    return get(s, SHELF_ANSWERS, key_view(&k), arena, ret);
}

struct err *shelf_get_blob(struct shelf *s, const char *name, struct arena *arena, struct shelf_item *ret)
{
    return get(s, SHELF_BLOBS, view_str(name), arena, ret);
}

static struct err *walk(const struct store_ops *ops, struct store_cursor *c, struct view prefix,
                        struct view from, struct shelf_due *to, size_t max, size_t *ret_n)
{
    struct err *e = NULL;
    struct view key = from, value;
    struct shelf_item item;
    bool found;
    size_t n = 0;
    TRY(ops->move(c, STORE_AT_OR_AFTER, &key, &value, &found));
    while (found && n < max && view_starts(key, prefix)) {
        size_t id_n = key.n - prefix.n;
        if (id_n >= SERIAL_BYTES && id_n <= SHELF_ID_BYTES && shelf_form_get(value, &item)) {
            memcpy(to[n].id, key.p + prefix.n, id_n);
            to[n].id_n = id_n;
            to[n].this_update = item.this_update;
            to[n++].next_update = item.next_update;
        }
        TRY(ops->move(c, STORE_NEXT, &key, &value, &found));
    }
    *ret_n = n;
out:
    return e;
}

struct err *shelf_answers(struct shelf *s, const char *issuer, struct view after, struct shelf_due *to,
                          size_t max, size_t *ret_n)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct store_cursor *c = NULL;
    TRY(check_key(issuer, SHELF_ISSUER_BYTES, after));
    struct key prefix = key_serial(issuer, (struct view){NULL, 0}), from = key_serial(issuer, after);
    if (after.n > 0)
        from.b[from.n++] = 0; /* the least key above it */
    TRY(s->ops->begin(s->store, false, &t));
    TRY(s->ops->cursor(t, SHELF_ANSWERS, &c));
    TRY(walk(s->ops, c, key_view(&prefix), key_view(&from), to, max, ret_n));
out:
    s->ops->cursor_free(c);
    s->ops->abort(t);
    return e;
}
