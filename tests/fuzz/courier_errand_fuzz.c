/* Frames between front and courier: the first octet says which; what is taken is written again the same. */
#include "fuzz.h"

#include "errand.h"

static void put(struct view in, struct arena *arena)
{
    struct courier_put p = {.fd = -1};
    struct view back = {NULL, 0};
    struct err *e = errand_put_read(in, arena, &p);
    if (!e) {
        CHECK(!errand_put_write(&p, arena, &back));
        CHECK(view_eq(in, back));
    }
    err_free(e);
}

static void done(struct view in, struct arena *arena)
{
    static const enum errand_outcome outcomes[] = {ERRAND_WELL, ERRAND_FAILED, ERRAND_NO_PLACE, ERRAND_BUSY};
    bool malformed = false, again = false;
    struct view back;
    struct err *e = errand_done_read(in, arena, &malformed), *e2;
    for (size_t i = 0; !malformed && i < sizeof outcomes / sizeof *outcomes; i++) {
        CHECK(!errand_done_write(outcomes[i], e ? err_detail(e) : "", arena, &back));
        e2 = errand_done_read(back, arena, &again);
        CHECK(!again);
        err_free(e2);
    }
    CHECK(!malformed || e);
    err_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct view in = view_from(view_of(data, size), 1);
    if (size && data[0] % 2 == 0)
        put(in, arena);
    else if (size)
        done(in, arena);
    arena_free(arena);
    return 0;
}
