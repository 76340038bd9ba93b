/* GET /v1/issuers and /v1/templates: what there is to ask for. */
#include "../house.h"
#include "base/hex.h"
#include "cert/pem.h"
#include "rest.h"

static json_t *issuer_json(struct http_request *r, const struct ca_issuer *i)
{
    struct arena *a = r->arena;
    const struct templates_issuer *f = &i->facts;
    return json_pack("{s:s, s:b, s:s*, s:o, s:o, s:s, s:s, s:s, s:s, s:s}", "name", i->name, "issues",
                     i->issue, "parent", i->root ? NULL : i->parent_name, "not_before",
                     answer_time(f->not_before), "not_after", answer_time(f->not_after), "algorithm",
                     cert_alg_name(f->alg), "ocsp", templates_issuer_url(f, TEMPLATES_URL_OCSP, a), "crl",
                     templates_issuer_url(f, TEMPLATES_URL_CRL, a), "ca",
                     templates_issuer_url(f, TEMPLATES_URL_CA, a), "certificate",
                     cert_pem_write("CERTIFICATE", i->certificate, a));
}

static const char *const no_query[] = {NULL};

void about_issuers(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    const struct ca_setup *setup = ca_setup_get(en->setup.ca);
    struct ca_asker *asker = NULL;

    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, no_query));
    json_t *list = json_array();
    for (size_t i = 0; i < setup->issuers_n; i++)
        json_array_append_new(list, issuer_json(r, &setup->issuers[i]));
    answer_json(r, 200, json_pack("{s:o}", "issuers", list));
out:
    if (e)
        asker_refuse(r, asker, e);
}

/* A requester sees what its grant names; the house's own templates are for staff's eyes. */
static bool may_see(const struct ca_asker *asker, const struct template *t)
{
    if (asker->role != CA_ROLE_REQUESTER)
        return true;
    for (size_t i = 0; i < asker->grant.templates_n; i++)
        if (strcmp(asker->grant.templates[i], templates_name(t)) == 0)
            return true;
    return false;
}

void about_templates(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    const struct templates *set = ca_setup_get(en->setup.ca)->templates;
    struct ca_asker *asker = NULL;

    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, no_query));
    json_t *list = json_array();
    for (size_t i = 0; i < templates_count(set); i++)
        if (may_see(asker, templates_at(set, i)))
            json_array_append_new(list, templates_to_json(templates_at(set, i)));
    answer_json(r, 200, json_pack("{s:o}", "templates", list));
out:
    if (e)
        asker_refuse(r, asker, e);
}

static struct err *find_named(struct http_request *r, const struct ca_asker *asker,
                              const struct template **ret)
{
    struct enroll *en = r->app;
    struct view name = http_segment(r, "name");
    const struct template *t = templates_find(ca_setup_get(en->setup.ca)->templates, name);
    if (!t || !may_see(asker, t))
        return err_new(ERR_TEMPLATE_UNKNOWN, "no template '%.*s'", (int)(name.n < 100 ? name.n : 100),
                       (const char *)name.p);
    *ret = t;
    return NULL;
}

struct err *about_template_named(struct http_request *r, const struct ca_asker *asker, const char **ret_name)
{
    const struct template *t;
    struct err *e = find_named(r, asker, &t);
    if (!e)
        *ret_name = arena_str(r->arena, view_str(templates_name(t)));
    return e;
}

void about_template(struct http_request *r)
{
    struct err *e = NULL;
    struct ca_asker *asker = NULL;
    const struct template *t;

    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, no_query));
    TRY(find_named(r, asker, &t));
    answer_json(r, 200, templates_to_json(t));
out:
    if (e)
        asker_refuse(r, asker, e);
}
