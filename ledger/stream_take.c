/*
 * The receiving end of a streamed shelf. Records are gathered into one transaction up to the next AT, or
 * until it is large; the position is written with AT alone, so that a stream that was cut is taken up at or
 * before the cut. While all of it is sent, what the stream passes over is taken away: both sides are walked
 * in the order of their keys. Blocking; one thread.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/file.h"
#include "base/hex.h"
#include "rows.h"
#include "shelf_form.h"
#include "stream_form.h"

enum { GROUP_ITEMS = 4096, VALUE_MAX = 1 << 30, CLEAR_EVERY = 600, POSITION_ROW = SHELF_MARK_BYTES + 8 };

static const char *const position_key = "position";
static const size_t map_bytes = (size_t)64 << 30;

struct stream_receiver {
    const struct store_ops *ops;
    struct store *store;
    struct store_txn *txn; /* what has no AT yet */
    size_t items;          /* in it */
    uint8_t *value;        /* parts of a value, and its end */
    size_t value_n;
    bool begun, whole;
    uint8_t mark[SHELF_MARK_BYTES]; /* of the shelf that is sent */
    enum shelf_table table;         /* whole: the item last put */
    struct key last;
    unsigned ats;
};

static struct err *commit(struct stream_receiver *r)
{
    struct store_txn *t = r->txn;
    r->txn = NULL;
    r->items = 0;
    return t ? r->ops->commit(t) : NULL;
}

static struct err *write_into(struct stream_receiver *r)
{
    if (r->items++ >= GROUP_ITEMS) {
        struct err *e = commit(r);
        if (e)
            return e;
    }
    return r->txn ? NULL : r->ops->begin(r->store, true, &r->txn);
}

/* --- what the stream passes over --- */

/* Takes away all in this table after `last` and before `key` (n 0: to the end). */
static struct err *clear_between(struct stream_receiver *r, enum shelf_table table, const struct key *last,
                                 struct view before)
{
    struct err *e = NULL;
    struct store_cursor *c = NULL;
    struct key from = *last;
    bool more = true;
    if (from.n)
        from.b[from.n++] = 0;
    while (more) {
        struct view key = key_view(&from), value;
        bool found;
        TRY(r->ops->cursor(r->txn, table, &c));
        TRY(r->ops->move(c, from.n ? STORE_AT_OR_AFTER : STORE_FIRST, &key, &value, &found));
        r->ops->cursor_free(c);
        c = NULL;
        more = found && (before.n == 0 || view_cmp(key, before) < 0);
        if (more) {
            from = key_bytes(key);
            TRY(r->ops->del(r->txn, table, key_view(&from)));
        }
    }
out:
    r->ops->cursor_free(c);
    return e;
}

static struct err *pass_over(struct stream_receiver *r, const struct stream_item *i)
{
    struct err *e = NULL;
    if (i->table < r->table || (i->table == r->table && view_cmp(i->key, key_view(&r->last)) <= 0))
        return err_new(ERR_PROTOCOL, "a shelf that is not sent in order");
    for (; r->table < i->table; r->table++) {
        TRY(clear_between(r, r->table, &r->last, view_of(NULL, 0)));
        r->last.n = 0;
    }
    TRY(clear_between(r, i->table, &r->last, i->key));
    r->last = key_bytes(i->key);
out:
    return e;
}

static struct err *pass_to_end(struct stream_receiver *r)
{
    struct err *e = NULL;
    for (; r->table <= SHELF_BLOBS; r->table++) {
        TRY(clear_between(r, r->table, &r->last, view_of(NULL, 0)));
        r->last.n = 0;
    }
    r->whole = false;
out:
    return e;
}

/* --- records --- */

static struct err *take_begin(struct stream_receiver *r, struct view body)
{
    struct err *e = NULL;
    struct stream_begin b;
    char position[STREAM_POSITION_BYTES];
    TRY(commit(r));
    TRY(stream_form_read_begin(body, &b));
    TRY(stream_receiver_position(r, position));
    memcpy(r->mark, b.shelf, SHELF_MARK_BYTES);
    char hex[2 * SHELF_MARK_BYTES + 1];
    hex_put(hex, view_of(r->mark, SHELF_MARK_BYTES));
    if (!b.whole && strncmp(position, hex, strlen(hex)) != 0)
        return err_new(ERR_WRONG_STATE,
                       "changes of a shelf that is not the one here; begin the stream without --from");
    r->begun = true;
    r->whole = b.whole;
    r->table = SHELF_ANSWERS;
    r->last.n = 0;
out:
    return e;
}

static struct err *append(struct stream_receiver *r, struct view part)
{
    if (part.n > VALUE_MAX - r->value_n)
        return err_new(ERR_TOO_LARGE, "an item of over %d octets", VALUE_MAX);
    uint8_t *more = realloc(r->value, r->value_n + part.n + 1);
    if (!more)
        return err_new(ERR_NOMEM, "no memory for %zu octets", r->value_n + part.n);
    r->value = more;
    if (part.n)
        memcpy(r->value + r->value_n, part.p, part.n);
    r->value_n += part.n;
    return NULL;
}

static struct err *take_part(struct stream_receiver *r, struct view body)
{
    struct view part;
    struct err *e = stream_form_read_part(body, &part);
    return e ? e : append(r, part);
}

