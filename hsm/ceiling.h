/*
 * Ceilings: how many certificates of one template by one issuer in the hour past, counted from the roll.
 * Sixty buckets of a minute each; a clock that went back counts what it finds ahead of itself as well. One
 * thread.
 */
#ifndef CHANCERY_HSM_CEILING_H
#define CHANCERY_HSM_CEILING_H

#include "base/err.h"
#include "base/view.h"

struct ceiling;
struct ceiling *ceiling_new(void);
void ceiling_free(struct ceiling *c); /* accepts NULL */

/* One was sealed then. Entries older than an hour before the newest change nothing. */
void ceiling_note(struct ceiling *c, struct view issuer, struct view template, int64_t time_s);
int64_t ceiling_count(const struct ceiling *c, struct view issuer, struct view template, int64_t now_s);
/* ERR_CEILING where `limit` (0: none) is reached. */
MUST_USE struct err *ceiling_check(const struct ceiling *c, struct view issuer, struct view template,
                                   int64_t limit, int64_t now_s);

#endif
