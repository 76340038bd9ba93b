/* The JSON door: /v1, and the paths about the house itself. Handlers, one file per noun. */
#ifndef CHANCERY_ENROLL_REST_H
#define CHANCERY_ENROLL_REST_H

#include <jansson.h>

#include "ca.h"
#include "http.h"

extern const struct http_route rest_routes[];
extern const size_t rest_routes_n;

#define ROUTE(method, path, handle, max_bytes, who) void handle(struct http_request *r);
#include "routes.def"
#undef ROUTE

/* about.c: the name of the template that the path names, where this asker may see it. ERR_TEMPLATE_UNKNOWN.
 */
MUST_USE struct err *about_template_named(struct http_request *r, const struct ca_asker *asker,
                                          const char **ret_name);

/* heads.c: a signed head; that an entry is under it, also as C2SP's tlog-proof. */
struct enroll;
struct tlog_head;
MUST_USE struct err *heads_json(struct arena *arena, const struct tlog_head *head, json_t **ret);
MUST_USE struct err *heads_proof_json(struct enroll *en, struct arena *arena, uint64_t seq,
                                      const struct tlog_head *head, json_t **ret, const char **ret_text);

/* issue.c: a body as for POST /v1/certificates but without `template`, and with `asker`: NULL, or for whom.
 */
MUST_USE struct err *issue_decode_explain(struct http_request *r, struct ca_request *to,
                                          const char **ret_asker);

#endif
