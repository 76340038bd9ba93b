/*
 * Short looks at the ledger: the head, one certificate, a status, the log, tokens, issuers. Each call is one
 * read transaction and copies what it gives. Never writes. On the loop's thread.
 */
#include "read.h"

#include <stdlib.h>

#include "base/check.h"
#include "entry.h"

struct err *ledger_head(struct ledger *l, struct ledger_head *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct tree tree;
    struct store_room room;
    struct seq_row clock;
    bool found;
    struct ledger_head head = {0};
    TRY(l->ops->begin(l->store, false, &t));
    TRY(core_state(l, t, &tree, &head.last_time_ms));
    TRY(ROW_GET(l->ops, t, TABLE_META, view_str("clock"), &clock, &found));
    head.clock = clock.seq;
    TRY(core_restored(l, t, &head.restored));
    TRY(l->ops->count(t, TABLE_OPEN, &head.open));
    TRY(l->ops->room(l->store, &room));
    head.entries = tree.n;
    tree_root(&tree, head.root);
    head.used_bytes = room.used_bytes;
    head.free_bytes = room.free_bytes;
    *ret = head;
out:
    l->ops->abort(t);
    return e;
}

/* --- certificates --- */

struct err *read_row(struct ledger *l, struct store_txn *t, uint64_t intent, struct cert_row *ret)
{
    struct key k = key_seq(intent);
    bool found;
    struct err *e = ROW_GET(l->ops, t, TABLE_CERT, key_view(&k), ret, &found);
    if (!e && !found)
        e = err_new(ERR_NOT_FOUND, "entry %llu is not an intent", (unsigned long long)intent);
    return e;
}

static struct err *add_record(struct ledger *l, struct store_txn *t, struct arena *arena,
                              struct ledger_cert *to)
{
    struct err *e = NULL;
    struct ledger_entry record;
    TRY(core_entry(l, t, to->record, arena, &record));
    to->recorded_ms = record.time_ms;
    to->seal = record.body.record;
out:
    return e;
}

static struct err *add_revocation(struct ledger *l, struct store_txn *t, struct arena *arena,
                                  struct ledger_cert *to)
{
    struct err *e = NULL;
    struct ledger_entry end;
    TRY(core_entry(l, t, to->end, arena, &end));
    if (end.kind == LEDGER_REVOKE)
        to->invalidity = end.body.revoke.invalidity;
out:
    return e;
}

/* All that is known of it: what was decided stands nowhere. */
static void stray_decision(const struct ledger_entry *en, const struct cert_row *row, struct ledger_cert *to)
{
    to->decision = (struct ledger_intent){.template = en->body.stray.template,
                                          .subject = "",
                                          .not_before = en->body.stray.sealed_at,
                                          .not_after = row->not_after};
    to->seal.n = en->body.stray.n;
}

struct err *read_cert(struct ledger *l, struct store_txn *t, uint64_t intent, struct arena *arena,
                      struct ledger_cert *ret)
{
    struct err *e = NULL;
    struct cert_row row;
    struct ledger_entry en;
    TRY(read_row(l, t, intent, &row));
    TRY(core_entry(l, t, intent, arena, &en));
    struct ledger_cert cert = {.state = (enum ledger_state)row.state,
                               .intent = intent,
                               .record = row.record,
                               .end = row.end,
                               .issuer = en.issuer,
                               .serial = en.serial,
                               .actor = en.actor,
                               .door = en.door,
                               .request = en.request,
                               .requested_ms = en.time_ms,
                               .revoked_at = row.revoked_at,
                               .reason = (unsigned)row.reason};
    if (en.kind == LEDGER_STRAY || en.kind == LEDGER_UNRECORDED)
        stray_decision(&en, &row, &cert);
    else
        cert.decision = en.body.intent;
    TRY(core_tags(l, t, intent, arena, &cert.tags));
    if (row.record != 0)
        TRY(add_record(l, t, arena, &cert));
    if (row.state == LEDGER_STATE_REVOKED)
        TRY(add_revocation(l, t, arena, &cert));
    *ret = cert;
out:
    return e;
}

struct err *ledger_cert_at(struct ledger *l, uint64_t intent, struct arena *arena, struct ledger_cert *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    TRY(l->ops->begin(l->store, false, &t));
    TRY(read_cert(l, t, intent, arena, ret));
out:
    l->ops->abort(t);
    return e;
}

