/* The frames of a check: what is taken is written again the same. */
#include "fuzz.h"

#include "errand_check.h"

static void same(struct view written, struct view in)
{
    CHECK(view_eq(written, in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 20);
    struct view in = view_of(data, size), again;
    struct courier_check check;
    struct courier_finding finding;
    struct err *e = size > ERRAND_BODY_MAX ? NULL : errand_check_read(in, arena, &check);
    if (!e && size <= ERRAND_BODY_MAX) {
        CHECK(!errand_check_write(&check, arena, &again));
        same(again, in);
    }
    err_free(e);
    e = size > ERRAND_BODY_MAX ? NULL : errand_found_read(in, arena, &finding);
    if (!e && size <= ERRAND_BODY_MAX) {
        CHECK(!errand_found_write(&finding, arena, &again));
        same(again, in);
    }
    err_free(e);
    arena_free(arena);
    return 0;
}
