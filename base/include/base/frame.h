/*
 * Frames between our own processes, over a stream socketpair. A frame is a 24-octet header and a body (DER,
 * by whoever uses it):
 *
 *     version u8 (1) | flags u8 (1: a descriptor travels with it) | kind u16 | length u32 | generation u32 |
 * zero u32 | id u64
 *
 * big-endian. `id` ties an answer to its question. A peer that breaks the form is cut off: the channel closes
 * with an error, nothing is read further. This room knows no kinds.
 */
#ifndef CHANCERY_BASE_FRAME_H
#define CHANCERY_BASE_FRAME_H

#include "base/arena.h"
#include "base/err.h"
#include "base/loop.h"

enum { FRAME_HEADER_BYTES = 24, FRAME_BODY_MAX = 1 << 20 };

struct frame {
    uint16_t kind;
    uint32_t generation;
    uint64_t id;
    struct view body;
    int fd; /* -1 where none; the receiver owns it */
};

struct channel;
struct channel_events {
    void (*on_frame)(void *arg,
                     struct frame *f); /* body is borrowed until return; set f->fd = -1 to keep the fd */
    void (*on_close)(
        void *arg,
        struct err *why); /* once; takes why (NULL: the peer closed); free the channel here or later */
    void *arg;
};

/* Takes fd (made non-blocking). */
struct channel *channel_new(struct loop *l, int fd, struct channel_events ev);
/* Queues a frame, sent at the end of the turn with all others in as few writes as possible. fd is duplicated
 * by the kernel; the caller keeps and closes its own. ERR_BUSY where more than max_queued_bytes wait. */
MUST_USE struct err *channel_send(struct channel *c, const struct frame *f);
void channel_set_max_queued(struct channel *c, size_t bytes); /* default 16 MiB */
void channel_free(struct channel *c); /* closes; accepts NULL; no callback; safe in on_frame */

/* Blocking, for init, recovery and tests. ret's body lives in the arena. ERR_CANCELLED where the peer closed.
 */
MUST_USE struct err *frame_write(int fd, const struct frame *f);
MUST_USE struct err *frame_read(int fd, struct arena *arena, struct frame *ret);

#endif
