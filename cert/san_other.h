/* Names that are more than a string or an address: otherName, directoryName, registeredID. Private to the
 * room. */
#ifndef CHANCERY_CERT_SAN_OTHER_H
#define CHANCERY_CERT_SAN_OTHER_H

#include "base/der.h"
#include "cert/san.h"

/* Whether the next GeneralName is one of these, or one that is refused with them. */
bool san_other_is(struct view in);
/* Takes it; not checked yet. */
MUST_USE struct err *san_other_read(struct view *in, struct cert_san *ret);
void san_other_put(struct der_out *out, const struct cert_san *san);

MUST_USE struct err *san_other_check(const struct cert_san *san);

/* Of checked ones; without the kind. */
const char *san_other_text(const struct cert_san *san, struct arena *arena);
/* kind is set; not checked yet. */
MUST_USE struct err *san_other_of_text(struct view text, struct arena *arena, struct cert_san *san);

/* san_check.c: a host name without wildcard. */
MUST_USE struct err *san_check_host(struct view host);

#endif
