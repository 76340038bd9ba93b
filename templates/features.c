/*
 * tlsFeature (RFC 7633): what a TLS server promises to do in every handshake, like stapling an OCSP answer.
 *
 * Any thread.
 */
#include "load.h"

struct err *features_load(struct load *l)
{
    struct err *e = NULL;
    const struct conf_texts *texts = &l->t->tls_features;
    const json_t *list = json_object_get(load_node(l, GROUP_TLS_FEATURE), "features");
    struct cert_tls_features features = {.n = 0};
    struct cert_ext ext;
    if (texts->n == 0 && l->t->nodes[GROUP_TLS_FEATURE])
        return load_error(l, GROUP_TLS_FEATURE, "features",
                          "tls_feature without features; leave the group out");
    if (texts->n == 0)
        return NULL;
    for (; features.n < texts->n; features.n++) {
        unsigned *to = &features.v[features.n];
        TRY(load_placed(l, json_array_get(list, features.n),
                        cert_ext_tls_feature_parse(view_str(texts->items[features.n]), to)));
        if (features.n > 0 && to[-1] >= to[0])
            return conf_error(l->conf, json_array_get(list, features.n),
                              "features stand in the order of their numbers");
    }
    if (l->t->pointers.no_rev_avail)
        return load_error(l, GROUP_TLS_FEATURE, "features",
                          "a status to staple, and no_rev_avail: nobody could keep both");
    TRY(load_placed(l, list, cert_ext_write_tls_features(features, l->arena, &ext)));
    load_ready(l, ext);
out:
    return e;
}
