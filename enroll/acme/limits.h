/*
 * How often: buckets that fill up again in an hour, by account, by name and by address (doc/ACME.md,
 * "Limits"). They are memory alone and full after a start. On the loop's thread.
 */
#ifndef CHANCERY_ENROLL_ACME_LIMITS_H
#define CHANCERY_ENROLL_ACME_LIMITS_H

#include <stdint.h>

#include "base/err.h"

struct acme_limits;
struct acme_limits *acme_limits_new(void);
void acme_limits_free(struct acme_limits *l); /* accepts NULL */

/* Takes one from the bucket of `what` ("orders of one account") and `who`. per_hour 0: no limit. ERR_RATE
 * with when there will be one again. */
MUST_USE struct err *acme_limit(struct acme_limits *l, const char *what, const char *who, int64_t per_hour);

#endif