static struct err *take_put(struct stream_receiver *r, struct view body)
{
    struct err *e = NULL;
    struct stream_item i;
    struct shelf_item item;
    TRY(stream_form_read_put(body, &i));
    TRY(append(r, i.value));
    i.value = view_of(r->value, r->value_n);
    r->value_n = 0;
    if (!shelf_form_get(i.value, &item))
        return err_new(ERR_PROTOCOL, "not an item of a shelf");
    TRY(write_into(r));
    if (r->whole)
        TRY(pass_over(r, &i));
    TRY(r->ops->put(r->txn, i.table, i.key, i.value, STORE_PUT));
out:
    return e;
}

static struct err *take_del(struct stream_receiver *r, struct view body)
{
    struct err *e = NULL;
    struct stream_item i;
    TRY(stream_form_read_del(body, &i));
    TRY(write_into(r));
    TRY(r->ops->del(r->txn, i.table, i.key));
out:
    return e;
}

static struct err *take_at(struct stream_receiver *r, struct view body)
{
    struct err *e = NULL;
    uint64_t seq;
    uint8_t row[POSITION_ROW];
    char now[STREAM_POSITION_BYTES], then[STREAM_POSITION_BYTES], hex[2 * SHELF_MARK_BYTES + 1];
    TRY(stream_form_read_at(body, &seq));
    TRY(stream_receiver_position(r, now));
    hex_put(hex, view_of(r->mark, SHELF_MARK_BYTES));
    (void)snprintf(then, sizeof then, "%s:%llu", hex, (unsigned long long)seq);
    if (++r->ats % CLEAR_EVERY == 0)
        r->ops->clear_readers(r->store);
    if (!r->txn && !r->whole && strcmp(now, then) == 0)
        return NULL; /* nothing has changed */
    TRY(write_into(r));
    if (r->whole)
        TRY(pass_to_end(r));
    memcpy(row, r->mark, SHELF_MARK_BYTES);
    be64_put(row + SHELF_MARK_BYTES, seq);
    TRY(r->ops->put(r->txn, SHELF_META, view_str(position_key), view_of(row, sizeof row), STORE_PUT));
    TRY(commit(r));
out:
    return e;
}

struct err *stream_receiver_take(struct stream_receiver *r, const struct frame *f)
{
    if (!r->begun && f->kind != STREAM_BEGIN)
        return err_new(ERR_PROTOCOL, "a stream that does not begin at its beginning");
    switch (f->kind) {
    case STREAM_BEGIN:
        return take_begin(r, f->body);
    case STREAM_PART:
        return take_part(r, f->body);
    case STREAM_PUT:
        return take_put(r, f->body);
    case STREAM_DEL:
        return take_del(r, f->body);
    case STREAM_AT:
        return take_at(r, f->body);
    default:
        return err_new(ERR_PROTOCOL, "a record of kind %u", f->kind);
    }
}

/* --- life --- */

struct err *stream_receiver_position(struct stream_receiver *r, char to[STREAM_POSITION_BYTES])
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct view row;
    char hex[2 * SHELF_MARK_BYTES + 1];
    to[0] = '\0';
    TRY(r->ops->begin(r->store, false, &t));
    TRY(r->ops->get(t, SHELF_META, view_str(position_key), &row));
    if (row.n == POSITION_ROW) {
        hex_put(hex, view_of(row.p, SHELF_MARK_BYTES));
        (void)snprintf(to, STREAM_POSITION_BYTES, "%s:%llu", hex,
                       (unsigned long long)be64_get(row.p + SHELF_MARK_BYTES));
    }
out:
    r->ops->abort(t);
    return e;
}

/* One that a front keeps has changes of its own. */
static struct err *check_ours(struct stream_receiver *r)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    uint8_t schema[8];
    bool fresh;
    uint64_t n = 0;
    TRY(r->ops->begin(r->store, true, &t));
    TRY(shelf_form_check(r->ops, t, &fresh));
    TRY(r->ops->count(t, SHELF_CHANGES, &n));
    if (n) {
        e = err_new(ERR_WRONG_STATE, "this shelf is kept by a front: it cannot be a copy of another");
        goto out;
    }
    be64_put(schema, SHELF_SCHEMA);
    if (fresh)
        TRY(r->ops->put(t, SHELF_META, view_str("schema"), view_of(schema, sizeof schema), STORE_PUT));
    struct store_txn *done = t;
    t = NULL;
    TRY(r->ops->commit(done));
out:
    r->ops->abort(t);
    return e;
}

struct err *stream_receiver_new(const char *dir, struct stream_receiver **ret)
{
    struct err *e = NULL;
    struct stream_receiver *r = calloc(1, sizeof *r);
    CHECK(r);
    r->ops = &store_lmdb;
    TRY(file_mkdir(dir, 0700)); /* who receives is the responder's own user, and nobody else is to enter */
    TRY(r->ops->open(&(struct store_setup){.dir = dir,
                                           .map_bytes = map_bytes,
                                           .mode = 0660,
                                           .tables = shelf_form_tables,
                                           .tables_n = SHELF__TABLES},
                     &r->store));
    r->ops->clear_readers(r->store);
    TRY(check_ours(r));
    *ret = r;
    r = NULL;
out:
    stream_receiver_free(r);
    return e;
}

void stream_receiver_free(struct stream_receiver *r)
{
    if (!r)
        return;
    r->ops->abort(r->txn);
    r->ops->close(r->store);
    free(r->value);
    free(r);
}
