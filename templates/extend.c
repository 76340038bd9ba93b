/*
 * `extends`: what a template leaves out it has from another, field by field; conditions come on top of the
 * other's. That it says no more than the other where it does speak is narrow.c's affair.
 *
 * Works on the files' trees, before anything is filled. Any thread.
 */
#include "extend.h"

const char *extend_name(const struct conf *c)
{
    return json_string_value(json_object_get(conf_root(c), "extends"));
}

/* What belongs to one file alone. */
static bool is_own(const char *key)
{
    static const char *const own[] = {"name", "description", "enabled", "extends"};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (strcmp(own[i], key) == 0)
            return true;
    }
    return false;
}

/* Usages of the template's own take the place of those that could be asked for, and the other way round. */
static bool replaced(const char *group, const json_t *to, const char *key)
{
    if (strcmp(group, "key_usage") != 0 && strcmp(group, "extended_key_usage") != 0)
        return false;
    bool usages = json_object_get(to, "usages") || json_object_get(to, "rsa");
    if (strcmp(key, "from") == 0 || strcmp(key, "allow") == 0)
        return usages;
    return (strcmp(key, "usages") == 0 || strcmp(key, "rsa") == 0) && json_object_get(to, "from");
}

static struct err *fill_group(struct load *l, const char *group, json_t *to, const json_t *from,
                              const json_t *at)
{
    struct err *e = NULL;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)from, key, value)
    {
        if (!json_object_get(to, key) && !replaced(group, to, key))
            TRY(conf_inherit(l->conf, to, key, value, at));
    }
out:
    return e;
}

static struct err *add_elements(struct load *l, json_t *to, const json_t *from, const json_t *at)
{
    struct err *e = NULL;
    size_t i;
    json_t *value;
    json_array_foreach(from, i, value) TRY(conf_inherit(l->conf, to, NULL, value, at));
out:
    return e;
}

static struct err *fill_from(struct load *l, const json_t *from)
{
    struct err *e = NULL;
    json_t *root = (json_t *)conf_root(l->conf);
    const json_t *at = json_object_get(root, "extends");
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)from, key, value)
    {
        json_t *have = json_object_get(root, key);
        if (is_own(key))
            continue;
        if (!have)
            TRY(conf_inherit(l->conf, root, key, value, at));
        else if (json_is_object(have) && json_is_object(value))
            TRY(fill_group(l, key, have, value, at));
        else if (strcmp(key, "conditions") == 0 && json_is_array(have))
            TRY(add_elements(l, have, value, at));
    }
out:
    return e;
}

struct err *extend_fill(struct load *l, const struct template *parent)
{
    struct err *e = NULL;
    struct conf *conf = NULL;
    size_t depth = 0;
    for (const struct template *up = parent; up; up = up->parent) {
        if (++depth > EXTEND_DEPTH_MAX)
            TRY(load_error(l, GROUP__COUNT, "extends", "templates extend each other more than %d deep",
                           EXTEND_DEPTH_MAX));
        TRY(conf_parse(up->file->name, up->file->bytes, &conf));
        TRY(fill_from(l, conf_root(conf)));
        conf_free(conf);
        conf = NULL;
    }
out:
    conf_free(conf);
    return e;
}
