/* Lists read from a file through a window: exactly what cert takes as a whole is taken, with the same entries
 * and the same hash. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "list_reader.h"

static struct err *count(void *arg, const struct cert_crl_entry *entry)
{
    *(size_t *)arg += entry->serial.n;
    return NULL;
}

static struct err *whole(struct view in, size_t *ret_octets)
{
    struct err *e = NULL;
    struct cert_crl crl;
    struct cert_crl_entry entry;
    TRY(cert_crl_read_any(in, &crl));
    for (struct view entries = crl.entries; entries.n; *ret_octets += entry.serial.n)
        TRY(cert_crl_next(&entries, &entry));
out:
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct list_file file = {.fd = memfd_create("list", MFD_CLOEXEC), .bytes = size};
    struct list_read read;
    size_t by_window = 0, by_whole = 0;
    uint8_t sha256[SHA256_BYTES];
    CHECK(file.fd >= 0 && (size == 0 || write(file.fd, data, size) == (ssize_t)size));
    struct err *e = whole(view_of(data, size), &by_whole);
    struct err *e2 = list_reader_run(&file, CERT_ALG_ECDSA_SHA256, count, &by_window, arena, &read);
    CHECK(!e == !e2);
    if (!e) {
        digest_sha256(view_of(data, size), sha256);
        CHECK(by_window == by_whole && digest_eq(read.sha256, sha256, sizeof sha256));
    }
    err_free(e);
    err_free(e2);
    close(file.fd);
    arena_free(arena);
    return 0;
}
