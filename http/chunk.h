/* The chunked transfer coding, incrementally. Private to http. */
#ifndef CHANCERY_HTTP_CHUNK_H
#define CHANCERY_HTTP_CHUNK_H

#include "base/view.h"

struct chunk {
    int state;
    uint64_t left; /* octets of the chunk in hand */
    unsigned digits;
    unsigned extra; /* octets of extensions and trailers so far: bounded */
};

enum chunk_step { CHUNK_MORE, CHUNK_DATA, CHUNK_END, CHUNK_BAD };

/* Takes from *in. CHUNK_DATA: *ret is a piece of the body; call again. CHUNK_MORE: all of *in is taken.
 * CHUNK_END: what is left in *in belongs to the next request. c all zero at first. */
enum chunk_step chunk_next(struct chunk *c, struct view *in, struct view *ret);

#endif
