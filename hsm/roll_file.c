/*
 * The seal roll's file: opening (verify, cut a torn end), appending in groups, syncing, reading back. Never
 * changes what is written but for cutting a torn end at open; never answers for what is not synced. The
 * loop's thread, but for roll_file_sync_run.
 */
#include "roll_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/world.h"

enum {
    INDEX_EVERY = 256, /* entries between two known offsets */
    FLOORS_MAX = 64,
    FIND_ENTRIES_MAX = 100000, /* looked at in one call: some 20 ms */
    ROLL_PATH_MAX = 4096,
};

struct floors {
    size_t n;
    struct {
        char key[ROLL_KEY_MAX + 1];
        uint64_t number;
    } row[FLOORS_MAX];
};

/* Where the chain stands. */
struct mark {
    uint64_t n;
    size_t at; /* offset in the file */
    uint8_t head[SHA256_BYTES];
};

struct roll_file {
    int fd;
    struct mark added, written, synced, syncing;
    uint8_t *tail; /* bytes from synced.at to added.at */
    size_t tail_cap;
    size_t *index; /* offset of entry i * INDEX_EVERY + 1 */
    size_t index_n, index_cap;
    struct floors floors, floors_written;
    bool floors_changed, sync_under_way, in_doubt;
    int sync_errno;
    uint8_t id[ROLL_ID_BYTES];
    struct arena *scratch;
};

/* --- floors --- */

static size_t floor_row(const struct floors *f, struct view key)
{
    size_t i = 0;
    while (i < f->n && !view_eq_str(key, f->row[i].key))
        i++;
    return i;
}

static void floor_raise(struct floors *f, struct view key, uint64_t number)
{
    size_t i = floor_row(f, key);
    if (i == FLOORS_MAX || key.n > ROLL_KEY_MAX)
        return;
    if (i == f->n) {
        memcpy(f->row[i].key, key.p, key.n);
        f->row[i].key[key.n] = '\0';
        f->row[i].number = 0;
        f->n++;
    }
    if (number > f->row[i].number)
        f->row[i].number = number;
}

uint64_t roll_file_crl_floor(const struct roll_file *r, struct view key)
{
    size_t i = floor_row(&r->floors, key);
    return i < r->floors.n ? r->floors.row[i].number : 0;
}

struct err *roll_file_crl_room(const struct roll_file *r, struct view key)
{
    if (floor_row(&r->floors, key) < FLOORS_MAX)
        return NULL;
    return err_new(ERR_TOO_MANY, "the vault keeps CRL numbers of %d keys and has no room for another",
                   FLOORS_MAX);
}

/* --- opening --- */

static void index_note(struct roll_file *r, uint64_t n, size_t at)
{
    if ((n - 1) % INDEX_EVERY != 0)
        return;
    size_t i = (size_t)((n - 1) / INDEX_EVERY);
    if (i >= r->index_cap) {
        r->index_cap = r->index_cap ? r->index_cap * 2 : 64;
        r->index = reallocarray(r->index, r->index_cap, sizeof *r->index);
        CHECK(r->index != NULL);
    }
    r->index[i] = at;
    r->index_n = i + 1;
}

static struct err *cut_tail(struct roll_file *r, const struct roll_walk *w, struct err *why)
{
    log_warn("roll.cut", log_num("n", (long long)w->n), log_num("octets", (long long)w->left.n),
             log_err(why));
    err_free(why);
    if (world_ftruncate(r->fd, (off_t)w->at) != 0 || world_fsync(r->fd) != 0)
        return err_sys(ERR_IO, errno, "cannot cut the torn end of the seal roll");
    return NULL;
}

static struct err *walk_all(struct roll_file *r, struct view file,
                            void (*seen)(void *arg, const struct hsm_roll_entry *entry), void *arg)
{
    struct err *e = NULL;
    struct roll_walk w;
    TRY(roll_walk_begin(file, &w));
    while (w.left.n > 0) {
        struct hsm_roll_entry entry;
        size_t at = w.at;
        e = roll_walk_next(&w, &entry);
        if (e && roll_tail_torn(&w)) {
            e = cut_tail(r, &w, e);
            break;
        }
        TRY(e);
        index_note(r, entry.n, at);
        if (entry.kind == HSM_ROLL_CRL)
            floor_raise(&r->floors, entry.key, entry.extra);
        if (seen)
            seen(arg, &entry);
    }
    memcpy(r->id, w.id, sizeof r->id);
    r->added = (struct mark){.n = w.n, .at = w.at};
    memcpy(r->added.head, w.head, SHA256_BYTES);
out:
    return e;
}

static struct err *read_all(struct roll_file *r, size_t size,
                            void (*seen)(void *arg, const struct hsm_roll_entry *entry), void *arg)
{
    void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, r->fd, 0);
    if (map == MAP_FAILED)
        return err_sys(ERR_IO, errno, "cannot read the seal roll");
    (void)madvise(map, size, MADV_SEQUENTIAL);
    struct err *e = walk_all(r, view_of(map, size), seen, arg);
    munmap(map, size);
    return e;
}

