/* The door for monitors and witnesses: C2SP's tlog-tiles under /log. */
#ifndef CHANCERY_ENROLL_TILES_H
#define CHANCERY_ENROLL_TILES_H

#include "http.h"

extern const struct http_route tiles_routes[];
extern const size_t tiles_routes_n;

#endif
