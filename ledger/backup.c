/*
 * Making and checking a backup. The log is read in pages, each a short read transaction, up to the entry that
 * was the last when it began; what was read must have the tree that the ledger had then.
 */
#include "ledger_backup.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "copy_set.h"
#include "core.h"

enum { PAGE_ENTRIES = 512, PAGE_BYTES = 4 << 20, ARENA_BYTES = 16 << 20 };

struct page {
    struct view values[PAGE_ENTRIES];
    uint8_t leaves[PAGE_ENTRIES][SHA256_BYTES];
    size_t n;
};

static struct err *take_page(struct ledger *l, struct store_cursor *c, uint64_t from, uint64_t to,
                             struct arena *arena, struct page *ret)
{
    struct err *e = NULL;
    struct key k = key_seq(from);
    struct view key = key_view(&k), value;
    size_t bytes = 0;
    bool found;
    ret->n = 0;
    TRY(l->ops->move(c, STORE_AT_OR_AFTER, &key, &value, &found));
    while (found && from + ret->n <= to && ret->n < PAGE_ENTRIES && bytes < PAGE_BYTES) {
        struct ledger_entry en;
        uint64_t seq = from + ret->n;
        if (key_last_seq(key) != seq)
            return err_new(ERR_CORRUPT, "entry %" PRIu64 " is missing", seq);
        TRY(err_wrap(entry_read(value, arena, &en), "entry %" PRIu64, seq));
        memcpy(ret->leaves[ret->n], en.leaf, SHA256_BYTES);
        ret->values[ret->n++] = arena_dup(arena, value);
        bytes += 2 * value.n;
        TRY(l->ops->move(c, STORE_NEXT, &key, &value, &found));
    }
out:
    return e;
}

static struct err *read_page(struct ledger *l, uint64_t from, uint64_t to, struct arena *arena,
                             struct page *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct store_cursor *c = NULL;
    arena_reset(arena);
    TRY(l->ops->begin(l->store, false, &t));
    TRY(l->ops->cursor(t, TABLE_LOG, &c));
    TRY(take_page(l, c, from, to, arena, ret));
    if (ret->n == 0)
        e = err_new(ERR_CORRUPT, "entry %" PRIu64 " is missing", from);
out:
    l->ops->cursor_free(c);
    l->ops->abort(t);
    return e;
}

static struct err *copy_log(struct ledger *l, struct copy_writer *w, uint64_t to)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(ARENA_BYTES);
    struct page *page = ARENA_NEW(arena, struct page);
    struct arena *entries = arena_new(ARENA_BYTES);
    while (copy_tree(w)->n < to) {
        TRY(read_page(l, copy_tree(w)->n + 1, to, entries, page));
        for (size_t i = 0; i < page->n; i++)
            TRY(copy_put(w, page->values[i], page->leaves[i]));
    }
out:
    arena_free(entries);
    arena_free(arena);
    return e;
}

static struct err *head_of(struct ledger *l, struct tree *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    int64_t time_ms;
    TRY(l->ops->begin(l->store, false, &t));
    TRY(core_state(l, t, ret, &time_ms));
out:
    l->ops->abort(t);
    return e;
}

static struct err *leaf_of(struct ledger *l, uint64_t seq, uint8_t ret[SHA256_BYTES], bool *ret_found)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct view leaf;
    struct key k = key_seq(seq);
    TRY(l->ops->begin(l->store, false, &t));
    TRY(l->ops->get(t, TABLE_LEAF, key_view(&k), &leaf));
    *ret_found = leaf.n == SHA256_BYTES;
    if (*ret_found)
        memcpy(ret, leaf.p, SHA256_BYTES);
out:
    l->ops->abort(t);
    return e;
}

