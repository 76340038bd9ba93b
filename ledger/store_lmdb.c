/*
 * LMDB behind the record of functions of store.h, and the one file that knows lmdb.h. Every commit is synced
 * to the disk by LMDB itself (no MDB_NOSYNC of any kind). Never resizes a map that is in use: the map is
 * large from the start, address space and no more. Any thread; one reset read transaction is kept for the
 * next reader.
 */
#include <errno.h>
#include <lmdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "store.h"

enum { TABLES_MAX = 48, READERS_MAX = 256 };

struct store {
    MDB_env *env;
    MDB_dbi tables[TABLES_MAX];
    bool readonly;
    _Atomic(MDB_txn *) idle; /* a reset read transaction, or NULL */
};

struct store_txn {
    struct store *store;
    MDB_txn *txn;
    bool write;
};

struct store_cursor {
    MDB_cursor *cursor;
};

/* A page by which LMDB finds all others could not be written: it gives the environment up for the life of the
 * process. What was committed is safe on disk, what was not was promised to nobody; the next process opens
 * it. */
_Noreturn static void given_up(const char *what)
{
    log_error("store.given-up", log_text("when", what));
    _exit(EX_IOERR);
}

static struct err *failed(int rc, const char *what)
{
    switch (rc) {
    case MDB_PANIC:
        given_up(what);
    case MDB_MAP_FULL:
        return err_new(ERR_NO_SPACE, "%s: the store has reached its bound", what);
    case ENOSPC:
    case EDQUOT:
    case MDB_TXN_FULL:
        return err_new(ERR_NO_SPACE, "%s: no space is left", what);
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
        return err_new(ERR_CORRUPT, "%s: %s", what, mdb_strerror(rc));
    case ENOMEM:
        return err_new(ERR_NOMEM, "%s: no memory is left", what);
    default:
        return err_new(ERR_LEDGER, "%s: %s", what, mdb_strerror(rc));
    }
}

#define MDB(call, what)                                                                                      \
    do {                                                                                                     \
        int rc_ = (call);                                                                                    \
        if (rc_ != MDB_SUCCESS) {                                                                            \
            e = failed(rc_, (what));                                                                         \
            goto out;                                                                                        \
        }                                                                                                    \
    } while (0)

static MDB_val val(struct view v)
{
    return (MDB_val){v.n, (void *)(uintptr_t)v.p};
}

static void lmdb_close(struct store *s)
{
    if (!s)
        return;
    if (s->idle)
        mdb_txn_abort(s->idle);
    if (s->env)
        mdb_env_close(s->env);
    free(s);
}

static struct err *open_tables(struct store *s, const struct store_setup *setup)
{
    struct err *e = NULL;
    MDB_txn *txn = NULL;
    CHECK(setup->tables_n <= TABLES_MAX);
    MDB(mdb_txn_begin(s->env, NULL, s->readonly ? MDB_RDONLY : 0, &txn), "opening the store");
    for (unsigned i = 0; i < setup->tables_n; i++) {
        int rc = mdb_dbi_open(txn, setup->tables[i], s->readonly ? 0 : MDB_CREATE, &s->tables[i]);
        if (rc == MDB_NOTFOUND) {
            e = err_new(ERR_NOT_FOUND, "the store has no table %s", setup->tables[i]);
            goto out;
        }
        MDB(rc, "opening a table");
    }
    int rc = mdb_txn_commit(txn);
    txn = NULL;
    MDB(rc, "opening the store");
out:
    if (txn)
        mdb_txn_abort(txn);
    return e;
}

/* A copy that lies on a read-only medium has no lock to share: nobody can be writing it. */
static int open_env(MDB_env *env, const struct store_setup *setup)
{
    unsigned flags = MDB_NOTLS | (setup->readonly ? MDB_RDONLY : 0);
    int rc = mdb_env_open(env, setup->dir, flags, setup->mode);
    if (setup->readonly && rc == EROFS)
        rc = mdb_env_open(env, setup->dir, flags | MDB_NOLOCK, setup->mode);
    return rc;
}

