/* Tags as they stand in bodies: an object of texts. */
#ifndef CHANCERY_ENROLL_REST_TAGS_H
#define CHANCERY_ENROLL_REST_TAGS_H

#include "base/conf.h"
#include "ledger_entry.h"

/* ERR_BAD_FIELD, ERR_TOO_MANY. */
MUST_USE struct err *tags_of(const struct conf *c, const json_t *tree, struct arena *arena,
                             struct ledger_texts *ret);
json_t *tags_json(const struct ledger_texts *tags); /* a new reference */

#endif