static struct err *sync_folder(const char *dir)
{
    int fd = world_open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    bool ok = fd >= 0 && world_fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    return ok ? NULL : err_sys(ERR_IO, why, "cannot sync the folder of the seal roll");
}

static struct err *put_all(struct roll_file *r, struct view bytes, size_t at)
{
    while (bytes.n > 0) {
        ssize_t n = world_pwrite(r->fd, bytes.p, bytes.n, (off_t)at);
        if (n < 0)
            return err_sys(errno == ENOSPC || errno == EDQUOT ? ERR_NO_SPACE : ERR_IO, errno,
                           "the seal roll cannot be written");
        bytes = view_from(bytes, (size_t)n);
        at += (size_t)n;
    }
    return NULL;
}

static struct err *begin_new(struct roll_file *r, const char *dir)
{
    struct err *e = NULL;
    world_random(r->id, sizeof r->id);
    struct view header = roll_header_write(r->scratch, world_now_ms(), r->id);
    TRY(put_all(r, header, 0));
    if (world_ftruncate(r->fd, (off_t)header.n) != 0 || world_fsync(r->fd) != 0)
        TRY(err_sys(ERR_IO, errno, "cannot begin the seal roll"));
    TRY(sync_folder(dir));
    log_info("roll.begun");
    r->added.at = header.n;
    digest_sha256(header, r->added.head);
out:
    return e;
}

struct err *roll_file_open(const char *dir, void (*seen)(void *arg, const struct hsm_roll_entry *entry),
                           void *arg, struct roll_file **ret)
{
    struct err *e = NULL;
    char path[ROLL_PATH_MAX];
    struct stat st;
    struct roll_file *r = calloc(1, sizeof *r);
    CHECK(r != NULL);
    r->scratch = arena_new(1 << 20);
    CHECK((size_t)snprintf(path, sizeof path, "%s/%s", dir, HSM_ROLL_FILE) < sizeof path);
    r->fd = world_open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (r->fd < 0 || fstat(r->fd, &st) != 0)
        TRY(err_sys(ERR_IO, errno, "cannot open %s", path));
    if (flock(r->fd, LOCK_EX | LOCK_NB) != 0)
        TRY(err_new(ERR_WRONG_STATE, "another vault keeps the roll %s", path));
    if (!S_ISREG(st.st_mode))
        TRY(err_new(ERR_CONFIG, "%s is not a file", path));
    /* Shorter than the least header: a beginning that never came to its sync. */
    TRY(st.st_size < 32 ? begin_new(r, dir) : read_all(r, (size_t)st.st_size, seen, arg));
    r->written = r->synced = r->added;
    r->floors_written = r->floors;
    arena_reset(r->scratch);
    *ret = r;
    r = NULL;
out:
    roll_file_close(r);
    return e;
}

void roll_file_close(struct roll_file *r)
{
    if (!r)
        return;
    if (r->fd >= 0)
        close(r->fd);
    free(r->tail);
    free(r->index);
    arena_free(r->scratch);
    free(r);
}

const uint8_t *roll_file_id(const struct roll_file *r)
{
    return r->id;
}

uint64_t roll_file_n(const struct roll_file *r)
{
    return r->added.n;
}

uint64_t roll_file_synced(const struct roll_file *r)
{
    return r->synced.n;
}

/* --- appending --- */

static void tail_add(struct roll_file *r, struct view bytes)
{
    size_t used = r->added.at - r->synced.at;
    if (used + bytes.n > r->tail_cap) {
        r->tail_cap = (used + bytes.n) * 2;
        r->tail = realloc(r->tail, r->tail_cap);
        CHECK(r->tail != NULL);
    }
    memcpy(r->tail + used, bytes.p, bytes.n);
}

uint64_t roll_file_add(struct roll_file *r, const struct hsm_roll_entry *entry)
{
    struct hsm_roll_entry whole = *entry;
    whole.n = r->added.n + 1;
    whole.time_ms = world_now_ms();
    whole.prev_sha256 = view_of(r->added.head, SHA256_BYTES);
    struct view bytes = roll_entry_write(r->scratch, &whole);
    tail_add(r, bytes);
    digest_sha256(bytes, r->added.head);
    index_note(r, whole.n, r->added.at);
    r->added.n = whole.n;
    r->added.at += bytes.n;
    if (whole.kind == HSM_ROLL_CRL) {
        floor_raise(&r->floors, whole.key, whole.extra);
        r->floors_changed = true;
    }
    arena_reset(r->scratch);
    return whole.n;
}

static void take_back(struct roll_file *r)
{
    r->added = r->written;
    r->index_n = (size_t)((r->added.n + INDEX_EVERY - 1) / INDEX_EVERY);
    if (r->floors_changed)
        r->floors = r->floors_written;
    r->floors_changed = false;
    /* What a short write left behind would be overwritten by the next one anyway; a restart before that cuts
     * it. */
    if (world_ftruncate(r->fd, (off_t)r->written.at) != 0)
        r->in_doubt = true;
}

