/* Extensions in two readings. Private to the room. */
#ifndef CHANCERY_CERT_LINT_EXT_H
#define CHANCERY_CERT_LINT_EXT_H

#include "cert/tbs.h"

#include <openssl/x509.h>

/* ERR_CORRUPT naming the field; empties OpenSSL's error queue. */
MUST_USE struct err *lint_ext_differs(const char *field);

MUST_USE struct err *lint_ext_compare(X509 *x, const struct cert_tbs *tbs, struct arena *arena);

#endif
