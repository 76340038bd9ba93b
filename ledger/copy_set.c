/* The files of one backup: which there are, and in which order they follow each other. Reads names alone. */
#include "copy_set.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

static void add(struct copy_set *s, struct copy_name name)
{
    s->files = reallocarray(s->files, s->n + 1, sizeof(*s->files));
    CHECK(s->files);
    s->files[s->n++] = name;
}

static struct err *read_names(const char *dir, struct copy_set *ret)
{
    const struct dirent *entry;
    struct copy_name name;
    DIR *d = opendir(dir);
    if (!d)
        return errno == ENOENT ? NULL : err_sys(ERR_IO, errno, "%s", dir);
    while ((entry = readdir(d)) != NULL)
        if (copy_name_read(entry->d_name, &name))
            add(ret, name);
    closedir(d);
    return NULL;
}

/* By beginning, the longer first. */
static int in_order(const void *a, const void *b)
{
    const struct copy_name *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->to > y->to ? -1 : x->to < y->to;
}

struct err *copy_set_read(const char *dir, struct copy_set *ret)
{
    struct copy_set s = {.n = 0};
    uint64_t next = 1;
    size_t kept = 0;
    struct err *e = read_names(dir, &s);
    if (s.n > 0)
        qsort(s.files, s.n, sizeof(*s.files), in_order);
    for (size_t i = 0; !e && i < s.n; i++) {
        if (s.files[i].from > next)
            e = err_new(ERR_CORRUPT, "%s: entries %" PRIu64 " to %" PRIu64 " are missing", dir, next,
                        s.files[i].from - 1);
        if (e || s.files[i].from < next)
            continue;
        next = s.files[i].to + 1;
        s.files[kept++] = s.files[i];
    }
    s.n = kept;
    if (e)
        copy_set_free(&s);
    else
        *ret = s;
    return e;
}

void copy_set_free(struct copy_set *s)
{
    free(s->files);
    *s = (struct copy_set){.n = 0};
}

void copy_set_path(const char *dir, const struct copy_name *name, char ret[COPY_PATH_BYTES])
{
    int n =
        snprintf(ret, COPY_PATH_BYTES, "%s/%016" PRIx64 "-%016" PRIx64 ".entries", dir, name->from, name->to);
    CHECK(n > 0);
    if (n >= COPY_PATH_BYTES)
        ret[0] = 0; /* it cannot be opened, and says so */
}

struct err *copy_set_open(const char *dir, const struct copy_name *name, const struct tree *before,
                          struct copy **ret)
{
    struct err *e = NULL;
    struct copy *c = NULL;
    char path[COPY_PATH_BYTES];
    copy_set_path(dir, name, path);
    TRY(copy_open(path, &c));
    if (c->name.from != name->from || c->name.to != name->to)
        TRY(err_new(ERR_CORRUPT, "%s holds entries %" PRIu64 " to %" PRIu64, path, c->name.from, c->name.to));
    if (before && !tree_eq(&c->before, before))
        TRY(err_new(ERR_CORRUPT, "%s does not follow the file before it", path));
    *ret = c;
    c = NULL;
out:
    copy_close(c);
    return e;
}
