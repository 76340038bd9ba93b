/*
 * Kept generations: one file each, named by time and content. Never changes one that is there. Any thread.
 */
#include "config_kept.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"

enum { TIME_DIGITS = 12 };

/* "000001795242-0123456789ab.der" */
static bool read_name(const char *name, struct config_kept *ret, struct arena *arena)
{
    char *end;
    struct view v = view_str(name);
    if (v.n != TIME_DIGITS + 1 + CONFIG_KEPT_ID + 4 || !view_ends(v, view_str(".der")))
        return false;
    ret->at = strtoll(name, &end, 10);
    ret->id = arena_str(arena, view_of(name + TIME_DIGITS + 1, CONFIG_KEPT_ID));
    return end == name + TIME_DIGITS && *end == '-';
}

static int is_kept(const struct dirent *d)
{
    return view_ends(view_str(d->d_name), view_str(".der"));
}

static int newest_first(const struct dirent **a, const struct dirent **b)
{
    return -view_cmp(view_str((*a)->d_name), view_str((*b)->d_name));
}

static const char *folder_of(const char *run, struct arena *arena)
{
    return arena_printf(arena, "%s/generations", run);
}

struct err *config_kept_list(const char *run, struct arena *arena, const struct config_kept **ret,
                             size_t *ret_n)
{
    const char *folder = folder_of(run, arena);
    struct dirent **list = NULL;
    int n = scandir(folder, &list, is_kept, newest_first);
    if (n < 0 && errno != ENOENT)
        return err_sys(ERR_IO, errno, "%s", folder);
    struct config_kept *all = arena_array(arena, n > 0 ? (size_t)n : 0, sizeof *all);
    size_t found = 0;
    for (int i = 0; i < n; i++) {
        all[found].path = arena_printf(arena, "%s/%s", folder, list[i]->d_name);
        found += read_name(list[i]->d_name, &all[found], arena);
        free(list[i]);
    }
    free(list);
    *ret = all;
    *ret_n = found;
    return NULL;
}

struct err *config_kept_read(const struct config_kept *kept, struct arena *arena, struct generation *ret)
{
    struct err *e = NULL;
    struct view der;
    TRY(file_read(kept->path, GENERATION_BYTES_MAX, arena, &der));
    TRY(generation_decode(der, arena, ret));
out:
    return err_wrap(e, "%s", kept->path);
}

static const char *id_of(const struct generation *g, struct arena *arena)
{
    uint8_t hash[SHA256_BYTES];
    struct view *parts = arena_array(arena, g->n * 3, sizeof *parts);
    for (size_t i = 0; i < g->n; i++) {
        uint8_t inner[SHA256_BYTES];
        digest_sha256(g->files[i].bytes, inner);
        parts[3 * i] = view_str(g->files[i].name);
        parts[3 * i + 1] = view_of("", 1);
        parts[3 * i + 2] = arena_dup(arena, view_of(inner, sizeof inner));
    }
    digest_sha256_parts(parts, g->n * 3, hash);
    return arena_str(arena, view_of(hex_of(arena, view_of(hash, sizeof hash)), CONFIG_KEPT_ID));
}

struct err *config_kept_add(const char *run, const struct generation *g, int64_t now_s, struct arena *arena)
{
    struct err *e = NULL;
    const struct config_kept *all;
    size_t n;
    struct view der;
    const char *id = id_of(g, arena);
    TRY(file_mkdir(folder_of(run, arena), 0700));
    TRY(config_kept_list(run, arena, &all, &n));
    if (n > 0 && strcmp(all[0].id, id) == 0)
        return NULL;
    TRY(generation_encode(g, arena, &der));
    /* A clock that went back must not put the newest behind older ones. */
    if (n > 0 && now_s <= all[0].at)
        now_s = all[0].at + 1;
    TRY(file_write(
        arena_printf(arena, "%s/%0*lld-%s.der", folder_of(run, arena), TIME_DIGITS, (long long)now_s, id),
        der, 0600));
    for (size_t i = CONFIG_KEPT_MAX - 1; i < n; i++)
        unlink(all[i].path);
out:
    return e;
}
