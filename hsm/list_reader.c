/*
 * The reader of big lists: a window that moves over the file. What stands before the entries and behind them
 * is small and kept; put together without the entries it is a list that cert can read. Reads each octet once.
 * Any thread.
 */
#include "list_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/der.h"
#include "mechanism.h"

enum { WINDOW_BYTES = 64 * 1024, ENTRY_ROOM = 256, FRONT_FIELDS = 5 };

struct window {
    const struct list_file *file;
    uint64_t read; /* octets of the file so far */
    EVP_MD_CTX *sha256;
    EVP_MD_CTX *digest; /* NULL: SHA-256 is what is signed, or the whole message is kept */
    uint8_t *message;
    size_t at, n;
    uint8_t buf[WINDOW_BYTES];
};

static struct view in_window(const struct window *w)
{
    return view_of(w->buf + w->at, w->n - w->at);
}

static struct err *read_some(struct window *w)
{
    size_t room = sizeof w->buf - w->n;
    uint64_t left = w->file->bytes - w->read;
    ssize_t n =
        pread(w->file->fd, w->buf + w->n, left < room ? (size_t)left : room, (off_t)(w->file->at + w->read));
    if (n < 0)
        return errno == EINTR ? NULL : err_sys(ERR_IO, errno, "the list cannot be read");
    if (n == 0)
        return err_new(ERR_BAD_DER, "the list ends before its end");
    if (EVP_DigestUpdate(w->sha256, w->buf + w->n, (size_t)n) != 1 ||
        (w->digest && EVP_DigestUpdate(w->digest, w->buf + w->n, (size_t)n) != 1))
        return err_new(ERR_INTERNAL, "the list cannot be hashed");
    if (w->message)
        memcpy(w->message + w->read, w->buf + w->n, (size_t)n);
    w->n += (size_t)n;
    w->read += (uint64_t)n;
    return NULL;
}

/* At least `want` octets in the window, or all that are left. */
static struct err *have(struct window *w, size_t want)
{
    struct err *e = NULL;
    CHECK(want <= sizeof w->buf);
    if (w->n - w->at >= want)
        return NULL;
    memmove(w->buf, w->buf + w->at, w->n - w->at);
    w->n -= w->at;
    w->at = 0;
    while (w->n < want && w->read < w->file->bytes)
        TRY(read_some(w));
out:
    return e;
}

/* Tag and length of a SEQUENCE whose content need not be in the window (X.690 8.1.3, 10.1). */
static struct err *read_head(struct window *w, uint64_t *ret_content)
{
    struct err *e = NULL;
    TRY(have(w, 8));
    struct view v = in_window(w);
    size_t octets = v.n > 1 && v.p[1] & 0x80 ? v.p[1] & 0x7fu : 0;
    if (v.n < 2 || v.p[0] != DER_SEQUENCE || octets > 4 || v.n < 2 + octets || (octets && !v.p[2]))
        return err_new(ERR_BAD_DER, "not a SEQUENCE of a length that a list may have");
    uint64_t n = octets ? 0 : v.p[1];
    for (size_t i = 0; i < octets; i++)
        n = n << 8 | v.p[2 + i];
    if (octets && (n < 0x80 || n >> 8 * (octets - 1) == 0))
        return err_new(ERR_BAD_DER, "a length that is not minimal (X.690 10.1)");
    w->at += 2 + octets;
    *ret_content = n;
out:
    return e;
}

static uint64_t left(const struct window *w)
{
    return w->file->bytes - w->read + (w->n - w->at);
}

/* version, signature, issuer, thisUpdate, nextUpdate: copied. */
static struct err *read_front(struct window *w, struct arena *arena, struct view *ret)
{
    struct err *e = NULL;
    TRY(have(w, sizeof w->buf / 2));
    struct view all = in_window(w), rest = all;
    for (int i = 0; i < FRONT_FIELDS; i++)
        TRY(der_read_any(&rest, NULL, NULL, NULL));
    *ret = arena_dup(arena, view_of(all.p, all.n - rest.n));
    w->at += ret->n;
out:
    return e;
}

