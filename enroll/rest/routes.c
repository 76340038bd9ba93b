/* The paths of /v1 (INTERFACE in doc/REST.md), in the order they are tried. */
#include "base/limits.h"
#include "rest.h"

const struct http_route rest_routes[] = {
    {HTTP_POST, "/v1/certificates", issue_post, LIMIT_BODY_BYTES, NULL},
    {HTTP_GET, "/v1/certificates", find_many, 0, NULL},
    {HTTP_GET, "/v1/certificates/{serial}", find_one, 0, NULL},
    {HTTP_POST, "/v1/certificates/{serial}/revoke", revoke_post, 4096, NULL},
    {HTTP_GET, "/v1/issuers", about_issuers, 0, NULL},
    {HTTP_GET, "/v1/templates", about_templates, 0, NULL},
    {HTTP_GET, "/v1/templates/{name}", about_template, 0, NULL},
    {HTTP_GET, "/v1/log", log_page, 0, NULL},
    {HTTP_POST, "/v1/tokens", tokens_create, 64 * 1024, NULL},
    {HTTP_GET, "/v1/tokens", tokens_list, 0, NULL},
    {HTTP_DELETE, "/v1/tokens/{id}", tokens_revoke, 0, NULL},
    {HTTP_POST, "/v1/clock/confirm", clock_confirm_post, 4096, NULL},
};
const size_t rest_routes_n = sizeof rest_routes / sizeof rest_routes[0];
