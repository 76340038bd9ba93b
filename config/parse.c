/* Rows filled, paths resolved, names looked at: for the files that read chancery.yaml. Any thread. */
#include "parse.h"

#include "base/check.h"

struct err *parse_fill(struct parse *p, enum rows_group group, const json_t *node, void *to)
{
    const struct config_group *g = config_group(group);
    return conf_fill(p->conf, node, g->rows, g->n, p->arena, to);
}

struct err *parse_fill_optional(struct parse *p, enum rows_group group, const json_t *node, void *to)
{
    if (node)
        return parse_fill(p, group, node, to);
    json_t *empty = json_object();
    CHECK(empty);
    struct err *e = parse_fill(p, group, empty, to);
    json_decref(empty);
    return e;
}

const char *parse_path(struct parse *p, const char *path)
{
    if (path[0] == '/')
        return path;
    return arena_printf(p->arena, "%s/%s", p->to->dir, path);
}

struct conf_texts parse_paths(struct parse *p, struct conf_texts paths)
{
    const char **to = arena_array(p->arena, paths.n, sizeof *to);
    for (size_t i = 0; i < paths.n; i++)
        to[i] = parse_path(p, paths.items[i]);
    return (struct conf_texts){paths.n, to};
}

bool parse_name_ok(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > 63)
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}
