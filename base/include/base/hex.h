/* Hexadecimal (lower case, no colons) and base64 (RFC 4648, sections 4 and 5). Strict: no white space, no odd
 * tails. */
#ifndef CHANCERY_BASE_HEX_H
#define CHANCERY_BASE_HEX_H

#include "base/arena.h"
#include "base/err.h"

char *hex_of(struct arena *arena, struct view bytes);
void hex_put(char *to, struct view bytes); /* 2n characters and a NUL */
MUST_USE struct err *hex_parse(struct arena *arena, struct view text, struct view *ret_bytes);

char *base64_of(struct arena *arena, struct view bytes);
char *base64url_of(struct arena *arena, struct view bytes); /* no padding */
/* Padding required, non-zero tail bits refused. */
MUST_USE struct err *base64_parse(struct arena *arena, struct view text, struct view *ret_bytes);
/* Padding refused. */
MUST_USE struct err *base64url_parse(struct arena *arena, struct view text, struct view *ret_bytes);

#endif
