/* Requests: read; where one is taken its names and key are good for all that follows. */
#include "fuzz.h"

#include "cert/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct view in = view_of(data, size);
    struct cert_csr csr;
    struct err *e = cert_csr_parse(in, arena, &csr);
    if (!e) {
        for (size_t i = 0; i < csr.san_count; i++)
            e = e ? e : cert_san_check(&csr.sans[i]);
        CHECK(!e);
        (void)cert_name_text(&csr.subject, arena);
        e = cert_csr_verify(&csr);
    }
    err_free(e);
    arena_free(arena);
    return 0;
}
