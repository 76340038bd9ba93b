/*
 * Reading and writing of one connection, plain or TLS, never blocking. TLS goes through a BIO of our own, so
 * that its octets too pass base/world and no SIGPIPE is raised. Loop's thread.
 */
#include "io.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/world.h"

/* ---- the BIO: its data is the struct io ---- */

static int bio_done(BIO *b, ssize_t n, int retry)
{
    BIO_clear_retry_flags(b);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        BIO_set_flags(b, retry | BIO_FLAGS_SHOULD_RETRY);
    return (int)n;
}

static int bio_read(BIO *b, char *to, int n)
{
    const struct io *io = BIO_get_data(b);
    return bio_done(b, world_recv(io->fd, to, (size_t)n, 0), BIO_FLAGS_READ);
}

static int bio_write(BIO *b, const char *p, int n)
{
    const struct io *io = BIO_get_data(b);
    return bio_done(b, world_send(io->fd, p, (size_t)n, MSG_NOSIGNAL), BIO_FLAGS_WRITE);
}

static long bio_ctrl(BIO *b, int what, long n, void *p)
{
    (void)b;
    (void)n;
    (void)p;
    return what == BIO_CTRL_FLUSH;
}

struct bio_method_st *io_bio_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "world");
    if (m) {
        BIO_meth_set_read(m, bio_read);
        BIO_meth_set_write(m, bio_write);
        BIO_meth_set_ctrl(m, bio_ctrl);
    }
    return m;
}

/* ---- birth ---- */

void io_plain(struct io *io, int fd)
{
    *io = (struct io){.fd = fd};
}

bool io_tls(struct io *io, int fd, struct ssl_ctx_st *ctx, struct bio_method_st *method)
{
    io_plain(io, fd);
    BIO *b = BIO_new(method);
    io->ssl = SSL_new(ctx);
    if (!b || !io->ssl) {
        BIO_free(b);
        SSL_free(io->ssl);
        return false;
    }
    BIO_set_data(b, io);
    BIO_set_init(b, 1);
    SSL_set_bio(io->ssl, b, b);
    SSL_set_accept_state(io->ssl);
    return true;
}

/* ---- reading and writing ---- */

static ssize_t tls_result(struct io *io, int rc, size_t n)
{
    io->wants_write = false;
    if (rc > 0)
        return (ssize_t)n;
    switch (SSL_get_error(io->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        return IO_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        io->wants_write = true;
        return IO_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        io->failed = true;
        return IO_FAILED;
    }
}

static ssize_t plain_result(ssize_t n)
{
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EWOULDBLOCK ? IO_AGAIN : IO_FAILED;
}

ssize_t io_read(struct io *io, void *to, size_t n)
{
    size_t got = 0;
    if (!io->ssl)
        return plain_result(world_recv(io->fd, to, n, 0));
    ERR_clear_error();
    int rc = SSL_read_ex(io->ssl, to, n, &got);
    return tls_result(io, rc, got);
}

ssize_t io_write(struct io *io, const void *p, size_t n)
{
    size_t put = 0;
    if (!io->ssl)
        return plain_result(world_send(io->fd, p, n, MSG_NOSIGNAL));
    ERR_clear_error();
    int rc = SSL_write_ex(io->ssl, p, n, &put);
    ssize_t r = tls_result(io, rc, put);
    io->wants_write = false; /* the caller waits to write anyway */
    return r;
}

bool io_has_more(const struct io *io)
{
    return io->ssl && SSL_has_pending(io->ssl);
}

void io_bye(struct io *io)
{
    if (io->ssl && !io->failed && SSL_is_init_finished(io->ssl)) {
        ERR_clear_error();
        SSL_shutdown(io->ssl); /* once: our half; nobody waits for theirs */
    }
    shutdown(io->fd, SHUT_WR);
}

void io_close(struct io *io)
{
    SSL_free(io->ssl);
    close(io->fd);
}
