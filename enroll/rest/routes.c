/* The paths of the JSON door, made from routes.def. */
#include "../acme/staff.h"
#include "../house.h"
#include "base/limits.h"
#include "rest.h"

static const int who_ANYBODY = ASKER_NOBODY, who_ASKERS = ASKER_ANY, who_ASKS = ASKER_ASKS,
                 who_STAFF = ASKER_STAFF, who_RUNS = ASKER_RUNS, who_RULES = ASKER_RULES,
                 who_ENDS = ASKER_ENDS, who_STOPS = ASKER_STOPS;

const struct http_route rest_routes[] = {
#define ROUTE(method, path, handle, max_bytes, who) {HTTP_##method, path, handle, max_bytes, &who_##who},
#include "routes.def"
#undef ROUTE
};
const size_t rest_routes_n = sizeof rest_routes / sizeof rest_routes[0];
