/*
 * The write transaction of a group: for each entry its rule's check, then seq, time, leaf, log and indexes;
 * then the tree's frontier; then one durable commit. All of the group or nothing: what fails alone is refused
 * before it has changed anything. Never on the loop's thread, but for init.
 */
#include "write.h"

#include "base/check.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/world.h"
#include "entry.h"
#include "tiles.h"

struct err *write_value(struct write *w, struct view value, const uint8_t leaf[SHA256_BYTES])
{
    struct err *e = NULL;
    struct key k = key_seq(w->tree.n + 1);
    TRY(w->ops->put(w->txn, TABLE_LOG, key_view(&k), value, STORE_PUT_LAST));
    TRY(w->ops->put(w->txn, TABLE_LEAF, key_view(&k), view_of(leaf, SHA256_BYTES), STORE_PUT_LAST));
    TRY(tiles_add(w->ops, w->txn, &w->tree, leaf));
    w->written++;
out:
    return e;
}

static struct err *put_entry(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    struct view value;
    uint8_t leaf[SHA256_BYTES];
    a->entry.seq = w->tree.n + 1;
    a->entry.time_ms = w->now_ms;
    TRY(entry_write(&a->entry, a->body, a->arena, &value, leaf));
    memcpy(a->entry.leaf, leaf, sizeof(leaf));
    TRY(write_value(w, value, leaf));
    a->result.seq = a->entry.seq;
out:
    return e;
}

static struct err *write_one(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    const struct write_rule *rule = write_rule_of(a->entry.kind);
    a->result = (struct ledger_result){.outcome = LEDGER_WRITTEN, .time_ms = w->now_ms};
    if (w->low && !rule->spare) {
        a->item.error = err_new(ERR_NO_SPACE, "the ledger keeps its last room for records and revocations");
        return NULL;
    }
    if (rule->check)
        TRY(rule->check(w, a));
    if (a->item.error || a->result.outcome != LEDGER_WRITTEN)
        return NULL;
    TRY(put_entry(w, a));
    if (rule->apply)
        TRY(rule->apply(w, a));
out:
    return e;
}

/* The first entry of each instant, so that the log can be entered by time. */
struct err *write_time(struct write *w)
{
    struct err *e = NULL;
    struct key k = key_seq((uint64_t)w->now_ms);
    struct seq_row row;
    bool found;
    TRY(ROW_GET(w->ops, w->txn, TABLE_TIME, key_view(&k), &row, &found));
    if (found)
        return NULL;
    row.seq = w->tree.n - w->written + 1;
    TRY(ROW_PUT(w->ops, w->txn, TABLE_TIME, key_view(&k), &row, STORE_PUT));
out:
    return e;
}

struct err *write_state(struct write *w)
{
    struct err *e = NULL;
    uint8_t tree[TREE_BYTES_MAX];
    struct seq_row time = {(uint64_t)w->now_ms};
    TRY(w->ops->put(w->txn, TABLE_META, view_str("tree"), view_of(tree, tree_put(&w->tree, tree)),
                    STORE_PUT));
    TRY(ROW_PUT(w->ops, w->txn, TABLE_META, view_str("time"), &time, STORE_PUT));
out:
    return e;
}

/* New work is refused while what is under way can still be ended, and revoked. */
static struct err *look_at_room(struct write *w)
{
    struct err *e = NULL;
    struct core_room room;
    TRY(core_room(w->ledger, w->txn, &room));
    w->low = room.free_bytes < room.kept_bytes;
    atomic_store(&w->ledger->low, w->low);
out:
    return e;
}

static struct err *fill(struct write *w, struct batch_item *first)
{
    struct err *e = NULL;
    uint64_t open;
    TRY(look_at_room(w));
    TRY(write_intent_forget(w));
    for (struct batch_item *i = first; i; i = i->next)
        TRY(write_one(w, (struct core_append *)i));
    if (w->written > 0)
        TRY(write_state(w));
    if (w->written > 0)
        TRY(write_time(w));
    TRY(w->ops->count(w->txn, TABLE_OPEN, &open));
    metric_set(METRIC_INTENTS_OPEN, (int64_t)open);
out:
    return e;
}

/* Nothing of the group stands: each of them hears why, but for those that were refused anyway. */
static void fail_all(struct ledger *l, struct batch_item *first, struct err *why)
{
    atomic_store(&l->failed, (int)err_code(why));
    log_error("ledger.commit_failed", log_err(why));
    for (struct batch_item *i = first; i; i = i->next)
        if (!i->error)
            i->error = err_new(err_code(why), "%s", err_detail(why));
    err_free(why);
}

static struct err *commit(struct write *w)
{
    struct err *e = NULL;
    world_point("ledger.commit");
    struct store_txn *t = w->txn;
    w->txn = NULL;
    TRY(w->ops->commit(t));
    world_point("ledger.committed");
    atomic_store(&w->ledger->failed, -1);
    w->ledger->tree = w->tree;
    w->ledger->time_ms = w->now_ms;
    metric_add(METRIC_LEDGER_COMMITS, 1);
    metric_set(METRIC_LEDGER_ENTRIES, (int64_t)w->tree.n);
out:
    return e;
}

void write_group(struct ledger *l, struct batch_item *first)
{
    struct err *e = NULL;
    struct write w = {.ledger = l, .ops = l->ops, .tree = l->tree, .now_ms = world_now_ms()};
    world_point("ledger.write");
    TRY(l->ops->begin(l->store, true, &w.txn));
    TRY(fill(&w, first));
    if (w.written > 0)
        TRY(commit(&w));
out:
    w.ops->abort(w.txn);
    if (e)
        fail_all(l, first, e);
}
