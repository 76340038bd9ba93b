/* Streams to and from the shelf. Never holds more than SHELF_INLINE_BYTES of one. */
#include "blob.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/world.h"

void blob_begin(struct blob_out *o, struct shelf *shelf)
{
    *o = (struct blob_out){.shelf = shelf, .file = {.fd = -1}, .digest = digest_new()};
}

static struct err *to_file(const struct blob_out *o, struct view bytes)
{
    while (bytes.n > 0) {
        ssize_t n = world_write(o->file.fd, bytes.p, bytes.n);
        if (n < 0)
            return err_sys(ERR_NO_SPACE, errno, "a file of the shelf cannot be written");
        bytes = view_from(bytes, (size_t)n);
    }
    return NULL;
}

static void keep(struct blob_out *o, struct view bytes)
{
    if (o->cap < o->n + bytes.n) {
        o->cap = 2 * (o->n + bytes.n);
        o->bytes = realloc(o->bytes, o->cap);
        CHECK(o->bytes);
    }
    memcpy(o->bytes + o->n, bytes.p, bytes.n);
    o->n += bytes.n;
}

static struct err *spill(struct blob_out *o)
{
    struct err *e = NULL;
    TRY(shelf_file_new(o->shelf, &o->file));
    TRY(to_file(o, view_of(o->bytes, o->n)));
    free(o->bytes);
    o->bytes = NULL;
    o->n = o->cap = 0;
out:
    return e;
}

struct err *blob_add(struct blob_out *o, struct view bytes)
{
    struct err *e = NULL;
    if (bytes.n == 0)
        return NULL;
    digest_add(o->digest, bytes);
    o->total += bytes.n;
    if (o->file.fd < 0 && o->total <= SHELF_INLINE_BYTES) {
        keep(o, bytes);
        return NULL;
    }
    if (o->file.fd < 0)
        TRY(spill(o));
    TRY(to_file(o, bytes));
out:
    return e;
}

struct err *blob_put(struct blob_out *o, const char *name, const struct shelf_item *item, shelf_done *done,
                     void *arg)
{
    uint8_t hash[SHA256_BYTES];
    char etag[SHA256_BYTES + 1];
    struct shelf_item as = *item;
    digest_done(o->digest, hash);
    o->digest = NULL;
    hex_put(etag, view_of(hash, SHA256_BYTES / 2));
    as.etag = as.etag ? as.etag : etag;
    as.bytes = view_of(o->bytes, o->n);
    if (o->file.fd >= 0)
        return shelf_put_file(o->shelf, name, &as, &o->file, done, arg);
    return shelf_put_blob(o->shelf, name, &as, done, arg);
}

void blob_drop(struct blob_out *o)
{
    digest_free(o->digest);
    o->digest = NULL;
    free(o->bytes);
    o->bytes = NULL;
    if (o->shelf)
        shelf_file_drop(o->shelf, &o->file);
    else if (o->file.fd >= 0)
        close(o->file.fd);
}

/* --- reading --- */

uint64_t blob_size(const struct shelf_item *item)
{
    return item->file ? item->file_bytes : item->bytes.n;
}

struct err *blob_open(struct blob_in *in, const struct shelf *shelf, const struct shelf_item *item)
{
    in->left = item->bytes;
    in->fd = -1;
    in->at = 0;
    in->n = item->file_bytes;
    return item->file ? shelf_item_open(shelf, item, &in->fd) : NULL;
}

static struct err *read_piece(struct blob_in *in, size_t want)
{
    for (size_t n = 0; n < want;) {
        ssize_t got = pread(in->fd, in->piece + n, want - n, (off_t)in->at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_sys(ERR_IO, got ? errno : 0, "a file of the shelf cannot be read to its end");
        n += (size_t)got;
        in->at += (uint64_t)got;
    }
    return NULL;
}

struct err *blob_next(struct blob_in *in, struct view *ret)
{
    uint64_t left = in->fd < 0 ? in->left.n : in->n - in->at;
    size_t n = left < sizeof in->piece ? (size_t)left : sizeof in->piece;
    if (in->fd < 0) {
        *ret = view_of(in->left.p, n);
        in->left = view_from(in->left, n);
        return NULL;
    }
    *ret = view_of(in->piece, n);
    return read_piece(in, n);
}

void blob_close(struct blob_in *in)
{
    if (in->fd >= 0)
        close(in->fd);
    in->fd = -1;
}
