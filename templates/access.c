/*
 * freshestCRL, noRevAvail and subjectInfoAccess of a template: read once, written once, the same in every
 * certificate.
 *
 * Never fetches anything. Any thread.
 */
#include "cert/ext_access.h"

#include "load.h"

static struct err *load_pointers(struct load *l)
{
    struct err *e = NULL;
    const struct template_pointers *p = &l->t->pointers;
    const json_t *list = json_object_get(load_node(l, GROUP_POINTERS), "freshest_crl");
    struct cert_ext ext;
    struct view *uris = arena_array(l->arena, p->freshest_crl.n, sizeof(uris[0]));
    for (size_t i = 0; i < p->freshest_crl.n; i++)
        uris[i] = view_str(p->freshest_crl.items[i]);
    if (p->freshest_crl.n > 0) {
        TRY(load_placed(
            l, list, cert_ext_write_freshest((struct cert_views){uris, p->freshest_crl.n}, l->arena, &ext)));
        load_ready(l, ext);
    }
    if (p->no_rev_avail) {
        TRY(cert_ext_write_no_rev_avail(l->arena, &ext));
        load_ready(l, ext);
    }
out:
    return e;
}

static struct err *load_one(struct load *l, const json_t *node, struct cert_access *ret)
{
    const json_t *method = json_object_get(node, "method"), *uri = json_object_get(node, "uri");
    if (!json_is_string(method) || !json_is_string(uri) || json_object_size(node) != 2)
        return conf_error(l->conf, node,
                          "a mapping of method and uri, like {method: caRepository, uri: 'http://...'}");
    ret->uri = view_str(json_string_value(uri));
    return load_placed(l, method, cert_ext_access_parse(json_string_value(method), l->arena, &ret->method));
}

struct err *access_load(struct load *l)
{
    struct err *e = NULL;
    const json_t *list = l->t->info_access.node;
    struct cert_accesses all = {NULL, json_array_size(list)};
    struct cert_ext ext;
    TRY(load_pointers(l));
    if (!list && l->t->nodes[GROUP_INFO_ACCESS])
        return load_error(l, GROUP_INFO_ACCESS, "values", "info_access without values; leave the group out");
    if (!list)
        return NULL;
    if (all.n == 0 || all.n > CERT_ACCESSES_MAX)
        return conf_error(l->conf, list, "'values' is a list of 1 to %d places", CERT_ACCESSES_MAX);
    struct cert_access *v = arena_array(l->arena, all.n, sizeof(v[0]));
    for (size_t i = 0; i < all.n; i++)
        TRY(load_one(l, json_array_get(list, i), &v[i]));
    all.v = v;
    TRY(load_placed(l, list, cert_ext_write_sia(all, l->arena, &ext)));
    load_ready(l, ext);
    load_keep(l, &l->t->info_access);
out:
    return e;
}
