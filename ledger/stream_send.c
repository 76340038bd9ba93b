/*
 * The sending end of a streamed shelf: a walk along all of it, then along its changes. Each step reads a
 * bounded piece in a transaction of its own, copies it, and gives it on after the transaction has ended, so
 * that a slow receiver holds nothing. Never writes to the shelf. Blocking; one thread.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/world.h"
#include "rows.h"
#include "shelf_change.h"
#include "stream_form.h"

enum { STEP_ITEMS = 512, STEP_BYTES = 1 << 20, ARENA_BYTES = 1 << 30, CLEAR_MS = 60 * 1000 };

struct record {
    struct record *next;
    struct frame frame;
};

struct stream_sender {
    const char *dir; /* the shelf's, the caller's text */
    const struct store_ops *ops;
    struct store *store;
    stream_give *give;
    void *arg;
    struct arena *step;
    struct record *first, **last; /* of this step */
    size_t items, bytes;
    uint8_t mark[SHELF_MARK_BYTES];
    bool begun, resumes;
    enum shelf_table walking; /* SHELF_META: nothing; else the table the walk is in, */
    struct key walked;        /* and how far it has come there */
    uint64_t at;              /* all changes up to this one have been sent, or will be by the walk */
};

static void add(struct stream_sender *s, enum stream_record kind, struct view body)
{
    struct record *r = ARENA_NEW(s->step, struct record);
    *r = (struct record){.frame = {.kind = (uint16_t)kind, .body = body, .fd = -1}};
    *s->last = r;
    s->last = &r->next;
    s->items++;
    s->bytes += body.n;
}

static bool is_full(const struct stream_sender *s)
{
    return s->items >= STEP_ITEMS || s->bytes >= STEP_BYTES;
}

static void add_put(struct stream_sender *s, enum shelf_table table, struct view key, struct view value)
{
    while (value.n > STREAM_PART_BYTES) {
        add(s, STREAM_PART, stream_form_part(view_of(value.p, STREAM_PART_BYTES), s->step));
        value = view_from(value, STREAM_PART_BYTES);
    }
    add(s, STREAM_PUT, stream_form_put(&(struct stream_item){table, key, value}, s->step));
}

/* What lies as a file here travels as bytes, and lies as bytes there. */
static struct err *unfile(struct stream_sender *s, struct shelf_item *item, struct view *ret)
{
    struct err *e = NULL;
    uint8_t *value;
    TRY(file_read(arena_printf(s->step, "%s/%s", s->dir, item->file), item->file_bytes, s->step,
                  &item->bytes));
    item->file = NULL;
    value = arena_alloc(s->step, shelf_form_size(item));
    shelf_form_put(item, value);
    *ret = view_of(value, shelf_form_size(item));
out:
    return e;
}

static struct err *add_item(struct stream_sender *s, enum shelf_table table, struct view key,
                            struct view value)
{
    struct err *e = NULL;
    struct shelf_item item;
    if (table == SHELF_BLOBS && shelf_form_get(value, &item) && item.file)
        TRY(unfile(s, &item, &value));
    add_put(s, table, key, value);
out:
    return e;
}

/* --- what one step reads --- */

static struct err *oldest_change(struct stream_sender *s, struct store_txn *t, uint64_t *ret)
{
    struct err *e = NULL;
    struct store_cursor *c = NULL;
    struct view key, value;
    bool found;
    TRY(s->ops->cursor(t, SHELF_CHANGES, &c));
    TRY(s->ops->move(c, STORE_FIRST, &key, &value, &found));
    *ret = found ? key_last_seq(key) : 0;
out:
    s->ops->cursor_free(c);
    return e;
}

/* From where it stood, if that is a place of this shelf that its changes reach back to; else all of it. */
static struct err *begin(struct stream_sender *s, struct store_txn *t)
{
    struct err *e = NULL;
    uint64_t last, oldest;
    struct stream_begin b = {.whole = true};
    TRY(shelf_change_last(s->ops, t, &last));
    TRY(oldest_change(s, t, &oldest));
    TRY(shelf_change_mark(s->ops, t, b.shelf));
    b.whole = !(s->resumes && memcmp(b.shelf, s->mark, SHELF_MARK_BYTES) == 0 && s->at <= last &&
                (s->at == last || s->at + 1 >= oldest));
    memcpy(s->mark, b.shelf, SHELF_MARK_BYTES);
    s->begun = s->resumes = true;
    s->walking = b.whole ? SHELF_ANSWERS : SHELF_META;
    s->walked.n = 0;
    if (b.whole)
        s->at = last;
    add(s, STREAM_BEGIN, stream_form_begin(&b, s->step));
out:
    return e;
}