static struct err *read_entries(struct window *w, list_entry_fn *fn, void *arg, uint64_t *ret_n)
{
    struct err *e = NULL;
    uint64_t content;
    TRY(have(w, 2));
    if (in_window(w).n == 0 || *in_window(w).p != DER_SEQUENCE)
        return NULL; /* an empty list */
    TRY(read_head(w, &content));
    if (content == 0 || content > left(w))
        return err_new(ERR_BAD_DER, "revokedCertificates is empty or goes past its end (RFC 5280 5.1.2.6)");
    for (uint64_t end = left(w) - content; left(w) > end; ++*ret_n) {
        struct cert_crl_entry entry;
        TRY(have(w, ENTRY_ROOM));
        struct view v = in_window(w);
        uint64_t most = left(w) - end;
        v.n = v.n < most ? v.n : (size_t)most;
        size_t before = v.n;
        TRY(err_wrap(cert_crl_next(&v, &entry), "entry %llu", (unsigned long long)*ret_n));
        TRY(fn(arg, &entry));
        w->at += before - v.n;
    }
out:
    return e;
}

/* What is left, and what came first, as one list. */
static struct err *read_tail(struct window *w, struct view front, struct arena *arena, struct cert_crl *ret)
{
    struct err *e = NULL;
    struct der_out out;
    struct view skeleton;
    if (left(w) > sizeof w->buf / 2)
        return err_new(ERR_BAD_DER, "more behind the entries than a list has");
    TRY(have(w, (size_t)left(w)));
    der_out_init(&out, arena, sizeof w->buf * 2);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_raw(&out, front);
    der_put_raw(&out, in_window(w));
    der_finish(&out, m);
    TRY(der_out_done(&out, &skeleton));
    TRY(cert_crl_read_any(skeleton, ret));
out:
    return e;
}

static struct err *finish(struct window *w, struct list_read *ret)
{
    unsigned n = 0;
    if (EVP_DigestFinal_ex(w->sha256, ret->sha256, NULL) != 1 ||
        (w->digest && EVP_DigestFinal_ex(w->digest, ret->digest, &n) != 1))
        return err_new(ERR_INTERNAL, "the list cannot be hashed");
    ret->digest_n = n;
    if (w->digest || w->message)
        return NULL;
    memcpy(ret->digest, ret->sha256, SHA256_BYTES);
    ret->digest_n = SHA256_BYTES;
    return NULL;
}

static struct err *run(struct window *w, list_entry_fn *fn, void *arg, struct arena *arena,
                       struct list_read *ret)
{
    struct err *e = NULL;
    uint64_t content;
    struct view front;
    TRY(read_head(w, &content));
    if (content != left(w))
        return err_new(ERR_BAD_DER, "the list is shorter or longer than its file");
    TRY(read_front(w, arena, &front));
    TRY(read_entries(w, fn, arg, &ret->entries));
    TRY(read_tail(w, front, arena, &ret->crl));
    TRY(finish(w, ret));
out:
    return e;
}

static struct err *begin(struct window *w, enum cert_alg alg)
{
    bool whole = cert_alg_scheme(alg) == CERT_SCHEME_EDDSA;
    bool other = !whole && !EVP_MD_is_a(mechanism_digest(alg), "SHA256");
    w->sha256 = EVP_MD_CTX_new();
    w->digest = other ? EVP_MD_CTX_new() : NULL;
    w->message = whole ? malloc(w->file->bytes ? w->file->bytes : 1) : NULL;
    if (whole && !w->message)
        return err_new(ERR_NOMEM, "a list of %llu octets in one piece", (unsigned long long)w->file->bytes);
    if (!w->sha256 || EVP_DigestInit_ex(w->sha256, EVP_sha256(), NULL) != 1 ||
        (other && (!w->digest || EVP_DigestInit_ex(w->digest, mechanism_digest(alg), NULL) != 1)))
        return err_new(ERR_INTERNAL, "no digest for %s", cert_alg_name(alg));
    return NULL;
}

struct err *list_reader_run(const struct list_file *file, enum cert_alg alg, list_entry_fn *fn, void *arg,
                            struct arena *arena, struct list_read *ret)
{
    struct err *e = NULL;
    struct list_read read = {.entries = 0};
    struct window *w = ARENA_NEW(arena, struct window);
    w->file = file;
    TRY(begin(w, alg));
    TRY(run(w, fn, arg, arena, &read));
    read.message = view_of(w->message, w->message ? file->bytes : 0);
    w->message = NULL;
    *ret = read;
out:
    EVP_MD_CTX_free(w->sha256);
    EVP_MD_CTX_free(w->digest);
    free(w->message);
    return err_wrap(e, "tbsCertList");
}
