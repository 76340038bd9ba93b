/* The directories (RFC 8555 7.1.1), fresh nonces (7.2), and the routes of this door. */
#include "acme.h"

static json_t *profiles(const struct enroll *en, const struct enroll_acme *config, const char *only)
{
    json_t *tree = json_object();
    const struct templates *set = ca_setup_get(en->setup.ca)->templates;
    for (size_t i = 0; i < config->templates.n; i++) {
        const char *name = config->templates.items[i];
        const struct template *t = templates_find(set, view_str(name));
        if (t && (!only || strcmp(only, name) == 0))
            json_object_set_new(tree, name, json_string(templates_description(t)));
    }
    return tree;
}

static json_t *texts(const struct ledger_texts *list)
{
    return list->n ? answer_texts(list) : NULL;
}

static bool is_open(const struct enroll_acme *config, const char *template)
{
    for (size_t i = 0; i < config->open.n; i++)
        if (strcmp(config->open.items[i], template) == 0)
            return true;
    return false;
}

static json_t *meta(const struct enroll *en, const struct enroll_acme *config, const char *template,
                    bool named)
{
    return json_pack("{s:s*, s:s*, s:o*, s:b, s:o}", "termsOfService", config->terms, "website",
                     config->website, "caaIdentities", texts(&config->caa), "externalAccountRequired",
                     !is_open(config, template), "profiles", profiles(en, config, named ? template : NULL));
}

void directory_get(struct http_request *r)
{
    const struct enroll_acme *config;
    const char *template;
    struct err *e = acme_directory_of(r, &config, &template);
    if (e) {
        http_problem(r, e);
        return;
    }
    bool named = http_segment(r, "template").p != NULL;
    const char *at =
        arena_printf(r->arena, "%s/acme%s%s", config->url, named ? "/" : "", named ? template : "");
    json_t *tree = json_object();
    static const char *const members[][2] = {{"newNonce", "new-nonce"},      {"newAccount", "new-account"},
                                             {"newOrder", "new-order"},      {"newAuthz", "new-authz"},
                                             {"revokeCert", "revoke-cert"},  {"keyChange", "key-change"},
                                             {"renewalInfo", "renewal-info"}};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        json_object_set_new(tree, members[i][0], json_sprintf("%s/%s", at, members[i][1]));
    json_object_set_new(tree, "meta", meta(r->app, config, template, named));
    http_add(r, "Cache-Control", "public, max-age=300");
    answer_json(r, 200, tree);
}

/* uacme and acme-tiny ask with GET, the others with HEAD. */
void directory_nonce(struct http_request *r)
{
    const struct enroll_acme *config;
    const char *template;
    struct err *e = acme_directory_of(r, &config, &template);
    if (e) {
        http_problem(r, e);
        return;
    }
    acme_headers(r, template);
    http_reply(r, http_is_head(r) ? 200 : 204, NULL, view_of(NULL, 0));
}

/* --- routes --- */

#define ROW(name, function, who, what) static const struct acme_row row_##name = {function, who, what};
ROW(new_account, account_new, ACME_BY_JWK, ACME_OBJECT)
ROW(new_order, order_new, ACME_BY_KID, ACME_OBJECT)
ROW(new_authz, authz_new, ACME_BY_KID, ACME_OBJECT)
ROW(revoke_cert, certificate_revoke, ACME_BY_KID | ACME_BY_JWK, ACME_OBJECT)
ROW(key_change, account_change_key, ACME_BY_KID, ACME_OBJECT)
ROW(account, account_show, ACME_BY_KID, ACME_GET | ACME_OBJECT)
ROW(orders, account_orders, ACME_BY_KID, ACME_GET)
ROW(order, order_show, ACME_BY_KID, ACME_GET)
ROW(finalize, order_finalize, ACME_BY_KID, ACME_OBJECT)
ROW(authz, authz_show, ACME_BY_KID, ACME_GET | ACME_OBJECT)
ROW(challenge, challenge_show, ACME_BY_KID, ACME_GET | ACME_OBJECT)
ROW(cert, certificate_show, ACME_BY_KID, ACME_GET)
#undef ROW

#define DIRECTORY(path, methods, handle, row)                                                                \
    {methods, "/acme/" path, handle, CERT_JWS_BYTES, row},                                                   \
    {                                                                                                        \
        methods, "/acme/{template}/" path, handle, CERT_JWS_BYTES, row                                       \
    }
#define POST(path, row)                                                                                      \
    {                                                                                                        \
        HTTP_POST, "/acme/" path, acme_post, CERT_JWS_BYTES, &row_##row                                      \
    }

/* Those of directories first: an id is hexadecimal and none of their words. */
const struct http_route acme_routes[] = {
    DIRECTORY("directory", HTTP_GET, directory_get, NULL),
    DIRECTORY("new-nonce", HTTP_GET, directory_nonce, NULL),
    DIRECTORY("new-account", HTTP_POST, acme_post, &row_new_account),
    DIRECTORY("new-order", HTTP_POST, acme_post, &row_new_order),
    DIRECTORY("new-authz", HTTP_POST, acme_post, &row_new_authz),
    DIRECTORY("revoke-cert", HTTP_POST, acme_post, &row_revoke_cert),
    DIRECTORY("key-change", HTTP_POST, acme_post, &row_key_change),
    DIRECTORY("renewal-info/{cert}", HTTP_GET, renewal_info, NULL),
    POST("account/{id}", account),
    POST("account/{id}/orders", orders),
    POST("account/{id}/orders/{cursor}", orders),
    POST("order/{id}", order),
    POST("order/{id}/finalize", finalize),
    POST("authz/{id}", authz),
    POST("challenge/{id}/{type}", challenge),
    POST("cert/{id}", cert),
    POST("cert/{id}/{alternate}", cert),
};
const size_t acme_routes_n = sizeof acme_routes / sizeof *acme_routes;
