/*
 * subjectDirectoryAttributes of a template (RFC 5280 4.2.1.8): read once, written once, the same in every
 * certificate.
 *
 * Any thread.
 */
#include "cert/ext_custom.h"

#include "load.h"

static struct err *load_values(struct load *l, const json_t *list, struct cert_views *ret)
{
    struct err *e = NULL;
    size_t n = json_array_size(list);
    if (n == 0 || n > CERT_DIRECTORY_VALUES_MAX)
        return conf_error(l->conf, list, "an attribute has a list of 1 to %d values, like ['printable:DE']",
                          CERT_DIRECTORY_VALUES_MAX);
    struct view *v = arena_array(l->arena, n, sizeof(v[0]));
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(list, i);
        if (!json_is_string(one))
            return conf_error(l->conf, one, "a value is a text like 'printable:DE'; quote it");
        TRY(load_placed(l, one, cert_ext_der_of_text(json_string_value(one), l->arena, &v[i])));
    }
    *ret = (struct cert_views){v, n};
out:
    return e;
}

struct err *directory_load(struct load *l)
{
    struct err *e = NULL;
    const json_t *tree = l->t->directory.node;
    struct cert_directory all = {NULL, 0};
    struct cert_ext ext;
    const char *key;
    json_t *list;
    if (!tree && l->t->nodes[GROUP_DIRECTORY])
        return load_error(l, GROUP_DIRECTORY, "values", "directory without values; leave the group out");
    if (!tree)
        return NULL;
    if (json_object_size(tree) == 0 || json_object_size(tree) > CERT_DIRECTORY_MAX)
        return conf_error(l->conf, tree, "'values' is a mapping of 1 to %d attributes", CERT_DIRECTORY_MAX);
    struct cert_directory_attr *v = arena_array(l->arena, json_object_size(tree), sizeof(v[0]));
    json_object_foreach((json_t *)tree, key, list)
    {
        TRY(load_placed(l, list, cert_ext_directory_parse(key, l->arena, &v[all.n].oid)));
        TRY(load_values(l, list, &v[all.n].values));
        all.n++;
    }
    all.v = v;
    TRY(load_placed(l, tree, cert_ext_write_directory(all, l->arena, &ext)));
    load_ready(l, ext);
    load_keep(l, &l->t->directory);
out:
    return e;
}
