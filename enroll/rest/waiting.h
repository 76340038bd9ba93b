/* What waits for approval, as answers. On the front's loop. */
#ifndef CHANCERY_ENROLL_WAITING_H
#define CHANCERY_ENROLL_WAITING_H

#include "ca_pending.h"
#include "http.h"

/* 202, where and when to look again. Takes e (ERR_PENDING). */
void waiting_reply(struct http_request *r, const struct ca_pending *p, struct err *e);

#endif
