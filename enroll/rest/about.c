/* GET /v1/issuers and /v1/templates: what there is to ask for. */
#include "../house.h"
#include "base/hex.h"
#include "base/world.h"
#include "cert/pem.h"
#include "rest.h"

enum { DAY_S = 86400 };

static json_t *days_left(int64_t not_after)
{
    return json_integer((json_int_t)((not_after - world_now_s()) / DAY_S));
}

/* How far it is from its end, and who hangs on it. */
static void add_life(json_t *to, const struct enroll *en, const struct ca_issuer *i)
{
    const struct templates_issuer *f = &i->facts;
    struct ledger_census census;
    enum hsm_state state = ca_issuer_state(en->setup.ca, i);
    json_object_set_new(to, "state", json_string(hsm_state_name(state)));
    json_object_set_new(to, "offline", json_boolean(i->offline));
    json_object_set_new(to, "days_left", days_left(f->not_after));
    json_object_set_new(to, "lapsing",
                        json_boolean(hsm_life_warns(f->not_before, f->not_after, world_now_s())));
    if (!ca_census(en->setup.ca, f->name, &census))
        return;
    json_object_set_new(to, "unexpired", json_integer((json_int_t)census.unexpired));
    if (census.unexpired)
        json_object_set_new(to, "unexpired_until", answer_time(census.last_not_after));
}

static json_t *issuer_json(struct http_request *r, const struct ca_issuer *i)
{
    struct arena *a = r->arena;
    const struct templates_issuer *f = &i->facts;
    json_t *tree = json_pack("{s:s, s:b, s:s*, s:o, s:o, s:s, s:s, s:s, s:s, s:s}", "name", i->name, "issues",
                             i->issue, "parent", i->root ? NULL : i->parent_name, "not_before",
                             answer_time(f->not_before), "not_after", answer_time(f->not_after), "algorithm",
                             cert_alg_name(f->alg), "ocsp", templates_issuer_url(f, TEMPLATES_URL_OCSP, a),
                             "crl", templates_issuer_url(f, TEMPLATES_URL_CRL, a), "ca",
                             templates_issuer_url(f, TEMPLATES_URL_CA, a), "certificate",
                             cert_pem_write("CERTIFICATE", i->certificate, a));
    add_life(tree, r->app, i);
    return tree;
}

/* The newest certificate the house made for itself by this template; absent where there is none. */
static struct err *own_json(struct http_request *r, const char *template, const char *issuer, json_t *to,
                            const char *key)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ledger_page page;
    const struct ledger_query q = {.actor = "self",
                                   .template = template,
                                   .issuer = issuer,
                                   .status = LEDGER_VALID,
                                   .now = world_now_s(),
                                   .limit = 1};
    TRY(ledger_search(en->setup.ledger, &q, r->arena, &page));
    if (page.n == 0)
        return NULL;
    const struct ledger_intent *d = &page.certs[0].decision;
    json_object_set_new(to, key,
                        json_pack("{s:o, s:o, s:b}", "not_after", answer_time(d->not_after), "days_left",
                                  days_left(d->not_after), "lapsing",
                                  hsm_life_warns(d->not_before, d->not_after, world_now_s())));
out:
    return e;
}

static const char *const no_query[] = {NULL};

void about_issuers(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    const struct ca_setup *setup = ca_setup_get(en->setup.ca);
    struct ca_asker *asker = NULL;
    json_t *list = NULL, *tree = NULL;

    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, no_query));
    list = json_array();
    for (size_t i = 0; i < setup->issuers_n; i++) {
        json_t *one = issuer_json(r, &setup->issuers[i]);
        json_array_append_new(list, one);
        TRY(own_json(r, "ocsp-signing", setup->issuers[i].name, one, "responder"));
    }
    tree = json_pack("{s:O}", "issuers", list);
    TRY(own_json(r, "self", NULL, tree, "own"));
    answer_json(r, 200, json_incref(tree));
out:
    json_decref(list);
    json_decref(tree);
    if (e)
        asker_refuse(r, asker, e);
}

/* A requester sees what its grant names; the house's own templates are for staff's eyes. */
static bool may_see(const struct ca_asker *asker, const struct template *t)
{
    if (asker->role != CA_ROLE_REQUESTER && asker->role != CA_ROLE_ENROLL_AGENT)
        return true;
    if (asker->role == CA_ROLE_ENROLL_AGENT)
        return !templates_internal(t);
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
