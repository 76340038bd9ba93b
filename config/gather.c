/*
 * Reads the files of one generation, each once, with a bound, into memory: from then on nobody looks at the
 * disk again. Checks names and sizes only; what the files say is judged by those who use them. Any thread.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "base/file.h"

enum {
    TEMPLATE_BYTES_MAX = 64 * 1024,
    ROSTER_BYTES_MAX = 256 * 1024,
    CERTIFICATE_BYTES_MAX = 64 * 1024,
    LIST_BYTES_MAX = 1 << 20,
    KEYS_BYTES_MAX = 64 * 1024
};

struct gather {
    struct arena *arena;
    struct generation_file *files;
    size_t n;
};

static struct err *add(struct gather *g, const char *name, struct view bytes)
{
    if (g->n == GENERATION_FILES_MAX)
        return err_new(ERR_TOO_MANY, "more than %d files in one generation", GENERATION_FILES_MAX);
    g->files[g->n++] = (struct generation_file){name, bytes};
    return NULL;
}

static struct err *add_path(struct gather *g, const char *name, const char *path, size_t max)
{
    struct err *e = NULL;
    struct view bytes;

    TRY(file_read(path, max, g->arena, &bytes));
    TRY(add(g, name, bytes));
out:
    return e;
}

static struct err *add_optional(struct gather *g, const char *name, const char *path, size_t max)
{
    struct err *e = add_path(g, name, path, max);
    if (!e || err_code(e) != ERR_NOT_FOUND)
        return e;
    err_free(e);
    return NULL;
}

static int is_template(const struct dirent *d)
{
    return d->d_name[0] != '.' && view_ends(view_str(d->d_name), view_str(".yaml"));
}

static struct err *add_templates(struct gather *g, const char *folder)
{
    struct err *e = NULL;
    struct dirent **list = NULL;
    int n = scandir(folder, &list, is_template, alphasort);

    if (n < 0)
        return err_sys(ERR_CONFIG, errno, "templates: %s", folder);
    for (int i = 0; i < n; i++)
        TRY(add_path(g, arena_printf(g->arena, "templates/%s", list[i]->d_name),
                     arena_printf(g->arena, "%s/%s", folder, list[i]->d_name), TEMPLATE_BYTES_MAX));
out:
    for (int i = 0; i < n; i++)
        free(list[i]);
    free(list);
    return e;
}

static struct err *add_issuer(struct gather *g, const struct config_issuer *i)
{
    struct err *e = NULL;
    TRY(add_path(g, arena_printf(g->arena, "issuers/%s.pem", i->name), i->certificate,
                 CERTIFICATE_BYTES_MAX));
    if (i->crl_file)
        TRY(add_path(g, arena_printf(g->arena, "issuers/%s.crl", i->name), i->crl_file, LIST_BYTES_MAX));
    for (size_t k = 0; k < i->cross.n; k++)
        TRY(add_path(g, arena_printf(g->arena, "issuers/%s.cross.%zu.pem", i->name, k), i->cross.items[k],
                     CERTIFICATE_BYTES_MAX));
out:
    return e;
}

const char *config_sigs_beside(struct arena *arena, const char *roster)
{
    const char *slash = strrchr(roster, '/');
    int n = slash ? (int)(slash - roster) : 0;
    return arena_printf(arena, "%.*s/roster.sigs", n, roster);
}

struct err *config_gather(const struct config *c, struct view config_bytes, uint32_t number,
                          struct arena *arena, struct generation *ret)
{
    struct err *e = NULL;
    struct gather g = {arena, arena_array(arena, GENERATION_FILES_MAX, sizeof *g.files), 0};

    TRY(add(&g, "chancery.yaml", config_bytes));
    TRY(add_path(&g, "roster.yaml", c->roster, ROSTER_BYTES_MAX));
    TRY(add_optional(&g, "roster.sigs", config_sigs_beside(arena, c->roster), ROSTER_BYTES_MAX));
    for (size_t i = 0; i < c->issuers_n; i++)
        TRY(add_issuer(&g, &c->issuers[i]));
    for (size_t i = 0; i < c->jwt.n; i++)
        TRY(add_path(&g, arena_printf(arena, "jwt/%s.json", c->jwt.items[i].name), c->jwt.items[i].keys,
                     KEYS_BYTES_MAX));
    TRY(add_templates(&g, c->templates));
    *ret = (struct generation){.number = number, .n = g.n, .files = g.files};
out:
    return e;
}

struct err *config_gather_templates(const struct config *c, struct arena *arena, struct generation *ret)
{
    struct gather g = {arena, arena_array(arena, GENERATION_FILES_MAX, sizeof *g.files), 0};
    struct err *e = add_templates(&g, c->templates);
    if (!e)
        *ret = (struct generation){.number = 1, .n = g.n, .files = g.files};
    return e;
}
