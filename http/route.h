/* Patterns of paths. Private to http. */
#ifndef CHANCERY_HTTP_ROUTE_H
#define CHANCERY_HTTP_ROUTE_H

#include "http.h"

enum { ROUTE_NAMES = 4 };

struct route_capture {
    struct view name;  /* in the pattern */
    struct view value; /* raw, in the path */
};
struct route_captures {
    struct route_capture v[ROUTE_NAMES];
    size_t n;
};

/* Fits the raw path? */
bool route_fits(const char *pattern, struct view path, struct route_captures *ret);

/* A pattern nobody can have meant is our own bug. */
void route_check(const char *pattern);

#endif
