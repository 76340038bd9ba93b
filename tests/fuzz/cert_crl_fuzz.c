/* Lists: read in place; the entries of one that is taken are written again the same. */
#include "fuzz.h"

#include "cert/crl.h"

static struct err *nowhere(void *arg, struct view bytes)
{
    *(size_t *)arg += bytes.n;
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct view in = view_of(data, size);
    struct cert_crl crl;
    struct cert_crl_entry entry;
    struct cert_crl_writer w;
    size_t n = 0, written = 0;
    struct err *narrow = cert_crl_open(in, NULL, &crl);
    struct err *e = cert_crl_open_any(in, NULL, &crl);
    CHECK(narrow || (!e && !crl.is_delta && !crl.freshest.p));
    err_free(narrow);
    e = e ? e : cert_crl_check(&crl, &n);
    if (!e) {
        CHECK(!cert_crl_begin(&w, &crl, crl.entries.n, arena, nowhere, &written, NULL));
        for (struct view entries = crl.entries; entries.n;) {
            CHECK(!cert_crl_next(&entries, &entry));
            CHECK(!cert_crl_add(&w, &entry));
        }
        CHECK(!cert_crl_end(&w));
    }
    err_free(e);
    arena_free(arena);
    return 0;
}
