/*
 * Streams a list out of the ledger's index of revocations: once to count its octets, once to write them. The
 * index is in serial order, so nothing is sorted and nothing kept. Then the signature is written around it
 * where it lies. On the builder's thread.
 */
#include "list.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/world.h"

/* --- from the index of revocations --- */

static struct err *walk_next(void *arg, struct cert_crl_entry *ret, bool *ret_more)
{
    struct err *e = NULL;
    struct ledger_revocation r;
    TRY(ledger_revoked_next(arg, &r, ret_more));
    if (*ret_more)
        *ret = (struct cert_crl_entry){.serial = r.serial,
                                       .revoked_at = r.at,
                                       .reason = (enum cert_reason)r.reason,
                                       .has_invalidity = r.invalidity != 0,
                                       .invalid_from = r.invalidity};
out:
    return e;
}

static void walk_rewind(void *arg)
{
    ledger_revoked_rewind(arg);
}

/* --- twice over them --- */

static struct err *count(const struct list_source *from, size_t *ret_bytes, uint64_t *ret_entries)
{
    struct err *e = NULL;
    size_t bytes = 0;
    uint64_t entries = 0;
    for (;; entries++) {
        struct cert_crl_entry entry;
        bool more;
        TRY(from->next(from->arg, &entry, &more));
        if (!more)
            break;
        bytes += cert_crl_entry_bytes(&entry);
    }
    *ret_bytes = bytes;
    *ret_entries = entries;
out:
    return e;
}

static struct err *to_fd(void *arg, struct view bytes)
{
    const int *fd = arg;
    while (bytes.n) {
        ssize_t n = world_write(*fd, bytes.p, bytes.n);
        if (n < 0)
            return err_sys(ERR_NO_SPACE, errno, "no room for a list being built");
        bytes = view_from(bytes, (size_t)n);
    }
    return NULL;
}

static struct err *write_list(const struct list_source *from, const struct cert_crl *crl,
                              size_t entries_bytes, int fd, size_t *ret_total)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(64 * 1024);
    struct cert_crl_writer w;

    TRY(cert_crl_begin(&w, crl, entries_bytes, arena, to_fd, &fd, ret_total));
    for (;;) {
        struct cert_crl_entry entry;
        bool more;
        TRY(from->next(from->arg, &entry, &more));
        if (!more)
            break;
        TRY(cert_crl_add(&w, &entry));
    }
    TRY(cert_crl_end(&w));
out:
    arena_free(arena);
    return e;
}

/* --- where it lies --- */

void list_drop(struct shelf *shelf, struct list_built *built)
{
    if (*built->file.name)
        shelf_file_drop(shelf, &built->file);
    else if (built->file.fd >= 0)
        close(built->file.fd);
    built->file.fd = -1;
}

/* What stays in memory has room for the longest signature of any key, and begins behind what is not needed.
 */
enum { SIGNATURE_ROOM = 1024 };

/* How long the head of the CRL will be: its length is known but for a few octets of the signature's. */
static struct err *head_bytes(size_t tbs_bytes, enum cert_alg alg, size_t signature_bytes, size_t *ret)
{
    struct err *e = NULL;
    struct view head, tail;
    struct arena *arena = arena_new(64 * 1024);
    uint8_t *any = arena_alloc(arena, signature_bytes + 1);
    memset(any, 0, signature_bytes + 1);
    TRY(cert_seal_around(tbs_bytes, alg, view_of(any, signature_bytes), arena, &head, &tail));
    *ret = head.n;
out:
    arena_free(arena);
    return e;
}

static struct err *into_nothing(void *arg, struct view bytes)
{
    (void)arg, (void)bytes;
    return NULL;
}

static struct err *total_bytes(const struct cert_crl *crl, size_t entries_bytes, size_t *ret)
{
    struct cert_crl_writer w;
    struct arena *arena = arena_new(64 * 1024);
    struct err *e = cert_crl_begin(&w, crl, entries_bytes, arena, into_nothing, NULL, ret);
    arena_free(arena);
    return e;
}

