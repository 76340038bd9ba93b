/* The key and the request behind the front's own certificate. Private to daemon. */
#ifndef CHANCERY_DAEMON_OWN_CERT_KEY_H
#define CHANCERY_DAEMON_OWN_CERT_KEY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"

/* A fresh P-256 key as PEM (PKCS#8), and a request (DER) signed with it: no subject, no names; those are
 * asked for beside it. */
MUST_USE struct err *own_cert_key_make(struct secret **ret_pem, struct arena *arena, struct view *ret_csr);

/* SubjectPublicKeyInfo of a private key in PEM. */
MUST_USE struct err *own_cert_key_spki(struct view pem, struct arena *arena, struct view *ret_spki);

#endif
