/* What one token is made from: shared by those who make one and those who make many. */
#ifndef CHANCERY_ENROLL_REST_TOKENS_H
#define CHANCERY_ENROLL_REST_TOKENS_H

#include "../house.h"
#include "base/conf.h"

struct tokens_body {
    const char *label;
    struct conf_texts templates, names;
    int64_t uses, ttl_s;
};

/* An object with label, templates, names, uses, ttl; checked against the templates there are. */
MUST_USE struct err *tokens_read(struct http_request *r, const struct conf *c, const json_t *node,
                                 struct tokens_body *to);
/* The entry that makes it; borrows all it is given. */
struct ledger_entry tokens_entry(const struct ca_asker *asker, const struct tokens_body *body,
                                 const uint8_t id[32], int64_t expires);

#endif
