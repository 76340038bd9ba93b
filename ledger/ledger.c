/*
 * Opening and closing the ledger, and the way of an entry from the loop to the writer thread and back. The
 * body is encoded here, on the caller's thread; what depends on the log is the writer's. Never syncs on the
 * loop's thread.
 */
#include "ledger.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/metric.h"
#include "base/world.h"
#include "core.h"
#include "entry.h"

enum { READER_CHECK_MS = 60 * 1000, APPEND_ARENA_BYTES = 8 << 20 };
static const size_t map_default_bytes = (size_t)256 << 30;

/* --- encoding --- */

static void append_free(struct core_append *a)
{
    if (!a)
        return;
    arena_free(a->arena);
    free(a);
}

/* Our own copy, read back from what will be stored: what cannot be read is refused now, not found later. */
static struct err *copy(struct core_append *a, const struct ledger_entry *entry)
{
    struct err *e = NULL;
    TRY(entry_check(entry));
    a->entry = (struct ledger_entry){.kind = entry->kind, .ref = entry->ref};
    struct ledger_entry *to = &a->entry;
    to->actor = arena_str(a->arena, view_str(entry->actor));
    to->door = arena_str(a->arena, view_str(entry->door));
    to->peer = arena_str(a->arena, view_str(entry->peer));
    to->request = arena_str(a->arena, view_str(entry->request));
    to->issuer = arena_str(a->arena, view_str(entry->issuer));
    to->serial = arena_dup(a->arena, entry->serial);
    TRY(entry_body_write(entry, a->arena, &a->body));
    TRY(entry_body_read(a->body, a->arena, to));
out:
    if (e && err_code(e) != ERR_TOO_LARGE && err_code(e) != ERR_BAD_FIELD) {
        struct err *as = err_new(ERR_BAD_FIELD, "%s", err_detail(e));
        err_free(e);
        e = as;
    }
    return e;
}

/* What this kind cannot be without. */
static struct err *check_form(const struct ledger_entry *en)
{
    bool serial = en->kind == LEDGER_INTENT || en->kind == LEDGER_REVOKE || en->kind == LEDGER_RELEASE ||
                  en->kind == LEDGER_STRAY || en->kind == LEDGER_UNRECORDED || en->kind == LEDGER_TAGS;
    bool list = en->kind == LEDGER_CRL || en->kind == LEDGER_CRL_PART || en->kind == LEDGER_CRL_DELTA;
    bool issuer = serial || list || en->kind == LEDGER_ISSUER || en->kind == LEDGER_LIST_FLOOR;
    if (issuer && (!en->issuer || !*en->issuer))
        return err_new(ERR_BAD_FIELD, "this kind of entry needs an issuer");
    if (serial && en->serial.n != SERIAL_BYTES)
        return err_new(ERR_BAD_FIELD, "a serial here has %d octets", SERIAL_BYTES);
    return NULL;
}

static struct err *append_new(const struct ledger_entry *entry, struct core_append **ret)
{
    struct err *e = NULL;
    struct core_append *a = calloc(1, sizeof(*a));
    CHECK(a);
    a->arena = arena_new(APPEND_ARENA_BYTES);
    TRY(check_form(entry));
    TRY(copy(a, entry));
    *ret = a;
    a = NULL;
out:
    append_free(a);
    return e;
}

/* --- appending --- */

/* How many intents are on their way to a signature: their ends come next. An estimate that only times groups:
 * an intent that is never ended costs those who come alone a few milliseconds. */
static void count_unended(struct ledger *l, unsigned kind, bool written)
{
    bool end = kind == LEDGER_RECORD || kind == LEDGER_CLOSE;
    if (written && kind == LEDGER_INTENT)
        l->unended++;
    if (!written && end && l->unended > 0)
        l->unended--;
}

static size_t coming(void *arg)
{
    const struct ledger *l = arg;
    return l->unended;
}

