/* What people who run this place see and do of ACME: /v1/acme/..., rows of rest/routes.def. */
#ifndef CHANCERY_ENROLL_ACME_STAFF_H
#define CHANCERY_ENROLL_ACME_STAFF_H

#include "http.h"

void staff_eab_create(struct http_request *r);
void staff_eab_list(struct http_request *r);
void staff_eab_revoke(struct http_request *r);
void staff_accounts(struct http_request *r);
void staff_account(struct http_request *r);
void staff_orders(struct http_request *r);
void staff_order(struct http_request *r);
void staff_authzs(struct http_request *r);
void staff_authz(struct http_request *r);

#endif