static struct err *serial_get(struct ledger *l, struct store_txn *t, const char *issuer, struct view serial,
                              uint64_t *ret_intent)
{
    struct err *e = NULL;
    struct seq_row row = {0};
    bool found;
    *ret_intent = 0;
    if (serial.n != SERIAL_BYTES || strlen(issuer) > LEDGER_ISSUER_BYTES)
        return NULL;
    struct key k = key_serial(issuer, serial);
    TRY(ROW_GET(l->ops, t, TABLE_SERIAL, key_view(&k), &row, &found));
    *ret_intent = row.seq;
out:
    return e;
}

static struct err *issuer_names(struct ledger *l, struct store_txn *t, struct arena *arena,
                                struct ledger_texts *ret)
{
    struct err *e = NULL;
    struct store_cursor *c = NULL;
    struct view key, value;
    bool found;
    uint64_t count;
    TRY(l->ops->count(t, TABLE_ISSUER, &count));
    const char **items = arena_array(arena, count, sizeof(*items));
    size_t n = 0;
    TRY(l->ops->cursor(t, TABLE_ISSUER, &c));
    TRY(l->ops->move(c, STORE_FIRST, &key, &value, &found));
    while (found && n < count) {
        items[n++] = arena_str(arena, key);
        TRY(l->ops->move(c, STORE_NEXT, &key, &value, &found));
    }
    *ret = (struct ledger_texts){n, items};
out:
    l->ops->cursor_free(c);
    return e;
}

/* Which of all issuers used this serial: one, or it must be said which is meant. */
static struct err *serial_alone(struct ledger *l, struct store_txn *t, struct view serial,
                                struct arena *arena, uint64_t *ret_intent)
{
    struct err *e = NULL;
    struct ledger_texts names;
    const char *several = "";
    uint64_t intent, n = 0;
    *ret_intent = 0;
    TRY(issuer_names(l, t, arena, &names));
    for (size_t i = 0; i < names.n; i++) {
        TRY(serial_get(l, t, names.items[i], serial, &intent));
        if (intent == 0)
            continue;
        several = arena_printf(arena, "%s%s%s", several, n ? ", " : "", names.items[i]);
        *ret_intent = intent;
        n++;
    }
    if (n > 1)
        e = err_new(ERR_CONFLICT, "several issuers used this serial: %s", several);
out:
    return e;
}

struct err *ledger_find(struct ledger *l, const char *issuer, struct view serial, struct arena *arena,
                        struct ledger_cert *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    uint64_t intent;
    TRY(l->ops->begin(l->store, false, &t));
    TRY(issuer ? serial_get(l, t, issuer, serial, &intent) : serial_alone(l, t, serial, arena, &intent));
    if (intent == 0)
        e = err_new(ERR_NOT_FOUND, "no certificate of this serial is on record");
    else
        e = read_cert(l, t, intent, arena, ret);
out:
    l->ops->abort(t);
    return e;
}

/* --- status --- */

static void status_of_row(const struct cert_row *row, uint64_t intent, struct ledger_status *to)
{
    to->intent = intent;
    to->not_after = row->not_after;
    if (row->state == LEDGER_STATE_RECORDED)
        to->answer = LEDGER_GOOD;
    if (row->state != LEDGER_STATE_REVOKED && row->state != LEDGER_STATE_SEALED_LOST)
        return;
    to->answer = LEDGER_REVOKED;
    to->at = row->revoked_at;
    to->reason = (unsigned)row->reason;
}

struct err *ledger_status(struct ledger *l, const char *issuer, struct view serial, struct ledger_status *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct cert_row row;
    uint64_t intent;
    struct ledger_status status = {.answer = LEDGER_UNKNOWN};
    TRY(l->ops->begin(l->store, false, &t));
    TRY(serial_get(l, t, issuer, serial, &intent));
    if (serial.n == SERIAL_BYTES)
        memcpy(status.serial, serial.p, SERIAL_BYTES);
    if (intent != 0) {
        TRY(read_row(l, t, intent, &row));
        status_of_row(&row, intent, &status);
    }
    *ret = status;
out:
    l->ops->abort(t);
    return e;
}

