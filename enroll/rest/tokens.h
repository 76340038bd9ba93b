/* What one token is made from: shared by those who make one and those who make many. */
#ifndef CHANCERY_ENROLL_REST_TOKENS_H
#define CHANCERY_ENROLL_REST_TOKENS_H

#include "../house.h"
#include "base/conf.h"

struct tokens_body {
    const char *label;
    struct conf_texts templates, names;
    int64_t uses, ttl_s;
    const char *spki_sha256; /* NULL: a secret text; else this key is the credential */
};

/* An object with label, templates, names, uses, ttl; checked against the templates there are. */
MUST_USE struct err *tokens_read(struct http_request *r, const struct conf *c, const json_t *node,
                                 struct tokens_body *to);
/* Its id and its text, which is "" for a key. ERR_BAD_FIELD. */
MUST_USE struct err *tokens_make(const struct tokens_body *body, struct arena *arena,
                                 char text[ENROLL_TOKEN_TEXT_BYTES], uint8_t ret_id[32]);
/* The answer about one that was made; a new reference. */
json_t *tokens_made(const char *text, const uint8_t id[32], int64_t expires, struct arena *arena);
/* The entry that makes it; borrows all it is given. */
struct ledger_entry tokens_entry(const struct ca_asker *asker, const struct tokens_body *body,
                                 const uint8_t id[32], int64_t expires);

#endif
