/* The JSON door: /v1, and the paths about the house itself. Handlers, one file per noun. */
#ifndef CHANCERY_ENROLL_REST_H
#define CHANCERY_ENROLL_REST_H

#include "http.h"

extern const struct http_route rest_routes[];
extern const size_t rest_routes_n;

#define ROUTE(method, path, handle, max_bytes, who) void handle(struct http_request *r);
#include "routes.def"
#undef ROUTE

#endif
