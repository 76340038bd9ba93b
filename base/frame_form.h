/* The form of a frame, shared by frame.c and channel.c. Private to base. */
#ifndef CHANCERY_FRAME_FORM_H
#define CHANCERY_FRAME_FORM_H

#include <sys/types.h>

#include "base/frame.h"

enum { FRAME_VERSION = 1, FRAME_HAS_FD = 1, FRAME_FDS_MAX = 16 };

/* Descriptors that have come and wait for their frames, in order. */
struct frame_fds {
    int v[FRAME_FDS_MAX];
    size_t n;
};
int frame_fds_take(struct frame_fds *fds); /* -1 where none waits */
void frame_fds_close(struct frame_fds *fds);

void frame_form_put(uint8_t to[FRAME_HEADER_BYTES], const struct frame *f);
/* ret->body has the length alone. */
MUST_USE struct err *frame_form_get(const uint8_t from[FRAME_HEADER_BYTES], struct frame *ret,
                                    bool *ret_has_fd);

/* fd: -1, or what travels with the first octet. As sendmsg. */
ssize_t frame_form_send(int sock, struct view bytes, int fd);
/* As recvmsg; EMFILE where more descriptors came than a decent peer sends. */
ssize_t frame_form_recv(int sock, void *to, size_t n, struct frame_fds *fds);

#endif
