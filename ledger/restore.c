/*
 * Making a ledger from a backup: every entry of its files is replayed, up to the one that was asked for. The
 * last entry of all says that this was done. Fills a folder that nobody else has open.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "copy_set.h"
#include "core.h"
#include "ledger_backup.h"
#include "write.h"

enum { GROUP_ENTRIES = 4096, GROUP_ARENA_BYTES = 64 << 20 };

struct replay {
    const struct ledger_restore *how;
    struct ledger *ledger;
    struct copy *copy; /* the file in hand */
    struct arena *arena;
    struct tree tree; /* of the files read so far */
    bool ended;       /* the entry that was asked for, or the end of the file */
    bool stopped;     /* the former */
};

static bool is_past(const struct ledger_restore *how, const struct ledger_entry *en)
{
    return (how->until && en->seq > how->until) || (how->until_ms && en->time_ms > how->until_ms);
}

static struct err *replay_some(struct replay *r, struct write *w)
{
    struct err *e = NULL;
    struct ledger_entry en;
    struct view value;
    bool more;
    for (unsigned i = 0; i < GROUP_ENTRIES && !r->ended; i++) {
        arena_reset(r->arena);
        TRY(copy_next(r->copy, r->arena, &en, &value, &more));
        r->stopped = more && is_past(r->how, &en);
        r->ended = !more || r->stopped;
        if (!r->ended)
            TRY(write_replay(w, &en, value, r->arena));
    }
out:
    return e;
}

static struct err *replay_group(struct replay *r)
{
    struct err *e = NULL;
    struct ledger *l = r->ledger;
    struct write w = {.ledger = l, .ops = l->ops, .tree = l->tree, .now_ms = l->time_ms};
    TRY(l->ops->begin(l->store, true, &w.txn));
    TRY(write_intent_forget(&w));
    TRY(replay_some(r, &w));
    TRY(write_state(&w));
    struct store_txn *t = w.txn;
    w.txn = NULL;
    TRY(l->ops->commit(t));
    l->tree = w.tree;
    l->time_ms = w.now_ms;
out:
    l->ops->abort(w.txn);
    return e;
}

static struct err *replay_file(struct replay *r, const struct copy_name *name)
{
    struct err *e = NULL;
    TRY(copy_set_open(r->how->from, name, &r->tree, &r->copy));
    for (r->ended = false; !r->ended;)
        TRY(replay_group(r));
    r->tree = r->copy->after;
out:
    copy_close(r->copy);
    r->copy = NULL;
    return e;
}

static struct err *check_end(const struct replay *r)
{
    if (r->ledger->tree.n == 0 || (r->how->until && r->ledger->tree.n < r->how->until))
        return err_new(ERR_NOT_FOUND, "%s ends at entry %" PRIu64, r->how->from, r->ledger->tree.n);
    return NULL;
}

static struct err *replay_all(struct replay *r)
{
    struct err *e = NULL;
    struct copy_set set = {.n = 0};
    TRY(copy_set_read(r->how->from, &set));
    if (set.n == 0)
        TRY(err_new(ERR_NOT_FOUND, "%s holds no backup of a ledger", r->how->from));
    for (size_t i = 0; i < set.n && !r->stopped; i++)
        TRY(replay_file(r, &set.files[i]));
    TRY(check_end(r));
out:
    copy_set_free(&set);
    return e;
}

static struct err *say_so(struct ledger *l, const struct ledger_restored *done)
{
    const struct ledger_entry entry = {
        .kind = LEDGER_RESTORED,
        .actor = "self",
        .door = "self",
        .body.note = {.what = "restored from a backup",
                      .number = done->entries,
                      .hash = view_of(done->root, SHA256_BYTES)},
    };
    return ledger_append_wait(l, &entry, NULL);
}

static struct err *check_empty(const char *dir)
{
    char path[COPY_PATH_BYTES];
    struct stat st;
    snprintf(path, sizeof(path), "%s/data.mdb", dir);
    if (stat(path, &st) != 0)
        return NULL;
    return err_new(ERR_WRONG_STATE, "%s holds a ledger: move it aside, nothing is written over it", dir);
}

struct err *ledger_restore(const struct ledger_restore *how, struct ledger **ret_ledger,
                           struct ledger_restored *ret)
{
    struct err *e = NULL;
    struct replay r = {.how = how, .arena = arena_new(GROUP_ARENA_BYTES)};
    struct ledger_restored done;
    TRY(check_empty(how->to));
    TRY(ledger_open(how->to, NULL, NULL, &r.ledger));
    TRY(replay_all(&r));
    done.entries = r.ledger->tree.n;
    done.last_time_ms = r.ledger->time_ms;
    tree_root(&r.ledger->tree, done.root);
    TRY(say_so(r.ledger, &done));
    *ret = done;
    *ret_ledger = r.ledger;
    r.ledger = NULL;
out:
    ledger_close(r.ledger);
    arena_free(r.arena);
    return e;
}
