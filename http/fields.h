/* What the header fields of a request say about its framing. Private to http. */
#ifndef CHANCERY_HTTP_FIELDS_H
#define CHANCERY_HTTP_FIELDS_H

#include "parse.h"

/* Fills host, keep_alive, chunked, has_length, length, expects_continue of h from its fields. 0, or the
 * status to refuse with, and why. */
int fields_judge(struct parse_head *h, const char **ret_why);

#endif
