/* The one I/O record of a connection: recv and send, or TLS over them. Private to http. */
#ifndef CHANCERY_HTTP_IO_H
#define CHANCERY_HTTP_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ssl_st;
struct ssl_ctx_st;
struct bio_method_st;

struct io {
    int fd;
    struct ssl_st *ssl; /* NULL: plain */
    bool wants_write;   /* reading waits until the socket can be written (a handshake) */
    bool failed;        /* the TLS state is broken: nothing more may be said */
};

enum { IO_AGAIN = -1, IO_FAILED = -2 };

/* What SSL objects read and write through: world_recv and world_send. NULL where memory is out. */
struct bio_method_st *io_bio_method(void);

void io_plain(struct io *io, int fd);
/* False where memory is out. */
bool io_tls(struct io *io, int fd, struct ssl_ctx_st *ctx, struct bio_method_st *method);

ssize_t io_read(struct io *io, void *to, size_t n); /* 0: the other end has closed */
ssize_t io_write(struct io *io, const void *p, size_t n);
bool io_has_more(const struct io *io); /* octets wait that the socket will not announce again */
void io_bye(struct io *io);            /* says that no more will be written */
void io_close(struct io *io);

#endif
