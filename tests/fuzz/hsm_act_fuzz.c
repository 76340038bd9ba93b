/* Acts, what is signed over them, and pinned rosters: the first octet says which; what is taken is written
 * again the same. */
#include "fuzz.h"

#include "hsm_act.h"

static struct err *act(struct view in, struct arena *arena, struct view *ret)
{
    struct hsm_act a;
    struct err *e = hsm_act_read(in, arena, &a);
    return e ? e : hsm_act_write(&a, arena, ret);
}

static struct err *approved(struct view in, struct arena *arena, struct view *ret)
{
    struct hsm_act_approved *a = ARENA_NEW(arena, struct hsm_act_approved);
    struct err *e = hsm_act_approved_read(in, a);
    return e ? e : hsm_act_approved_write(a, arena, ret);
}

static struct err *roster(struct view in, struct arena *arena, struct view *ret)
{
    struct hsm_roster *r = NULL;
    struct err *e = hsm_roster_of_canonical(in, &r);
    if (!e)
        *ret = arena_dup(arena, hsm_roster_canonical(r));
    hsm_roster_free(r);
    return e;
}

static struct err *(*const kinds[])(struct view in, struct arena *arena, struct view *ret) = {act, approved,
                                                                                              roster};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct view in = view_from(view_of(data, size), 1), back = {NULL, 0};
    struct err *e = size ? kinds[data[0] % (sizeof kinds / sizeof *kinds)](in, arena, &back) : NULL;
    if (size && !e)
        CHECK(view_eq(in, back));
    err_free(e);
    arena_free(arena);
    return 0;
}
