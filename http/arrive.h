/* A request on its way in. Private to http. */
#ifndef CHANCERY_HTTP_ARRIVE_H
#define CHANCERY_HTTP_ARRIVE_H

#include "conn.h"

/* Takes what c->in holds one step further: a head read, a body filled, a request handed over or refused.
 * False where more octets must come first. */
bool arrive_step(struct conn *c);

/* Answers what is under way with a refusal and ends the connection after it. */
void arrive_refuse(struct conn *c, int status, const char *why);

#endif
