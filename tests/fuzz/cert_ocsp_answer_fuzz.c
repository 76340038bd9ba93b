/* OCSP answers: what the vault reads to add a nonce is written again the same. */
#include "fuzz.h"

#include "cert/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct view in = view_of(data, size);
    struct cert_ocsp_answer answer;
    struct view tbs;
    struct err *e = cert_ocsp_open(in, arena, &answer);
    if (!e && answer.status == CERT_OCSP_SUCCESSFUL) {
        CHECK(!cert_ocsp_data_write(&answer.data, arena, &tbs));
        CHECK(view_eq(tbs, answer.sealed.tbs));
    }
    err_free(e);
    arena_free(arena);
    return 0;
}
