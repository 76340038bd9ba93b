/*
 * Streams a list out of the ledger's index of revocations: once to count its octets, once to write them. The
 * index is in serial order, so nothing is sorted and nothing kept. On the builder's thread.
 */
#include "list.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"

static struct cert_crl_entry entry_of(const struct ledger_revocation *r)
{
    return (struct cert_crl_entry){
        .serial = r->serial,
        .revoked_at = r->at,
        .reason = (enum cert_reason)r->reason,
        .has_invalidity = r->invalidity != 0,
        .invalid_from = r->invalidity,
    };
}

static struct err *count(struct ledger_revoked *walk, size_t *ret_bytes, uint64_t *ret_entries)
{
    struct err *e = NULL;
    size_t bytes = 0;
    uint64_t entries = 0;
    for (;;) {
        struct ledger_revocation r;
        bool more;
        TRY(ledger_revoked_next(walk, &r, &more));
        if (!more)
            break;
        struct cert_crl_entry entry = entry_of(&r);
        bytes += cert_crl_entry_bytes(&entry);
        entries++;
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
        ssize_t n = write(*fd, bytes.p, bytes.n); /* memory, not the outside world */
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(ERR_NO_SPACE, errno, "no memory for a list being built");
        bytes = view_from(bytes, (size_t)n);
    }
    return NULL;
}

static struct err *write_list(struct ledger_revoked *walk, const struct cert_crl *crl, size_t entries_bytes,
                              int fd, size_t *ret_total)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(64 * 1024);
    struct cert_crl_writer w;

    TRY(cert_crl_begin(&w, crl, entries_bytes, arena, to_fd, &fd, ret_total));
    for (;;) {
        struct ledger_revocation r;
        bool more;
        TRY(ledger_revoked_next(walk, &r, &more));
        if (!more)
            break;
        struct cert_crl_entry entry = entry_of(&r);
        TRY(cert_crl_add(&w, &entry));
    }
    TRY(cert_crl_end(&w));
out:
    arena_free(arena);
    return e;
}

struct err *list_build(struct ledger *ledger, const char *issuer, const struct cert_crl *crl,
                       struct list_built *ret)
{
    struct err *e = NULL;
    struct ledger_revoked *walk = NULL;
    struct list_built built = {.fd = -1};
    size_t entries_bytes;

    TRY(ledger_revoked_open(ledger, issuer, &walk));
    built.upto = ledger_revoked_upto(walk);
    TRY(count(walk, &entries_bytes, &built.entries));
    ledger_revoked_rewind(walk);
    built.fd = memfd_create("crl", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (built.fd < 0)
        TRY(err_sys(ERR_IO, errno, "no memory for a list"));
    TRY(write_list(walk, crl, entries_bytes, built.fd, &built.bytes));
    if (fcntl(built.fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
        TRY(err_sys(ERR_IO, errno, "sealing a list's memory"));
    *ret = built;
    built.fd = -1;
out:
    if (built.fd >= 0)
        close(built.fd);
    ledger_revoked_close(walk);
    return e;
}

struct err *list_join(int tbs_fd, size_t tbs_bytes, enum cert_alg alg, struct view signature,
                      struct arena *arena, struct view *ret_der)
{
    struct err *e = NULL;
    struct view head, tail;
    uint8_t *der;
    void *tbs = mmap(NULL, tbs_bytes, PROT_READ, MAP_SHARED, tbs_fd, 0);

    if (tbs == MAP_FAILED)
        return err_sys(ERR_IO, errno, "mapping a list");
    TRY(cert_seal_around(tbs_bytes, alg, signature, arena, &head, &tail));
    der = arena_alloc(arena, head.n + tbs_bytes + tail.n);
    memcpy(der, head.p, head.n);
    memcpy(der + head.n, tbs, tbs_bytes);
    memcpy(der + head.n + tbs_bytes, tail.p, tail.n);
    *ret_der = view_of(der, head.n + tbs_bytes + tail.n);
out:
    CHECK(munmap(tbs, tbs_bytes) == 0);
    return e;
}
