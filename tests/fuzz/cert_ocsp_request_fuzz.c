/* OCSP requests. */
#include "fuzz.h"

#include "cert/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct view in = view_of(data, size);
    struct cert_ocsp_request request;
    struct err *e = cert_ocsp_request_parse(in, arena, &request);
    if (!e)
        CHECK(request.n >= 1 && request.n <= LIMIT_OCSP_REQUESTS);
    err_free(e);
    arena_free(arena);
    return 0;
}
