/* Writing a copy of the log: buffered, synced, renamed, and then read again from the disk. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/der.h"
#include "base/world.h"
#include "copy_form.h"

enum { BUFFER_BYTES = 256 * 1024, ITEM_BYTES = LEDGER_BODY_BYTES + 64 * 1024 };

struct copy_writer {
    char dir[COPY_PATH_BYTES - 64], temporary[COPY_PATH_BYTES];
    int fd;
    uint64_t from, bytes;
    struct tree tree;
    uint8_t last[SHA256_BYTES];
    struct arena *arena; /* of the element in hand */
    size_t n;
    uint8_t buffer[BUFFER_BYTES];
};

static struct err *write_all(struct copy_writer *w, struct view bytes)
{
    while (bytes.n > 0) {
        ssize_t n = world_write(w->fd, bytes.p, bytes.n);
        if (n < 0)
            return err_sys(errno == ENOSPC || errno == EDQUOT ? ERR_NO_SPACE : ERR_IO, errno, "%s",
                           w->temporary);
        bytes = view_from(bytes, (size_t)n);
        w->bytes += (uint64_t)n;
    }
    return NULL;
}

static struct err *flush(struct copy_writer *w)
{
    struct err *e = write_all(w, view_of(w->buffer, w->n));
    w->n = 0;
    return e;
}

static struct err *put(struct copy_writer *w, struct view bytes)
{
    struct err *e = NULL;
    if (w->n + bytes.n > BUFFER_BYTES)
        TRY(flush(w));
    if (bytes.n > BUFFER_BYTES)
        return write_all(w, bytes);
    memcpy(w->buffer + w->n, bytes.p, bytes.n);
    w->n += bytes.n;
out:
    return e;
}

static struct err *put_out(struct copy_writer *w, struct der_out *out, struct view *ret)
{
    struct err *e = NULL;
    TRY(der_out_done(out, ret));
    TRY(put(w, *ret));
out:
    return e;
}

static struct err *put_head(struct copy_writer *w)
{
    struct der_out out;
    struct view done;
    uint8_t tree[TREE_BYTES_MAX];
    der_out_init(&out, w->arena, ITEM_BYTES);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, COPY_VERSION);
    der_put_uint(&out, w->from);
    der_put_octets(&out, view_of(tree, tree_put(&w->tree, tree)));
    der_finish(&out, m);
    return put_out(w, &out, &done);
}

static struct err *put_foot(struct copy_writer *w)
{
    struct err *e = NULL;
    struct der_out out;
    struct view done;
    uint8_t tree[TREE_BYTES_MAX], size[4];
    der_out_init(&out, w->arena, ITEM_BYTES);
    size_t m = der_begin(&out, DER_CONTEXT_CONS(0));
    der_put_uint(&out, w->tree.n);
    der_put_octets(&out, view_of(w->last, SHA256_BYTES));
    der_put_octets(&out, view_of(tree, tree_put(&w->tree, tree)));
    der_finish(&out, m);
    TRY(put_out(w, &out, &done));
    for (unsigned i = 0; i < sizeof(size); i++)
        size[i] = (uint8_t)(done.n >> (24 - 8 * i));
    TRY(put(w, view_of(size, sizeof(size))));
out:
    return e;
}

struct err *copy_begin(const char *dir, const struct tree *before, struct copy_writer **ret)
{
    struct err *e = NULL;
    struct copy_writer *w = calloc(1, sizeof(*w));
    CHECK(w);
    w->tree = *before;
    w->from = before->n + 1;
    w->arena = arena_new(2 * ITEM_BYTES);
    int n = snprintf(w->dir, sizeof(w->dir), "%s", dir);
    snprintf(w->temporary, sizeof(w->temporary), "%s/new", w->dir);
    w->fd = (size_t)n < sizeof(w->dir)
                ? world_open(w->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)
                : -1;
    if (w->fd < 0)
        TRY(err_sys(ERR_IO, errno, "%s", w->temporary));
    TRY(put_head(w));
    *ret = w;
    w = NULL;
out:
    copy_abandon(w);
    return e;
}

struct err *copy_put(struct copy_writer *w, struct view value, const uint8_t leaf[SHA256_BYTES])
{
    struct der_out out;
    struct view done;
    arena_reset(w->arena);
    der_out_init(&out, w->arena, ITEM_BYTES);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_octets(&out, view_of(leaf, SHA256_BYTES));
    der_put_raw(&out, value);
    der_finish(&out, m);
    tree_add(&w->tree, leaf);
    memcpy(w->last, leaf, SHA256_BYTES);
    return put_out(w, &out, &done);
}

const struct tree *copy_tree(const struct copy_writer *w)
{
    return &w->tree;
}

/* What was written is read from the disk again, not from the kernel's memory, as far as the kernel follows.
 */
static struct err *check_disk(struct copy_writer *w)
{
    struct err *e = NULL;
    struct tree after;
    (void)posix_fadvise(w->fd, 0, 0, POSIX_FADV_DONTNEED);
    TRY(copy_check(w->temporary, &after));
    if (!tree_eq(&after, &w->tree))
        e = err_new(ERR_CORRUPT, "%s: the disk gives back another tree than was written", w->temporary);
out:
    return e;
}

static struct err *sync_folder(const char *dir)
{
    int fd = world_open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0 || world_fsync(fd) != 0) {
        struct err *e = err_sys(ERR_IO, errno, "%s", dir);
        if (fd >= 0)
            close(fd);
        return e;
    }
    close(fd);
    return NULL;
}

struct err *copy_finish(struct copy_writer *w, char ret_path[COPY_PATH_BYTES], uint64_t *ret_bytes)
{
    struct err *e = NULL;
    CHECK(w->tree.n >= w->from);
    arena_reset(w->arena);
    TRY(put_foot(w));
    TRY(flush(w));
    if (world_fsync(w->fd) != 0)
        TRY(err_sys(ERR_IO, errno, "%s", w->temporary));
    TRY(check_disk(w));
    snprintf(ret_path, COPY_PATH_BYTES, "%s/%016" PRIx64 "-%016" PRIx64 ".entries", w->dir, w->from,
             w->tree.n);
    if (world_rename(w->temporary, ret_path) != 0)
        TRY(err_sys(ERR_IO, errno, "%s", ret_path));
    TRY(sync_folder(w->dir));
    *ret_bytes = w->bytes;
out:
    copy_abandon(w);
    return e;
}

/* After a rename the temporary name is gone already. */
void copy_abandon(struct copy_writer *w)
{
    if (!w)
        return;
    if (w->fd >= 0) {
        close(w->fd);
        world_unlink(w->temporary);
    }
    arena_free(w->arena);
    free(w);
}
