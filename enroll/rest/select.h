/* Which certificates: the same conditions in a query and in a body. */
#ifndef CHANCERY_ENROLL_REST_SELECT_H
#define CHANCERY_ENROLL_REST_SELECT_H

#include "../house.h"
#include "base/conf.h"

struct select {
#define SELECT(member, help) const char *member;
#include "select.def"
#undef SELECT
};
extern const struct conf_row select_rows[];
extern const size_t select_rows_n;

/* From the request's query, which may have these further parameters (NULL-terminated, at most 8). */
MUST_USE struct err *select_of_query(struct http_request *r, const char *const *further, struct select *ret);
/* ERR_BAD_FIELD naming the member. A requester's own alone. Texts are borrowed. */
MUST_USE struct err *select_query(const struct select *s, struct ledger *ledger, const struct ca_asker *asker,
                                  struct arena *arena, struct ledger_query *ret);
/* "under=dns:example template=server": for the ledger and people. */
const char *select_text(const struct select *s, struct arena *arena);

#endif