/* The mode given to open(2) passes the umask; a shelf must be open to its group all the same. */
static struct err *set_modes(const struct store_setup *setup)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[4096];
        int n = snprintf(path, sizeof(path), "%s/%s", setup->dir, names[i]);
        if (n < 0 || (size_t)n >= sizeof(path) || chmod(path, setup->mode) != 0)
            return err_sys(ERR_IO, errno, "%s/%s: its mode cannot be set", setup->dir, names[i]);
    }
    return NULL;
}

static struct err *lmdb_open(const struct store_setup *setup, struct store **ret)
{
    struct err *e = NULL;
    struct store *s = calloc(1, sizeof(*s));
    CHECK(s);
    s->readonly = setup->readonly;
    MDB(mdb_env_create(&s->env), "opening the store");
    MDB(mdb_env_set_maxdbs(s->env, TABLES_MAX), "opening the store");
    MDB(mdb_env_set_maxreaders(s->env, READERS_MAX), "opening the store");
    if (!setup->readonly)
        MDB(mdb_env_set_mapsize(s->env, setup->map_bytes), "opening the store");
    int rc = open_env(s->env, setup);
    if (rc == ENOENT) {
        e = err_new(ERR_NOT_FOUND, "%s: there is no store", setup->dir);
        goto out;
    }
    MDB(rc, setup->dir);
    if (!setup->readonly)
        TRY(set_modes(setup));
    TRY(open_tables(s, setup));
    *ret = s;
    s = NULL;
out:
    lmdb_close(s);
    return e;
}

static void lmdb_clear_readers(struct store *s)
{
    int dead = 0;
    if (mdb_reader_check(s->env, &dead) == MDB_SUCCESS && dead > 0)
        log_info("store.readers_cleared", log_num("n", dead));
}

static struct err *lmdb_room(struct store *s, struct store_room *ret)
{
    struct err *e = NULL;
    MDB_envinfo info;
    MDB_stat stat;
    MDB(mdb_env_info(s->env, &info), "looking at the store");
    MDB(mdb_env_stat(s->env, &stat), "looking at the store");
    mdb_filehandle_t fd;
    MDB(mdb_env_get_fd(s->env, &fd), "looking at the store");
    struct statvfs disk;
    ret->used_bytes = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
    ret->free_bytes = info.me_mapsize > ret->used_bytes ? info.me_mapsize - ret->used_bytes : 0;
    if (fstatvfs(fd, &disk) == 0 && (uint64_t)disk.f_bavail * disk.f_frsize < ret->free_bytes)
        ret->free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
out:
    return e;
}

static int begin_read(struct store *s, MDB_txn **ret)
{
    MDB_txn *txn = atomic_exchange(&s->idle, NULL);
    if (txn) {
        int rc = mdb_txn_renew(txn);
        if (rc == MDB_SUCCESS) {
            *ret = txn;
            return rc;
        }
        mdb_txn_abort(txn);
    }
    int rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, ret);
    /* A writer in another process has raised the bound: no transaction of ours is open in a process that
     * reads alone, so the map may be set anew. */
    if (rc == MDB_MAP_RESIZED && s->readonly && mdb_env_set_mapsize(s->env, 0) == MDB_SUCCESS)
        rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, ret);
    return rc;
}

static struct err *lmdb_begin(struct store *s, bool write, struct store_txn **ret)
{
    struct store_txn *t = calloc(1, sizeof(*t));
    CHECK(t);
    *t = (struct store_txn){.store = s, .write = write};
    int rc = write ? mdb_txn_begin(s->env, NULL, 0, &t->txn) : begin_read(s, &t->txn);
    if (rc != MDB_SUCCESS) {
        free(t);
        return failed(rc, "beginning a transaction");
    }
    *ret = t;
    return NULL;
}

static struct err *lmdb_commit(struct store_txn *t)
{
    int rc = mdb_txn_commit(t->txn);
    free(t);
    return rc == MDB_SUCCESS ? NULL : failed(rc, "committing");
}

static void lmdb_abort(struct store_txn *t)
{
    if (!t)
        return;
    if (t->write) {
        mdb_txn_abort(t->txn);
    } else {
        mdb_txn_reset(t->txn);
        MDB_txn *none = NULL;
        if (!atomic_compare_exchange_strong(&t->store->idle, &none, t->txn))
            mdb_txn_abort(t->txn);
    }
    free(t);
}

