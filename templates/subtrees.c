/*
 * nameConstraints of a template (RFC 5280 4.2.1.10): which names the CAs below may put into certificates.
 * Read once, written once, the same in every certificate; always critical.
 *
 * Whether the names of a certificate keep to them is the chain's affair (cert/chain.h). Any thread.
 */
#include "cert/ext_constraints.h"

#include "load.h"

static struct err *load_list(struct load *l, const char *key, const struct conf_texts *texts,
                             struct cert_subtrees *ret)
{
    struct err *e = NULL;
    const json_t *list = json_object_get(load_node(l, GROUP_NAME_CONSTRAINTS), key);
    struct cert_subtree *v = arena_array(l->arena, texts->n, sizeof(v[0]));
    for (size_t i = 0; i < texts->n; i++)
        TRY(load_placed(l, json_array_get(list, i),
                        cert_ext_subtree_of_text(view_str(texts->items[i]), l->arena, &v[i])));
    *ret = (struct cert_subtrees){v, texts->n};
out:
    return e;
}

struct err *subtrees_load(struct load *l)
{
    struct err *e = NULL;
    const struct template_name_constraints *c = &l->t->name_constraints;
    struct cert_constraints all;
    struct cert_ext ext;
    if (!l->t->nodes[GROUP_NAME_CONSTRAINTS])
        return NULL;
    if (!l->t->constraints.ca)
        return load_error(l, GROUP_NAME_CONSTRAINTS, "",
                          "name constraints are for CA certificates (RFC 5280 4.2.1.10)");
    if (c->permitted.n + c->excluded.n == 0)
        return load_error(l, GROUP_NAME_CONSTRAINTS, "",
                          "name_constraints without permitted or excluded; leave the group out");
    TRY(load_list(l, "permitted", &c->permitted, &all.permitted));
    TRY(load_list(l, "excluded", &c->excluded, &all.excluded));
    TRY(load_placed(l, load_node(l, GROUP_NAME_CONSTRAINTS),
                    cert_ext_write_constraints(&all, true, l->arena, &ext)));
    load_ready(l, ext);
out:
    return e;
}
