/* Subject alternative names: DER and text; what is taken goes both ways unchanged. */
#include "fuzz.h"

#include "cert/san.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct view in = view_of(data, size);
    struct cert_san *sans = NULL, again;
    struct view der;
    size_t n = 0;
    const struct cert_san_limits limits = {.allow_other = true};
    struct err *e = cert_san_read(in, &limits, arena, &sans, &n);
    for (size_t i = 0; !e && i < n; i++) {
        struct err *shown_only = cert_san_of_text(view_str(cert_san_text(&sans[i], arena)), arena, &again);
        if (shown_only) /* names of other forms, arcs beyond 64 bits */
            CHECK(sans[i].kind == CERT_SAN_DIRECTORY || sans[i].kind == CERT_SAN_OTHER ||
                  sans[i].kind == CERT_SAN_RID);
        else if (sans[i].kind != CERT_SAN_DIRECTORY)
            CHECK(cert_san_eq(&again, &sans[i]));
        err_free(shown_only);
    }
    if (!e)
        CHECK(!cert_san_write(sans, n, arena, &der) && der.n == size);
    err_free(e);
    err_free(cert_san_of_text(in, arena, &again));
    arena_free(arena);
    return 0;
}
