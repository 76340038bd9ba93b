/* What the files of extensions share. Private to the room. */
#ifndef CHANCERY_CERT_EXT_VALUE_H
#define CHANCERY_CERT_EXT_VALUE_H

#include "cert/ext.h"

/* One Extension off the front. */
MUST_USE struct err *ext_value_read_one(struct view *in, struct cert_ext *ret);

/* Around the writing of a value. */
void ext_value_begin(struct der_out *out, struct arena *arena);
MUST_USE struct err *ext_value_done(struct der_out *out, enum cert_ext_id id, bool critical,
                                    struct cert_ext *ret);

/* ERR_BAD_EXTENSION: "keyUsage: why (RFC 5280 4.2.1.3)". */
MUST_USE struct err *ext_value_bad(enum cert_ext_id id, const char *why);

#endif
