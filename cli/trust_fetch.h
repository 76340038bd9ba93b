/* Fetching what is to be trusted: see trust_fetch.c. */
#ifndef CHANCERY_CLI_TRUST_FETCH_H
#define CHANCERY_CLI_TRUST_FETCH_H

#include "base/arena.h"
#include "base/err.h"

/* Up to 256 KiB; who answers is not looked at. ERR_IO. */
MUST_USE struct err *trust_fetch_url(const char *url, struct arena *arena, struct view *ret);

#endif