struct err *roll_file_write(struct roll_file *r)
{
    if (r->added.n == r->written.n)
        return NULL;
    size_t from = r->in_doubt ? r->synced.at : r->written.at;
    struct err *e = put_all(r, view_of(r->tail + (from - r->synced.at), r->added.at - from), from);
    if (e) {
        take_back(r);
        return e;
    }
    r->in_doubt = false;
    r->written = r->added;
    if (r->floors_changed)
        r->floors_written = r->floors;
    r->floors_changed = false;
    return NULL;
}

/* --- syncing --- */

bool roll_file_sync_begin(struct roll_file *r)
{
    if (r->sync_under_way || r->written.n == r->synced.n)
        return false;
    r->sync_under_way = true;
    r->syncing = r->written;
    r->sync_errno = 0;
    if (!r->in_doubt)
        return true;
    struct err *e = put_all(r, view_of(r->tail, r->written.at - r->synced.at), r->synced.at);
    r->sync_errno = e ? EIO : 0;
    r->in_doubt = e != NULL;
    err_free(e);
    return true;
}

void roll_file_sync_run(struct roll_file *r)
{
    if (r->sync_errno == 0 && world_fdatasync(r->fd) != 0)
        r->sync_errno = errno;
}

struct err *roll_file_sync_end(struct roll_file *r, uint64_t *ret_n)
{
    CHECK(r->sync_under_way);
    r->sync_under_way = false;
    *ret_n = r->syncing.n;
    if (r->sync_errno) {
        r->in_doubt = true;
        return err_sys(r->sync_errno == ENOSPC || r->sync_errno == EDQUOT ? ERR_NO_SPACE : ERR_IO,
                       r->sync_errno, "the seal roll cannot be synced");
    }
    size_t done = r->syncing.at - r->synced.at;
    memmove(r->tail, r->tail + done, r->added.at - r->syncing.at);
    r->synced = r->syncing;
    return NULL;
}

/* --- reading back --- */

static struct err *read_at(struct roll_file *r, size_t at, size_t n, struct arena *arena, struct view *ret)
{
    uint8_t *to = arena_alloc(arena, n);
    size_t have = 0;
    while (have < n) {
        ssize_t got = pread(r->fd, to + have, n - have, (off_t)(at + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_sys(ERR_IO, got < 0 ? errno : EIO, "the seal roll cannot be read");
        have += (size_t)got;
    }
    *ret = view_of(to, n);
    return NULL;
}

/* The bytes from entry `from` to about max_bytes further; *ret_n: number of the first entry in them (at most
 * from). */
static struct err *window(struct roll_file *r, uint64_t from, size_t max_bytes, struct arena *arena,
                          struct view *ret, uint64_t *ret_n)
{
    size_t i = (size_t)((from - 1) / INDEX_EVERY);
    size_t at = r->index[i], n = r->written.at - at, most = max_bytes + (size_t)INDEX_EVERY * ROLL_ENTRY_MAX;
    *ret_n = (uint64_t)i * INDEX_EVERY + 1;
    return read_at(r, at, n > most ? most : n, arena, ret);
}

struct err *roll_file_read(struct roll_file *r, uint64_t from, uint64_t max, size_t max_bytes,
                           struct arena *arena, struct view *ret, uint64_t *ret_next)
{
    struct err *e = NULL;
    struct view in, out = {NULL, 0};
    uint64_t n, given = 0;
    *ret = out;
    *ret_next = 0;
    if (from == 0 || from > r->written.n)
        return NULL;
    TRY(window(r, from, max_bytes, arena, &in, &n));
    for (; n <= r->written.n && given < max && out.n < max_bytes; n++) {
        struct hsm_roll_entry entry;
        const uint8_t *start = in.p;
        TRY(hsm_roll_entry_read(&in, &entry));
        if (n < from)
            continue;
        out = view_of(out.p ? out.p : start, out.n + (size_t)(in.p - start));
        given++;
    }
    *ret = out;
    *ret_next = n <= r->written.n ? n : 0;
out:
    return e;
}

static void match(const struct hsm_roll_entry *entry, const struct view *tbs_sha256, size_t n, uint64_t *ns)
{
    for (size_t i = 0; i < n; i++)
        if (ns[i] == 0 && view_eq(entry->tbs_sha256, tbs_sha256[i]))
            ns[i] = entry->n;
}

struct err *roll_file_find(struct roll_file *r, uint64_t from, const struct view *tbs_sha256, size_t n,
                           uint64_t *ns, struct arena *arena, uint64_t *ret_next)
{
    enum { CHUNK_BYTES = 1 << 20 };
    struct err *e = NULL;
    uint64_t at = from ? from : 1;
    for (uint64_t looked = 0; at <= r->written.n && looked < FIND_ENTRIES_MAX;) {
        struct view chunk;
        uint64_t next;
        arena_reset(arena);
        TRY(roll_file_read(r, at, UINT64_MAX, CHUNK_BYTES, arena, &chunk, &next));
        while (chunk.n > 0) {
            struct hsm_roll_entry entry;
            TRY(hsm_roll_entry_read(&chunk, &entry));
            match(&entry, tbs_sha256, n, ns);
            looked++;
        }
        at = next ? next : r->written.n + 1;
    }
    *ret_next = at <= r->written.n ? at : 0;
out:
    return e;
}
