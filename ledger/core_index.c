/*
 * Taking up the index of a stored ledger: what lies in its files, then what the log has beyond them. Where
 * the files are gone all of it is read from the log, a matter of seconds for a hundred thousand certificates.
 * Any thread.
 */
#include <stdio.h>

#include "base/check.h"
#include "base/log.h"
#include "core.h"
#include "entry.h"

enum { SHOW_ARENA_BYTES = 8 << 20, WORTH_A_LINE = 100000 };

struct taking {
    struct ledger *ledger;
    struct store_txn *txn;
};

static struct err *leaf_of(void *arg, uint64_t seq, uint8_t ret[SHA256_BYTES])
{
    struct err *e = NULL;
    const struct taking *t = arg;
    struct key k = key_seq(seq);
    struct view leaf;
    TRY(t->ledger->ops->get(t->txn, TABLE_LEAF, key_view(&k), &leaf));
    if (leaf.n == SHA256_BYTES)
        memcpy(ret, leaf.p, SHA256_BYTES);
    else
        memset(ret, 0, SHA256_BYTES);
out:
    return e;
}

void core_fingerprint(const struct ledger_entry *intent, struct view signature, struct arena *arena,
                      uint8_t ret[SHA256_BYTES])
{
    struct view tbs = intent->body.intent.tbs;
    if (!term_fingerprint(tbs, signature, arena, ret))
        digest_sha256(tbs, ret);
}

static struct err *show(struct taking *t, uint64_t seq, struct arena *arena)
{
    struct err *e = NULL;
    struct ledger_entry en, intent;
    uint8_t fingerprint[SHA256_BYTES];
    arena_reset(arena);
    TRY(core_entry(t->ledger, t->txn, seq, arena, &en));
    if (en.kind == LEDGER_RECORD) {
        TRY(core_entry(t->ledger, t->txn, en.ref, arena, &intent));
        core_fingerprint(&intent, en.body.record.signature, arena, fingerprint);
    }
    finder_add(t->ledger->finder, &en, en.kind == LEDGER_RECORD ? fingerprint : NULL);
out:
    return e;
}

static struct err *show_rest(struct taking *t)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(SHOW_ARENA_BYTES);
    uint64_t last = t->ledger->tree.n, seq = finder_next_entry(t->ledger->finder);
    if (last - seq + 1 >= WORTH_A_LINE)
        log_info("ledger.index", log_text("what", "reading the log"),
                 log_num("entries", (int64_t)(last - seq + 1)));
    for (; seq <= last; seq++)
        TRY(show(t, seq, arena));
out:
    arena_free(arena);
    return e;
}

struct err *core_take_index(struct ledger *l, const char *dir)
{
    struct err *e = NULL;
    struct taking t = {.ledger = l};
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/index", dir);
    if (n < 0 || (size_t)n >= sizeof(path))
        return err_new(ERR_CONFIG, "%s: a path too long", dir);
    TRY(l->ops->begin(l->store, false, &t.txn));
    TRY(finder_open(&(struct finder_setup){.dir = path,
                                           .readonly = l->readonly,
                                           .threaded = l->loop != NULL,
                                           .entries = l->tree.n,
                                           .leaf_of = leaf_of,
                                           .arg = &t},
                    &l->finder));
    TRY(show_rest(&t));
out:
    l->ops->abort(t.txn);
    return e;
}
