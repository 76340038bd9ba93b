/* The JSON door: /v1, and the paths about the house itself. Handlers, one file per noun. */
#ifndef CHANCERY_ENROLL_REST_H
#define CHANCERY_ENROLL_REST_H

#include "http.h"

extern const struct http_route rest_routes[], state_routes[];
extern const size_t rest_routes_n, state_routes_n;

void issue_post(struct http_request *r);         /* POST /v1/certificates */
void find_one(struct http_request *r);           /* GET /v1/certificates/{serial} */
void find_many(struct http_request *r);          /* GET /v1/certificates */
void revoke_post(struct http_request *r);        /* POST /v1/certificates/{serial}/revoke */
void about_issuers(struct http_request *r);      /* GET /v1/issuers */
void about_templates(struct http_request *r);    /* GET /v1/templates */
void about_template(struct http_request *r);     /* GET /v1/templates/{name} */
void log_page(struct http_request *r);           /* GET /v1/log */
void tokens_create(struct http_request *r);      /* POST /v1/tokens */
void tokens_list(struct http_request *r);        /* GET /v1/tokens */
void tokens_revoke(struct http_request *r);      /* DELETE /v1/tokens/{id} */
void clock_confirm_post(struct http_request *r); /* POST /v1/clock/confirm */

#endif
