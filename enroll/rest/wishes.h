/* Requests whose outcome is a CA certificate, or a request for one, carried out. */
#ifndef CHANCERY_ENROLL_WISHES_H
#define CHANCERY_ENROLL_WISHES_H

#include "../house.h"
#include "hsm_act.h"

bool wishes_kind(enum hsm_act_kind kind);
/* Parks the request and answers it later: 201 with what was made. An error: it is not parked. */
MUST_USE struct err *wishes_execute(struct http_request *r, const struct ca_asker *asker,
                                    const struct hsm_roster *roster, struct view id);

#endif
