/*
 * Taking up the segments that lie in the folder: those that follow each other from the log's first entry on,
 * the longest stretch where several begin at the same one. All others are left over from a merge or of
 * another log, and are removed. Reads no segment but its footer.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "base/world.h"
#include "finder_set.h"

struct found {
    struct segment **all;
    size_t n, cap;
};

static bool is_segment(const char *name)
{
    return strlen(name) == 33 && strspn(name, "0123456789abcdef-") == 33 && name[16] == '-';
}

static struct err *look_at(struct finder *f, const char *name, struct found *to)
{
    char path[4096];
    struct segment *s;
    if (name[0] == '.')
        return NULL;
    snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    struct err *e =
        is_segment(name) ? segment_open(path, &s) : err_new(ERR_CORRUPT, "%s is no segment", path);
    if (e && (err_code(e) == ERR_CORRUPT || err_code(e) == ERR_NOT_FOUND)) {
        if (!f->readonly)
            world_unlink(path);
        err_free(e);
        return NULL;
    }
    if (e)
        return e;
    if (to->n == to->cap) {
        to->cap = to->cap ? 2 * to->cap : 64;
        to->all = reallocarray(to->all, to->cap, sizeof(*to->all));
        CHECK(to->all);
    }
    to->all[to->n++] = s;
    return NULL;
}

static struct err *read_folder(struct finder *f, struct found *to)
{
    struct err *e = NULL;
    const struct dirent *entry;
    DIR *d = opendir(f->dir);
    if (!d)
        return errno == ENOENT ? NULL : err_sys(ERR_IO, errno, "%s", f->dir);
    while (!e && (entry = readdir(d)) != NULL)
        e = look_at(f, entry->d_name, to);
    closedir(d);
    return e;
}

static struct err *is_ours(const struct segment *s, const struct finder_setup *setup, bool *ret)
{
    struct err *e = NULL;
    uint8_t leaf[SHA256_BYTES];
    *ret = false;
    if (s->head.to > setup->entries)
        return NULL;
    TRY(setup->leaf_of(setup->arg, s->head.to, leaf));
    *ret = memcmp(leaf, s->head.leaf, sizeof(leaf)) == 0;
out:
    return e;
}

/* The longest of those that begin at this entry; taken out of `found`. */
static struct err *take_next(struct found *found, const struct finder_setup *setup, uint64_t from,
                             struct segment **ret)
{
    struct err *e = NULL;
    size_t best = found->n;
    *ret = NULL;
    for (size_t i = 0; i < found->n; i++) {
        bool ours = false;
        const struct segment *s = found->all[i];
        if (!s || s->head.from != from || (best < found->n && s->head.to < found->all[best]->head.to))
            continue;
        TRY(is_ours(s, setup, &ours));
        best = ours ? i : best;
    }
    if (best == found->n)
        return NULL;
    *ret = found->all[best];
    found->all[best] = NULL;
out:
    return e;
}

struct err *finder_files_take(struct finder *f, const struct finder_setup *setup)
{
    struct err *e = NULL;
    struct found found = {.n = 0};
    struct segment *s;
    TRY(read_folder(f, &found));
    while (f->segments_n < FINDER_SEGMENTS - 1) {
        TRY(take_next(&found, setup, f->next, &s));
        if (!s)
            break;
        f->segments[f->segments_n++] = s;
        f->next = s->head.to + 1;
    }
out:
    for (size_t i = 0; i < found.n; i++) {
        if (e || f->readonly)
            segment_free(found.all[i]);
        else
            segment_remove(found.all[i]);
    }
    free(found.all);
    return e;
}