static struct err *lmdb_get(struct store_txn *t, unsigned table, struct view key, struct view *ret)
{
    MDB_val k = val(key), v;
    int rc = mdb_get(t->txn, t->store->tables[table], &k, &v);
    if (rc == MDB_NOTFOUND) {
        *ret = (struct view){NULL, 0};
        return NULL;
    }
    if (rc != MDB_SUCCESS)
        return failed(rc, "reading");
    *ret = view_of(v.mv_data, v.mv_size);
    return NULL;
}

static struct err *lmdb_put(struct store_txn *t, unsigned table, struct view key, struct view value,
                            enum store_put how)
{
    MDB_val k = val(key), v = val(value);
    int rc = mdb_put(t->txn, t->store->tables[table], &k, &v, how == STORE_PUT_LAST ? MDB_APPEND : 0);
    return rc == MDB_SUCCESS ? NULL : failed(rc, "writing");
}

static struct err *lmdb_del(struct store_txn *t, unsigned table, struct view key)
{
    MDB_val k = val(key);
    int rc = mdb_del(t->txn, t->store->tables[table], &k, NULL);
    return rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? NULL : failed(rc, "removing");
}

static struct err *lmdb_count(struct store_txn *t, unsigned table, uint64_t *ret)
{
    MDB_stat stat;
    int rc = mdb_stat(t->txn, t->store->tables[table], &stat);
    if (rc != MDB_SUCCESS)
        return failed(rc, "counting");
    *ret = stat.ms_entries;
    return NULL;
}

static struct err *lmdb_size(struct store_txn *t, unsigned table, uint64_t *ret)
{
    MDB_stat stat;
    int rc = mdb_stat(t->txn, t->store->tables[table], &stat);
    if (rc != MDB_SUCCESS)
        return failed(rc, "looking at a table");
    *ret = (uint64_t)stat.ms_psize * (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages);
    return NULL;
}

static struct err *lmdb_cursor(struct store_txn *t, unsigned table, struct store_cursor **ret)
{
    struct store_cursor *c = calloc(1, sizeof(*c));
    CHECK(c);
    int rc = mdb_cursor_open(t->txn, t->store->tables[table], &c->cursor);
    if (rc != MDB_SUCCESS) {
        free(c);
        return failed(rc, "reading");
    }
    *ret = c;
    return NULL;
}

static struct err *lmdb_move(struct store_cursor *c, enum store_move how, struct view *key,
                             struct view *value, bool *ret_found)
{
    static const MDB_cursor_op ops[] = {[STORE_FIRST] = MDB_FIRST,
                                        [STORE_LAST] = MDB_LAST,
                                        [STORE_NEXT] = MDB_NEXT,
                                        [STORE_PREV] = MDB_PREV,
                                        [STORE_AT_OR_AFTER] = MDB_SET_RANGE};
    MDB_val k = {0, NULL}, v = {0, NULL};
    if (how == STORE_AT_OR_AFTER)
        k = val(*key);
    int rc = mdb_cursor_get(c->cursor, &k, &v, ops[how]);
    *ret_found = rc == MDB_SUCCESS;
    if (rc == MDB_NOTFOUND)
        return NULL;
    if (rc != MDB_SUCCESS)
        return failed(rc, "reading");
    *key = view_of(k.mv_data, k.mv_size);
    *value = view_of(v.mv_data, v.mv_size);
    return NULL;
}

static void lmdb_cursor_free(struct store_cursor *c)
{
    if (!c)
        return;
    mdb_cursor_close(c->cursor);
    free(c);
}

const struct store_ops store_lmdb = {
    .open = lmdb_open,
    .close = lmdb_close,
    .clear_readers = lmdb_clear_readers,
    .room = lmdb_room,
    .begin = lmdb_begin,
    .commit = lmdb_commit,
    .abort = lmdb_abort,
    .get = lmdb_get,
    .put = lmdb_put,
    .del = lmdb_del,
    .count = lmdb_count,
    .size = lmdb_size,
    .cursor = lmdb_cursor,
    .move = lmdb_move,
    .cursor_free = lmdb_cursor_free,
};
