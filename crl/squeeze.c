/* gzip of a blob, piece by piece (RFC 1952): made once when a list is published, not at each request. The
 * home of zlib. Any thread; blocking. */
#include <zlib.h>

#include "blob.h"

enum { GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8, OUT_BYTES = 32 * 1024 };

static struct err *drain(z_stream *z, int flush, struct blob_out *out)
{
    struct err *e = NULL;
    uint8_t buf[OUT_BYTES];
    int rc;
    do {
        z->next_out = buf;
        z->avail_out = sizeof buf;
        rc = deflate(z, flush);
        if (rc == Z_STREAM_ERROR)
            return err_new(ERR_INTERNAL, "a list cannot be compressed");
        TRY(blob_add(out, view_of(buf, sizeof buf - z->avail_out)));
    } while (z->avail_out == 0);
out:
    return e;
}

struct err *blob_squeeze(struct blob_in *in, struct blob_out *out)
{
    struct err *e = NULL;
    z_stream z = {.zalloc = Z_NULL};
    struct view piece;
    /* Serials are random: more effort would gain nothing. */
    if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return err_new(ERR_NOMEM, "no memory to compress a list");
    do {
        TRY(blob_next(in, &piece));
        z.next_in = (Bytef *)(uintptr_t)piece.p;
        z.avail_in = (uInt)piece.n;
        TRY(drain(&z, piece.n ? Z_NO_FLUSH : Z_FINISH, out));
    } while (piece.n);
out:
    deflateEnd(&z);
    return e;
}
