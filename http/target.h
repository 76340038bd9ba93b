/* The target of a request: its form, and percent-decoding. Private to http. */
#ifndef CHANCERY_HTTP_TARGET_H
#define CHANCERY_HTTP_TARGET_H

#include "parse.h"

/* Splits a request target (RFC 9112 section 3.2) into path, query and authority of ret. 0, or the status to
 * refuse with, and why. */
int target_split(struct view target, struct parse_head *ret, const char **ret_why);

/* host [":" port], of letters that may stand there (RFC 3986 section 3.2). */
bool target_is_authority(struct view v);

/* Decodes %XX (and '+' as a space where plus) into to, which has room for raw.n octets. False: a bad escape,
 * or one of a control character. */
bool target_decode(struct view raw, bool plus, uint8_t *to, size_t *ret_n);

/* Has the decoded path a "." or ".." segment? */
bool target_has_dots(struct view decoded);

#endif