struct err *ledger_append(struct ledger *l, const struct ledger_entry *entry, ledger_done *done, void *arg,
                          ticket_id *ret)
{
    struct err *e = NULL;
    struct core_append *a = NULL;
    CHECK(l->batch);
    TRY(append_new(entry, &a));
    a->done = done;
    a->arg = arg;
    a->ticket = ticket_put(l->tickets, a);
    if (a->ticket == 0) {
        e = err_new(ERR_BUSY, "too many entries wait for the disk");
        goto out;
    }
    ticket_id id = a->ticket;
    count_unended(l, entry->kind, false);
    if (entry->kind == LEDGER_INTENT)
        core_partition_count(l, entry->issuer, entry->body.intent.partition);
    TRY(batch_add(l->batch, &a->item));
    a = NULL;
    if (ret)
        *ret = id;
out:
    if (a && a->ticket)
        ticket_take(l->tickets, a->ticket);
    append_free(a);
    return e;
}

void ledger_cancel(struct ledger *l, ticket_id id)
{
    ticket_take(l->tickets, id);
}

static void tell(struct ledger *l, struct core_append *a)
{
    struct err *e = a->item.error;
    a->item.error = NULL;
    bool wanted = ticket_take(l->tickets, a->ticket) != NULL && a->done;
    if (wanted)
        a->done(a->arg, e, e ? NULL : &a->result);
    if (!wanted)
        err_free(e);
}

static void tell_watchers(struct ledger *l, const struct core_append *a)
{
    const struct ledger_event ev = {.seq = a->entry.seq,
                                    .kind = a->entry.kind,
                                    .ref = a->entry.ref,
                                    .issuer = a->entry.issuer,
                                    .serial = a->entry.serial,
                                    .partition = a->partition};
    for (size_t i = 0; i < l->watchers_n; i++)
        l->watchers[i].fn(l->watchers[i].arg, &ev);
}

static void follow_restoring(struct ledger *l, const struct ledger_entry *en)
{
    if (en->kind == LEDGER_RESTORED)
        l->restored = en->seq;
    if (en->kind == LEDGER_ACCEPT_LOSS)
        l->restored = 0;
}

uint64_t ledger_restored_by(const struct ledger *l)
{
    return l->restored;
}

/* The index, before anyone hears that the entry stands. */
static void follow(struct ledger *l, const struct core_append *a)
{
    finder_add(l->finder, &a->entry, a->entry.kind == LEDGER_RECORD ? a->fingerprint : NULL);
    follow_restoring(l, &a->entry);
}

static void finish(void *arg, struct batch_item *first)
{
    struct ledger *l = arg;
    for (struct batch_item *i = first, *next; i; i = next) {
        struct core_append *a = (struct core_append *)i;
        next = i->next;
        bool written = !i->error && a->result.outcome == LEDGER_WRITTEN;
        if (written) {
            count_unended(l, a->entry.kind, true);
            follow(l, a);
        }
        tell(l, a);
        if (written)
            tell_watchers(l, a);
        append_free(a);
    }
}

static void write_batch(void *arg, struct batch_item *first)
{
    write_group(arg, first);
}

struct err *ledger_append_wait(struct ledger *l, const struct ledger_entry *entry, struct ledger_result *ret)
{
    struct err *e = NULL;
    struct core_append *a = NULL;
    CHECK(!l->batch && !l->readonly);
    TRY(append_new(entry, &a));
    write_group(l, &a->item);
    e = a->item.error;
    if (!e && a->result.outcome == LEDGER_WRITTEN)
        follow(l, a);
    if (!e && ret)
        *ret = a->result;
out:
    append_free(a);
    return e;
}

void ledger_watch(struct ledger *l, void (*fn)(void *arg, const struct ledger_event *ev), void *arg)
{
    CHECK(l->watchers_n < CORE_WATCHERS);
    l->watchers[l->watchers_n++] = (struct core_watcher){fn, arg};
}

