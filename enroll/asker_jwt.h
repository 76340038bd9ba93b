/* JSON web tokens as credentials. On the front's loop. */
#ifndef CHANCERY_ENROLL_ASKER_JWT_H
#define CHANCERY_ENROLL_ASKER_JWT_H

#include "house.h"

/* Whether a bearer's text is one by its form: three parts with dots between. */
bool asker_jwt_is(struct view text);
/* Signature by a key of its issuer, audience, times; then the grant that its claims give. */
MUST_USE struct err *asker_jwt(struct http_request *r, struct view text, struct ca_asker **ret);

#endif
