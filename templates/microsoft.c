/*
 * Windows' extensions of a template: name, OID and version of the Windows template it stands for, and an
 * account's security identifier.
 *
 * Never asks a directory: what accounts there are nobody here knows. Any thread.
 */
#include "cert/ext_microsoft.h"

#include "load.h"

static struct err *load_template(struct load *l)
{
    struct err *e = NULL;
    const struct template_microsoft *m = &l->t->microsoft;
    struct cert_ms_template template = {.major = m->major, .minor = m->minor};
    struct cert_ext ext;
    const json_t *at = json_object_get(load_node(l, GROUP_MICROSOFT), "template_oid");
    if (!m->template_oid[0] && (m->major >= 0 || m->minor >= 0))
        return load_error(l, GROUP_MICROSOFT, m->major >= 0 ? "major" : "minor",
                          "a version without template_oid");
    if (!m->template_oid[0])
        return NULL;
    TRY(load_placed(l, at, der_oid_of_text(m->template_oid, l->arena, &template.oid)));
    TRY(load_placed(l, at, cert_ext_write_ms_template(&template, l->arena, &ext)));
    load_ready(l, ext);
out:
    return e;
}

struct err *microsoft_load(struct load *l)
{
    struct err *e = NULL;
    const struct template_microsoft *m = &l->t->microsoft;
    const json_t *node = load_node(l, GROUP_MICROSOFT);
    struct cert_ext ext;
    if (m->template_name[0]) {
        TRY(load_placed(l, json_object_get(node, "template_name"),
                        cert_ext_write_ms_template_name(m->template_name, l->arena, &ext)));
        load_ready(l, ext);
    }
    TRY(load_template(l));
    if (m->sid[0]) {
        TRY(load_placed(l, json_object_get(node, "sid"), cert_ext_write_ms_security(m->sid, l->arena, &ext)));
        load_ready(l, ext);
    }
out:
    return e;
}
