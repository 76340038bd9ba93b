/* What a body says about a revocation. */
#ifndef CHANCERY_ENROLL_REST_REVOKE_H
#define CHANCERY_ENROLL_REST_REVOKE_H

#include "../house.h"
#include "ca_revoke.h"

/* invalidity_date may be NULL. ERR_BAD_FIELD naming the member. */
MUST_USE struct err *revoke_what(const char *reason, const char *invalidity_date, struct ca_revocation *ret);

#endif