/* The tree that the folder's last file ends with; that file must be of this ledger. */
static struct err *last_tree(struct ledger *l, const char *dir, struct tree *ret)
{
    struct err *e = NULL;
    struct copy_set set = {.n = 0};
    struct copy *c = NULL;
    uint8_t leaf[SHA256_BYTES];
    bool found;
    *ret = (struct tree){0};
    TRY(copy_set_read(dir, &set));
    if (set.n == 0)
        goto out;
    TRY(copy_set_open(dir, &set.files[set.n - 1], NULL, &c));
    TRY(leaf_of(l, c->name.to, leaf, &found));
    if (!found || memcmp(leaf, c->last, SHA256_BYTES) != 0)
        TRY(err_new(ERR_WRONG_STATE, "%s is the backup of a ledger that has another entry %" PRIu64, dir,
                    c->name.to));
    *ret = c->after;
out:
    copy_close(c);
    copy_set_free(&set);
    return e;
}

static struct err *write_rest(struct ledger *l, const char *dir, const struct tree *before,
                              const struct tree *head, struct ledger_backup_report *ret)
{
    struct err *e = NULL;
    struct copy_writer *w = NULL;
    char path[COPY_PATH_BYTES];
    TRY(copy_begin(dir, before, &w));
    TRY(copy_log(l, w, head->n));
    if (!tree_eq(copy_tree(w), head))
        TRY(err_new(ERR_CORRUPT,
                    "entries %" PRIu64 " to %" PRIu64 " do not have the ledger's tree: either they or the "
                    "files of before were changed",
                    before->n + 1, head->n));
    struct copy_writer *done = w;
    w = NULL;
    TRY(copy_finish(done, path, &ret->bytes));
    ret->files = 1;
out:
    copy_abandon(w);
    return e;
}

struct err *ledger_backup(struct ledger *l, const char *dir, struct ledger_backup_report *ret)
{
    struct err *e = NULL;
    struct tree before, head;
    char path[COPY_PATH_BYTES];
    int lock = -1;
    struct ledger_backup_report report = {.files = 0};
    TRY(file_mkdir(dir, 0700));
    snprintf(path, sizeof(path), "%s/lock", dir);
    TRY(file_lock(path, &lock));
    TRY(last_tree(l, dir, &before));
    TRY(head_of(l, &head));
    report.from = before.n + 1;
    report.to = head.n;
    tree_root(&head, report.root);
    if (head.n > before.n)
        TRY(write_rest(l, dir, &before, &head, &report));
    *ret = report;
out:
    if (lock >= 0)
        close(lock);
    return e;
}

/* --- checking --- */

static struct err *check_file(const char *dir, const struct copy_name *name, struct tree *tree,
                              struct arena *arena, struct ledger_backup_report *to)
{
    struct err *e = NULL;
    struct copy *c = NULL;
    struct ledger_entry en;
    struct view value;
    bool more = true;
    TRY(copy_set_open(dir, name, tree, &c));
    while (more) {
        arena_reset(arena);
        TRY(copy_next(c, arena, &en, &value, &more));
        to->last_time_ms = more ? en.time_ms : to->last_time_ms;
    }
    *tree = c->after;
    to->bytes += c->file.n;
out:
    copy_close(c);
    return e;
}

struct err *ledger_backup_check(const char *dir, struct ledger_backup_report *ret)
{
    struct err *e = NULL;
    struct copy_set set = {.n = 0};
    struct tree tree = {0};
    struct ledger_backup_report report = {.from = 1};
    struct arena *arena = arena_new(ARENA_BYTES);
    TRY(copy_set_read(dir, &set));
    if (set.n == 0)
        TRY(err_new(ERR_NOT_FOUND, "%s holds no backup of a ledger", dir));
    for (size_t i = 0; i < set.n; i++)
        TRY(check_file(dir, &set.files[i], &tree, arena, &report));
    report.files = set.n;
    report.to = tree.n;
    tree_root(&tree, report.root);
    *ret = report;
out:
    copy_set_free(&set);
    arena_free(arena);
    return e;
}