static struct err *walk(struct stream_sender *s, struct store_txn *t)
{
    struct err *e = NULL;
    struct store_cursor *c = NULL;
    struct view key = key_view(&s->walked), value;
    bool found;
    TRY(s->ops->cursor(t, s->walking, &c));
    TRY(s->ops->move(c, s->walked.n ? STORE_AT_OR_AFTER : STORE_FIRST, &key, &value, &found));
    while (found && !is_full(s)) {
        TRY(add_item(s, s->walking, key, value));
        s->walked = key_bytes(key);
        TRY(s->ops->move(c, STORE_NEXT, &key, &value, &found));
    }
    if (found) {
        s->walked.b[s->walked.n++] = 0; /* the least key above it */
    } else {
        s->walking = s->walking == SHELF_ANSWERS ? SHELF_BLOBS : SHELF_META;
        s->walked.n = 0;
    }
out:
    s->ops->cursor_free(c);
    return e;
}

static struct err *add_change(struct stream_sender *s, struct store_txn *t, struct view row)
{
    struct err *e = NULL;
    struct view value, key = view_from(row, 1);
    enum shelf_table table = (enum shelf_table)row.p[0];
    TRY(s->ops->get(t, table, key, &value));
    if (value.p)
        TRY(add_item(s, table, key, value));
    else
        add(s, STREAM_DEL, stream_form_del(&(struct stream_item){.table = table, .key = key}, s->step));
out:
    return e;
}

/* Changes that have been dropped before they were sent: all of it, again. */
static struct err *follow(struct stream_sender *s, struct store_txn *t, bool *ret_more)
{
    struct err *e = NULL;
    struct store_cursor *c = NULL;
    struct key from = key_seq(s->at + 1);
    struct view key = key_view(&from), row;
    bool found;
    TRY(s->ops->cursor(t, SHELF_CHANGES, &c));
    TRY(s->ops->move(c, STORE_AT_OR_AFTER, &key, &row, &found));
    if (found && key_last_seq(key) != s->at + 1)
        s->begun = false;
    while (s->begun && found && !is_full(s) && row.n > 1) {
        TRY(add_change(s, t, row));
        s->at++;
        TRY(s->ops->move(c, STORE_NEXT, &key, &row, &found));
    }
    *ret_more = found;
    if (s->begun)
        add(s, STREAM_AT, stream_form_at(s->at, s->step));
out:
    s->ops->cursor_free(c);
    return e;
}

static struct err *read_step(struct stream_sender *s, bool *ret_more)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    *ret_more = true;
    TRY(s->ops->begin(s->store, false, &t));
    if (!s->begun)
        TRY(begin(s, t));
    else if (s->walking != SHELF_META)
        TRY(walk(s, t));
    else
        TRY(follow(s, t, ret_more));
out:
    s->ops->abort(t);
    return e;
}

struct err *stream_sender_send(struct stream_sender *s)
{
    struct err *e = NULL;
    bool more = true;
    while (more) {
        arena_reset(s->step);
        s->first = NULL;
        s->last = &s->first;
        s->items = s->bytes = 0;
        TRY(read_step(s, &more));
        for (const struct record *r = s->first; r; r = r->next)
            TRY(s->give(s->arg, &r->frame));
    }
out:
    return e;
}

/* --- life --- */

static struct err *read_position(const char *from, struct stream_sender *s)
{
    struct err *e = NULL;
    struct view hex, mark;
    const char *colon = strchr(from, ':');
    char *end = NULL;
    if (!colon || (size_t)(colon - from) != 2 * SHELF_MARK_BYTES)
        return err_new(ERR_BAD_FIELD, "'%s' is no position in a shelf; `chancery shelf position` prints one",
                       from);
    hex = view_of(from, (size_t)(colon - from));
    TRY(hex_parse(s->step, hex, &mark));
    memcpy(s->mark, mark.p, SHELF_MARK_BYTES);
    s->at = strtoull(colon + 1, &end, 10);
    if (end == colon + 1 || *end)
        return err_new(ERR_BAD_FIELD, "'%s' is no position in a shelf; `chancery shelf position` prints one",
                       from);
    s->resumes = true;
out:
    return e;
}

struct err *stream_sender_new(const char *dir, const char *from, stream_give *give, void *arg,
                              struct stream_sender **ret)
{
    struct err *e = NULL;
    struct stream_sender *s = calloc(1, sizeof *s);
    CHECK(s);
    *s = (struct stream_sender){
        .dir = dir, .ops = &store_lmdb, .give = give, .arg = arg, .step = arena_new(ARENA_BYTES)};
    TRY(s->ops->open(&(struct store_setup){.dir = dir,
                                           .mode = 0660,
                                           .readonly = true,
                                           .tables = shelf_form_tables,
                                           .tables_n = SHELF__TABLES},
                     &s->store));
    if (from && *from)
        TRY(read_position(from, s));
    *ret = s;
    s = NULL;
out:
    stream_sender_free(s);
    return e;
}

void stream_sender_free(struct stream_sender *s)
{
    if (!s)
        return;
    s->ops->close(s->store);
    arena_free(s->step);
    free(s);
}