/* --- opening --- */

static void on_reader_check(void *arg)
{
    struct ledger *l = arg;
    l->ops->clear_readers(l->store);
    loop_timer_set(l->reader_check, READER_CHECK_MS);
}

static struct err *start_writer(struct ledger *l, const struct ledger_options *o)
{
    struct err *e = NULL;
    if (!l->loop)
        return NULL;
    size_t queued_max = o && o->queued_max ? o->queued_max : 8192;
    l->tickets = ticket_table_new(queued_max + 1024);
    TRY(batch_start(&(struct batch_setup){.loop = l->loop,
                                          .name = "ledger",
                                          .max = o && o->batch_max ? o->batch_max : 128,
                                          .queued_max = queued_max,
                                          .write = write_batch,
                                          .finish = finish,
                                          .coming = coming,
                                          .arg = l},
                    &l->batch));
    l->reader_check = loop_timer_new(l->loop, on_reader_check, l);
    loop_timer_set(l->reader_check, READER_CHECK_MS);
out:
    return e;
}

static struct err *lock(struct ledger *l, const char *dir)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(16 * 1024);
    TRY(file_mkdir(dir, 0700));
    TRY(file_lock(arena_printf(arena, "%s/writer.lock", dir), &l->lock_fd));
out:
    arena_free(arena);
    return e;
}

struct err *core_open(const struct store_ops *ops, const char *dir, const struct ledger_options *options,
                      struct loop *loop, struct ledger **ret)
{
    struct err *e = NULL;
    struct ledger *l = calloc(1, sizeof(*l));
    CHECK(l);
    *l = (struct ledger){.ops = ops, .loop = loop, .lock_fd = -1, .shelf_fd = -1, .failed = -1};
    if (options && options->shelf)
        l->shelf_fd = world_open(options->shelf, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    l->map_bytes = options && options->map_bytes ? options->map_bytes : map_default_bytes;
    TRY(lock(l, dir));
    TRY(ops->open(&(struct store_setup){.dir = dir,
                                        .map_bytes = l->map_bytes,
                                        .mode = 0600,
                                        .tables = rows_tables,
                                        .tables_n = TABLE__COUNT},
                  &l->store));
    ops->clear_readers(l->store);
    TRY(core_take_up(l));
    TRY(core_take_index(l, dir));
    metric_set(METRIC_LEDGER_ENTRIES, (int64_t)l->tree.n);
    TRY(start_writer(l, options));
    *ret = l;
    l = NULL;
out:
    ledger_close(l);
    return e;
}

struct err *ledger_open(const char *dir, const struct ledger_options *options, struct loop *loop,
                        struct ledger **ret)
{
    return core_open(&store_lmdb, dir, options, loop, ret);
}

struct err *ledger_open_readonly(const char *dir, struct ledger **ret)
{
    struct err *e = NULL;
    struct ledger *l = calloc(1, sizeof(*l));
    CHECK(l);
    *l = (struct ledger){.ops = &store_lmdb, .lock_fd = -1, .shelf_fd = -1, .readonly = true};
    TRY(l->ops->open(
        &(struct store_setup){
            .dir = dir, .mode = 0600, .readonly = true, .tables = rows_tables, .tables_n = TABLE__COUNT},
        &l->store));
    TRY(core_take_up(l));
    TRY(core_take_index(l, dir));
    *ret = l;
    l = NULL;
out:
    ledger_close(l);
    return e;
}

void ledger_close(struct ledger *l)
{
    if (!l)
        return;
    batch_stop(l->batch);
    loop_timer_free(l->reader_check);
    ticket_table_free(l->tickets);
    finder_close(l->finder);
    l->ops->close(l->store);
    if (l->lock_fd >= 0)
        close(l->lock_fd);
    free(l->partitions);
    if (l->shelf_fd >= 0)
        close(l->shelf_fd);
    free(l);
}
