/* A certificate to be, for the eyes of those who are to approve it. */
#ifndef CHANCERY_CLI_REQUEST_WANTED_H
#define CHANCERY_CLI_REQUEST_WANTED_H

#include <stdio.h>

#include "cli.h"
#include "hsm_act.h"

/* Prints what the payload says, to `to`, of an act of kind `certificate`; nothing for others. ERR_CORRUPT
 * where the payload is not what the act's objectHash is over: then there is nothing to be signed. */
MUST_USE struct err *request_wanted_say(struct cli *c, const struct hsm_act *act, struct view payload,
                                        FILE *to);

#endif
