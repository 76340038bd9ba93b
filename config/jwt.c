/* The `jwt` part of chancery.yaml. What the expressions say is judged by those who use them. Any thread. */
#include "jwt.h"

#include <string.h>

#include "rows.h"

static bool name_ok(const char *name)
{
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

static struct err *one(const struct conf *conf, const json_t *node, struct arena *arena,
                       const struct config *of, struct config_jwt *to)
{
    const struct config_group *g = config_group(ROWS_JWT);
    struct err *e = conf_fill(conf, node, g->rows, g->n, arena, to);
    if (e)
        return e;
    if (!name_ok(to->name))
        return conf_error(conf, json_object_get(node, "name"),
                          "'%s' is not a name of lower-case letters, digits and hyphens", to->name);
    if (to->keys[0] != '/')
        to->keys = arena_printf(arena, "%s/%s", of->dir, to->keys);
    return NULL;
}

struct err *jwt_fill(const struct conf *conf, const json_t *node, struct arena *arena, struct config *to)
{
    struct err *e = NULL;
    size_t n = json_array_size(node);
    if (!node)
        return NULL;
    if (!json_is_array(node) || n > CONFIG_JWTS_MAX)
        return conf_error(conf, node, "jwt is a list of at most %d", CONFIG_JWTS_MAX);
    struct config_jwt *items = arena_array(arena, n, sizeof *items);
    for (size_t i = 0; i < n; i++) {
        TRY(one(conf, json_array_get(node, i), arena, to, &items[i]));
        for (size_t k = 0; k < i; k++)
            if (strcmp(items[k].name, items[i].name) == 0 || strcmp(items[k].issuer, items[i].issuer) == 0)
                TRY(conf_error(conf, json_array_get(node, i), "a second one of this name or issuer"));
    }
    to->jwt = (struct config_jwts){n, items};
out:
    return e;
}
