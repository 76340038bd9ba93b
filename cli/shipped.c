/*
 * chancery template shipped, add: the templates that came with the program, and one of them put into the
 * daemon's folder. Without a daemon; what is there already is never written over, and nothing is written that
 * would not load.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli.h"
#include "templates.h"

struct shipped {
    const char *file;
    struct view bytes;
    struct templates *set; /* the file alone */
    const struct template *t;
};

/* Builtin ones first, then AWS's. False past the last. */
static bool file_at(size_t i, struct shipped *ret)
{
    size_t builtins = 0;
    const char *name;
    struct view bytes;
    while (templates_builtin(builtins, &name, &bytes))
        builtins++;
    return i < builtins ? templates_builtin(i, &ret->file, &ret->bytes)
                        : templates_aws(i - builtins, &ret->file, &ret->bytes);
}

/* The caller frees ret->set. */
static struct err *shipped_at(size_t i, struct shipped *ret, bool *ret_there)
{
    struct err *e = NULL;
    *ret_there = file_at(i, ret);
    if (!*ret_there)
        return NULL;
    const struct templates_file file = {ret->file, ret->bytes};
    TRY(templates_load(&file, 1, &ret->set));
    ret->t = templates_at(ret->set, 0);
out:
    return e;
}

static struct err *find(const char *name, struct shipped *ret)
{
    struct err *e = NULL;
    bool there = true;
    for (size_t i = 0; there; i++) {
        struct shipped s = {.set = NULL};
        TRY(shipped_at(i, &s, &there));
        if (there && strcmp(templates_name(s.t), name) == 0) {
            *ret = s;
            return NULL;
        }
        templates_free(s.set);
    }
    e = err_new(ERR_TEMPLATE_UNKNOWN,
                "no template '%s' came with this program; see chancery template shipped", name);
out:
    return e;
}

static struct err *list(struct cli *c)
{
    static const struct cli_column columns[] = {
        {"NAME", "name"}, {"INTERNAL", "internal"}, {"DESCRIPTION", "description"}};
    struct err *e = NULL;
    bool there = true;
    json_t *rows = json_array(), *answer = json_pack("{s:o}", "templates", rows);
    for (size_t i = 0; there; i++) {
        struct shipped s = {.set = NULL};
        TRY(shipped_at(i, &s, &there));
        if (there)
            json_array_append_new(rows, json_pack("{s:s, s:b, s:s}", "name", templates_name(s.t), "internal",
                                                  templates_internal(s.t), "description",
                                                  templates_description(s.t)));
        templates_free(s.set);
    }
    cli_print_list(c, answer, "templates", columns, 3);
out:
    json_decref(answer);
    return e;
}

struct err *shipped_show(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct shipped s = {.set = NULL};
    TRY(cli_options(NULL, 0, &argc, argv, 0, 1));
    if (argc == 0)
        return list(c);
    TRY(find(argv[0], &s));
    fwrite(s.bytes.p, 1, s.bytes.n, stdout);
out:
    templates_free(s.set);
    return e;
}

/* The folder's templates and the new one, as the daemon would load them. */
static struct err *check(struct cli *c, const struct config *config, const struct shipped *s)
{
    struct err *e = NULL;
    struct generation g;
    struct templates *set = NULL;
    size_t n = 0;
    TRY(config_gather_templates(config, c->arena, &g));
    struct templates_file *files = arena_array(c->arena, g.n + 1, sizeof *files);
    for (size_t i = 0; i < g.n; i++)
        if (strncmp(g.files[i].name, "templates/", 10) == 0)
            files[n++] = (struct templates_file){.name = g.files[i].name, .bytes = g.files[i].bytes};
    files[n++] = (struct templates_file){.name = s->file, .bytes = s->bytes};
    TRY(templates_load(files, n, &set));
out:
    templates_free(set);
    return e;
}

struct err *shipped_add(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct config *config = NULL;
    struct shipped s = {.set = NULL};
    struct stat st;
    TRY(cli_options(NULL, 0, &argc, argv, 1, 1));
    TRY(find(argv[0], &s));
    TRY(cli_config(c, &config));
    const char *path = arena_printf(c->arena, "%s/%s", config->templates, s.file);
    if (stat(path, &st) == 0)
        TRY(err_new(ERR_CONFLICT, "%s is there already; take it away first, or change it", path));
    TRY(check(c, config, &s));
    TRY(file_write(path, s.bytes, 0644));
    if (c->json) {
        json_t *tree = json_pack("{s:s, s:s}", "template", argv[0], "file", path);
        cli_print_json(tree);
        json_decref(tree);
    } else {
        printf("%s is in %s; the daemon takes it at its next reload (kill -HUP)\n", argv[0], path);
    }
out:
    config_free(config);
    templates_free(s.set);
    return e;
}
