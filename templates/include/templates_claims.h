/*
 * From the claims of a JSON web token to a grant: expressions in the language of templates, over `claims` and
 * `now`. Compiled once; constant afterwards; any thread.
 */
#ifndef CHANCERY_TEMPLATES_CLAIMS_H
#define CHANCERY_TEMPLATES_CLAIMS_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"

struct templates_claims;

/* when: a bool, or NULL for always; template: a text; names: a text or a list of texts, patterns of a grant.
 * ERR_CONFIG naming which of them is wrong. Lives in the arena. */
MUST_USE struct err *templates_claims_compile(const char *when, const char *template, const char *names,
                                              struct arena *arena, const struct templates_claims **ret);

struct templates_claims_grant {
    const char *template;
    const char *const *names; /* each a pattern (templates_pattern_check) */
    size_t names_n;
};
/* claims: an object; nested ones are reached with a dot in the name (claims['a.b']), lists are joined with
 * commas, numbers and truths are texts. ERR_FORBIDDEN: `when` does not hold, or an expression has no value.
 */
MUST_USE struct err *templates_claims_grant(const struct templates_claims *c, const json_t *claims,
                                            int64_t now, struct arena *arena,
                                            struct templates_claims_grant *ret);

#endif
