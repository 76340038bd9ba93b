/* Extensions in two readings. Private to the room. */
#ifndef CHANCERY_CERT_LINT_EXT_H
#define CHANCERY_CERT_LINT_EXT_H

#include "cert/tbs.h"

#include <openssl/x509.h>

/* ERR_CORRUPT naming the field; empties OpenSSL's error queue. */
MUST_USE struct err *lint_ext_differs(const char *field);

MUST_USE struct err *lint_ext_compare(X509 *x, const struct cert_tbs *tbs, struct arena *arena);

bool lint_ext_same_oid(const ASN1_OBJECT *theirs, struct view ours);
bool lint_ext_same_text(const ASN1_STRING *theirs, struct view ours); /* false where theirs is NULL */

/* What one extension means; a row of the table in lint_ext.c. */
typedef struct err *lint_ext_meaning(X509 *x, const struct cert_ext *ext, struct arena *arena);

lint_ext_meaning lint_point_aia, lint_point_sia, lint_point_cdp, lint_point_freshest;
lint_ext_meaning lint_rule_eku, lint_rule_policies, lint_rule_policy_constraints, lint_rule_inhibit_any,
    lint_rule_constraints, lint_rule_tls_features, lint_rule_template_name;
/* Those that OpenSSL has no type for: our reader, and one element to both. */
lint_ext_meaning lint_rule_element;

#endif