static struct err *status_walk(struct ledger *l, struct store_txn *t, struct store_cursor *c,
                               struct view prefix, struct view from, struct ledger_status *to, size_t max,
                               size_t *ret_n)
{
    struct err *e = NULL;
    struct view key = from, value;
    bool found;
    size_t n = 0;
    TRY(l->ops->move(c, STORE_AT_OR_AFTER, &key, &value, &found));
    while (found && n < max && view_starts(key, prefix) && key.n == prefix.n + SERIAL_BYTES) {
        struct cert_row row;
        struct seq_row intent;
        struct ledger_status status = {.answer = LEDGER_UNKNOWN};
        TRY(rows_unpack(value, &intent, sizeof(intent), TABLE_SERIAL));
        TRY(read_row(l, t, intent.seq, &row));
        status_of_row(&row, intent.seq, &status);
        memcpy(status.serial, key.p + prefix.n, SERIAL_BYTES);
        if (status.answer != LEDGER_UNKNOWN)
            to[n++] = status;
        TRY(l->ops->move(c, STORE_NEXT, &key, &value, &found));
    }
    *ret_n = n;
out:
    return e;
}

struct err *ledger_status_page(struct ledger *l, const char *issuer, struct view after,
                               struct ledger_status *to, size_t max, size_t *ret_n)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct store_cursor *c = NULL;
    if (after.n > SERIAL_BYTES)
        return err_new(ERR_BAD_FIELD, "a serial here has %d octets", SERIAL_BYTES);
    struct key prefix = key_serial(issuer, (struct view){NULL, 0}), from = key_serial(issuer, after);
    if (after.n > 0)
        from.b[from.n++] = 0; /* the least key above it */
    TRY(l->ops->begin(l->store, false, &t));
    TRY(l->ops->cursor(t, TABLE_SERIAL, &c));
    TRY(status_walk(l, t, c, key_view(&prefix), key_view(&from), to, max, ret_n));
out:
    l->ops->cursor_free(c);
    l->ops->abort(t);
    return e;
}

/* --- the log, issuers --- */

struct err *ledger_log(struct ledger *l, uint64_t from, size_t limit, struct arena *arena,
                       const struct ledger_entry **ret, size_t *ret_n)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct store_cursor *c = NULL;
    struct key k = key_seq(from);
    struct view key = key_view(&k), value;
    size_t n = 0, bytes = 0;
    bool found;
    limit = limit == 0 || limit > READ_PAGE_MAX ? READ_PAGE_MAX : limit;
    struct ledger_entry *entries = arena_array(arena, limit, sizeof(*entries));
    TRY(l->ops->begin(l->store, false, &t));
    TRY(l->ops->cursor(t, TABLE_LOG, &c));
    TRY(l->ops->move(c, STORE_AT_OR_AFTER, &key, &value, &found));
    while (found && n < limit && bytes < READ_PAGE_BYTES) {
        TRY(err_wrap(entry_read(value, arena, &entries[n]), "entry %llu",
                     (unsigned long long)key_last_seq(key)));
        n++;
        bytes += value.n;
        TRY(l->ops->move(c, STORE_NEXT, &key, &value, &found));
    }
    *ret = entries;
    *ret_n = n;
out:
    l->ops->cursor_free(c);
    l->ops->abort(t);
    return e;
}

struct err *ledger_seq_at(struct ledger *l, int64_t time_ms, uint64_t *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct store_cursor *c = NULL;
    struct key k = key_seq(time_ms < 0 ? 0 : (uint64_t)time_ms);
    struct view key = key_view(&k), value;
    struct seq_row row = {0};
    struct tree tree;
    int64_t last;
    bool found;
    TRY(l->ops->begin(l->store, false, &t));
    TRY(core_state(l, t, &tree, &last));
    TRY(l->ops->cursor(t, TABLE_TIME, &c));
    TRY(l->ops->move(c, STORE_AT_OR_AFTER, &key, &value, &found));
    if (found)
        TRY(rows_unpack(value, &row, sizeof(row), TABLE_TIME));
    *ret = found ? row.seq : tree.n + 1;
out:
    l->ops->cursor_free(c);
    l->ops->abort(t);
    return e;
}

struct err *ledger_issuers(struct ledger *l, struct arena *arena, struct ledger_texts *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    TRY(l->ops->begin(l->store, false, &t));
    TRY(issuer_names(l, t, arena, ret));
out:
    l->ops->abort(t);
    return e;
}
