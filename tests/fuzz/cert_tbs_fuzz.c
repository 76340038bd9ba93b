/* Certificates: the strict reader takes only what the writer would write. */
#include "fuzz.h"

#include "cert/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct view in = view_of(data, size);
    struct cert_sealed sealed;
    struct cert_tbs tbs;
    struct cert_chain_cert cert;
    struct view again;
    struct err *e = cert_tbs_open(in, arena, &sealed, &tbs);
    if (!e && cert_alg_scheme(tbs.alg) == CERT_SCHEME_ECDSA) { /* RSA may leave NULL parameters out */
        CHECK(!cert_tbs_write(&tbs, arena, &again));
        CHECK(view_eq(again, sealed.tbs));
    }
    if (!e)
        e = cert_chain_read(in, arena, &cert);
    if (!e)
        e = cert_chain_link(&cert, &cert, 0, INT64_MIN);
    err_free(e);
    arena_free(arena);
    return 0;
}
