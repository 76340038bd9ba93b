/* Distinguished names: DER taken, shown as text, and the text read again gives the same text. */
#include "fuzz.h"

#include "cert/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct view in = view_of(data, size);
    struct cert_name name;
    struct view der;
    struct err *e = cert_name_parse(in, arena, &name);
    if (!e) {
        const char *text = cert_name_text(&name, arena);
        e = cert_name_of_text(text, arena, &der);
        if (!e) {
            CHECK(!cert_name_parse(der, arena, &name));
            CHECK(strcmp(cert_name_text(&name, arena), text) == 0);
        }
    }
    err_free(e);
    err_free(cert_name_of_text(arena_str(arena, in), arena, &der));
    arena_free(arena);
    return 0;
}
