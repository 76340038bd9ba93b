/* From the sealed memfd into the warden's folder. Parses nothing but the generation's frame. */
#include "keep.h"

#include "base/world.h"
#include "config_kept.h"

void keep_generation(const struct config *c, int generation_fd)
{
    struct generation g;
    uint8_t sha256[SHA256_BYTES];
    struct arena *arena = arena_new(2 * (size_t)GENERATION_ARENA_BYTES);
    struct err *e = generation_open(generation_fd, arena, &g, sha256);
    if (!e)
        e = config_kept_add(c->paths.run, &g, world_now_s(), arena);
    if (e)
        log_warn("generation.unkept", log_err(e));
    err_free(e);
    arena_free(arena);
}
