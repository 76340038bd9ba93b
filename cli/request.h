/* Asking for what the roster must approve, for the commands that know what they want. */
#ifndef CHANCERY_CLI_REQUEST_H
#define CHANCERY_CLI_REQUEST_H

#include "key.h"

struct request_what {
    enum hsm_act_kind kind;
    const char *object, *reason, *expires; /* "7d" */
    /* The vault that is to take it: the one that opens this token, else the one that holds this issuer's key,
     * else, or where both are NULL, the first. */
    const char *token, *issuer;
    struct view payload; /* or empty */
    struct key_options key;
};
/* Signed and sent. *ret: the request as it stands, the caller's. */
MUST_USE struct err *request_ask(struct cli *c, const struct request_what *what, json_t **ret);

/* Asked for, or taken up by the `id` of an earlier asking (else NULL), and executed where enough have
 * approved; else it says how many are missing, and *ret_made is NULL. */
MUST_USE struct err *request_carry_out(struct cli *c, const struct request_what *what, const char *id,
                                       json_t **ret_made);

#endif