static struct err *make_room(const struct list_want *want, struct list_built *built)
{
    struct err *e = NULL;
    if (built->bytes > want->small_bytes)
        TRY(shelf_file_new(want->shelf, &built->file));
    else
        built->file.fd = memfd_create("crl", MFD_CLOEXEC);
    if (built->file.fd < 0)
        TRY(err_sys(ERR_IO, errno, "no memory for a list"));
    if (lseek(built->file.fd, (off_t)built->at, SEEK_SET) < 0)
        TRY(err_sys(ERR_IO, errno, "no room for a list"));
out:
    return e;
}

static struct err *build_from(const struct list_source *from, const struct list_want *want,
                              const struct cert_crl *crl, struct list_built *built)
{
    struct err *e = NULL;
    size_t entries_bytes;

    TRY(count(from, &entries_bytes, &built->entries));
    from->rewind(from->arg);
    TRY(total_bytes(crl, entries_bytes, &built->bytes));
    size_t room = built->bytes > want->small_bytes ? 0 : SIGNATURE_ROOM;
    TRY(head_bytes(built->bytes, crl->alg, want->signature_bytes + room, &built->at));
    TRY(make_room(want, built));
    TRY(write_list(from, crl, entries_bytes, built->file.fd, NULL));
out:
    return e;
}

struct err *list_build(const struct list_want *want, struct cert_crl *crl, struct list_built *ret)
{
    struct err *e = NULL;
    struct ledger_revoked *walk = NULL;
    struct changes *changes = NULL;
    struct list_source from = {.next = walk_next, .rewind = walk_rewind};
    struct list_built built = {.file = {.fd = -1}};

    if (want->scope == LEDGER_DELTA) {
        TRY(changes_open(want->ledger, want->issuer, crl, &changes));
        built.upto = changes_upto(changes);
        from = changes_source(changes);
    } else {
        TRY(ledger_revoked_open(want->ledger, want->issuer, want->scope, &walk));
        built.upto = ledger_revoked_upto(walk);
        from.arg = walk;
    }
    TRY(build_from(&from, want, crl, &built));
    *ret = built;
    built.file.fd = -1;
out:
    list_drop(want->shelf, &built);
    ledger_revoked_close(walk);
    changes_free(changes);
    return e;
}

/* --- the signature around it --- */

static struct err *write_at(int fd, struct view bytes, size_t at)
{
    while (bytes.n > 0) {
        ssize_t n = world_pwrite(fd, bytes.p, bytes.n, (off_t)at);
        if (n < 0)
            return err_sys(ERR_NO_SPACE, errno, "no room for the signature of a list");
        bytes = view_from(bytes, (size_t)n);
        at += (size_t)n;
    }
    return NULL;
}

/* Piece by piece: hashed, and of what is small kept too. */
static struct err *read_back(int fd, size_t from, size_t total, uint8_t *der, uint8_t sha256[SHA256_BYTES])
{
    struct err *e = NULL;
    struct digest *digest = digest_new();
    struct blob_in *in = calloc(1, sizeof *in);
    struct view piece;
    CHECK(in);
    in->fd = fd;
    in->at = from;
    in->n = from + total;
    for (;;) {
        uint64_t at = in->at;
        TRY(blob_next(in, &piece));
        if (piece.n == 0)
            break;
        digest_add(digest, piece);
        if (der)
            memcpy(der + at - from, piece.p, piece.n);
    }
    digest_done(digest, sha256);
    digest = NULL;
out:
    digest_free(digest);
    free(in);
    return e;
}

struct err *list_finish(struct list_built *built, enum cert_alg alg, struct view signature,
                        struct arena *arena, struct view *ret_der, uint8_t sha256[SHA256_BYTES])
{
    struct err *e = NULL;
    struct view head, tail;
    uint8_t *der = NULL;
    TRY(cert_seal_around(built->bytes, alg, signature, arena, &head, &tail));
    bool fits = head.n <= built->at && (head.n == built->at || !*built->file.name);
    if (!fits) /* so rare that it is simply made again: a file of 16 MiB, all but a few octets */
        TRY(err_new(ERR_CONFLICT, "the signature of a list has another length than the last one"));
    size_t from = built->at - head.n;
    TRY(write_at(built->file.fd, head, from));
    TRY(write_at(built->file.fd, tail, built->at + built->bytes));
    size_t total = head.n + built->bytes + tail.n;
    if (!*built->file.name)
        der = arena_alloc(arena, total);
    TRY(read_back(built->file.fd, from, total, der, sha256));
    *ret_der = view_of(der, der ? total : 0);
out:
    return e;
}
