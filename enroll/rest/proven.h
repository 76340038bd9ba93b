/* Certificates with the proof that they are in the log. On the front's loop. */
#ifndef CHANCERY_ENROLL_PROVEN_H
#define CHANCERY_ENROLL_PROVEN_H

#include <jansson.h>

#include "http.h"

struct enroll;

struct proven_cert {
    const char *issuer;
    struct view serial;
    int status;
    json_t *extra; /* more members of the answer, or NULL; taken */
};

/* ?proof=1 of the query; any other value is ERR_BAD_FIELD. */
MUST_USE struct err *proven_wanted(struct http_request *r, bool *ret);
/* Answers the request that is parked with this ticket, and whose arena this is, once a head covers the
 * record. */
void proven_answer(struct enroll *en, ticket_id ticket, struct arena *arena, const struct proven_cert *cert);

#endif
