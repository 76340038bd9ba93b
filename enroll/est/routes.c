/* The paths of the EST door, made from routes.def. */
#include "base/limits.h"
#include "est.h"

static const int who_ANYBODY = ASKER_NOBODY, who_ASKS = ASKER_ASKS;

const struct http_route est_routes[] = {
#define ROUTE(method, op, handle, max_bytes, who)                                                            \
    {HTTP_##method, "/.well-known/est/" op, handle, max_bytes, &who_##who},                                  \
        {HTTP_##method, "/.well-known/est/{label}/" op, handle, max_bytes, &who_##who},                      \
        {HTTP_##method, "/{label}/.well-known/est/" op, handle, max_bytes, &who_##who},
#include "routes.def"
#undef ROUTE
};
const size_t est_routes_n = sizeof est_routes / sizeof est_routes[0];
